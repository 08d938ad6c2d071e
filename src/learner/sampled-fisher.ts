import type { Program } from '../devices/device.js'
import type { Tensor } from '../devices/tensor.js'
import {
  compileFisher,
  type BatchRows,
  type CarriedState,
  type FisherMatrix,
  type FisherSystem,
  type FisherVectors,
} from './fisher.js'
import { KroneckerPreconditioner } from './kfac.js'
import { trainedPolicy, type TrainedPolicy } from './policy.js'
import { RowSample } from './row-sample.js'

/** Preconditioners of conjugate gradients. */
export const PRECONDITIONERS = ['none', 'kfac'] as const

export interface FisherOptions {
  /** c, added to the Fisher matrix' diagonal. */
  readonly damping: number
  /** Number of rows that count for each one that products pass over; 1 (default): all. */
  readonly fisherStride?: number
  readonly preconditioner?: (typeof PRECONDITIONERS)[number]
  /** Number of solved systems after which a preconditioner is computed again; 1 by default. */
  readonly preconditionerAge?: number
}

/** Whether Fisher products pass over a sample of the rows, which preconditioners are measured on as well. */
export function isSampled({ fisherStride = 1, preconditioner = 'none' }: FisherOptions): boolean {
  return fisherStride > 1 || preconditioner !== 'none'
}

interface Vectors extends FisherVectors {
  /** The vector that a preconditioner multiplies. */
  readonly residual: Tensor
}

/** Fisher matrix of a policy on a sample of a batch's rows, with its preconditioner. */
export class SampledFisher implements FisherMatrix {
  readonly carried: CarriedState | null

  readonly #policy: TrainedPolicy
  readonly #sample: RowSample
  readonly #preconditioner: KroneckerPreconditioner | null
  readonly #age: number
  readonly #enter: Program
  readonly #revisit: Program
  readonly #fisher: Program
  #rows = 0

  constructor(whole: TrainedPolicy, vectors: Vectors, batch: BatchRows, options: FisherOptions) {
    const { device, network, parameters, workspace, sampleDerivatives: derivatives } = whole
    const { fisherStride = 1, preconditioner = 'none', preconditionerAge = 1, damping } = options
    if (network.spec.recurrent) throw new Error('the rows of a recurrent policy cannot be sampled one by one')
    const { old, residual } = vectors
    // The same activations, whose first rows hold the sample, and a separate distribution.
    const policy = trainedPolicy(device, network, parameters, { workspace, derivatives })
    const sample = new RowSample(device, batch, fisherStride)
    const forward = network.forward(old, sample.input)
    const keep = derivatives.keep(old)
    const enter = [...forward, ...policy.head.restrict(sample.input.available), ...keep]
    this.#policy = policy
    this.#sample = sample
    this.#age = preconditionerAge
    this.#enter = device.compile({ setup: policy.head.setup(), rows: enter }, sample.maxRows)
    this.#revisit = device.compile({ rows: [...forward, ...keep] }, sample.maxRows)
    this.#fisher = compileFisher(policy, vectors, sample)
    this.#preconditioner =
      preconditioner === 'none' ? null : new KroneckerPreconditioner(policy, sample, old, residual, damping)
    this.carried = this.#preconditioner && { tensor: this.#preconditioner.inverses, age: 0 }
  }

  begin(rows: number): void {
    const { device, head, workspace } = this.#policy
    this.#rows = this.#sample.draw(rows)
    if (this.#rows === 0) return
    device.run(this.#enter, this.#rows)
    head.keep(this.#rows)
    workspace.claim(this)
  }

  product(): FisherSystem {
    const { device, workspace } = this.#policy
    if (!workspace.belongsTo(this)) {
      device.run(this.#revisit, this.#rows)
      workspace.claim(this)
    }
    return { program: this.#fisher, rows: this.#rows, scale: 1 / this.#rows, preconditioner: null }
  }

  /** Computes the preconditioner again at its maximum age. */
  system(): FisherSystem {
    const system = this.product()
    const [preconditioner, carried] = [this.#preconditioner, this.carried]
    if (!preconditioner || !carried) return system
    if (carried.age % this.#age === 0) {
      preconditioner.refresh(this.#rows)
      carried.age = 0
    }
    carried.age++
    return { ...system, preconditioner }
  }
}
