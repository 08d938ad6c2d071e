import assert from 'node:assert/strict'
import test from 'node:test'
import { ACTIVATIONS, type Activation } from '../../src/devices/steps.js'
import { close } from '../reference/close.js'
import { ACTIVATE, directional, normals, U } from '../reference/dense.js'
import { bits, f32, kernels } from './harness.js'

/** y and f'(z) of one kind. */
function activated(kind: Activation, z: ArrayLike<number>) {
  const [x, y, derivative] = [f32(z), f32(z.length), f32(z.length)]
  const code = ACTIVATIONS.indexOf(kind)
  kernels.activation(x.byteOffset, y.byteOffset, derivative.byteOffset, z.length, code, 0, 1)
  return { y: Float32Array.from(y), derivative: Float32Array.from(derivative) }
}

const POINTS = Float32Array.from([
  ...Array.from({ length: 401 }, (_, i) => (i - 200) / 20.01 + 1e-3),
  ...[-80, -40, -20, -12, 12, 20, 40, 80],
  ...[-1e-3, -1e-6, -1e-20, 1e-20, 1e-6, 1e-3],
])

/**
 * Error of f, from the bounds stated in assembly/math32.ts (in units of U: exp 2, expm1 3, tanh 3.4, sigmoid 2.7, erf 2)
 * and one U per further operation or rounded constant. gelu: 1 + erf cancels below 0, so its error is relative to z.
 */
const VALUE_BOUND: Readonly<Record<Activation, (z: number, y: number) => number>> = {
  relu: () => 0,
  tanh: (_, y) => 4 * U * Math.abs(y),
  elu: (_, y) => 3 * U * Math.abs(y),
  gelu: (z) => 4 * U * Math.abs(z),
  silu: (_, y) => 4 * U * Math.abs(y),
  leakyRelu: (_, y) => 2 * U * Math.abs(y),
  selu: (_, y) => 7 * U * Math.abs(y),
  sigmoid: (_, y) => 3 * U * Math.abs(y),
}

/** Error of f', computed from z and the rounded y. It is absolute, because of cancellation in terms such as 1 - y. */
const SLOPE_BOUND: Readonly<Record<Activation, (z: number) => number>> = {
  relu: () => 0,
  tanh: () => 10 * U,
  elu: () => 4 * U,
  gelu: () => 8 * U,
  silu: (z) => 4 * U * (1 + Math.abs(z)),
  leakyRelu: () => U,
  selu: () => 12 * U,
  sigmoid: () => 4 * U,
}

for (const kind of ACTIVATIONS) {
  test(`${kind} and its derivative agree with f64 arithmetic`, () => {
    const { y, derivative } = activated(kind, POINTS)
    const want = Array.from(POINTS, ACTIVATE[kind])
    // Results below the smallest normal f32 may be flushed or rounded to a multiple of 2^-149.
    close(y, want, (i) => VALUE_BOUND[kind](POINTS[i], want[i]) + 2 ** -126, `${kind}(z)`)
    const slopes = Array.from(POINTS, (z) => {
      const h = Math.min(1e-3, Math.abs(z) / 4)
      return directional((t) => [ACTIVATE[kind](z + t)], h)[0]
    })
    // Error of the differences: h^4 f''''' / 30 < 1e-12, and 1.5 eps |f| / h, which matters near a kink, where h is small.
    const differences = (z: number) => 1e-11 + (2e-15 * Math.abs(z)) / Math.min(1e-3, Math.abs(z) / 4)
    const noise = (z: number) =>
      Math.abs(z) < 1e-2 && (kind === 'sigmoid' || kind === 'elu' || kind === 'selu') ? 0 : differences(z)
    POINTS.forEach((z, i) => {
      if (Math.abs(z) < 1e-2) return
      close([derivative[i]], [slopes[i]], SLOPE_BOUND[kind](z) + noise(z), `${kind}'(${z})`)
    })
  })
}

test('the derivative at a kink is the derivative from the left', () => {
  const slopes: Partial<Record<Activation, number>> = {
    relu: 0,
    leakyRelu: Math.fround(0.01),
    elu: 1,
    selu: Math.fround(Math.fround(1.0507009873554805) * Math.fround(1.6732632423543772)),
  }
  for (const [kind, slope] of Object.entries(slopes) as [Activation, number][]) {
    const { y, derivative } = activated(kind, [0, -0])
    assert.deepEqual([...y].map(Math.abs), [0, 0], kind)
    close(derivative, [slope, slope], U * slope * 2, kind)
    assert.equal(
      activated(kind, [1e-30]).derivative[0],
      kind === 'selu' ? Math.fround(1.0507009873554805) : 1,
    )
  }
})

test('large arguments saturate without NaN', () => {
  const z = [-3e38, -1e10, -200, 200, 1e10, 3e38]
  for (const kind of ACTIVATIONS) {
    const { y, derivative } = activated(kind, z)
    z.forEach((v, i) => {
      const limit = ACTIVATE[kind](v)
      close(
        [y[i]],
        [Number.isNaN(limit) ? 0 : limit],
        4 * U * Math.abs(limit || 0) + 2 ** -126,
        `${kind}(${v})`,
      )
      const slope = kind === 'leakyRelu' ? 0.01 : 0
      const above = { selu: 1.0507009873554805, tanh: 0, sigmoid: 0 }[kind as string] ?? 1
      close([derivative[i]], [v > 0 ? above : slope], 2 * U, `${kind}'(${v})`)
    })
  }
})

test('y is NaN for a NaN argument, for every kind', () => {
  for (const kind of ACTIVATIONS) assert.ok(Number.isNaN(activated(kind, [NaN, 1, 1, 1]).y[0]), kind)
})

test('results have the same bits for any range of rows, in place and with or without the derivative', () => {
  for (const kind of ACTIVATIONS) {
    const code = ACTIVATIONS.indexOf(kind)
    for (const n of [1, 2, 3, 5, 8, 19]) {
      const rows = 7
      const z = normals(rows * n, n, 3)
      const whole = activated(kind, z)
      const [inPlace, derivative] = [f32(z), f32(rows * n).fill(7)]
      const at = inPlace.byteOffset
      kernels.activation(at, at, derivative.byteOffset, n, code, 2, 5)
      const inside = (i: number) => i >= 2 * n && i < 5 * n
      assert.deepEqual(bits(inPlace), bits(z.map((v, i) => (inside(i) ? whole.y[i] : v))))
      assert.deepEqual(bits(derivative), bits(z.map((_, i) => (inside(i) ? whole.derivative[i] : 7))))
      const without = f32(rows * n)
      kernels.activation(f32(z).byteOffset, without.byteOffset, 0, n, code, 0, rows)
      assert.deepEqual(bits(without), bits(whole.y))
    }
  }
})

test('multiplyRows multiplies its range of rows elementwise, each vector of a row by the same one, also in place', () => {
  for (const n of [1, 3, 4, 19]) {
    for (const repeat of [1, 2, 3]) {
      const rows = 6
      const width = repeat * n
      const [a, b, out] = [
        f32(normals(rows * width, 1)),
        f32(normals(rows * n, 2)),
        f32(rows * width).fill(7),
      ]
      const factor = (i: number) => b[Math.floor(i / width) * n + (i % n)]
      const want = a.map((v, i) => (i >= width && i < 5 * width ? Math.fround(v * factor(i)) : 7))
      kernels.multiplyRows(a.byteOffset, b.byteOffset, out.byteOffset, n, repeat, 1, 5)
      assert.deepEqual(out, want)
      const outside = Float32Array.from(a)
      kernels.multiplyRows(a.byteOffset, b.byteOffset, a.byteOffset, n, repeat, 1, 5)
      assert.deepEqual(
        a,
        want.map((v, i) => (i >= width && i < 5 * width ? v : outside[i])),
      )
    }
  }
})
