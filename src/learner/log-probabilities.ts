import type { Device, Program } from '../devices/device.js'
import { slice, type Tensor } from '../devices/tensor.js'
import { parameterEntry } from '../nn/layout.js'
import type { GaussianActorSpec } from '../nn/spec.js'
import type { PolicyBatch } from './batch.js'
import type { Network } from './network.js'
import type { ReferencePolicy } from './reference-policy.js'

/** Writes log pi(a | o) of a batch's actions under the current parameters to `batch.newLogProb`. */
export class LogProbabilities {
  readonly #device: Device
  readonly #program: Program
  readonly #table: Tensor
  readonly #size: number

  /** @param reference the policy that `update` measures the KL from; null for none */
  constructor(
    device: Device,
    network: Network<GaussianActorSpec>,
    parameters: Tensor,
    batch: PolicyBatch,
    reference: ReferencePolicy | null = null,
  ) {
    const { stdX: x, stdY: y, size } = network.spec.head
    const table = device.tensor('f64', size * 4)
    const logStd = slice(parameters, parameterEntry(network.layout, 'logStd').offset, size)
    const head = { mean: network.output, table, size }
    const divergence = reference && {
      op: 'gaussianKl' as const,
      oldMean: reference.mean,
      oldTable: reference.table,
      ...head,
      weight: batch.weight,
      sum: 0,
    }
    this.#device = device
    this.#table = table
    this.#size = size
    this.#program = device.compile(
      {
        setup: [{ op: 'gaussianTable', logStd, x, y, table, size }],
        rows: [
          ...network.forward(parameters, batch.observations),
          { op: 'gaussianLogProb', ...head, action: batch.actions, logProb: batch.newLogProb },
          ...(divergence ? [divergence] : []),
        ],
        sums: divergence ? 2 : 0,
      },
      batch.maxRows,
    )
  }

  /** @returns mean KL(reference || current) over the rows that count, exact; 0 without such rows or a reference */
  update(rows: number): number {
    const [divergences = 0, weights = 0] = this.#device.run(this.#program, rows)
    return weights === 0 ? 0 : divergences / weights
  }

  /** Entropy of the policy at the parameters `update` saw, nats. */
  entropy(): number {
    return this.#device.gaussianEntropy(this.#table, this.#size)
  }
}
