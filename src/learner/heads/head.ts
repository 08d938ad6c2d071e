import type { RowStep, SetupStep } from '../../devices/steps.js'
import type { ElementType, Tensor } from '../../devices/tensor.js'
import type { HeadSpec, NetworkSpec } from '../../nn/spec.js'

/** Head of a policy: a distribution of actions over the outputs of a network. */
export interface PolicyHeadSpec extends HeadSpec {
  /** How an action is recorded. */
  readonly action: { readonly type: ElementType; readonly width: number }
}

export type PolicySpec = NetworkSpec<PolicyHeadSpec>

/** Columns of a batch that a head reads; [rows] or [rows, width]. */
export interface ActionSamples {
  readonly actions: Tensor
  /** log pi_old(a | o) as sampled. */
  readonly logProb: Tensor
  /** M: the advantage times the ratios of the agents that already moved (Eq. 10). */
  readonly factor: Tensor
  /** 1 for rows that count, 0 for others. */
  readonly weight: Tensor
  /** log pi_new(a | o), which passes write. */
  readonly newLogProb: Tensor
}

/** Key of the random numbers that actions are drawn with: (seed, purpose, stream of the row, step of the row). */
export interface NoiseKey {
  readonly seed: number
  readonly purpose: number
  /** i32 [rows] each. */
  readonly streams: Tensor
  readonly steps: Tensor
}

/** Sums that a head's passes yield. */
export const HEAD_SUMS = {
  surrogate: ['objective', 'weight', 'clipped'],
  kl: ['kl', 'klWeight'],
} as const

/**
 * The distribution of a policy over the batch that its network's latest pass saw. Methods that return steps belong in a
 * program after the network's `forward` (or `tangent`), with `setup` in that program; the distribution of the
 * program is the current one. One earlier distribution, the old one, is kept here and nowhere else.
 */
export interface PolicyHead {
  /** Derives from the parameters what does not depend on the rows. */
  setup(): SetupStep[]
  /** out[r] = log pi(actions[r] | o[r]), current. */
  logProb(actions: Tensor, out: Tensor): RowStep[]
  /** Draws actions from the current distribution, and their log-probabilities. */
  sample(noise: NoiseKey, actions: Tensor, logProb: Tensor): RowStep[]
  /** Mode of the current distribution. */
  mode(actions: Tensor): RowStep[]
  /**
   * Surrogate of the current policy on samples of the old one, ratio M (Eq. 7, 9) or clipped (Eq. 11); writes
   * `newLogProb`. Sums `HEAD_SUMS.surrogate`.
   * @param clip epsilon of the clipped objective, null for the trust region's
   * @param derive whether the adjoint of the network's output and the gradient of the head's own vectors are wanted
   */
  surrogate(samples: ActionSamples, clip: number | null, derive: boolean): RowStep[]
  /** weight KL(old || current), exact. Sums `HEAD_SUMS.kl`. */
  kl(weight: Tensor): RowStep[]
  /**
   * Fisher matrix of the old distribution times the network's output tangent, times the row's weight, to the output
   * adjoint; the head's own vectors likewise, to the gradient.
   * @param direction the flat vector whose tangent it is
   */
  fisher(direction: Tensor, weight: Tensor): RowStep[]
  /**
   * Column `column` < outputs of a root R of the old distribution's Fisher matrix R R', times the root of the row's weight, to
   * the output adjoint.
   */
  fisherRoot(column: number, weight: Tensor): RowStep[]
  /** Diagonal of the Fisher matrix of the head's own vectors, in their order in the flat layout, the same in every row. */
  vectorFisher(): number[]
  /** Keeps the current distribution of the network's first `rows` rows as the old one, after a pass with `setup`. */
  keep(rows: number): void
  /** Mean entropy of the current distribution in nats, after a pass with `setup`. */
  entropy(): number
  /** gradient += coefficient * gradient of the mean entropy, after a pass with `setup`. */
  addEntropyGradient(gradient: Tensor, coefficient: number): void
}

/** Description of a head for the template of exported policies (assembly/policy.ts). */
export interface ExportedHead {
  /** Parameter vector that the module needs besides the linear layer. */
  readonly vector: string
  /** Numbers that the module needs, f64. */
  readonly constants: readonly [number, number]
}
