import {
  CriticStep,
  type CriticOptions,
  type CriticResult,
  type TrainedCritic,
  type ValueBatch,
} from '../learner/critic.js'
import { MiniBatches, type Shuffle } from '../learner/minibatches.js'
import { learningRate, type LearningRate } from './learning-rate.js'

export interface CriticRule extends CriticOptions, LearningRate {
  readonly epochs: number
  readonly miniBatches: number
}

export interface CriticOutcome {
  /** Means over the steps taken. */
  readonly loss: number
  readonly gradNorm: number
  readonly skippedSteps: number
}

/** A critic's steps of one iteration: some epochs over the batch, a step per mini-batch. */
export class CriticUpdate {
  readonly #rule: CriticRule
  readonly #rows: number
  readonly #step: CriticStep
  readonly #miniBatches: MiniBatches | null

  constructor(critic: TrainedCritic, batch: ValueBatch, rule: CriticRule, shuffle: Shuffle) {
    const split = rule.miniBatches > 1 ? splitBatch(critic, batch, rule.miniBatches, shuffle) : null
    this.#rule = rule
    this.#rows = batch.maxRows
    this.#miniBatches = split?.miniBatches ?? null
    this.#step = new CriticStep(critic, split?.batch ?? batch, rule)
  }

  /** @param progress share of the run that is done, for schedules */
  update(progress: number): CriticOutcome {
    const lr = learningRate(this.#rule, progress)
    const results: CriticResult[] = []
    for (let epoch = 0; epoch < this.#rule.epochs; epoch++) {
      if (!this.#miniBatches) results.push(this.#step.step(this.#rows, lr))
      else this.#miniBatches.forEach((part) => results.push(this.#step.step(part, lr)))
    }
    const taken = results.filter((result) => result.taken)
    const mean = (pick: (result: CriticResult) => number) =>
      taken.reduce((sum, result) => sum + pick(result), 0) / Math.max(1, taken.length)
    return {
      loss: mean((result) => result.loss),
      gradNorm: mean((result) => result.gradNorm),
      skippedSteps: results.length - taken.length,
    }
  }
}

function splitBatch({ device, network }: TrainedCritic, batch: ValueBatch, count: number, shuffle: Shuffle) {
  const { maxRows: rows, ...columns } = batch
  const present = columns as Required<typeof columns>
  const miniBatches = new MiniBatches(device, rows, count, present, shuffle, network.chunk)
  return { batch: { maxRows: miniBatches.maxRows, ...miniBatches.columns }, miniBatches }
}
