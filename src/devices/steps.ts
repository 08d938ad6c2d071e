import type { BoundedStep } from './bounded-steps.js'
import type { Columns, GaussianTable, HeadStep } from './head-steps.js'
import type { RecurrentStep } from './recurrent-steps.js'
import type { Operand, Tensor } from './tensor.js'

/** Activation functions. */
export const ACTIVATIONS = ['relu', 'tanh', 'elu', 'gelu', 'silu', 'leakyRelu', 'selu', 'sigmoid'] as const
export type Activation = (typeof ACTIVATIONS)[number]

/**
 * One-hot agent id appended to an observation, either the same in every row or read from a column.
 * `indices` is i32 [rows], each in 0 .. count - 1.
 */
export type AgentIdInput =
  | { readonly index: number; readonly count: number }
  | { readonly indices: Tensor; readonly count: number }

/** Operands of the input stage and of its adjoint. */
interface InputOperands {
  /** [rows, size] */
  readonly raw: Operand
  readonly size: number
  readonly agentId: AgentIdInput | null
  /** Whether to subtract the vector's mean and divide by its population s.d.; an s.d. of 0 gives zeros. */
  readonly standardise: boolean
}

/** Steps of networks. Matrices are row-major [rows, width]. */
export type NetworkStep =
  /** out = standardise(raw ++ one-hot id), [rows, size + count] */
  | ({ readonly op: 'input'; readonly out: Operand } & InputOperands)
  /**
   * graw = adjoint of `input` at raw, applied to g [rows, size + count], without the entries of the id. With
   * `standardise`, a constant vector gives zeros.
   */
  | ({ readonly op: 'inputAdjoint'; readonly g: Operand; readonly graw: Operand } & InputOperands)
  /** out[r] = source[index[r]], of any one type except f64. source may have any number of rows. out may not be source. */
  | {
      readonly op: 'gather'
      readonly source: Tensor
      readonly index: Tensor
      readonly width: number
      readonly out: Operand
    }
  /** out = x. */
  | { readonly op: 'copy'; readonly x: Operand; readonly out: Operand; readonly width: number }
  /** out = columns of x. out may not be x. */
  | ({ readonly op: 'part'; readonly x: Operand; readonly out: Operand } & Columns)
  /** Columns of out = x. Other columns are unchanged. */
  | ({ readonly op: 'place'; readonly x: Operand; readonly out: Tensor } & Columns)
  /** out = gamma xhat + beta. Stores xhat [rows, width] and rstd [rows] if given. out may be x. */
  | {
      readonly op: 'layerNorm'
      readonly x: Operand
      readonly gamma: Tensor
      readonly beta: Tensor
      readonly xhat: Operand | null
      readonly rstd: Operand | null
      readonly out: Operand
      readonly width: number
    }
  /** Tangent of `layerNorm`. dx is null if the input has no tangent. out may be dx. */
  | {
      readonly op: 'layerNormTangent'
      readonly dx: Operand | null
      readonly xhat: Operand
      readonly rstd: Operand
      readonly gamma: Tensor
      readonly dgamma: Tensor
      readonly dbeta: Tensor
      readonly out: Operand
      readonly width: number
    }
  /**
   * gx = adjoint of `layerNorm` with respect to x, applied to g. gx may be g.
   * With `repeat`, g and gx are [rows, repeat, width], with `repeat` vectors per row.
   */
  | {
      readonly op: 'layerNormAdjoint'
      readonly repeat?: number
      readonly g: Operand
      readonly xhat: Operand
      readonly rstd: Operand
      readonly gamma: Tensor
      readonly gx: Operand
      readonly width: number
    }
  /** Gradients of gamma and beta, at the given offsets. */
  | {
      readonly op: 'layerNormWeights'
      readonly g: Operand
      readonly xhat: Operand
      readonly width: number
      readonly gamma: number
      readonly beta: number
    }
  /** y = x w' + bias, or y += x w' with `accumulate` and no bias. weight is [outputs, inputs]. y may not be x. */
  | {
      readonly op: 'linear'
      readonly x: Operand
      readonly inputs: number
      readonly weight: Tensor
      readonly bias: Tensor | null
      readonly y: Operand
      readonly outputs: number
      readonly accumulate: boolean
    }
  /** gx = gy w. gx may not be gy. With `repeat`, gy is [rows, repeat, outputs] and gx [rows, repeat, inputs]. */
  | {
      readonly op: 'linearAdjoint'
      readonly repeat?: number
      readonly gy: Operand
      readonly outputs: number
      readonly weight: Tensor
      readonly gx: Operand
      readonly inputs: number
    }
  /** Gradients of w (gy' x) and of the bias (column sums of gy), at the given offsets. */
  | {
      readonly op: 'linearWeights'
      readonly x: Operand
      readonly inputs: number
      readonly gy: Operand
      readonly outputs: number
      readonly weight: number
      readonly bias: number
    }
  /** y = f(z). Stores f'(z) if `derivative` is given. y may be z. */
  | {
      readonly op: 'activation'
      readonly z: Operand
      readonly y: Operand
      readonly derivative: Operand | null
      readonly width: number
      readonly kind: Activation
    }
  /**
   * out = a b, element by element. out may be a or b. With `repeat`, a and out are [rows, repeat, width], each vector of a
   * row is multiplied by the row of b, and out may only be a.
   */
  | {
      readonly op: 'multiply'
      readonly repeat?: number
      readonly a: Operand
      readonly b: Operand
      readonly out: Operand
      readonly width: number
    }

/** Steps on several vectors per row, [rows, count, width]. */
export type VectorStep =
  /** out[r] = vector, for every row. */
  | { readonly op: 'broadcast'; readonly vector: Tensor; readonly out: Operand; readonly width: number }
  /** out[r, k] += vectors[r, k] . x[r] */
  | {
      readonly op: 'dotVectors'
      readonly vectors: Operand
      readonly x: Operand
      readonly count: number
      readonly width: number
      readonly out: Operand
    }
  /** out[r] = sum over k, ascending, of coefficients[r, k] vectors[r, k] */
  | {
      readonly op: 'mixVectors'
      readonly vectors: Operand
      readonly coefficients: Operand
      readonly count: number
      readonly width: number
      readonly out: Operand
    }

/** Loss of a critic. */
export type ValueStep =
  /** Sums: weight max(Huber, Huber of the clipped value), weight. A null `clip` gives the plain Huber loss. */
  {
    readonly op: 'valueLoss'
    readonly value: Operand
    readonly old: Operand
    readonly target: Operand
    readonly weight: Operand
    readonly clip: number | null
    readonly huberDelta: number
    readonly gvalue: Operand
    readonly sums: readonly [loss: string, weight: string]
  }

/**
 * Operation on all rows of a batch. The contract of a program:
 *
 * - It is local to rows: row r of each result depends only on parameters and on row r of the operands. There are two
 *   exceptions. Steps with a `chunk` treat that many consecutive rows as one chunk of time; their results also depend on the
 *   chunk's earlier rows, or for adjoints on its later ones. All such steps of a program have the same chunk, and runs
 *   consist of whole chunks. `gather` reads other rows of its source, which no step of the program writes.
 * - Its steps run in order.
 * - An operand that a step writes may not overlap its other operands, unless the step's documentation allows them to be
 *   the same. Partial overlap is never allowed.
 * - Gradients of parameters are written to the program's `gradient` vector, at the offsets that steps name. The vector is
 *   zeroed, then accumulated into: a weight used by two steps gets the sum of both. An entry that no step writes is 0.
 * - Sums over rows are f64. Their names are distinct within a program.
 * - Scratch operands keep their contents within one run only.
 * - Rows beyond those of a run are unchanged.
 */
export type RowStep = NetworkStep | RecurrentStep | VectorStep | HeadStep | BoundedStep | ValueStep

/** Linear layer after a LayerNorm: y = w (gamma xhat + beta) + bias, with w [outputs, inputs]. */
interface NormalisedLayer {
  readonly weight: Tensor
  readonly gamma: Tensor
  readonly beta: Tensor
  readonly outputs: number
  readonly inputs: number
}

/** Steps on parameters, before the pass over the rows. */
export type SetupStep =
  /** Table of the deviations sigma = y sigmoid(log_std / x). */
  | {
      readonly op: 'gaussianTable'
      readonly logStd: Tensor
      readonly x: number
      readonly y: number
      readonly table: GaussianTable
      readonly size: number
    }
  /**
   * Tangent of a layer at constant xhat, dy = m xhat + c:
   * m = dw gamma + w dgamma (by columns), c = dw beta + w dbeta + dbias.
   */
  | ({
      readonly op: 'foldTangent'
      readonly dweight: Tensor
      readonly dgamma: Tensor
      readonly dbeta: Tensor
      readonly dbias: Tensor
      /** [outputs, inputs] */
      readonly m: Tensor
      /** [outputs] */
      readonly c: Tensor
    } & NormalisedLayer)

/** Steps on the gradient, after the pass over the rows. */
export type FinishStep =
  /**
   * Adjoint of `foldTangent`, in place. `gweight` and `gbias` hold S = sum gy' xhat and s = sum gy over the rows.
   * gweight = S gamma + s beta' (by columns), ggamma[j] = sum over o of w[o, j] S[o, j], gbeta = w' s.
   */
  {
    readonly op: 'unfoldGradient'
    readonly gweight: Tensor
    readonly gbias: Tensor
    readonly ggamma: Tensor
    readonly gbeta: Tensor
  } & NormalisedLayer

/** A pass over the rows of a batch. */
export interface ProgramSpec {
  readonly setup?: readonly SetupStep[]
  readonly rows: readonly RowStep[]
  /** f32 vector of the parameter gradients from `rows`, times the scale given to `run`. */
  readonly gradient?: Tensor
  /** Steps on parts of `gradient`. No two write the same part. */
  readonly finish?: readonly FinishStep[]
}

/** Names of a program's sums, in the order of its steps. @throws Error if two are the same */
export function sumNames(spec: ProgramSpec): string[] {
  const names = spec.rows.flatMap((step) => ('sums' in step ? step.sums : []))
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw new Error(`two sums of a program are called ${twice}`)
  return names
}

/** Number of consecutive rows that belong together in a program. @throws Error if its steps disagree */
export function chunkOf({ rows }: ProgramSpec): number {
  const chunks = new Set(rows.flatMap((step) => ('chunk' in step ? [step.chunk] : [])))
  if (chunks.size > 1) throw new Error(`steps of a program have chunks of ${[...chunks].join(' and ')} rows`)
  const [chunk = 1] = chunks
  if (!(Number.isInteger(chunk) && chunk >= 1)) throw new RangeError(`a chunk of ${chunk} rows`)
  return chunk
}

/** @throws RangeError for a number of rows that a program cannot run */
export function expectRows(rows: number, { maxRows, chunk }: { maxRows: number; chunk: number }): void {
  if (!(Number.isInteger(rows) && rows >= 1 && rows <= maxRows))
    throw new RangeError(`${rows} rows for a program of up to ${maxRows}`)
  if (rows % chunk !== 0) throw new RangeError(`${rows} rows for a program with chunks of ${chunk}`)
}
