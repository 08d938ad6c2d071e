import type { Device, LinearSystem, SolveOptions, SolveResult } from './device.js'

/** Operations that conjugate gradients are made of. */
type SolveDevice = Pick<Device, 'run' | 'dot' | 'axpy' | 'xpby' | 'copy' | 'fill'>

/**
 * `Device.solve` made of a device's small operations: the definition that a device's own version must repeat.
 * Stops after `iterations` products, or once r'r is below the tolerance or 0.
 */
export function conjugateGradient(
  device: SolveDevice,
  system: LinearSystem,
  { iterations, tolerance }: SolveOptions,
): SolveResult {
  const { program, rows, scale, damping, direction, product, residual, b, x } = system
  const residuals: number[] = []
  device.fill(x, 0)
  device.copy(b, residual)
  device.copy(b, direction)
  let squared = device.dot(residual, residual)
  // A residual of exactly 0 has no direction to continue in.
  for (let i = 0; i < iterations && squared > 0; i++) {
    residuals.push(squared)
    device.run(program, rows, scale)
    device.axpy(damping, direction, product)
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
