import type { Device, Program } from '../devices/device.js'
import { slice, type Tensor } from '../devices/tensor.js'
import { parameterEntry } from '../nn/layout.js'
import type { GaussianActorSpec } from '../nn/spec.js'
import type { PolicyBatch } from './batch.js'
import type { Network } from './network.js'

/** A policy over a batch as it was before an update, to measure how far the update moves it. */
export class ReferencePolicy {
  /** f32 [rows, action] */
  readonly mean: Tensor
  /** Of the Gaussian head, f64 [action, 4]. */
  readonly table: Tensor
  readonly #device: Device
  readonly #output: Tensor
  readonly #forward: Program

  constructor(device: Device, network: Network<GaussianActorSpec>, parameters: Tensor, batch: PolicyBatch) {
    const { stdX: x, stdY: y, size } = network.spec.head
    const logStd = slice(parameters, parameterEntry(network.layout, 'logStd').offset, size)
    this.mean = device.tensor('f32', batch.maxRows * size)
    this.table = device.tensor('f64', size * 4)
    this.#device = device
    this.#output = slice(network.output, 0, this.mean.length)
    this.#forward = device.compile(
      {
        setup: [{ op: 'gaussianTable', logStd, x, y, table: this.table, size }],
        rows: network.forward(parameters, batch.observations),
      },
      batch.maxRows,
    )
  }

  /** Keeps the policy at the current parameters, by a forward pass over the batch. */
  evaluate(rows: number): void {
    this.#device.run(this.#forward, rows)
    this.#device.copy(this.#output, this.mean)
  }

  /** Keeps the policy whose means the network's latest pass over the batch left behind, and whose table this is. */
  keep(table: Tensor): void {
    this.#device.copy(this.#output, this.mean)
    this.#device.write(this.table, this.#device.read(table))
  }
}
