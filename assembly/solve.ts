// Conjugate gradients in one call from JavaScript, with a program as the matrix product.

import { runShared } from './threads'
import { axpy, copy, dot, fill, scaleAdd } from './vector'

/**
 * Conjugate gradients for (F + damping I) x = b from x = 0. The operations are those of `conjugateGradient` in
 * src/devices/solve.ts, with the same bits. Vectors are f32[n].
 * @param program computes product = F direction, for the rows and the scale in its header
 * @param out f64[iterations + 1]: r'r before each iteration, then the curvature x'(b - r)
 * @returns number of iterations, or -1 if a helper died with unfinished work
 */
export function solve(
  control: usize,
  program: usize,
  n: i32,
  damping: f64,
  direction: usize,
  product: usize,
  residual: usize,
  b: usize,
  x: usize,
  iterations: i32,
  tolerance: f64,
  out: usize,
): i32 {
  const bytes = (<usize>n) << 2
  fill(x, 0, n)
  copy(b, residual, bytes)
  copy(b, direction, bytes)
  let squared = dot(residual, residual, n)
  let count = 0
  while (count < iterations && squared > 0) {
    store<f64>(out + ((<usize>count) << 3), squared)
    count++
    if (runShared(control, program) != 0) return -1
    axpy(damping, direction, product, n)
    const alpha = squared / dot(direction, product, n)
    axpy(alpha, direction, x, n)
    axpy(-alpha, product, residual, n)
    const next = dot(residual, residual, n)
    if (next < tolerance) break
    scaleAdd(next / squared, direction, residual, direction, n)
    squared = next
  }
  store<f64>(out + ((<usize>count) << 3), dot(x, b, n) - dot(x, residual, n))
  return count
}
