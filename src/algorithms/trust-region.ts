import type { PolicyBatch } from '../learner/batch.js'
import type { MiniBatches, Shuffle } from '../learner/minibatches.js'
import { PolicyEvaluation, type TrainedPolicy } from '../learner/policy.js'
import type { CarriedState } from '../learner/fisher.js'
import {
  fullStepScale,
  TrustRegionStep,
  type Proposal,
  type TrustRegionOptions,
  type TrustRegionResult,
} from '../learner/trust-region.js'
import type { PolicyOutcome, PolicyUpdate, UpdateForecast } from './agent-update.js'

export interface TrustRegionRule extends TrustRegionOptions {
  /** delta, the bound on the mean KL(old || new) of a step. */
  readonly delta: number
  /** Number of mini-batches, each with a full trust-region step (40 in the paper). */
  readonly miniBatches: number
}

/** Trust-region steps of one policy: one on the whole batch, or one per mini-batch. */
export class TrustRegionUpdate implements PolicyUpdate {
  readonly agents: readonly number[]
  readonly batch: PolicyBatch
  readonly step: TrustRegionStep
  readonly #miniBatches: MiniBatches | null
  /** Of the whole batch, which steps on mini-batches do not see. */
  readonly #evaluation: PolicyEvaluation | null
  #proposal: Proposal | undefined
  #results: readonly TrustRegionResult[] = []

  constructor(
    policy: TrainedPolicy,
    agents: readonly number[],
    batch: PolicyBatch,
    rule: TrustRegionRule,
    shuffle: Shuffle,
  ) {
    const { chunk } = policy.network
    const split = rule.miniBatches > 1 ? batch.split(rule.miniBatches, shuffle, chunk) : null
    this.agents = agents
    this.batch = batch
    this.#miniBatches = split?.miniBatches ?? null
    this.#evaluation = split && new PolicyEvaluation(policy, batch, false)
    this.step = new TrustRegionStep(policy, split?.batch ?? batch, rule)
  }

  get carried(): CarriedState | null {
    return this.step.carried
  }

  /** Of the last update, one for each step. */
  get results(): readonly TrustRegionResult[] {
    return this.#results
  }

  /** With mini-batches nothing is known before they are dealt. */
  propose(): UpdateForecast | null {
    if (this.#miniBatches) return null
    const proposal = this.step.propose(this.batch.maxRows)
    this.#proposal = proposal
    const { rejection, slope, curvature } = proposal
    return {
      // The gain sqrt(2 d / curvature) slope, for any residual of CG.
      score: rejection ? 0 : (slope / curvature) * slope,
      gainAt: (budget) => (rejection ? 0 : fullStepScale(budget, proposal) * slope),
      attempt: (budget) => this.step.attempt(proposal, budget),
    }
  }

  commit(klBudget: number | null): PolicyOutcome {
    if (klBudget === null) throw new Error('a trust region needs a KL budget')
    const results: TrustRegionResult[] = []
    if (this.#miniBatches) {
      this.#miniBatches.forEach((part) => results.push(this.step.commit(this.step.propose(part), klBudget)))
    } else {
      if (!this.#proposal) throw new Error('commit() without propose()')
      results.push(this.step.commit(this.#proposal, klBudget))
      this.#proposal = undefined
    }
    this.#results = results
    return { ...summarise(results, klBudget), entropy: this.#entropy() }
  }

  /** Entropy of the resulting policy, whose log-probabilities of the whole batch are in `newLogProb` afterwards. */
  #entropy(): number {
    // A step on the whole batch has left them there.
    if (!this.#evaluation) return this.#results[0].entropy
    return this.#evaluation.evaluate(this.batch.maxRows).entropy
  }
}

function summarise(results: readonly TrustRegionResult[], klBudget: number): Omit<PolicyOutcome, 'entropy'> {
  const sum = (pick: (result: TrustRegionResult) => number) => results.reduce((s, r) => s + pick(r), 0)
  const rejected = results.filter((result) => !result.accepted)
  // A numerical fault is named before a line search that failed.
  const worst = rejected.find(({ rejection }) => rejection === 'non-finite' || rejection === 'curvature')
  return {
    klUsed: sum((result) => result.kl),
    klAllowed: klBudget * results.length,
    predictedGain: sum((result) => result.predictedGain),
    realisedGain: sum((result) => result.gain),
    cgResidual: sum((result) => result.residual) / results.length,
    lineSearchTrials: sum((result) => result.trials.length),
    rejectedSteps: rejected.length,
    rejection: (worst ?? rejected.at(-1))?.rejection ?? null,
    accepted: rejected.length === 0,
  }
}
