import type { Device } from '../devices/device.js'
import type { Tensor } from '../devices/tensor.js'

/** What an actor's update reads, one row per sample, on a device. */
export class PolicyBatch {
  readonly maxRows: number
  /** [rows, observation], raw. */
  readonly observations: Tensor
  /** [rows, action] */
  readonly actions: Tensor
  /** [rows], log pi_old(a | o) as sampled. */
  readonly logProb: Tensor
  /** [rows], log pi_new(a | o) after the update. */
  readonly newLogProb: Tensor
  /** [rows], M: the advantage times the ratios of the agents that already moved (Eq. 10). */
  readonly factor: Tensor
  /** [rows], 1 for samples that count and 0 for others. */
  readonly weight: Tensor

  readonly #device: Device
  #rows = -1
  #valid = 0

  constructor(device: Device, maxRows: number, tensors: Pick<PolicyBatch, 'observations' | 'actions' | 'logProb'>) {
    this.#device = device
    this.maxRows = maxRows
    this.observations = tensors.observations
    this.actions = tensors.actions
    this.logProb = tensors.logProb
    this.newLogProb = device.tensor('f32', maxRows)
    this.factor = device.tensor('f32', maxRows)
    this.weight = device.tensor('f32', maxRows)
    device.fill(this.weight, 1)
  }

  /** To be called after `weight` was written. */
  weightChanged(): void {
    this.#rows = -1
  }

  /** Number of rows among the first `rows` that count. */
  validRows(rows: number): number {
    if (rows !== this.#rows) {
      const weights = this.#device.read(this.weight)
      this.#valid = 0
      for (let r = 0; r < rows; r++) this.#valid += weights[r]!
      this.#rows = rows
    }
    return this.#valid
  }
}
