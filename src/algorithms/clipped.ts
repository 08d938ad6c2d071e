import type { Adam } from '../learner/adam.js'
import type { PolicyBatch } from '../learner/batch.js'
import { ClippedStep, type ClippedOptions, type ClippedResult } from '../learner/clipped.js'
import type { MiniBatches, Shuffle } from '../learner/minibatches.js'
import { PolicyEvaluation, type TrainedPolicy } from '../learner/policy.js'
import type { PolicyOutcome, PolicyUpdate } from './agent-update.js'
import { learningRate, type LearningRate } from './learning-rate.js'

export interface ClippedRule extends ClippedOptions, LearningRate {
  readonly epochs: number
  readonly miniBatches: number
}

/** Clipped steps of one policy: some epochs over the batch, a step per mini-batch. */
export class ClippedUpdate implements PolicyUpdate {
  readonly agents: readonly number[]
  readonly batch: PolicyBatch
  readonly step: ClippedStep
  readonly #policy: TrainedPolicy
  readonly #rule: ClippedRule
  readonly #evaluation: PolicyEvaluation
  readonly #miniBatches: MiniBatches | null
  /** Learning rate of the update that `propose` began. */
  #lr: number | undefined
  #results: readonly ClippedResult[] = []

  constructor(
    policy: TrainedPolicy,
    agents: readonly number[],
    batch: PolicyBatch,
    adam: Adam,
    rule: ClippedRule,
    shuffle: Shuffle,
  ) {
    const { chunk } = policy.network
    const split = rule.miniBatches > 1 ? batch.split(rule.miniBatches, shuffle, chunk) : null
    this.agents = agents
    this.batch = batch
    this.#policy = policy
    this.#rule = rule
    this.#miniBatches = split?.miniBatches ?? null
    this.#evaluation = new PolicyEvaluation(policy, batch, true)
    this.step = new ClippedStep(policy, split?.batch ?? batch, adam, rule)
  }

  /** Of the last update, one for each step. */
  get results(): readonly ClippedResult[] {
    return this.#results
  }

  /** Epochs find their gradients as they move, so there is nothing to say beforehand. */
  propose(progress: number): null {
    this.#lr = learningRate(this.#rule, progress)
    return null
  }

  commit(): PolicyOutcome {
    const lr = this.#lr
    if (lr === undefined) throw new Error('commit() without propose()')
    this.#lr = undefined
    const rows = this.batch.maxRows
    const results: ClippedResult[] = []
    // No pass of a mini-batch sees the old policy on all rows.
    if (this.#miniBatches) this.#evaluation.keep(rows)
    for (let epoch = 0; epoch < this.#rule.epochs; epoch++) {
      if (this.#miniBatches) {
        this.#miniBatches.forEach((part) => results.push(this.step.step(part, lr)))
        continue
      }
      results.push(this.step.step(rows, lr))
      // The first step on the whole batch leaves the old policy's distribution behind.
      if (epoch === 0) this.#policy.head.keep(rows)
    }
    this.#results = results
    const { kl: klUsed, entropy } = this.#evaluation.evaluate(rows)
    return { entropy, klUsed, ...summarise(results) }
  }
}

function summarise(results: readonly ClippedResult[]): Omit<PolicyOutcome, 'entropy' | 'klUsed'> {
  const taken = results.filter((result) => result.taken)
  const rejections = results.map((result) => result.rejection)
  const mean = (pick: (result: ClippedResult) => number) =>
    taken.reduce((sum, result) => sum + pick(result), 0) / Math.max(1, taken.length)
  return {
    policyLoss: -mean((result) => result.surrogate),
    clipFraction: mean((result) => result.clipFraction),
    gradNorm: mean((result) => result.gradNorm),
    rejection: rejections.find((rejection) => rejection === 'non-finite') ?? rejections.find(Boolean) ?? null,
    rejectedSteps: results.length - taken.length,
  }
}
