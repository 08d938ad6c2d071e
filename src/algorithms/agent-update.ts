import type { PolicyBatch } from '../learner/batch.js'
import type { CarriedState } from '../learner/fisher.js'
import type { Rejection } from '../learner/trust-region.js'

/** Effect of an update on a policy over a batch. Fields of the other update rules are absent. */
export interface PolicyOutcome {
  /** Nats, after the update. */
  readonly entropy: number
  /** Mean KL(old || new) over the rows that count: of the trust region's steps added up, or of the whole update. */
  readonly klUsed: number
  /** Bound on it; absent for rules without one. */
  readonly klAllowed?: number
  readonly predictedGain?: number
  readonly realisedGain?: number
  /** Mean over the steps of the norm of CG's last residual, relative to the gradient's. */
  readonly cgResidual?: number
  readonly lineSearchTrials?: number
  /** Whether every step was taken; absent for rules whose steps are not tested. */
  readonly accepted?: boolean
  /** Means over the steps taken. */
  readonly policyLoss?: number
  readonly clipFraction?: number
  readonly gradNorm?: number
  /** Steps that were not taken. */
  readonly rejectedSteps: number
  /** Why a step was not taken, a numerical fault before others; null when all were. */
  readonly rejection: Rejection | null
}

/** Model of a policy's update before it is made. */
export interface UpdateForecast {
  /** s = g'x of CG's solution x, or what replaces it in the gain sqrt(2 s d) for a KL budget d; 0 where no step is to be had. */
  readonly score: number
  /** Gain of the surrogate that the first-order model predicts for a KL budget, in units of the advantages. */
  gainAt(klBudget: number): number
  /** Gain and KL of the step that `commit` would take with a KL budget; 0 where it would take none. Nothing moves. */
  attempt(klBudget: number): { readonly gain: number; readonly kl: number }
}

/**
 * Update of one policy, by any rule. `propose` computes a step and `commit` takes it, so that a schedule can compare
 * policies, or split one KL budget between them, before any of them moves. Updates of other policies may occur between
 * the two calls: an update that stores activations computes them again if others have overwritten them.
 */
export interface PolicyUpdate {
  /** Agents whose samples the batch holds: one run of rows per agent, of equal length. */
  readonly agents: readonly number[]
  /** Rows of the whole batch, weighted by `batch.factor`. */
  readonly batch: PolicyBatch
  /** State that later updates need besides the policy; null for none. Part of checkpoints. */
  readonly carried?: CarriedState | null
  /**
   * Computes the step on the batch's rows at the current parameters and `batch.factor`.
   * @param progress completed fraction of the run, for schedules
   * @returns null for rules that cannot predict the gain of a budget
   */
  propose(progress: number): UpdateForecast | null
  /**
   * Takes the step; `batch.newLogProb` holds the log-probabilities under the new policy afterwards.
   * @param klBudget nats, 0 for no step; null for rules without a budget
   */
  commit(klBudget: number | null): PolicyOutcome
}
