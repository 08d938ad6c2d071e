import type { Device, Program } from '../devices/device.js'
import type { Tensor } from '../devices/tensor.js'
import type { Network } from '../nn/network.js'
import type { Adam } from './adam.js'

/** A critic of actions under training: Q(state, actions of all agents). */
export interface TrainedQ {
  readonly device: Device
  readonly network: Network
  /** Flat parameter vector. */
  readonly parameters: Tensor
  readonly adam: Adam
}

/** Rows that a critic of actions learns from; every row of the network is one. */
export interface QBatch {
  /** [rows, state and actions] */
  readonly joint: Tensor
  /** [rows], returns of some steps and the value of what follows. */
  readonly targets: Tensor
  /** [rows], 1 for rows that count. */
  readonly weight: Tensor
}

export interface QResult {
  /** Mean of half the squared error before the step, and mean value. */
  readonly loss: number
  readonly meanValue: number
  readonly gradNorm: number
  /** False when no row counts or a number was not finite. */
  readonly taken: boolean
}

/** Regression of Q on targets: Adam down the gradient of the mean of (target - Q)^2 / 2. */
export class QStep {
  readonly gradient: Tensor
  readonly #critic: TrainedQ
  readonly #batch: QBatch
  readonly #differentiate: Program

  constructor(critic: TrainedQ, batch: QBatch) {
    const { device, network, parameters } = critic
    const { joint, targets: target, weight } = batch
    this.#critic = critic
    this.#batch = batch
    this.gradient = device.tensor('f32', network.layout.size)
    const loss = { clip: null, huberDelta: Infinity, sums: ['loss', 'weight'] } as const
    const rows = [
      ...network.forward(parameters, { raw: joint }),
      {
        op: 'valueLoss',
        value: network.output,
        old: target,
        target,
        weight,
        gvalue: network.outputAdjoint,
        ...loss,
      } as const,
      ...network.adjoint(parameters),
    ]
    this.#differentiate = device.compile({ rows, gradient: this.gradient }, network.rows)
  }

  /** @param valid number of rows that count */
  step(valid: number, lr: number): QResult {
    const { device, network, adam } = this.#critic
    if (valid === 0) return { loss: 0, meanValue: 0, gradNorm: 0, taken: false }
    const sums = device.run(this.#differentiate, network.rows, 1 / valid)
    const loss = sums.loss / valid
    const meanValue = device.dot(network.output, this.#batch.weight) / valid
    if (!Number.isFinite(loss) || !device.allFinite(this.gradient))
      return { loss, meanValue, gradNorm: NaN, taken: false }
    return { loss, meanValue, gradNorm: adam.step(this.gradient, lr, null), taken: true }
  }
}
