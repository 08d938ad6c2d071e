import type { PolicyBatch } from '../learner/batch.js'
import type { Rejection } from '../learner/trust-region.js'

/** What one agent's update did to its policy over a batch, for a person to see. */
export interface AgentOutcome {
  /** Nats, after the update. */
  readonly entropy: number
  readonly trustRegion?: {
    /** Mean KL(old || new) of the steps taken, added up, and what they were allowed. */
    readonly klUsed: number
    readonly klAllowed: number
    readonly predictedGain: number
    readonly realisedGain: number
    readonly lineSearchTrials: number
    readonly rejectedSteps: number
    /** Why a step was rejected, a numerical fault before a line search that failed; null when none was. */
    readonly rejection: Rejection | null
  }
  readonly clipped?: {
    /** Mean KL(old || new) of the whole update. */
    readonly klUsed: number
    /** Means over the steps taken. */
    readonly policyLoss: number
    readonly clipFraction: number
    readonly gradNorm: number
    /** Steps not taken: the gradient was not finite, or no row counted. */
    readonly skippedSteps: number
    readonly rejection: 'non-finite' | null
  }
}

/** One agent's policy update, by whatever rule. */
export interface AgentUpdate {
  readonly batch: PolicyBatch
  /**
   * Improves the policy on the batch's rows, weighted by `batch.factor`; `batch.newLogProb` holds the
   * log-probabilities under the new policy afterwards.
   * @param progress share of the run that is done, for schedules
   */
  update(rows: number, progress: number): AgentOutcome
}
