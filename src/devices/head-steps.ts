import type { Operand, Tensor } from './tensor.js'

/** Steps of the heads of policies. */
export type HeadStep = GaussianStep | RowGaussianStep | CategoricalStep | ObjectiveStep

/** `count` columns of a matrix, with `before` others to their left and `after` to their right. */
export interface Columns {
  readonly before: number
  readonly count: number
  readonly after: number
}

/** Key of each row's random numbers. */
interface Noise {
  readonly seed: number
  readonly purpose: number
  /** i32 [rows] each. */
  readonly streams: Tensor
  readonly steps: Tensor
}

/** Table [size, 4], f64: sigma, log sigma, 1 / sigma^2 and d log sigma / d log_std of each action dimension. */
export type GaussianTable = Tensor

/** Diagonal Gaussian of `size` dimensions with a state-independent deviation. */
export type GaussianStep =
  /** logProb[r] = log pi(action[r] | mean[r]) */
  | {
      readonly op: 'gaussianLogProb'
      readonly mean: Operand
      readonly action: Operand
      readonly table: GaussianTable
      readonly size: number
      readonly logProb: Operand
    }
  /**
   * action = mean + sigma z, and its log-probability. z is normal (Box-Muller), from Philox4x32-10 under the key
   * (seed, purpose, streams[r], steps[r], dimension).
   */
  | {
      readonly op: 'gaussianSample'
      readonly mean: Operand
      readonly table: GaussianTable
      readonly size: number
      readonly seed: number
      readonly purpose: number
      /** i32 [rows] each. */
      readonly streams: Tensor
      readonly steps: Tensor
      readonly action: Operand
      readonly logProb: Operand
    }
  /**
   * Sums: objective, weight, weight of rows outside the clip range. The objective of a row is ratio M, or with a clip
   * min(ratio M, clip(ratio) M). The new log-probability is rounded to f32 like the old one, which makes the ratio exactly
   * 1 at the old parameters. The gradient is per row for the mean, and at the given offset for logStd.
   */
  | {
      readonly op: 'gaussianSurrogate'
      readonly mean: Operand
      readonly table: GaussianTable
      readonly size: number
      readonly action: Operand
      readonly oldLogProb: Operand
      readonly factor: Operand
      readonly weight: Operand
      readonly clip: number | null
      /** `mean` may not be the step's `mean`. */
      readonly gradient: { readonly mean: Operand; readonly logStd: number } | null
      readonly logProb: Operand | null
      readonly sums: readonly [objective: string, weight: string, clipped: string]
    }
  /** Sums: weight KL(old || new), weight. */
  | {
      readonly op: 'gaussianKl'
      readonly oldMean: Operand
      readonly oldTable: GaussianTable
      readonly mean: Operand
      readonly table: GaussianTable
      readonly size: number
      readonly weight: Operand
      readonly sums: readonly [kl: string, weight: string]
    }
  /** Fisher matrix of the distribution times (dmean, dlogStd), times the row's weight. gmean may be dmean. */
  | {
      readonly op: 'gaussianFisher'
      readonly dmean: Operand
      readonly dlogStd: Tensor
      readonly table: GaussianTable
      readonly size: number
      readonly weight: Operand
      readonly gmean: Operand
      /** Offset of logStd's part in the gradient. */
      readonly logStd: number
    }
  /**
   * gmean = sqrt(weight) R e_column, where R R' is the Fisher matrix of the distribution with respect to the mean. This is
   * sqrt(weight) / sigma in one column and 0 in the others.
   */
  | {
      readonly op: 'gaussianFisherRoot'
      readonly table: GaussianTable
      readonly size: number
      readonly column: number
      readonly weight: Operand
      readonly gmean: Operand
    }

/** Outputs of a Gaussian with a state-dependent deviation: `size` means, then `size` numbers s. */
interface RowGaussian {
  /** [rows, 2 size] */
  readonly outputs: Operand
  readonly size: number
  /** sigma = y sigmoid(s / x) */
  readonly x: number
  readonly y: number
}

/** Diagonal Gaussian of `size` dimensions with mean and deviation from the network. */
export type RowGaussianStep =
  /** logProb[r] = log pi(action[r] | outputs[r]) */
  | ({ readonly op: 'rowGaussianLogProb'; readonly action: Operand; readonly logProb: Operand } & RowGaussian)
  /** goutputs = slope[r] d log pi / d outputs, or zeros where the slope is 0 */
  | ({
      readonly op: 'rowGaussianLogProbAdjoint'
      readonly action: Operand
      readonly slope: Operand
      readonly goutputs: Operand
    } & RowGaussian)
  /** action = mean + sigma z, and its log-probability; z as in `gaussianSample`. */
  | ({ readonly op: 'rowGaussianSample'; readonly action: Operand; readonly logProb: Operand } & RowGaussian &
      Noise)
  /** kl[r] = KL(old || new) */
  | ({ readonly op: 'rowGaussianKl'; readonly oldOutputs: Operand; readonly kl: Operand } & RowGaussian)
  /** Fisher matrix of the outputs times doutputs, times the row's weight. goutputs may be doutputs. */
  | ({
      readonly op: 'rowGaussianFisher'
      readonly doutputs: Operand
      readonly weight: Operand
      readonly goutputs: Operand
    } & RowGaussian)
  /** goutputs = sqrt(weight) R e_column, where R R' is the (diagonal) Fisher matrix of the outputs. */
  | ({
      readonly op: 'rowGaussianFisherRoot'
      readonly column: number
      readonly weight: Operand
      readonly goutputs: Operand
    } & RowGaussian)
  /** entropy[r] = H; goutputs += coefficient weight dH / d outputs, if given. */
  | ({ readonly op: 'rowGaussianEntropy' } & RowGaussian & Entropy & { readonly goutputs: Operand | null })

interface Entropy {
  readonly weight: Operand
  readonly coefficient: number
  readonly entropy: Operand
}

/** Logits of a categorical distribution: columns of a matrix that may contain other distributions too. */
interface Logits extends Columns {
  /** [rows, before + count + after]. -Infinity marks an unavailable choice. */
  readonly logits: Operand
}

/** Index of the choice: one column of an action [rows, earlier + 1 + later]. */
interface Choice {
  readonly action: Operand
  readonly earlier: number
  readonly later: number
}

/** Result of a row, which the factors of a product distribution accumulate. */
interface Accumulated {
  /** Whether the result is added to the previous contents. */
  readonly accumulate: boolean
}

/**
 * Categorical distribution over `count` choices. If none is available, the choice is 0, and its log-probability, entropy,
 * KL and derivatives are 0.
 */
export type CategoricalStep =
  /** logits = -Infinity where available is 0. */
  | {
      readonly op: 'maskChoices'
      readonly logits: Operand
      /** u8 [rows, width] */
      readonly available: Tensor
      readonly width: number
    }
  /** logProb[r] = log p of the choice, or NaN for an invalid choice. */
  | ({ readonly op: 'categoricalLogProb'; readonly logProb: Operand } & Logits & Choice & Accumulated)
  /** glogits = slope[r] d log p / d logits, or zeros where the slope is 0. Other columns are unchanged. */
  | ({
      readonly op: 'categoricalLogProbAdjoint'
      readonly slope: Operand
      readonly glogits: Operand
    } & Logits &
      Choice)
  /**
   * Draws a choice, and its log-probability: the first choice at which the cumulative probability exceeds a uniform number
   * from Philox4x32-10 under the key (seed, purpose, streams[r], steps[r], earlier).
   */
  | ({ readonly op: 'categoricalSample'; readonly logProb: Operand } & Logits & Choice & Accumulated & Noise)
  /** Most probable choice, the first of several. NaN if a logit is NaN, as in `categoricalSample`. */
  | ({ readonly op: 'categoricalMode' } & Logits & Choice)
  /** kl[r] = KL(old || new) over the available choices, the same in both distributions. */
  | ({ readonly op: 'categoricalKl'; readonly oldLogits: Operand; readonly kl: Operand } & Logits &
      Accumulated)
  /** glogits = weight (diag(p) - p p') dlogits. Other columns are unchanged. glogits may be dlogits. */
  | ({
      readonly op: 'categoricalFisher'
      readonly dlogits: Operand
      readonly weight: Operand
      readonly glogits: Operand
    } & Logits)
  /**
   * glogits = sqrt(weight) R e_column, where R R' is the Fisher matrix. Column c < count of R is sqrt(p_c) (e_c - p). Other
   * columns of the matrix are 0.
   */
  | ({
      readonly op: 'categoricalFisherRoot'
      readonly column: number
      readonly weight: Operand
      readonly glogits: Operand
    } & Logits)
  /** entropy[r] = H; glogits += coefficient weight dH / d logits, if given. */
  | ({ readonly op: 'categoricalEntropy' } & Logits &
      Entropy &
      Accumulated & { readonly glogits: Operand | null })

/** Objectives and sums shared by all distributions. */
export type ObjectiveStep =
  /**
   * Sums: objective, weight, weight of rows outside the clip range, as in `gaussianSurrogate`. slope = weight d objective /
   * d logProb.
   */
  | {
      readonly op: 'surrogate'
      readonly logProb: Operand
      readonly oldLogProb: Operand
      readonly factor: Operand
      readonly weight: Operand
      readonly clip: number | null
      readonly slope: Operand | null
      readonly sums: readonly [objective: string, weight: string, clipped: string]
    }
  /** Sums: weight x, weight. Rows of weight 0 are excluded. */
  | {
      readonly op: 'weightedSum'
      readonly x: Operand
      readonly weight: Operand
      readonly sums: readonly [x: string, weight: string]
    }
