import type { Device } from '../devices/device.js'
import type { Tensor } from '../devices/tensor.js'

export interface CgScratch {
  readonly residual: Tensor
  /** The conjugate direction; `multiply` reads it. */
  readonly direction: Tensor
  /** `multiply` writes A direction here. */
  readonly product: Tensor
}

export interface CgResult {
  /** r'r before each iteration. */
  readonly residuals: number[]
  /** x' A x, from CG's own residual: x' (b - r). */
  readonly curvature: number
}

/**
 * Conjugate gradient for A x = b, A symmetric and positive definite, from x = 0 (Hestenes & Stiefel 1952).
 * Vectors are f32, scalar products f64. Stops after `iterations` products, or once r'r < tolerance or is 0.
 */
export function conjugateGradient(
  device: Device,
  multiply: () => void,
  b: Tensor,
  x: Tensor,
  scratch: CgScratch,
  iterations: number,
  tolerance: number,
): CgResult {
  const { residual, direction, product } = scratch
  const residuals: number[] = []
  device.fill(x, 0)
  device.copy(b, residual)
  device.copy(b, direction)
  let squared = device.dot(residual, residual)
  // A residual of exactly 0 has no direction to go on in.
  for (let i = 0; i < iterations && squared > 0; i++) {
    residuals.push(squared)
    multiply()
    const alpha = squared / device.dot(direction, product)
    device.axpy(alpha, direction, x)
    device.axpy(-alpha, product, residual)
    const next = device.dot(residual, residual)
    if (next < tolerance) break
    device.xpby(residual, next / squared, direction)
    squared = next
  }
  return { residuals, curvature: device.dot(x, b) - device.dot(x, residual) }
}
