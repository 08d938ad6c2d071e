import type { Device, Program } from '../devices/device.js'
import type { Tensor } from '../devices/tensor.js'
import type { Network } from '../nn/network.js'
import type { Adam } from './adam.js'
import type { Workspace } from './policy.js'
import type { ValueNorm } from './value-norm.js'

export interface CriticOptions {
  /** Bound on how far the loss lets a value move from the rollout's; null for no clipping. */
  readonly clip: number | null
  /** Errors beyond it count linearly; Infinity for half the squared error. */
  readonly huberDelta: number
  readonly lossCoef: number
  readonly maxGradNorm: number | null
}

/** Rows that a critic's update reads, one per sample, on a device. */
export interface ValueBatch {
  readonly maxRows: number
  /** [rows, input size], raw: states, or observations of one agent. */
  readonly inputs: Tensor
  /** [rows], output of the critic at the rollout, in normalised units if there is a normaliser. */
  readonly oldValues: Tensor
  /** [rows], in reward units. */
  readonly returns: Tensor
  /** [rows], 1 for samples that count. */
  readonly weight: Tensor
  /** Of a recurrent critic: [rows, state width], states before the rows, and [rows], 1 where an episode starts. */
  readonly states?: Tensor
  readonly starts?: Tensor
}

export interface CriticResult {
  /** Mean loss before the step. */
  readonly loss: number
  readonly gradNorm: number
  /** False when no row was valid or a non-finite gradient kept the step from being taken. */
  readonly taken: boolean
}

/** A critic under training. */
export interface TrainedCritic {
  readonly device: Device
  readonly network: Network
  /** Flat parameter vector. */
  readonly parameters: Tensor
  readonly adam: Adam
  readonly valueNorm: ValueNorm | null
  /** Of the network's activations. */
  readonly workspace: Workspace
}

/** The critic's regression: mean of max(Huber, Huber of the clipped value) on normalised returns, by Adam. */
export class CriticStep {
  /** Gradient of the loss before norm clipping. */
  readonly gradient: Tensor

  readonly #critic: TrainedCritic
  readonly #batch: ValueBatch
  readonly #options: CriticOptions
  readonly #target: Tensor
  readonly #differentiate: Program

  constructor(critic: TrainedCritic, batch: ValueBatch, options: CriticOptions) {
    const { device, network, parameters } = critic
    this.#critic = critic
    this.#batch = batch
    this.#options = options
    this.gradient = device.tensor('f32', network.layout.size)
    this.#target = device.tensor('f32', batch.maxRows)
    const { inputs: raw, states, starts = null } = batch
    this.#differentiate = device.compile(
      {
        rows: [
          ...network.forward(parameters, { raw, sequence: states && { states, starts } }),
          {
            op: 'valueLoss',
            value: network.output,
            old: batch.oldValues,
            target: this.#target,
            weight: batch.weight,
            clip: options.clip,
            huberDelta: options.huberDelta,
            gvalue: network.outputAdjoint,
            sums: ['loss', 'weight'],
          },
          ...network.adjoint(parameters),
        ],
        gradient: this.gradient,
      },
      batch.maxRows,
    )
  }

  /** One step on the batch's first `rows` rows; the normaliser takes in their returns first. */
  step(rows: number, lr: number): CriticResult {
    const { device, adam, workspace } = this.#critic
    const valid = this.#normaliseReturns(rows)
    if (valid === 0) return { loss: 0, gradNorm: 0, taken: false }
    workspace.claim(null)
    const sums = device.run(this.#differentiate, rows, this.#options.lossCoef / valid)
    const loss = sums.loss / valid
    if (!Number.isFinite(loss) || !device.allFinite(this.gradient))
      return { loss, gradNorm: NaN, taken: false }
    const gradNorm = adam.step(this.gradient, lr, this.#options.maxGradNorm)
    return { loss, gradNorm, taken: true }
  }

  /** Updates the normaliser and writes the targets. @returns the number of valid rows */
  #normaliseReturns(rows: number): number {
    const { device, valueNorm } = this.#critic
    const first = (tensor: Tensor) => device.slice(tensor, 0, rows)
    const [returns, target] = [first(this.#batch.returns), first(this.#target)]
    const { count, sum, squares } = device.moments(returns, first(this.#batch.weight))
    if (!valueNorm || count === 0) {
      device.copy(returns, target)
      return count
    }
    valueNorm.update(sum / count, squares / count)
    const { mean, deviation } = valueNorm.moments()
    device.normalise(returns, mean, deviation, target)
    return count
  }
}
