import assert from 'node:assert/strict'
import test from 'node:test'
import { generator, kernels } from './harness.js'
import * as reference from './reference.js'

const random = generator(2)
const between = (low: number, high: number) => low + (high - low) * random()
const times = (n: number, make: (i: number) => number) => Array.from({ length: n }, (_, i) => make(i))
const signed = (x: number) => (random() < 0.5 ? -x : x)

/** Largest error in ulps of f over the inputs. */
function largestError(
  f: (x: number) => number,
  exact: (x: number) => reference.Big,
  inputs: number[],
): number {
  return Math.max(...inputs.map((x) => reference.ulpsFrom(f(x), exact(x))))
}

/** f64 nearest to multiples of pi/2, and adjacent f64, where cancellation in the reduction is greatest. */
const nearZeros = times(1500, (i) => {
  const x = (i % 2 === 0 ? i + 1 : Math.floor(between(1, 667_000))) * (Math.PI / 2)
  return x * (1 + (i % 5) * 2 ** -52)
})

const powersOfTwo = (low: number, high: number) =>
  times(2000, () => 2 ** Math.floor(between(low, high)) * (1 + random()))

const cases: [keyof typeof bounds, (x: number) => number, (x: number) => reference.Big, number[]][] = [
  [
    'exp64',
    kernels.exp64,
    reference.exp,
    [...times(3000, () => between(-745, 709.78)), ...times(2000, () => between(-1, 1))],
  ],
  [
    'log64',
    kernels.log64,
    reference.log,
    [...powersOfTwo(-1074, 1023), ...times(3000, () => between(0.5, 2)), 5e-324, 1.7e308],
  ],
  [
    'sin64',
    kernels.sin64,
    reference.sin,
    [...times(3000, () => between(-10, 10)), ...times(1500, () => signed(between(0, 2 ** 20))), ...nearZeros],
  ],
  [
    'cos64',
    kernels.cos64,
    reference.cos,
    [...times(3000, () => between(-10, 10)), ...times(1500, () => signed(between(0, 2 ** 20))), ...nearZeros],
  ],
  [
    'tanh64',
    kernels.tanh64,
    reference.tanh,
    [...times(3000, () => between(-20, 20)), ...times(2000, () => between(-1, 1)), ...powersOfTwo(-60, 0)],
  ],
]
const bounds = { exp64: 1, log64: 1, sin64: 1, cos64: 1, tanh64: 3 }

for (const [name, f, exact, inputs] of cases) {
  test(`${name} is within ${bounds[name]} ulp of 256-bit arithmetic`, (t) => {
    const error = largestError(f, exact, inputs)
    t.diagnostic(`largest error ${error.toFixed(3)} ulp over ${inputs.length} points`)
    assert.ok(error < bounds[name], `${error} ulp`)
  })
}

test('pow64 is within 1 ulp of 256-bit arithmetic', (t) => {
  let largest = 0
  for (let i = 0; i < 6000; i++) {
    const x = i % 3 === 0 ? between(0.5, 2) : 2 ** between(-1000, 1000)
    const limit = 708 / Math.abs(Math.log(x))
    const y = i % 5 === 0 ? Math.trunc(between(-limit, limit)) : between(-limit, limit)
    largest = Math.max(largest, reference.ulpsFrom(kernels.pow64(x, y), reference.pow(x, y)))
  }
  t.diagnostic(`largest error ${largest.toFixed(3)} ulp`)
  assert.ok(largest < 1, `${largest} ulp`)
})

test('pow64 treats zeros, infinities, NaN, signs and integers as Math.pow does', () => {
  const values = [0, -0, 1, -1, 2, -2, 3, 0.5, -0.5, 1e308, -1e308, 5e-324, 2 ** 53, Infinity, -Infinity, NaN]
  for (const x of values) {
    for (const y of values) {
      const wanted = Math.pow(x, y)
      const got = kernels.pow64(x, y)
      // If Math.pow rounds, an error of one ulp is allowed.
      const close = Math.abs(got - wanted) <= 2 ** -51 * Math.abs(wanted)
      assert.ok(
        Object.is(got, wanted) || (close && wanted !== 0),
        `pow64(${x}, ${y}) = ${got}, not ${wanted}`,
      )
    }
  }
  for (let n = -20; n <= 20; n++) assert.equal(kernels.pow64(2, n), 2 ** n)
})

test('limits of exp64, log64, sin64, cos64, tanh64', () => {
  const { exp64, log64, sin64, cos64, tanh64 } = kernels
  assert.deepEqual([0, -0, 709.79, Infinity, -745.2, -Infinity, NaN].map(exp64), [
    1,
    1,
    Infinity,
    Infinity,
    0,
    0,
    NaN,
  ])
  assert.deepEqual([1, 0, -0, -1, Infinity, NaN].map(log64), [0, -Infinity, -Infinity, NaN, Infinity, NaN])
  assert.deepEqual([0, -0, 1e-200, NaN, Infinity, 1048577].map(sin64), [0, -0, 1e-200, NaN, NaN, NaN])
  assert.deepEqual([0, -0, 1e-200, NaN, -Infinity, -1048577].map(cos64), [1, 1, 1, NaN, NaN, NaN])
  assert.deepEqual([0, -0, 1e-200, 19.1, -700, Infinity, NaN].map(tanh64), [0, -0, 1e-200, 1, -1, 1, NaN])
  for (let i = 0; i < 1000; i++) {
    const x = between(0, 20)
    assert.equal(tanh64(-x), -tanh64(x))
    assert.equal(sin64(-x), -sin64(x))
    assert.equal(cos64(-x), cos64(x))
  }
})
