import type { Device } from '../devices/device.js'
import type { Tensor } from '../devices/tensor.js'
import type { PolicyBatch } from '../learner/batch.js'
import { LogProbabilities } from '../learner/log-probabilities.js'
import type { MiniBatches, Shuffle } from '../learner/minibatches.js'
import type { Network } from '../learner/network.js'
import {
  TrustRegionUpdate,
  type TrustRegionOptions,
  type TrustRegionResult,
} from '../learner/trust-region.js'
import type { GaussianActorSpec } from '../nn/spec.js'
import type { AgentOutcome, AgentUpdate } from './agent-update.js'

export interface TrustRegionRule extends TrustRegionOptions {
  /** Each mini-batch gets a whole trust-region step of its own (the paper's setting is 40 of them). */
  readonly miniBatches: number
}

/** Trust-region steps of one agent: one on the whole batch, or one per mini-batch. */
export class TrustRegionAgent implements AgentUpdate {
  readonly batch: PolicyBatch
  readonly step: TrustRegionUpdate
  readonly #rule: TrustRegionRule
  readonly #logProbabilities: LogProbabilities
  readonly #miniBatches: MiniBatches | null
  #results: readonly TrustRegionResult[] = []

  /** @param network workspace for the whole batch */
  constructor(
    device: Device,
    network: Network<GaussianActorSpec>,
    parameters: Tensor,
    batch: PolicyBatch,
    rule: TrustRegionRule,
    shuffle: Shuffle,
  ) {
    this.batch = batch
    this.#rule = rule
    this.#logProbabilities = new LogProbabilities(device, network, parameters, batch)
    const split = rule.miniBatches > 1 ? batch.split(rule.miniBatches, network.spec, shuffle) : null
    this.#miniBatches = split?.miniBatches ?? null
    this.step = new TrustRegionUpdate(device, network, parameters, split?.batch ?? batch, rule)
  }

  /** Of the last update, one for each step. */
  get results(): readonly TrustRegionResult[] {
    return this.#results
  }

  update(rows: number): AgentOutcome {
    const results: TrustRegionResult[] = []
    this.#results = results
    if (!this.#miniBatches) results.push(this.step.update(rows))
    else this.#miniBatches.forEach((part) => results.push(this.step.update(part)))
    this.#logProbabilities.update(rows)
    const sum = (pick: (result: TrustRegionResult) => number) => results.reduce((s, r) => s + pick(r), 0)
    const rejected = results.filter((result) => !result.accepted)
    const worst = rejected.find((result) => result.rejection !== 'line-search') ?? rejected.at(-1)
    return {
      entropy: this.#logProbabilities.entropy(),
      trustRegion: {
        klUsed: sum((result) => result.kl),
        klAllowed: this.#rule.delta * results.length,
        predictedGain: sum((result) => result.predictedGain),
        realisedGain: sum((result) => result.gain),
        lineSearchTrials: sum((result) => result.trials.length),
        rejectedSteps: rejected.length,
        rejection: worst?.rejection ?? null,
      },
    }
  }
}
