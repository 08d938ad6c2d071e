import { HatrpoError } from '../errors.js'

/**
 * A step of one environment broke. The environment is unusable until `reset` or `loadState`; others in the same thread
 * are unaffected, and a rollout continues without the step.
 */
export class BrokenStepError extends HatrpoError {
  override readonly name: string = 'BrokenStepError'
  /** Id of the environment, as in its spec. */
  readonly envId: string

  /** @param detail what broke, in one line */
  constructor(envId: string, detail: string, options: { cause?: unknown } = {}) {
    super(`${envId}: ${detail}`, options)
    this.envId = envId
  }
}
