import assert from 'node:assert/strict'
import test from 'node:test'
import type { Device } from '../../src/devices/device.js'
import { conjugateGradient } from '../../src/devices/solve.js'
import { close } from '../reference/close.js'
import { dot, largest, normals, U } from '../reference/dense.js'
import { DEVICES, tensorOf } from './setup.js'

/** CG on a matrix given by its product in f64. */
function solve(
  device: Device,
  multiply: (v: ArrayLike<number>) => number[],
  b: ArrayLike<number>,
  iterations: number,
  tolerance = 1e-10,
) {
  const n = b.length
  const tensor = () => device.tensor('f32', n)
  const [residual, direction, product, x] = [tensor(), tensor(), tensor(), tensor()]
  let products = 0
  const operations: Parameters<typeof conjugateGradient>[0] = {
    run: () => {
      products++
      device.write(product, multiply(device.read(direction)))
      return {}
    },
    dot: (...args) => device.dot(...args),
    axpy: (...args) => device.axpy(...args),
    xpby: (...args) => device.xpby(...args),
    copy: (...args) => device.copy(...args),
    fill: (...args) => device.fill(...args),
  }
  const vectors = { direction, product, residual, b: tensorOf(device, b), x, preconditioner: null }
  const system = { program: { maxRows: 1 }, rows: 1, scale: 1, damping: 0, ...vectors }
  const result = conjugateGradient(operations, system, { iterations, tolerance })
  return {
    ...result,
    x: Array.from(device.read(x)),
    residual: Array.from(device.read(residual)),
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

for (const { name: on, open } of DEVICES) {
  test(`${on}: n iterations solve a system of n unknowns`, async () => {
    const device = await open()
    for (const n of [1, 2, 5, 12]) {
      const matrix = positiveDefinite(n, n)
      const want = normals(n, 50 + n)
      const b = times(matrix)(want)
      const { x } = solve(device, times(matrix), b, 2 * n, 0)
      // Eigenvalues lie in [1, 5], so the solution is as good as the f32 residual times a condition number below 5.
      close(x, want, 5 * 8 * n * U * largest(want) * 4, `n = ${n}`)
    }
  })

  test(`${on}: a diagonal with two different entries takes two products, a multiple of the identity takes one`, async () => {
    const device = await open()
    const two = solve(device, (v) => Array.from(v, (x, i) => (i % 2 ? 2 : 8) * x), normals(40, 1), 10)
    assert.equal(two.products, 2)
    const one = solve(device, (v) => Array.from(v, (x) => 4 * x), normals(40, 2), 10)
    assert.equal(one.products, 1)
    assert.deepEqual(
      one.x,
      Array.from(normals(40, 2), (v) => v / 4),
    )
  })

  test(`${on}: it stops once the squared residual is below the tolerance, and not before`, async () => {
    const device = await open()
    const matrix = positiveDefinite(30, 3)
    const b = normals(30, 4)
    for (const tolerance of [1, 1e-2, 1e-4]) {
      const { residuals, residual, products } = solve(device, times(matrix), b, 30, tolerance)
      assert.equal(residuals.length, products)
      assert.ok(products < 30)
      assert.ok(residuals.every((r) => r >= tolerance))
      assert.ok(dot(residual, residual) < tolerance)
    }
    assert.equal(solve(device, times(matrix), b, 4, 0).products, 4)
  })

  test(`${on}: the curvature x'(b - r) is x'A x`, async () => {
    const device = await open()
    for (const iterations of [1, 3, 10]) {
      const matrix = positiveDefinite(20, 5)
      const { x, curvature } = solve(device, times(matrix), normals(20, 6), iterations)
      const want = dot(x, times(matrix)(x))
      close([curvature], [want], 100 * U * want, `${iterations} iterations`)
    }
  })

  test(`${on}: the first residual is b, and later ones are orthogonal to it`, async () => {
    const device = await open()
    const b = normals(20, 8)
    const { residuals, residual } = solve(device, times(positiveDefinite(20, 7)), b, 3, 0)
    close([residuals[0]], [dot(b, b)], 1e-12 * dot(b, b), 'squared norm of b')
    close([dot(residual, b)], [0], 100 * U * dot(b, b), 'orthogonality')
  })

  test(`${on}: a right-hand side of zeros is solved by zeros without a product`, async () => {
    const device = await open()
    const { x, curvature, products } = solve(device, (v) => Array.from(v), new Float32Array(5), 10)
    assert.deepEqual(x, [0, 0, 0, 0, 0])
    assert.deepEqual([curvature, products], [0, 0])
  })

  test(`${on}: an indefinite matrix shows as curvature that is not positive`, async () => {
    const device = await open()
    const { curvature } = solve(device, (v) => Array.from(v, (x) => -2 * x), normals(6, 9), 10)
    assert.ok(curvature < 0)
  })
}
