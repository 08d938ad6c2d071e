import assert from 'node:assert/strict'
import test from 'node:test'
import { WasmDevice } from '../../src/devices/wasm/device.js'
import { conjugateGradient } from '../../src/learner/conjugate-gradient.js'
import { close } from '../reference/close.js'
import { dot, largest, normals, U } from '../reference/dense.js'
import { tensorOf } from './setup.js'

const device = await WasmDevice.create()

/** CG on a matrix given by its product in f64. */
function solve(
  multiply: (v: ArrayLike<number>) => number[],
  b: ArrayLike<number>,
  iterations: number,
  tolerance = 1e-10,
) {
  const n = b.length
  const tensor = () => device.tensor('f32', n)
  const scratch = { residual: tensor(), direction: tensor(), product: tensor() }
  const x = tensor()
  let products = 0
  const product = () => {
    products++
    device.write(scratch.product, multiply(device.read(scratch.direction)))
  }
  const result = conjugateGradient(device, product, tensorOf(device, b), x, scratch, iterations, tolerance)
  return {
    ...result,
    x: Array.from(device.read(x)),
    residual: Array.from(device.read(scratch.residual)),
    products,
  }
}

/** B B' + I of a random B: symmetric, positive definite. */
function positiveDefinite(n: number, seed: number): number[][] {
  const b = normals(n * n, seed)
  return Array.from({ length: n }, (_, i) =>
    Array.from(
      { length: n },
      (__, j) => dot(b.subarray(i * n, (i + 1) * n), b.subarray(j * n, (j + 1) * n)) / n + (i === j ? 1 : 0),
    ),
  )
}

const times = (matrix: number[][]) => (v: ArrayLike<number>) => matrix.map((row) => dot(row, v))

test('n iterations solve a system of n unknowns', () => {
  for (const n of [1, 2, 5, 12]) {
    const matrix = positiveDefinite(n, n)
    const want = normals(n, 50 + n)
    const b = times(matrix)(want)
    const { x } = solve(times(matrix), b, 2 * n, 0)
    // Eigenvalues lie in [1, 5], so the solution is as good as the f32 residual times a condition number below 5.
    close(x, want, 5 * 8 * n * U * largest(want) * 4, `n = ${n}`)
  }
})

test('a diagonal with two different entries takes two products, a multiple of the identity takes one', () => {
  const two = solve((v) => Array.from(v, (x, i) => (i % 2 ? 2 : 8) * x), normals(40, 1), 10)
  assert.equal(two.products, 2)
  const one = solve((v) => Array.from(v, (x) => 4 * x), normals(40, 2), 10)
  assert.equal(one.products, 1)
  assert.deepEqual(
    one.x,
    Array.from(normals(40, 2), (v) => v / 4),
  )
})

test('it stops once the squared residual is below the tolerance, and not before', () => {
  const matrix = positiveDefinite(30, 3)
  const b = normals(30, 4)
  for (const tolerance of [1, 1e-2, 1e-4]) {
    const { residuals, residual, products } = solve(times(matrix), b, 30, tolerance)
    assert.equal(residuals.length, products)
    assert.ok(products < 30)
    assert.ok(residuals.every((r) => r >= tolerance))
    assert.ok(dot(residual, residual) < tolerance)
  }
  assert.equal(solve(times(matrix), b, 4, 0).products, 4)
})

test("the curvature x'(b - r) is x'A x", () => {
  for (const iterations of [1, 3, 10]) {
    const matrix = positiveDefinite(20, 5)
    const { x, curvature } = solve(times(matrix), normals(20, 6), iterations)
    const want = dot(x, times(matrix)(x))
    close([curvature], [want], 100 * U * want, `${iterations} iterations`)
  }
})

test('the first residual is b, and later ones are orthogonal to it', () => {
  const b = normals(20, 8)
  const { residuals, residual } = solve(times(positiveDefinite(20, 7)), b, 3, 0)
  close([residuals[0]], [dot(b, b)], 1e-12 * dot(b, b), 'squared norm of b')
  close([dot(residual, b)], [0], 100 * U * dot(b, b), 'orthogonality')
})

test('a right-hand side of zeros is solved by zeros without a product', () => {
  const { x, curvature, products } = solve((v) => Array.from(v), new Float32Array(5), 10)
  assert.deepEqual(x, [0, 0, 0, 0, 0])
  assert.deepEqual([curvature, products], [0, 0])
})

test('an indefinite matrix shows as curvature that is not positive', () => {
  const { curvature } = solve((v) => Array.from(v, (x) => -2 * x), normals(6, 9), 10)
  assert.ok(curvature < 0)
})
