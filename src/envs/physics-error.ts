import { BrokenStepError } from './broken-step-error.js'

/**
 * Error of the physics of one environment: a number that is not finite, or more contacts or constraints than MuJoCo can
 * hold.
 */
export class PhysicsError extends BrokenStepError {
  override readonly name = 'PhysicsError'
  /** The quantity at fault: `qpos`, `qvel`, `qacc`, `action`, `inertia`, `contacts`, `constraints` or `error`. */
  readonly quantity: string

  constructor(envId: string, quantity: string, detail: string, options: { cause?: unknown } = {}) {
    super(envId, detail, options)
    this.quantity = quantity
  }
}
