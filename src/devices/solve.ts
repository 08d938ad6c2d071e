import type { Device, LinearSystem, SolveOptions, SolveResult } from './device.js'

/** Operations used by conjugate gradients. */
type SolveDevice = Pick<Device, 'run' | 'dot' | 'axpy' | 'xpby' | 'copy' | 'fill'>

/**
 * `Device.solve` in terms of a device's basic operations: the definition that a device's own version must match.
 * Stops after `iterations` products, when r'r is below the tolerance, or when r'M r is not positive.
 */
export function conjugateGradient(
  device: SolveDevice,
  system: LinearSystem,
  { iterations, tolerance }: SolveOptions,
): SolveResult {
  const { program, rows, scale, damping, direction, product, residual, b, x, preconditioner } = system
  const steepest = preconditioner?.image ?? residual
  const residuals: number[] = []
  device.fill(x, 0)
  device.copy(b, residual)
  device.copy(b, direction)
  let squared = device.dot(residual, residual)
  let previous = 0
  for (let i = 0; i < iterations; i++) {
    preconditioner?.passes.forEach((pass) => device.run(pass.program, pass.rows))
    // r'M r is not positive for a residual of 0, or if rounding has moved the residual out of M's range: no direction is left.
    const slope = preconditioner ? device.dot(residual, steepest) : squared
    if (!(slope > 0)) break
    residuals.push(squared)
    if (i > 0) device.xpby(steepest, slope / previous, direction)
    else if (preconditioner) device.copy(steepest, direction)
    device.run(program, rows, scale)
    device.axpy(damping, direction, product)
    const alpha = slope / device.dot(direction, product)
    device.axpy(alpha, direction, x)
    device.axpy(-alpha, product, residual)
    squared = device.dot(residual, residual)
    if (squared < tolerance) break
    previous = slope
  }
  return { residuals, curvature: device.dot(x, b) - device.dot(x, residual) }
}
