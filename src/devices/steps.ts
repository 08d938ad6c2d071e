import type { Activation } from '../nn/activation.js'
import type { Tensor } from './tensor.js'

export { ACTIVATIONS, type Activation } from '../nn/activation.js'

/**
 * One operation on all rows of a batch. Matrices are row-major [rows, width].
 * Where a step yields the gradient of parameters, it names their offsets in the program's gradient vector.
 */
export type RowStep =
  /** out = standardise(raw ++ one-hot id) */
  | {
      op: 'input'
      raw: Tensor
      size: number
      agentId: { index: number; count: number } | null
      standardise: boolean
      out: Tensor
    }
  /** out[r] = source[index[r]] */
  | { op: 'gather'; source: Tensor; index: Tensor; width: number; out: Tensor }
  /** out = gamma xhat + beta; xhat and rstd are kept where given */
  | {
      op: 'layerNorm'
      x: Tensor
      gamma: Tensor
      beta: Tensor
      xhat: Tensor | null
      rstd: Tensor | null
      out: Tensor
      width: number
    }
  /** Tangent of layerNorm; dx null: the input does not move */
  | {
      op: 'layerNormTangent'
      dx: Tensor | null
      xhat: Tensor
      rstd: Tensor
      gamma: Tensor
      dgamma: Tensor
      dbeta: Tensor
      out: Tensor
      width: number
    }
  | {
      op: 'layerNormAdjoint'
      g: Tensor
      xhat: Tensor
      rstd: Tensor
      gamma: Tensor
      gx: Tensor
      width: number
    }
  | { op: 'layerNormWeights'; g: Tensor; xhat: Tensor; width: number; gamma: number; beta: number }
  /** y = x w^T + bias, or y += x w^T */
  | {
      op: 'linear'
      x: Tensor
      inputs: number
      weight: Tensor
      bias: Tensor | null
      y: Tensor
      outputs: number
      accumulate: boolean
    }
  /** gx = gy w */
  | { op: 'linearAdjoint'; gy: Tensor; outputs: number; weight: Tensor; gx: Tensor; inputs: number }
  /** gradient of w: gy^T x, of the bias: column sums of gy */
  | {
      op: 'linearWeights'
      x: Tensor
      inputs: number
      gy: Tensor
      outputs: number
      weight: number
      bias: number
    }
  /** y = f(z), keeping f'(z) where given */
  | { op: 'activation'; z: Tensor; y: Tensor; derivative: Tensor | null; width: number; kind: Activation }
  | { op: 'multiply'; a: Tensor; b: Tensor; out: Tensor; width: number }
  | {
      op: 'gaussianLogProb'
      mean: Tensor
      action: Tensor
      table: Tensor
      size: number
      logProb: Tensor
    }
  /** action = mean + sigma z with z drawn for (seed, purpose, streams[r], steps[r], dimension) */
  | {
      op: 'gaussianSample'
      mean: Tensor
      table: Tensor
      size: number
      seed: number
      purpose: number
      streams: Tensor
      steps: Tensor
      action: Tensor
      logProb: Tensor
    }
  /** sums: objective, weight, clipped rows at `sum`, `sum` + 1, `sum` + 2; clip null: the trust region's objective */
  | {
      op: 'gaussianSurrogate'
      mean: Tensor
      table: Tensor
      size: number
      action: Tensor
      oldLogProb: Tensor
      factor: Tensor
      weight: Tensor
      clip: number | null
      gradient: { mean: Tensor; logStd: number } | null
      logProb: Tensor | null
      sum: number
    }
  /** sums: KL(old || new), weight at `sum`, `sum` + 1 */
  | {
      op: 'gaussianKl'
      oldMean: Tensor
      oldTable: Tensor
      mean: Tensor
      table: Tensor
      size: number
      weight: Tensor
      sum: number
    }
  | {
      op: 'gaussianFisher'
      dmean: Tensor
      dlogStd: Tensor
      table: Tensor
      size: number
      weight: Tensor
      gmean: Tensor
      logStd: number
    }
  /** sums: loss, weight at `sum`, `sum` + 1; clip null: plain Huber loss */
  | {
      op: 'valueLoss'
      value: Tensor
      old: Tensor
      target: Tensor
      weight: Tensor
      clip: number | null
      huberDelta: number
      gvalue: Tensor
      sum: number
    }

/** Work on parameters that a pass over the rows needs done first. */
export type SetupStep =
  /** table[size, 4] of the deviations sigma = y sigmoid(log_std / x) and what follows from them */
  { op: 'gaussianTable'; logStd: Tensor; x: number; y: number; table: Tensor; size: number }

/** A pass over the rows of a batch. */
export interface ProgramSpec {
  readonly setup?: readonly SetupStep[]
  readonly rows: readonly RowStep[]
  /** Where the parameter gradients of `rows` go, times the scale given to `run`. */
  readonly gradient?: Tensor
  /** Number of f64 sums over the rows that `rows` yields. */
  readonly sums?: number
}
