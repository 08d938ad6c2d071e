import type { ProgramSpec } from './steps.js'
import type { ElementType, HostArray, Tensor } from './tensor.js'

/** Compiled pass over rows; made by one device and run by it alone. */
export interface Program {
  readonly maxRows: number
}

/** Sums of a run by name. */
export type Sums = Readonly<Record<string, number>>

export interface AdamOptions {
  readonly lr: number
  readonly beta1: number
  readonly beta2: number
  readonly eps: number
  /** beta1^t and beta2^t as running f64 products, t counting from 1. */
  readonly power1: number
  readonly power2: number
  /** Factor of the gradient. */
  readonly gradScale: number
}

/** Symmetric positive definite matrix M near the inverse of a system's matrix, given by passes that multiply by it. */
export interface Preconditioner {
  /** Run in this order, each with scale 1. Together they write M `residual` of the system to `image`. */
  readonly passes: readonly { readonly program: Program; readonly rows: number }[]
  readonly image: Tensor
}

/** Linear system (F + damping I) x = b, whose matrix is given by a program that multiplies by it. */
export interface LinearSystem {
  /** Pass whose gradient, times `scale`, is F `direction`. */
  readonly program: Program
  readonly rows: number
  readonly scale: number
  readonly damping: number
  /** Vector that the program multiplies. */
  readonly direction: Tensor
  /** The program's gradient vector. */
  readonly product: Tensor
  /** b - (F + damping I) x by CG's recursion, once the system is solved. */
  readonly residual: Tensor
  readonly b: Tensor
  readonly x: Tensor
  /** Null for none, which is the identity. */
  readonly preconditioner: Preconditioner | null
}

export interface SolveOptions {
  /** Greatest number of products. */
  readonly iterations: number
  /** Bound on the squared residual below which the iteration ends. */
  readonly tolerance: number
}

export interface SolveResult {
  /** r'r before each iteration. */
  readonly residuals: readonly number[]
  /** x'(F + damping I) x, from CG's own residual: x'(b - r). */
  readonly curvature: number
}

/**
 * Statistics of the elements that count, in f64. Where none does, min and max are Infinity and -Infinity, mean and variance
 * unspecified.
 */
export interface Spread {
  readonly count: number
  readonly min: number
  readonly max: number
  readonly mean: number
  /** Population variance. */
  readonly variance: number
}

/** Rollout of T steps in E environments, each tensor [T, E]. */
export interface GaeInput {
  readonly steps: number
  readonly envs: number
  /** f32; in reward units, as are all values. */
  readonly rewards: Tensor
  readonly values: Tensor
  /** V of the state that each step led to: at a truncation of the true final state. */
  readonly nextValues: Tensor
  /** u8: 0 running, 1 terminated, 2 truncated. */
  readonly ends: Tensor
}

export interface GaeOptions {
  readonly gamma: number
  readonly lambda: number
  /**
   * Effect of a time limit on the trace: an end whose next value is bootstrapped, HARL's zeroed advantage, or an ordinary
   * termination.
   */
  readonly truncation: 'bootstrap' | 'harl' | 'terminate'
}

/** Tensor with the contents of an array in the rollouts' memory. */
export interface Mirror {
  readonly tensor: Tensor
  /** Brings the array's contents to the tensor; nothing to do where both are the same memory. */
  upload(): void
  /** Brings the tensor's contents to the array. */
  download(): void
}

/**
 * Memory for tensors, and kernels that run there. Learners are written against this interface alone.
 * Tensors are f32 unless an operation says otherwise; lengths that differ are a RangeError, other types a TypeError.
 */
export interface Device {
  readonly name: string

  /** Gives back the device's memory. Every later use is an error; to close it again does nothing. */
  close(): void

  /** New zeroed memory. */
  tensor(type: ElementType, length: number): Tensor
  /** `length` elements from element `start` on, sharing the tensor's memory. @throws RangeError beyond its end */
  slice(tensor: Tensor, start: number, length: number): Tensor
  /**
   * Runs each builder with the same memory to allocate from, so that workspaces used one after another share it.
   * Builders may only call `tensor`, whose memory here is not zeroed; contents are lost when another builder's tensors are
   * used.
   */
  overlay<T>(builders: readonly (() => T)[]): T[]
  write(tensor: Tensor, values: ArrayLike<number>): void
  /** Copy of the contents. */
  read(tensor: Tensor): HostArray
  /** Tensor for an array of the rollouts' shared memory, with the array's contents. */
  mirror(array: HostArray): Mirror

  /** Prepares a pass for batches of up to `maxRows` rows, and plans its scratch memory. */
  compile(spec: ProgramSpec, maxRows: number): Program
  /** Runs a pass over rows 0 .. rows - 1. Its gradient becomes scale * (sum over the rows). */
  run(program: Program, rows: number, scale?: number): Sums
  /** Conjugate gradients from x = 0 (Hestenes & Stiefel 1952); vectors are f32, scalar products f64. */
  solve(system: LinearSystem, options: SolveOptions): SolveResult

  /** x . y in f64 */
  dot(x: Tensor, y: Tensor): number
  /** y += alpha x */
  axpy(alpha: number, x: Tensor, y: Tensor): void
  /** y = x + beta y */
  xpby(x: Tensor, beta: number, y: Tensor): void
  scale(alpha: number, x: Tensor): void
  /** Copies tensors of one type, any type. */
  copy(from: Tensor, to: Tensor): void
  fill(x: Tensor, value: number): void
  /** y *= x, element by element */
  multiply(x: Tensor, y: Tensor): void
  /** x *= exp(newLogProb - oldLogProb) where weight is not 0; weight null: everywhere (Eq. 10). */
  multiplyByRatio(x: Tensor, newLogProb: Tensor, oldLogProb: Tensor, weight: Tensor | null): void
  /** out[i] = x[index[i]]; index is i32. @throws RangeError for an index outside x */
  pick(x: Tensor, index: Tensor, out: Tensor): void
  /** x[i] = y[i] where weight[i] is 0 */
  replace(x: Tensor, y: Tensor, weight: Tensor): void
  /** out = (x - mean) / deviation, in f64 and rounded once; out may be x */
  normalise(x: Tensor, mean: number, deviation: number, out: Tensor): void
  /** out = x deviation + mean, in f64 and rounded once; out may be x */
  denormalise(x: Tensor, mean: number, deviation: number, out: Tensor): void
  /** x = (x - mean) / (population s.d. + eps), mean and s.d. over elements whose weight is not 0; without any, x stays. */
  standardise(x: Tensor, weight: Tensor, eps: number): void
  /** Sum in f64. */
  sum(x: Tensor): number
  /** Number, sum and sum of squares, in f64, of the elements whose weight is not 0. */
  moments(
    x: Tensor,
    weight: Tensor,
  ): { readonly count: number; readonly sum: number; readonly squares: number }
  /** Spread of x, or of x - minus, over the elements whose weight is not 0. */
  spread(x: Tensor, weight: Tensor, minus?: Tensor): Spread
  allFinite(x: Tensor): boolean
  /** Adam's step (Kingma & Ba 2015) down the gradient, in torch's order of operations. */
  adam(parameters: Tensor, gradient: Tensor, m: Tensor, v: Tensor, options: AdamOptions): void
  /** Generalised advantage estimation (Schulman et al. 2016, Eq. 16) into `advantages` and `returns`, f32 [T, E]. */
  gae(input: GaeInput, options: GaeOptions, advantages: Tensor, returns: Tensor): void
}
