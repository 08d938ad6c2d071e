import assert from 'node:assert/strict'
import test from 'node:test'
import { ShiftedInverse } from '../../src/learner/positive-definite.js'
import { close } from '../reference/close.js'
import { dot, largest, normals, rowsOf } from '../reference/dense.js'

/** B B' / n of a random B [n, k]: positive semidefinite, of rank k at most. */
function gram(n: number, k: number, seed: number): number[][] {
  const b = rowsOf(normals(n * k, seed), k)
  return b.map((x) => b.map((y) => dot(x, y) / n))
}

/** Inverse of A + shift I, by memory that has been used before. */
function inverseOf(a: ArrayLike<number>, n: number, shift: number): Float64Array {
  const inverter = new ShiftedInverse(n)
  inverter.of(normals(n * n, n), 10 * n)
  return inverter.of(a, shift)
}

test('the inverse of a shifted matrix times the shifted matrix is the identity', () => {
  for (const [n, k] of [
    [1, 1],
    [2, 5],
    [17, 3],
    [40, 60],
  ]) {
    const shift = 0.05
    const matrix = gram(n, k, n)
    const inverse = rowsOf(inverseOf(matrix.flat(), n, shift), n)
    const product = matrix.flatMap((row, i) =>
      inverse.map((column, j) => dot(row, column) + shift * inverse[j][i]),
    )
    const identity = product.map((_, i) => (i % (n + 1) === 0 ? 1 : 0))
    // The condition number is at most the largest row sum divided by the shift.
    const condition = 1 + (n * largest(matrix.flat())) / shift
    close(product, identity, 4 * n * condition * 2 ** -53, `${n} x ${n}`)
    assert.deepEqual(inverse.flat(), inverse.map((_, j) => inverse.map((row) => row[j])).flat(), 'symmetry')
  }
})

test('a matrix that is indefinite by rounding gets a positive definite inverse', () => {
  const matrix = [1, 2, 2, 1]
  const [a, b, c, d] = inverseOf(matrix, 2, 0.1)
  assert.ok(a > 0 && d > 0 && a * d - b * c > 0)
})

test('the inverse of a shift alone is its reciprocal', () => {
  close(inverseOf(new Float32Array(9), 3, 0.25), [4, 0, 0, 0, 4, 0, 0, 0, 4], 1e-14, 'reciprocal')
})
