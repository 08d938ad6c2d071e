import type { Sums } from '../../devices/device.js'
import type { RowStep, SetupStep } from '../../devices/steps.js'
import type { ElementType, Tensor } from '../../devices/tensor.js'
import type { HeadSpec, NetworkSpec } from '../../nn/spec.js'

/** Head of a policy: a distribution of actions over the outputs of a network. */
export interface PolicyHeadSpec extends HeadSpec {
  /** Type and width of a recorded action. */
  readonly action: { readonly type: ElementType; readonly width: number }
  /** Elements of a mask of available actions; 0 for continuous actions. */
  readonly choices: number
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
  /** Of heads whose entropy depends on the row. */
  entropy: ['entropy', 'entropyWeight'],
} as const

/** Mean of the entropies of rows, 0 where none counts. */
export function meanOf({ entropy, entropyWeight }: Sums): number {
  return entropyWeight > 0 ? entropy / entropyWeight : 0
}

/**
 * Width of a distribution of actions, in a number that does not grow with their count.
 * - `std`, of continuous actions: the geometric mean of the standard deviations over dimensions.
 * - `entropyShare`, of choices: the entropy's share of the uniform distribution's.
 */
export interface Breadth {
  readonly std?: number
  readonly entropyShare?: number
}

/** The part of a head by which a policy acts, in programs after the network's `forward`. */
export interface ActingHead {
  /** Derives from the parameters what does not depend on the rows. */
  setup(): SetupStep[]
  /**
   * Restricts the policy to the available actions: steps between the network's forward pass and all others.
   * @param available u8 [rows, choices], 0 for choices that are not available; undefined: all are
   */
  restrict(available: Tensor | undefined): RowStep[]
  /** Draws actions as in training, and their log-probabilities where the policy has a density. */
  sample(noise: NoiseKey, actions: Tensor, logProb: Tensor): RowStep[]
  /** The action that the policy takes for best. */
  mode(actions: Tensor): RowStep[]
}

/**
 * The distribution of a policy over the batch that its network's latest pass saw. Methods that return steps belong in a
 * program after the network's `forward` (or `tangent`), with `setup` in that program; the distribution of the
 * program is the current one. One earlier distribution, the old one, is kept here and nowhere else.
 */
export interface PolicyHead extends ActingHead {
  /** out[r] = log pi(actions[r] | o[r]), current. */
  logProb(actions: Tensor, out: Tensor): RowStep[]
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
  /**
   * Entropy of the current distribution, where it depends on the row; nothing where it does not. Sums `HEAD_SUMS.entropy`.
   * @param coefficient of the entropy's gradient, times the row's weight, in the output adjoint, to which it is added; null
   *   where it is not wanted
   */
  entropy(weight: Tensor, coefficient: number | null): RowStep[]
  /** Mean entropy of the current distribution in nats. @param sums of the latest pass, which had `setup` and `entropy` */
  meanEntropy(sums: Sums): number
  /**
   * gradient += coefficient * gradient of an entropy that is the same in every row, after a pass with `setup`. What depends on
   * the row has passed through the network.
   */
  addEntropyGradient(gradient: Tensor, coefficient: number): void
}

/** Templates of exported policies: files of assembly/. */
export type PolicyTemplate = 'policy' | 'policy-choice' | 'policy-bounded'

/** Description of a head for the template of exported policies. */
export interface ExportedHead {
  readonly template: PolicyTemplate
  /** Entries of an action. */
  readonly actionSize: number
  /** 32-bit entries in front of the network's outputs, which lie behind them: the action, or none where outputs begin with it. */
  readonly inFront: number
  /**
   * Further input of the module besides the linear layer: a parameter vector, outputs from the given one on, or
   * constants.
   */
  readonly vector:
    | { readonly parameter: string }
    | { readonly output: number }
    | { readonly integers: readonly number[] }
    | { readonly numbers: readonly number[] }
  /** Numbers that the module needs, f64. */
  readonly constants: readonly number[]
}
