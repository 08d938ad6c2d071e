import { HatrpoError } from '../errors.js'

/**
 * Error of a step that broke in one environment. The environment is unusable until `reset` or `loadState`. Others in
 * the same thread are not affected, and a rollout continues without the step.
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
