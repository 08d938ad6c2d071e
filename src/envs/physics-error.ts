import { HatrpoError } from '../errors.js'

/**
 * The physics of one environment went bad: a number that is not finite, or more than MuJoCo can hold.
 * The environment is unusable until `reset` or `loadState`; others in the same thread are unaffected.
 */
export class PhysicsError extends HatrpoError {
  override readonly name = 'PhysicsError'
  /** Id of the environment, as in its spec. */
  readonly envId: string
  /** What went bad: `qpos`, `qvel`, `qacc`, `action`, `inertia`, `contacts`, `constraints` or `error`. */
  readonly quantity: string

  constructor(envId: string, quantity: string, detail: string, options: { cause?: unknown } = {}) {
    super(`${envId}: ${detail}`, options)
    this.envId = envId
    this.quantity = quantity
  }
}
