import type { ProgramSpec } from './steps.js'
import type { ElementType, Tensor } from './tensor.js'

/** A compiled pass over rows; made by one device and run by it alone. */
export interface Program {
  readonly maxRows: number
}

export interface AdamOptions {
  readonly lr: number
  readonly beta1: number
  readonly beta2: number
  readonly eps: number
  /** beta1^t and beta2^t as running f64 products, t counting from 1. */
  readonly power1: number
  readonly power2: number
  /** The gradient is multiplied by it first. */
  readonly gradScale: number
}

/** Where tensors live and kernels run. Learners are written against this alone. */
export interface Device {
  readonly name: string

  /** New zeroed memory. */
  tensor(type: ElementType, length: number): Tensor
  /**
   * Runs each builder with the same memory to allocate from, so that workspaces used one after another share it.
   * Builders may only call `tensor`; what such tensors hold is lost when another builder's are used.
   */
  overlay<T>(builders: readonly (() => T)[]): T[]
  write(tensor: Tensor, values: ArrayLike<number>): void
  read(tensor: Tensor): Float32Array | Float64Array | Int32Array

  /** Prepares a pass for batches of up to `maxRows` rows. */
  compile(spec: ProgramSpec, maxRows: number): Program
  /**
   * Runs a pass over rows 0 .. rows - 1. Its gradient becomes scale * (sum over the rows).
   * @returns the pass's sums, valid until the next run
   */
  run(program: Program, rows: number, scale?: number): Float64Array

  /** x . y in f64 */
  dot(x: Tensor, y: Tensor): number
  /** y += alpha x */
  axpy(alpha: number, x: Tensor, y: Tensor): void
  /** y = x + beta y */
  xpby(x: Tensor, beta: number, y: Tensor): void
  scale(alpha: number, x: Tensor): void
  copy(from: Tensor, to: Tensor): void
  fill(x: Tensor, value: number): void
  /** y *= x, element by element */
  multiply(x: Tensor, y: Tensor): void
  /** x *= exp(newLogProb - oldLogProb) where weight is not 0; weight null: everywhere */
  multiplyByRatio(x: Tensor, newLogProb: Tensor, oldLogProb: Tensor, weight: Tensor | null): void
  /** x = (x - mean) / (population s.d. + eps) with mean and s.d. over the rows of weight 1 */
  standardise(x: Tensor, weight: Tensor, eps: number): void
  /** Adam's step (Kingma & Ba 2015) down the gradient, in torch's order of operations. */
  adam(parameters: Tensor, gradient: Tensor, m: Tensor, v: Tensor, options: AdamOptions): void
  /** Entropy of a diagonal Gaussian of `size` dimensions from its table f64 [size, 4], in nats. */
  gaussianEntropy(table: Tensor, size: number): number
  allFinite(x: Tensor): boolean
}
