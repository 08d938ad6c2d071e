// Conjugate gradients with programs as the product, in one call from JavaScript.

import { runShared } from './threads'
import { axpy, copy, dot, fill, scaleAdd } from './vector'

/**
 * Conjugate gradients for (F + damping I) x = b from x = 0, operation by operation as `conjugateGradient` in
 * src/devices/solve.ts, whose bits it repeats. Vectors are f32[n].
 * @param program computes product = F direction; its header has the rows and the scale
 * @param out f64[iterations + 1]: r'r before each iteration, and behind the last one the curvature x'(b - r)
 * @returns number of iterations, or -1 when a helper died while it held work
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
