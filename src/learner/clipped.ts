import type { Program } from '../devices/device.js'
import type { Tensor } from '../devices/tensor.js'
import type { Adam } from './adam.js'
import type { PolicyBatch } from './batch.js'
import { forwardPolicy, type TrainedPolicy } from './policy.js'
import type { Rejection } from './trust-region.js'

export interface ClippedOptions {
  /** epsilon: ratios count between 1 - clip and 1 + clip. */
  readonly clip: number
  readonly entropyCoef: number
  /** Bound on the gradient's norm; null for none. */
  readonly maxGradNorm: number | null
}

export interface ClippedResult {
  /** Mean of the clipped surrogate before the step (HARL's policy loss is its negative). */
  readonly surrogate: number
  /** Share of valid rows whose ratio lay outside the clip range. */
  readonly clipFraction: number
  readonly entropy: number
  /** Norm of the gradient before clipping it. */
  readonly gradNorm: number
  readonly taken: boolean
  /** Reason why the step was not taken, or null. */
  readonly rejection: Extract<Rejection, 'no-rows' | 'non-finite'> | null
}

/**
 * The clipped step of one policy (Kuba et al. 2022, Eq. 11): Adam up the gradient of
 * mean min(ratio M, clip(ratio) M) + entropyCoef * entropy, once per call.
 */
export class ClippedStep {
  /** Gradient of the minimised function, before norm clipping. */
  readonly gradient: Tensor

  readonly #policy: TrainedPolicy
  readonly #batch: PolicyBatch
  readonly #adam: Adam
  readonly #options: ClippedOptions
  readonly #differentiate: Program

  constructor(policy: TrainedPolicy, batch: PolicyBatch, adam: Adam, options: ClippedOptions) {
    const { device, network, parameters, head } = policy
    this.#policy = policy
    this.#batch = batch
    this.#adam = adam
    this.#options = options
    this.gradient = device.tensor('f32', network.layout.size)
    const rows = [
      ...forwardPolicy(policy, batch.input),
      ...head.surrogate(batch, options.clip, true),
      ...head.entropy(batch.weight, options.entropyCoef),
      ...network.adjoint(parameters),
    ]
    const spec = { setup: head.setup(), rows, gradient: this.gradient }
    this.#differentiate = device.compile(spec, batch.maxRows)
  }

  /**
   * One step on the batch's first `rows` rows. `batch.newLogProb` holds log-probabilities from before the step, and the
   * head's current distribution is that from before it.
   */
  step(rows: number, lr: number): ClippedResult {
    const { device, head, workspace } = this.#policy
    const valid = this.#batch.validRows(rows)
    if (valid === 0) {
      const nothing = { surrogate: 0, clipFraction: 0, entropy: 0, gradNorm: 0 }
      return { ...nothing, taken: false, rejection: 'no-rows' }
    }
    workspace.claim(null)
    // Adam descends, the surrogate is to ascend.
    const sums = device.run(this.#differentiate, rows, -1 / valid)
    const { objective, clipped } = sums
    head.addEntropyGradient(this.gradient, -this.#options.entropyCoef)
    const entropy = head.meanEntropy(sums)
    const found = { surrogate: objective / valid, clipFraction: clipped / valid, entropy }
    if (!device.allFinite(this.gradient))
      return { ...found, gradNorm: NaN, taken: false, rejection: 'non-finite' }
    const gradNorm = this.#adam.step(this.gradient, lr, this.#options.maxGradNorm)
    return { ...found, gradNorm, taken: true, rejection: null }
  }
}
