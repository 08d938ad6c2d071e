import type { Device } from '../devices/device.js'
import type { Tensor } from '../devices/tensor.js'
import type { GaussianActorSpec } from '../nn/spec.js'
import { MiniBatches, type Shuffle } from './minibatches.js'

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

  /** Takes the given tensors as its own; without `weight` every row counts. */
  constructor(
    device: Device,
    maxRows: number,
    tensors: Pick<PolicyBatch, 'observations' | 'actions' | 'logProb'> & { readonly weight?: Tensor },
  ) {
    this.#device = device
    this.maxRows = maxRows
    this.observations = tensors.observations
    this.actions = tensors.actions
    this.logProb = tensors.logProb
    this.newLogProb = device.tensor('f32', maxRows)
    this.factor = device.tensor('f32', maxRows)
    this.weight = tensors.weight ?? device.tensor('f32', maxRows)
    if (!tensors.weight) device.fill(this.weight, 1)
  }

  /** A batch of random parts of this one, and what fills it; `newLogProb` is not carried back. */
  split(
    count: number,
    spec: GaussianActorSpec,
    shuffle: Shuffle,
  ): { batch: PolicyBatch; miniBatches: MiniBatches } {
    const device = this.#device
    const rows = Math.ceil(this.maxRows / count)
    const observation = spec.input.size
    const action = spec.head.size
    const batch = new PolicyBatch(device, rows, {
      observations: device.tensor('f32', rows * observation),
      actions: device.tensor('f32', rows * action),
      logProb: device.tensor('f32', rows),
    })
    const column = (name: 'observations' | 'actions' | 'logProb' | 'factor' | 'weight', width: number) => ({
      source: this[name],
      target: batch[name],
      width,
    })
    const columns = [
      column('observations', observation),
      column('actions', action),
      column('logProb', 1),
      column('factor', 1),
      column('weight', 1),
    ]
    const miniBatches = new MiniBatches(device, this.maxRows, count, columns, shuffle)
    return { batch, miniBatches }
  }

  /** Number of rows among the first `rows` that count. */
  validRows(rows: number): number {
    const weights = this.#device.read(this.weight)
    let valid = 0
    for (let r = 0; r < rows; r++) valid += weights[r]
    return valid
  }
}
