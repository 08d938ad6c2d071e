import type { Device, Program } from '../devices/device.js'
import { slice, type Tensor } from '../devices/tensor.js'
import { parameterEntry } from '../nn/layout.js'
import type { GaussianActorSpec } from '../nn/spec.js'
import type { Adam } from './adam.js'
import type { PolicyBatch } from './batch.js'
import type { Network } from './network.js'

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
  /** False when no row was valid or a non-finite gradient kept the step from being taken. */
  readonly taken: boolean
}

/** Column of a Gaussian's table that holds d log sigma / d log_std. */
const SLOPE = 3

/**
 * The clipped step of one agent (HAPPO, Kuba et al. 2022, Eq. 11): Adam up the gradient of
 * mean min(ratio M, clip(ratio) M) + entropyCoef * entropy, once per call.
 */
export class ClippedUpdate {
  readonly network: Network<GaussianActorSpec>
  /** Gradient of what is minimised, before norm clipping. */
  readonly gradient: Tensor
  /** The Gaussian table, f64 [action, 4], at the parameters before the latest step. */
  readonly table: Tensor

  readonly #device: Device
  readonly #batch: PolicyBatch
  readonly #logStd: { offset: number; size: number }
  readonly #differentiate: Program
  readonly #adam: Adam
  readonly #options: ClippedOptions

  constructor(
    device: Device,
    network: Network<GaussianActorSpec>,
    parameters: Tensor,
    batch: PolicyBatch,
    adam: Adam,
    options: ClippedOptions,
  ) {
    const { stdX, stdY, size } = network.spec.head
    this.network = network
    this.gradient = device.tensor('f32', network.layout.size)
    this.#device = device
    this.#batch = batch
    this.#adam = adam
    this.#options = options
    this.table = device.tensor('f64', size * 4)
    this.#logStd = parameterEntry(network.layout, 'logStd')
    this.#differentiate = device.compile(
      {
        setup: [
          {
            op: 'gaussianTable',
            logStd: slice(parameters, this.#logStd.offset, size),
            x: stdX,
            y: stdY,
            table: this.table,
            size,
          },
        ],
        rows: [
          ...network.forward(parameters, batch.observations),
          {
            op: 'gaussianSurrogate',
            mean: network.output,
            table: this.table,
            size,
            action: batch.actions,
            oldLogProb: batch.logProb,
            factor: batch.factor,
            weight: batch.weight,
            clip: options.clip,
            gradient: { mean: network.cotangent, logStd: this.#logStd.offset },
            logProb: batch.newLogProb,
            sum: 0,
          },
          ...network.adjoint(parameters),
        ],
        gradient: this.gradient,
        sums: 3,
      },
      batch.maxRows,
    )
  }

  /** One step on the batch's first `rows` rows. `batch.newLogProb` holds log-probabilities from before the step. */
  step(rows: number, lr: number): ClippedResult {
    const device = this.#device
    const valid = this.#batch.validRows(rows)
    if (valid === 0) return { surrogate: 0, clipFraction: 0, entropy: 0, gradNorm: 0, taken: false }
    // Adam goes down, the surrogate should go up.
    const sums = device.run(this.#differentiate, rows, -1 / valid)
    const entropy = this.#addEntropyGradient()
    const found = { surrogate: sums[0] / valid, clipFraction: sums[2] / valid, entropy }
    if (!device.allFinite(this.gradient)) return { ...found, gradNorm: NaN, taken: false }
    const gradNorm = this.#adam.step(this.gradient, lr, this.#options.maxGradNorm)
    return { ...found, gradNorm, taken: true }
  }

  // The entropy's gradient is d log sigma / d log_std, the same for all rows. Returns the entropy.
  #addEntropyGradient(): number {
    const { offset, size } = this.#logStd
    const part = slice(this.gradient, offset, size)
    const gradient = this.#device.read(part)
    const table = this.#device.read(this.table)
    for (let j = 0; j < size; j++) gradient[j] -= this.#options.entropyCoef * table[4 * j + SLOPE]
    this.#device.write(part, gradient)
    return this.#device.gaussianEntropy(this.table, size)
  }
}
