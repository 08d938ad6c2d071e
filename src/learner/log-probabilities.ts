import type { Device, Program } from '../devices/device.js'
import { slice, type Tensor } from '../devices/tensor.js'
import { parameterEntry } from '../nn/layout.js'
import type { GaussianActorSpec } from '../nn/spec.js'
import type { PolicyBatch } from './batch.js'
import type { Network } from './network.js'

/** Writes log pi(a | o) of a batch's actions under the current parameters to `batch.newLogProb`. */
export class LogProbabilities {
  readonly #device: Device
  readonly #program: Program
  readonly #table: Tensor
  readonly #size: number

  constructor(device: Device, network: Network<GaussianActorSpec>, parameters: Tensor, batch: PolicyBatch) {
    const { stdX: x, stdY: y, size } = network.spec.head
    const table = device.tensor('f64', size * 4)
    const logStd = slice(parameters, parameterEntry(network.layout, 'logStd').offset, size)
    this.#device = device
    this.#table = table
    this.#size = size
    this.#program = device.compile(
      {
        setup: [{ op: 'gaussianTable', logStd, x, y, table, size }],
        rows: [
          ...network.forward(parameters, batch.observations),
          {
            op: 'gaussianLogProb',
            mean: network.output,
            action: batch.actions,
            table,
            size,
            logProb: batch.newLogProb,
          },
        ],
      },
      batch.maxRows,
    )
  }

  update(rows: number): void {
    this.#device.run(this.#program, rows)
  }

  /** Entropy of the policy at the parameters `update` saw, nats. */
  entropy(): number {
    return this.#device.gaussianEntropy(this.#table, this.#size)
  }
}
