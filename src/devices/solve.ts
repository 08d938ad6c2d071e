import type { Device, LinearSystem, SolveOptions, SolveResult } from './device.js'

/** Operations that conjugate gradients are made of. */
type SolveDevice = Pick<Device, 'run' | 'dot' | 'axpy' | 'xpby' | 'copy' | 'fill'>

/**
 * `Device.solve` made of a device's small operations: the definition that a device's own version must repeat.
 * Stops after `iterations` products, once r'r is below the tolerance, or where r'M r is not positive.
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
    // r'M r of a residual of exactly 0, or of one that rounding took out of M's reach, leaves no direction to continue in.
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
