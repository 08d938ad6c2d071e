import type { Device } from '../devices/device.js'
import type { Tensor } from '../devices/tensor.js'
import type { Adam } from '../learner/adam.js'
import type { PolicyBatch } from '../learner/batch.js'
import { ClippedUpdate, type ClippedOptions, type ClippedResult } from '../learner/clipped.js'
import { LogProbabilities } from '../learner/log-probabilities.js'
import type { MiniBatches, Shuffle } from '../learner/minibatches.js'
import type { Network } from '../learner/network.js'
import { ReferencePolicy } from '../learner/reference-policy.js'
import type { GaussianActorSpec } from '../nn/spec.js'
import type { AgentOutcome, AgentUpdate } from './agent-update.js'
import { learningRate, type Schedule } from './schedule.js'

export interface ClippedRule extends ClippedOptions, Schedule {
  readonly epochs: number
  readonly miniBatches: number
}

/** Clipped steps of one agent: some epochs over the batch, a step per mini-batch. */
export class ClippedAgent implements AgentUpdate {
  readonly batch: PolicyBatch
  readonly step: ClippedUpdate
  readonly #rule: ClippedRule
  readonly #old: ReferencePolicy
  readonly #logProbabilities: LogProbabilities
  readonly #miniBatches: MiniBatches | null
  #results: readonly ClippedResult[] = []

  /** @param network workspace for the whole batch */
  constructor(
    device: Device,
    network: Network<GaussianActorSpec>,
    parameters: Tensor,
    batch: PolicyBatch,
    adam: Adam,
    rule: ClippedRule,
    shuffle: Shuffle,
  ) {
    this.batch = batch
    this.#rule = rule
    this.#old = new ReferencePolicy(device, network, parameters, batch)
    this.#logProbabilities = new LogProbabilities(device, network, parameters, batch, this.#old)
    const split = rule.miniBatches > 1 ? batch.split(rule.miniBatches, network.spec, shuffle) : null
    this.#miniBatches = split?.miniBatches ?? null
    this.step = new ClippedUpdate(device, network, parameters, split?.batch ?? batch, adam, rule)
  }

  /** Of the last update, one for each step. */
  get results(): readonly ClippedResult[] {
    return this.#results
  }

  update(rows: number, progress: number): AgentOutcome {
    const lr = learningRate(this.#rule, progress)
    const results: ClippedResult[] = []
    this.#results = results
    // No mini-batch's pass sees the old policy on all rows.
    if (this.#miniBatches) this.#old.evaluate(rows)
    for (let epoch = 0; epoch < this.#rule.epochs; epoch++) {
      if (this.#miniBatches) {
        this.#miniBatches.forEach((part) => results.push(this.step.step(part, lr)))
        continue
      }
      results.push(this.step.step(rows, lr))
      // The first step on the whole batch leaves behind what it went from.
      if (epoch === 0) this.#old.keep(this.step.table)
    }
    const klUsed = this.#logProbabilities.update(rows)
    const taken = results.filter((result) => result.taken)
    const mean = (pick: (result: ClippedResult) => number) =>
      taken.reduce((sum, result) => sum + pick(result), 0) / Math.max(1, taken.length)
    return {
      entropy: this.#logProbabilities.entropy(),
      clipped: {
        klUsed,
        policyLoss: -mean((result) => result.surrogate),
        clipFraction: mean((result) => result.clipFraction),
        gradNorm: mean((result) => result.gradNorm),
        skippedSteps: results.length - taken.length,
        rejection: results.some((result) => Number.isNaN(result.gradNorm)) ? 'non-finite' : null,
      },
    }
  }
}
