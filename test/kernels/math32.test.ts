import assert from 'node:assert/strict'
import test from 'node:test'
import { erf } from '../../src/devices/reference/activation.js'
import { apply, bits, generator } from './harness.js'

/** Distance between adjacent f32 near x. */
function ulp32(x: number): number {
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(x))), -126)
  return 2 ** (exponent - 23)
}

/** Every 1499th f32 bit pattern: all signs, exponents, infinities and NaNs. */
const everywhere = (() => {
  const patterns = new Uint32Array(Math.floor(2 ** 32 / 1499))
  for (let i = 0; i < patterns.length; i++) patterns[i] = i * 1499
  return new Float32Array(patterns.buffer)
})()

/** Dense grid on [-limit, limit]. */
function grid(limit: number): Float32Array {
  return Float32Array.from({ length: 400_001 }, (_, i) => (i / 200_000 - 1) * limit)
}

/** Largest error in ulps over the grid and the bit patterns, for x that satisfy `within`. NaN must give NaN. */
function largestError(
  name: Parameters<typeof apply>[0],
  exact: (x: number) => number,
  within: (x: number) => boolean,
  limit: number,
): { ulps: number; relative: number } {
  let ulps = 0
  let relative = 0
  for (const inputs of [everywhere, grid(limit)]) {
    const got = apply(name, inputs)
    for (let i = 0; i < inputs.length; i++) {
      const x = inputs[i]
      if (Number.isNaN(x)) {
        assert.ok(Number.isNaN(got[i]), `${name}(NaN) is ${got[i]}`)
        continue
      }
      if (!within(x)) continue
      const wanted = exact(x)
      if (wanted === got[i]) continue
      const error = Math.abs(got[i] - wanted)
      ulps = Math.max(ulps, error / ulp32(wanted))
      if (Math.abs(wanted) > 1.2e-38) relative = Math.max(relative, error / Math.abs(wanted))
    }
  }
  return { ulps, relative }
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))

for (const [name, exact, within, limit, ulps, relative] of [
  ['expArray', Math.exp, (x: number) => x < 88.722839 && x > -103.97, 104, 1.1, 1.2e-7],
  ['expMinusOneArray', Math.expm1, (x: number) => x < 88.722839, 20, 2, 1.7e-7],
  ['tanhArray', Math.tanh, () => true, 10, 3, 2e-7],
  ['sigmoidArray', sigmoid, (x: number) => x > -87, 90, 2.5, 1.6e-7],
  ['logArray', Math.log, (x: number) => x > 0, 4, 1, 1e-7],
  ['erfArray', erf, () => true, 4, 1.5, 1.2e-7],
] as const) {
  test(`${name} is within ${ulps} ulp of the exact value`, (t) => {
    const error = largestError(name, exact, within, limit)
    t.diagnostic(`largest error ${error.ulps.toFixed(3)} ulp, ${error.relative.toExponential(2)} relative`)
    assert.ok(error.ulps <= ulps, `${error.ulps} ulp`)
    assert.ok(error.relative <= relative, `${error.relative} relative`)
  })
}

test('limits: overflow, underflow, saturation, poles, signed zeros', () => {
  const { MAX_VALUE } = Number
  const cases = [
    [
      'expArray',
      [88.73, 1e30, Infinity, -104, -1e30, -Infinity, 0, -0],
      [Infinity, Infinity, Infinity, 0, 0, 0, 1, 1],
    ],
    [
      'expMinusOneArray',
      [89, Infinity, -20, -1e30, -Infinity, 0, -0],
      [Infinity, Infinity, -1, -1, -1, 0, 0],
    ],
    [
      'tanhArray',
      [9.02, -9.02, 1e30, Infinity, -Infinity, 0, -0, 1e-40],
      [1, -1, 1, 1, -1, 0, -0, Math.fround(1e-40)],
    ],
    ['sigmoidArray', [0, 20, Infinity, -89, -Infinity], [0.5, 1, 1, 0, 0]],
    [
      'logArray',
      [0, -0, 1, Infinity, -1, -Infinity, -MAX_VALUE],
      [-Infinity, -Infinity, 0, Infinity, NaN, NaN, NaN],
    ],
    ['erfArray', [3.93, -3.93, Infinity, -Infinity, 0, -0], [1, -1, 1, -1, 0, -0]],
  ] as const
  for (const [name, inputs, wanted] of cases) {
    assert.deepEqual([...apply(name, inputs)], [...wanted], name)
  }
})

test('tanh and erf are odd to the bit', () => {
  const inputs = grid(12)
  for (const name of ['tanhArray', 'erfArray'] as const) {
    const negated = apply(
      name,
      inputs.map((x) => -x),
    ).map((y) => -y)
    assert.deepEqual(bits(negated), bits(apply(name, inputs)), name)
  }
})

test('a result has the same bits in any lane, in a remainder and alone', () => {
  const random = generator(1)
  const inputs = Float32Array.from({ length: 1027 }, (_, i) =>
    i % 3 === 0 ? everywhere[Math.floor(random() * everywhere.length)] : (random() - 0.5) * 20,
  )
  for (const name of [
    'expArray',
    'expMinusOneArray',
    'tanhArray',
    'sigmoidArray',
    'logArray',
    'erfArray',
  ] as const) {
    const together = bits(apply(name, inputs))
    inputs.forEach((x, i) => assert.equal(bits(apply(name, [x]))[0], together[i], `${name}(${x})`))
    for (const start of [1, 2, 3]) {
      assert.deepEqual(bits(apply(name, inputs.subarray(start))), together.subarray(start), name)
    }
  }
})
