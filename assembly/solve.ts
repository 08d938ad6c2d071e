// Conjugate gradients in one call from JavaScript, with a program as the matrix product.

import { runShared } from './threads'
import { axpy, copy, dot, fill, scaleAdd } from './vector'

/**
 * Preconditioned conjugate gradients for (F + damping I) x = b from x = 0. The operations are those of `conjugateGradient`
 * in src/devices/solve.ts, with the same bits. Vectors are f32[n].
 * @param program computes product = F direction, for the rows and the scale in its header
 * @param passes u32[passCount]: programs that compute image = M residual, in order; none: image is not read and M = I
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
  image: usize,
  passes: usize,
  passCount: i32,
  iterations: i32,
  tolerance: f64,
  out: usize,
): i32 {
  const bytes = (<usize>n) << 2
  const steepest = passCount > 0 ? image : residual
  fill(x, 0, n)
  copy(b, residual, bytes)
  copy(b, direction, bytes)
  let squared = dot(residual, residual, n)
  let previous: f64 = 0
  let count = 0
  while (count < iterations) {
    for (let p = 0; p < passCount; p++) {
      if (runShared(control, load<u32>(passes + ((<usize>p) << 2)) as usize) != 0) return -1
    }
    const slope = passCount > 0 ? dot(residual, steepest, n) : squared
    if (!(slope > 0)) break
    store<f64>(out + ((<usize>count) << 3), squared)
    if (count > 0) scaleAdd(slope / previous, direction, steepest, direction, n)
    else if (passCount > 0) copy(steepest, direction, bytes)
    count++
    if (runShared(control, program) != 0) return -1
    axpy(damping, direction, product, n)
    const alpha = slope / dot(direction, product, n)
    axpy(alpha, direction, x, n)
    axpy(-alpha, product, residual, n)
    squared = dot(residual, residual, n)
    if (squared < tolerance) break
    previous = slope
  }
  store<f64>(out + ((<usize>count) << 3), dot(x, b, n) - dot(x, residual, n))
  return count
}
