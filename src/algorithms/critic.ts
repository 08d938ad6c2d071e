import type { Device } from '../devices/device.js'
import type { Tensor } from '../devices/tensor.js'
import type { Adam } from '../learner/adam.js'
import { CriticUpdate, type CriticOptions, type CriticResult, type ValueBatch } from '../learner/critic.js'
import { MiniBatches, type Shuffle } from '../learner/minibatches.js'
import type { Network } from '../learner/network.js'
import type { ValueNorm } from '../learner/value-norm.js'
import type { CriticSpec } from '../nn/spec.js'
import { learningRate, type Schedule } from './schedule.js'

export interface CriticRule extends CriticOptions, Schedule {
  readonly epochs: number
  readonly miniBatches: number
}

export interface CriticOutcome {
  /** Means over the steps taken. */
  readonly loss: number
  readonly gradNorm: number
  readonly skippedSteps: number
}

/** The critic's steps of one iteration: some epochs over the batch, a step per mini-batch. */
export class CriticLearner {
  readonly #rule: CriticRule
  readonly #step: CriticUpdate
  readonly #miniBatches: MiniBatches | null

  constructor(
    device: Device,
    network: Network<CriticSpec>,
    parameters: Tensor,
    batch: ValueBatch,
    adam: Adam,
    valueNorm: ValueNorm | null,
    rule: CriticRule,
    shuffle: Shuffle,
  ) {
    this.#rule = rule
    const split =
      rule.miniBatches > 1 ? splitBatch(device, batch, rule.miniBatches, network.spec, shuffle) : null
    this.#miniBatches = split?.miniBatches ?? null
    this.#step = new CriticUpdate(device, network, parameters, split?.batch ?? batch, adam, valueNorm, rule)
  }

  update(rows: number, progress: number): CriticOutcome {
    const lr = learningRate(this.#rule, progress)
    const results: CriticResult[] = []
    for (let epoch = 0; epoch < this.#rule.epochs; epoch++) {
      if (!this.#miniBatches) results.push(this.#step.step(rows, lr))
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

function splitBatch(
  device: Device,
  batch: ValueBatch,
  count: number,
  spec: CriticSpec,
  shuffle: Shuffle,
): { batch: ValueBatch; miniBatches: MiniBatches } {
  const maxRows = Math.ceil(batch.maxRows / count)
  const part = {
    maxRows,
    states: device.tensor('f32', maxRows * spec.input.size),
    oldValues: device.tensor('f32', maxRows),
    returns: device.tensor('f32', maxRows),
    weight: device.tensor('f32', maxRows),
  }
  const columns = [
    { source: batch.states, target: part.states, width: spec.input.size },
    { source: batch.oldValues, target: part.oldValues, width: 1 },
    { source: batch.returns, target: part.returns, width: 1 },
    { source: batch.weight, target: part.weight, width: 1 },
  ]
  return { batch: part, miniBatches: new MiniBatches(device, batch.maxRows, count, columns, shuffle) }
}
