import type { ExplorationOptions } from '../../learner/heads/deterministic.js'

/** Settings of methods that learn from a replay of earlier rollouts. */
export interface OffPolicyRule extends ExplorationOptions {
  /** Learning rate of the policies. */
  readonly lr: number
  /** Transitions that an update step draws. */
  readonly batchSize: number
  /** Transitions that are kept, in whole rollouts. */
  readonly bufferSize: number
  /** Update steps per step of every environment. */
  readonly updatesPerStep: number
  /** Rewards that a target adds up before it looks at a value. */
  readonly nStep: number
  /** Share of the parameters that target networks take over after an update step. */
  readonly polyak: number
}

/** Whole update steps of an iteration of `steps` steps of every environment. */
export function updatesPerIteration({ updatesPerStep }: OffPolicyRule, steps: number): number {
  return Math.max(1, Math.floor(updatesPerStep * steps))
}

/** Iterations whose actions begin as uniform ones, and after which nothing is learned. */
export function warmupIterations({ warmup }: OffPolicyRule, steps: number): number {
  return Math.ceil(warmup / steps)
}
