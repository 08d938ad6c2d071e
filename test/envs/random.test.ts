import assert from 'node:assert/strict'
import test from 'node:test'
import { naturalLog, philox4x32, RandomStream } from '../../src/envs/random.js'

/** Known answers published with the generator: Random123 1.14, tests/kat_vectors, `philox4x32 10`. */
const KNOWN_ANSWERS = [
  { counter: [0, 0, 0, 0], key: [0, 0], out: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8] },
  {
    counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    key: [0xffffffff, 0xffffffff],
    out: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  },
  {
    counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    key: [0xa4093822, 0x299f31d0],
    out: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  },
]

test('philox4x32 gives the known answers', () => {
  for (const { counter, key, out } of KNOWN_ANSWERS) {
    const words = new Uint32Array(4)
    philox4x32(Uint32Array.from(counter), Uint32Array.from(key), words)
    assert.deepEqual(Array.from(words), out)
  }
})

test('naturalLog is within 4e-16 of Math.log, relatively, from 1e-300 to 1e300', () => {
  for (let i = 0; i < 20000; i++) {
    const x = i % 2 === 0 ? (i + 1) / 20001 : 10 ** ((i / 20000) * 600 - 300)
    const error = Math.abs(naturalLog(x) - Math.log(x))
    assert.ok(error <= 4e-16 * Math.abs(Math.log(x)), `log ${x}: off by ${error}`)
  }
  assert.equal(naturalLog(1), 0)
})

test('uniforms and normals have their moments', () => {
  const n = 200000
  const stream = new RandomStream(3, 1)
  const uniform = moments(n, () => stream.uniform())
  // Bounds of four standard errors of each estimate.
  assert.ok(Math.abs(uniform.mean - 1 / 2) < 4 * Math.sqrt(1 / 12 / n))
  assert.ok(Math.abs(uniform.variance - 1 / 12) < 4 * Math.sqrt(1 / 180 / n))
  const normal = moments(n, () => stream.normal())
  assert.ok(Math.abs(normal.mean) < 4 * Math.sqrt(1 / n))
  assert.ok(Math.abs(normal.variance - 1) < 4 * Math.sqrt(2 / n))
  assert.ok(Math.abs(normal.fourth - 3) < 4 * Math.sqrt(96 / n))
})

test('a stream depends only on seed and purpose', () => {
  const draw = (seed: number, purpose: number) => {
    const stream = new RandomStream(seed, purpose)
    return Array.from({ length: 8 }, () => stream.uniform())
  }
  assert.deepEqual(draw(5, 1), draw(5, 1))
  const different = [draw(5, 1), draw(6, 1), draw(5, 2), draw(5 + 2 ** 32, 1)].map((numbers) => numbers[0])
  assert.equal(new Set(different).size, 4)
  const restarted = new RandomStream(9, 9)
  restarted.uniform()
  restarted.restart(5, 1)
  assert.equal(restarted.uniform(), draw(5, 1)[0])
})

test('a seed that is not a whole number is refused', () => {
  for (const seed of [-1, 0.5, NaN, 2 ** 53]) {
    assert.throws(() => new RandomStream(seed, 1), { message: /^seed .*must be a whole number from 0/ })
  }
})

function moments(n: number, draw: () => number): { mean: number; variance: number; fourth: number } {
  const x = Array.from({ length: n }, draw)
  const mean = x.reduce((sum, value) => sum + value, 0) / n
  const power = (k: number) => x.reduce((sum, value) => sum + (value - mean) ** k, 0) / n
  const variance = power(2)
  return { mean, variance, fourth: power(4) / variance ** 2 }
}
