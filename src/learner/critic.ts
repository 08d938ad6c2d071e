import type { Device, Program } from '../devices/device.js'
import type { Tensor } from '../devices/tensor.js'
import type { CriticSpec } from '../nn/spec.js'
import type { Adam } from './adam.js'
import type { Network } from './network.js'
import type { ValueNorm } from './value-norm.js'

export interface CriticOptions {
  readonly lr: number
  /** Bound on how far the loss lets a value move from the rollout's; null for no clipping. */
  readonly clip: number | null
  /** Errors beyond it count linearly; Infinity for half the squared error. */
  readonly huberDelta: number
  readonly lossCoef: number
  readonly maxGradNorm: number | null
}

/** What a critic's update reads, one row per sample, on a device. */
export interface ValueBatch {
  readonly maxRows: number
  /** [rows, state], raw. */
  readonly states: Tensor
  /** [rows], the critic's output when the rollout was made (normalised units where there is a normaliser). */
  readonly oldValues: Tensor
  /** [rows], in reward units. */
  readonly returns: Tensor
  /** [rows], 1 for samples that count. */
  readonly weight: Tensor
}

export interface CriticResult {
  /** Mean loss before the step. */
  readonly loss: number
  readonly gradNorm: number
  /** False when no row was valid or a non-finite gradient kept the step from being taken. */
  readonly taken: boolean
}

/** The critic's regression: mean of max(Huber, Huber of the clipped value) on normalised returns, by Adam. */
export class CriticUpdate {
  readonly network: Network<CriticSpec>
  /** Gradient of the loss before norm clipping. */
  readonly gradient: Tensor

  readonly #device: Device
  readonly #batch: ValueBatch
  readonly #target: Tensor
  readonly #adam: Adam
  readonly #valueNorm: ValueNorm | null
  readonly #options: CriticOptions
  readonly #differentiate: Program

  constructor(
    device: Device,
    network: Network<CriticSpec>,
    parameters: Tensor,
    batch: ValueBatch,
    adam: Adam,
    valueNorm: ValueNorm | null,
    options: CriticOptions,
  ) {
    this.network = network
    this.gradient = device.tensor('f32', network.layout.size)
    this.#device = device
    this.#batch = batch
    this.#adam = adam
    this.#valueNorm = valueNorm
    this.#options = options
    this.#target = device.tensor('f32', batch.maxRows)
    this.#differentiate = device.compile(
      {
        rows: [
          ...network.forward(parameters, batch.states),
          {
            op: 'valueLoss',
            value: network.output,
            old: batch.oldValues,
            target: this.#target,
            weight: batch.weight,
            clip: options.clip,
            huberDelta: options.huberDelta,
            gvalue: network.cotangent,
            sum: 0,
          },
          ...network.adjoint(parameters),
        ],
        gradient: this.gradient,
        sums: 2,
      },
      batch.maxRows,
    )
  }

  /** One step on the batch's first `rows` rows; the normaliser takes in their returns first. */
  step(rows: number, lr = this.#options.lr): CriticResult {
    const device = this.#device
    const valid = this.#normaliseReturns(rows)
    if (valid === 0) return { loss: 0, gradNorm: 0, taken: false }
    const sums = device.run(this.#differentiate, rows, this.#options.lossCoef / valid)
    const loss = sums[0] / valid
    if (!Number.isFinite(loss) || !device.allFinite(this.gradient))
      return { loss, gradNorm: NaN, taken: false }
    const gradNorm = this.#adam.step(this.gradient, lr, this.#options.maxGradNorm)
    return { loss, gradNorm, taken: true }
  }

  // Updates the normaliser and writes the targets. Returns the number of valid rows.
  #normaliseReturns(rows: number): number {
    const device = this.#device
    const returns = device.read(this.#batch.returns)
    const weight = device.read(this.#batch.weight)
    let valid = 0
    let sum = 0
    let squares = 0
    for (let r = 0; r < rows; r++) {
      if (weight[r] === 0) continue
      valid++
      sum += returns[r]
      squares += returns[r] * returns[r]
    }
    if (this.#valueNorm && valid > 0) {
      this.#valueNorm.update(sum / valid, squares / valid)
      const { mean, deviation } = this.#valueNorm.moments()
      for (let r = 0; r < rows; r++) returns[r] = (returns[r] - mean) / deviation
    }
    device.write(this.#target, returns)
    return valid
  }
}
