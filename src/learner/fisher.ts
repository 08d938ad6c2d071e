import type { LinearSystem, Program } from '../devices/device.js'
import type { Tensor } from '../devices/tensor.js'
import type { PolicyInput } from './batch.js'
import type { TrainedPolicy } from './policy.js'

/** Vectors of a step that its Fisher matrix works on. */
export interface FisherVectors {
  /** The old parameters. */
  readonly old: Tensor
  /** The vector that is multiplied, and the product. */
  readonly probe: Tensor
  readonly product: Tensor
}

/** Rows that a Fisher matrix is the mean over, at most `maxRows` of them. */
export interface FisherRows {
  /** 0 for rows that do not count. */
  readonly weight: Tensor
  readonly maxRows: number
}

/** All rows of a batch. */
export interface BatchRows extends FisherRows {
  readonly input: PolicyInput
}

/** The part of a linear system that depends on the rows. */
export type FisherSystem = Pick<LinearSystem, 'program' | 'rows' | 'scale' | 'preconditioner'>

/** State that steps leave for later ones, for checkpoints. */
export interface CarriedState {
  readonly tensor: Tensor
  /** Number of steps that have used it. */
  age: number
}

/** Fisher matrix of a policy at the old parameters, a mean over rows of a batch. */
export interface FisherMatrix {
  /** State of earlier steps that a later step's system needs; null for none. */
  readonly carried: CarriedState | null
  /** Selects the first `rows` rows of the batch, directly after a pass over them at the old parameters. */
  begin(rows: number): void
  /** System without a preconditioner. Valid even if other passes ran since `begin`. */
  product(): FisherSystem
  /** System to be solved, once for each `begin`. */
  system(): FisherSystem
}

/**
 * Gauss-Newton product J' F J probe, F the Fisher matrix of the old distribution, summed over the rows of the policy's latest
 * pass.
 */
export function compileFisher(
  { device, head, derivatives }: TrainedPolicy,
  { old, probe, product }: FisherVectors,
  { weight, maxRows }: FisherRows,
): Program {
  const { setup, rows: tangent } = derivatives.tangent(old, probe)
  const { rows: adjoint, finish } = derivatives.adjoint(old, product)
  const rows = [...tangent, ...head.fisher(probe, weight), ...adjoint]
  return device.compile({ setup, rows, gradient: product, finish }, maxRows)
}

/** Fisher matrix on all rows that count. */
export class WholeFisher implements FisherMatrix {
  readonly carried = null
  readonly #policy: TrainedPolicy
  readonly #weight: Tensor
  readonly #program: Program
  readonly #revisit: Program
  #rows = 0
  #counted = 0

  constructor(policy: TrainedPolicy, vectors: FisherVectors, rows: BatchRows) {
    const { device, network, derivatives } = policy
    const steps = [...network.forward(vectors.old, rows.input), ...derivatives.keep(vectors.old)]
    this.#policy = policy
    this.#weight = rows.weight
    this.#program = compileFisher(policy, vectors, rows)
    this.#revisit = device.compile({ rows: steps }, rows.maxRows)
  }

  begin(rows: number): void {
    const { device, workspace } = this.#policy
    this.#rows = rows
    this.#counted = device.sum(device.slice(this.#weight, 0, rows))
    workspace.claim(this)
  }

  product(): FisherSystem {
    const { device, workspace } = this.#policy
    if (!workspace.belongsTo(this)) {
      device.run(this.#revisit, this.#rows)
      workspace.claim(this)
    }
    return { program: this.#program, rows: this.#rows, scale: 1 / this.#counted, preconditioner: null }
  }

  system(): FisherSystem {
    return this.product()
  }
}
