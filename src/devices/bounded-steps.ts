import type { Operand, Tensor } from './tensor.js'

/** Deterministic actions in a box. Vectors `scale`, `offset`, `low` and `high` are [size]. */
export type BoundedStep =
  /** action = offset + scale tanh(z); also stores scale (1 - tanh(z)^2) if `derivative` is given. action may be z. */
  | {
      readonly op: 'squash'
      readonly z: Operand
      readonly scale: Tensor
      readonly offset: Tensor
      readonly size: number
      readonly action: Operand
      readonly derivative: Operand | null
    }
  /**
   * Exploring action. Before step `warmup` of the row's environment it is uniform in [low, high]. Afterwards it is
   * mode + noise (high - low) / 2 z for a normal z, limited to [low, high]. Both are drawn from Philox4x32-10
   * under the key (seed, purpose, streams[r], steps[r], dimension). action may be mode.
   */
  | {
      readonly op: 'explore'
      readonly mode: Operand
      readonly low: Tensor
      readonly high: Tensor
      readonly size: number
      readonly noise: number
      readonly warmup: number
      readonly seed: number
      readonly purpose: number
      /** i32 [rows] each. */
      readonly streams: Tensor
      readonly steps: Tensor
      readonly action: Operand
    }
