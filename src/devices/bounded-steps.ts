import type { Operand, Tensor } from './tensor.js'

/** Deterministic actions in a box. Vectors `scale`, `offset`, `low` and `high` are [size]. */
export type BoundedStep =
  /** action = offset + scale tanh(z); scale (1 - tanh(z)^2) is kept where given. action may be z. */
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
   * Before step `warmup` of its environment a row's action is uniform in [low, high]; later it is mode + noise
   * (high - low) / 2 z, limited to [low, high], z being normal. Both come from Philox4x32-10
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
