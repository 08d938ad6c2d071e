import assert from 'node:assert/strict'
import test from 'node:test'
import { erf } from '../../src/devices/reference/activation.js'
import { arena, f32, f64, i32, kernels } from './harness.js'

const SEED = [0x12345678, 0x9abcdef0] as const
const words = (hex: string) => hex.split(' ').map((word) => parseInt(word, 16))
const hex = (values: Iterable<number>) =>
  [...values].map((v) => (v >>> 0).toString(16).padStart(8, '0')).join(' ')

// Random123 1.14.0, tests/kat_vectors, the lines `philox4x32 10`: counter, key, result.
for (const [counter, key, result] of [
  ['00000000 00000000 00000000 00000000', '00000000 00000000', '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
  ['ffffffff ffffffff ffffffff ffffffff', 'ffffffff ffffffff', '408f276d 41c83b0e a20bc7c6 6d5451fd'],
  ['243f6a88 85a308d3 13198a2e 03707344', 'a4093822 299f31d0', 'd16cfe09 94fdcceb 5001e420 24126ea1'],
] as const) {
  test(`Philox4x32-10 of ${counter} gives the known answer`, () => {
    const out = i32(4)
    const [c0, c1, c2, c3] = words(counter) as [number, number, number, number]
    const [k0, k1] = words(key) as [number, number]
    kernels.philox4x32(c0, c1, c2, c3, k0, k1, out.byteOffset)
    assert.equal(hex(out), result)
  })
}

test('random32 and uniform64 read the block given by key and index', () => {
  const out = i32(4)
  const [purpose, stream, step] = [3, 7, 4_000_000_001]
  for (const index of [0, 1, 2, 3, 4, 1001, 4294967295]) {
    kernels.philox4x32(index >>> 2, step, stream, purpose, ...SEED, out.byteOffset)
    assert.equal(kernels.random32(...SEED, purpose, stream, step, index), out[index & 3])
    kernels.philox4x32(index >>> 1, step, stream, purpose, ...SEED, out.byteOffset)
    const [low, high] = index & 1 ? [out[2], out[3]] : [out[0], out[1]]
    const wanted = ((high >>> 12) * 2 ** 32 + (low >>> 0) + 0.5) / 2 ** 52
    assert.equal(kernels.uniform64(...SEED, purpose, stream, step, index), wanted)
  }
})

test('changing any part of the key changes the numbers', () => {
  const keys = [
    [1, 2, 3, 4, 5, 6],
    [0, 2, 3, 4, 5, 6],
    [1, 0, 3, 4, 5, 6],
    [1, 2, 0, 4, 5, 6],
    [1, 2, 3, 0, 5, 6],
    [1, 2, 3, 4, 0, 6],
    [1, 2, 3, 4, 5, 0],
  ] as [number, number, number, number, number, number][]
  assert.equal(new Set(keys.map((key) => kernels.uniform64(...key))).size, keys.length)
})

test('an element of fillNormals and fillUniforms depends on its key and index only', () => {
  const long = f32(101)
  kernels.fillNormals(long.byteOffset, 101, ...SEED, 1, 2, 3)
  for (const n of [0, 1, 2, 3, 50, 100]) {
    const short = f32(n + 1).fill(-9)
    kernels.fillNormals(short.byteOffset, n, ...SEED, 1, 2, 3)
    assert.deepEqual([...short.subarray(0, n)], [...long.subarray(0, n)])
    assert.equal(short[n], -9, 'nothing is written behind the end')
  }
  long.forEach((z, i) => assert.equal(z, Math.fround(kernels.normal64(...SEED, 1, 2, 3, i))))
  const uniforms = f64(11)
  kernels.fillUniforms(uniforms.byteOffset, 11, ...SEED, 1, 2, 3)
  uniforms.forEach((u, i) => assert.equal(u, kernels.uniform64(...SEED, 1, 2, 3, i)))
})

/** Kolmogorov-Smirnov statistic sqrt(n) sup |F_n - F|, which exceeds 1.95 with probability 0.001. */
function kolmogorovSmirnov(sample: ArrayLike<number>, cdf: (x: number) => number): number {
  const sorted = Float64Array.from(sample).sort()
  const n = sorted.length
  let largest = 0
  sorted.forEach((x, i) => {
    largest = Math.max(largest, (i + 1) / n - cdf(x), cdf(x) - i / n)
  })
  return Math.sqrt(n) * largest
}

test('normals have the moments and the distribution of the standard normal', () => {
  const n = 100_000
  const z = f32(n)
  kernels.fillNormals(z.byteOffset, n, ...SEED, 5, 0, 0)
  const moment = (k: number) => z.reduce((sum, x) => sum + x ** k, 0) / n
  // Four standard errors of each: Var z^k = E z^2k - (E z^k)^2.
  for (const [k, mean, variance] of [
    [1, 0, 1],
    [2, 1, 2],
    [3, 0, 15],
    [4, 3, 96],
  ] as const) {
    assert.ok(Math.abs(moment(k) - mean) < 4 * Math.sqrt(variance / n), `moment ${k} is ${moment(k)}`)
  }
  assert.ok(kolmogorovSmirnov(z, (x) => (1 + erf(x / Math.SQRT2)) / 2) < 1.95)
  // The two numbers of a block are independent of each other and of the next block.
  for (const lag of [1, 2]) {
    let sum = 0
    for (let i = 0; i + lag < n; i++) sum += z[i] * z[i + lag]
    assert.ok(Math.abs(sum / n) < 4 / Math.sqrt(n), `lag ${lag}`)
  }
  arena.release(z.byteOffset)
})

test('uniforms are uniform in (0, 1), within a step and across steps and streams', () => {
  const n = 50_000
  const u = f64(n)
  kernels.fillUniforms(u.byteOffset, n, ...SEED, 6, 0, 0)
  assert.ok(u.every((x) => x > 0 && x < 1))
  assert.ok(kolmogorovSmirnov(u, (x) => x) < 1.95)
  const steps = Array.from({ length: 20_000 }, (_, step) => kernels.uniform64(...SEED, 6, 1, step, 0))
  assert.ok(kolmogorovSmirnov(steps, (x) => x) < 1.95)
  const streams = Array.from({ length: 20_000 }, (_, stream) => kernels.uniform64(...SEED, 6, stream, 0, 0))
  assert.ok(kolmogorovSmirnov(streams, (x) => x) < 1.95)
})

test('permutation gives every order of four elements equally often', () => {
  const out = i32(4)
  const counts = new Map<string, number>()
  const draws = 24_000
  for (let step = 0; step < draws; step++) {
    kernels.permutation(out.byteOffset, 4, ...SEED, 7, 0, step)
    const order = out.join()
    counts.set(order, (counts.get(order) ?? 0) + 1)
  }
  assert.equal(counts.size, 24)
  const expected = draws / 24
  const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
  // The 0.999 quantile of chi-square with 23 degrees of freedom.
  assert.ok(chiSquare < 49.73, `chi-square ${chiSquare}`)
})

test('permutation permutes 0 .. n - 1 for any n and repeats for the same key', () => {
  for (const n of [0, 1, 2, 3, 17, 4000]) {
    const out = i32(n + 1).fill(-9)
    kernels.permutation(out.byteOffset, n, ...SEED, 8, 1, 2)
    assert.deepEqual(
      [...out.subarray(0, n)].sort((a, b) => a - b),
      Array.from({ length: n }, (_, i) => i),
    )
    assert.equal(out[n], -9, 'nothing is written behind the end')
    const again = i32(n)
    kernels.permutation(again.byteOffset, n, ...SEED, 8, 1, 2)
    assert.deepEqual([...again], [...out.subarray(0, n)])
  }
})
