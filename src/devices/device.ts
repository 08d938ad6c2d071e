import type { ProgramSpec } from './steps.js'
import type { ElementType, HostArray, Tensor } from './tensor.js'

/** Compiled pass over rows. Only the device that compiled it can run it. */
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
  /** beta1^t and beta2^t as running f64 products, for t from 1. */
  readonly power1: number
  readonly power2: number
  /** Factor of the gradient. */
  readonly gradScale: number
}

/** Symmetric positive definite approximation M of a system's inverse matrix, given by passes that multiply by M. */
export interface Preconditioner {
  /** Passes in their order, each run with scale 1. Together they write M `residual` of the system to `image`. */
  readonly passes: readonly { readonly program: Program; readonly rows: number }[]
  readonly image: Tensor
}

/** Linear system (F + damping I) x = b, with F given by a program that multiplies by it. */
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
  /** After the solve: b - (F + damping I) x by CG's recursion. */
  readonly residual: Tensor
  readonly b: Tensor
  readonly x: Tensor
  /** Null for the identity. */
  readonly preconditioner: Preconditioner | null
}

export interface SolveOptions {
  /** Maximum number of products. */
  readonly iterations: number
  /** Squared residual below which the iteration ends. */
  readonly tolerance: number
}

export interface SolveResult {
  /** r'r before each iteration. */
  readonly residuals: readonly number[]
  /** x'(F + damping I) x, from CG's own residual: x'(b - r). */
  readonly curvature: number
}

/**
 * Statistics of the counted elements, in f64. Without any, min and max are Infinity and -Infinity; mean and variance are
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
  /** f32. All values are in units of the reward. */
  readonly rewards: Tensor
  readonly values: Tensor
  /** V of the state after each step. At a truncation, V of the true final state. */
  readonly nextValues: Tensor
  /** u8: 0 running, 1 terminated, 2 truncated. */
  readonly ends: Tensor
}

export interface GaeOptions {
  readonly gamma: number
  readonly lambda: number
  /**
   * Effect of a time limit on the trace: an end with a bootstrapped next value, HARL's advantage of 0, or an ordinary
   * termination.
   */
  readonly truncation: 'bootstrap' | 'harl' | 'terminate'
}

/** Pair of a tensor and an array in the rollouts' memory. */
export interface Mirror {
  readonly tensor: Tensor
  /** Copies the array to the tensor; does nothing if both are the same memory. */
  upload(): void
  /** Copies the tensor to the array. */
  download(): void
}

/**
 * Memory for tensors, and kernels that operate on it. Learners use this interface alone.
 * Tensors are f32 unless an operation documents another type. A wrong length is a RangeError, a wrong type a TypeError.
 */
export interface Device {
  readonly name: string

  /** Releases the device's memory. Any later use is an error, except a second `close`, which does nothing. */
  close(): void

  /** New zeroed memory. */
  tensor(type: ElementType, length: number): Tensor
  /** `length` elements from element `start` on, sharing the tensor's memory. @throws RangeError beyond its end */
  slice(tensor: Tensor, start: number, length: number): Tensor
  /**
   * Runs each builder with the same memory to allocate from, so that workspaces used one after another share it.
   * Builders may only call `tensor`, which does not zero this memory. Using the tensors of one builder destroys the contents
   * of the others'.
   */
  overlay<T>(builders: readonly (() => T)[]): T[]
  write(tensor: Tensor, values: ArrayLike<number>): void
  /** Copy of the contents. */
  read(tensor: Tensor): HostArray
  /** Mirror of an array in the rollouts' shared memory. Its tensor starts with the array's contents. */
  mirror(array: HostArray): Mirror

  /** Compiles a pass for batches of up to `maxRows` rows, and plans its scratch memory. */
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
  /** Copies a tensor of any type to one of the same type. */
  copy(from: Tensor, to: Tensor): void
  fill(x: Tensor, value: number): void
  /** y *= x, element by element */
  multiply(x: Tensor, y: Tensor): void
  /** x *= exp(newLogProb - oldLogProb) where weight is not 0, or everywhere if weight is null (Eq. 10). */
  multiplyByRatio(x: Tensor, newLogProb: Tensor, oldLogProb: Tensor, weight: Tensor | null): void
  /** out[i] = x[index[i]]; index is i32. @throws RangeError for an index outside x */
  pick(x: Tensor, index: Tensor, out: Tensor): void
  /** x[i] = y[i] where weight[i] is 0 */
  replace(x: Tensor, y: Tensor, weight: Tensor): void
  /** out = (x - mean) / deviation, in f64 and rounded once. out may be x. */
  normalise(x: Tensor, mean: number, deviation: number, out: Tensor): void
  /** out = x deviation + mean, in f64 and rounded once. out may be x. */
  denormalise(x: Tensor, mean: number, deviation: number, out: Tensor): void
  /** x = (x - mean) / (population s.d. + eps), over elements with nonzero weight. Without any, x is unchanged. */
  standardise(x: Tensor, weight: Tensor, eps: number): void
  /** Sum in f64. */
  sum(x: Tensor): number
  /** Number, sum and sum of squares of the elements with nonzero weight, in f64. */
  moments(
    x: Tensor,
    weight: Tensor,
  ): { readonly count: number; readonly sum: number; readonly squares: number }
  /** Spread of x, or of x - minus, over the elements with nonzero weight. */
  spread(x: Tensor, weight: Tensor, minus?: Tensor): Spread
  allFinite(x: Tensor): boolean
  /** Adam's step (Kingma & Ba 2015) down the gradient, in torch's order of operations. */
  adam(parameters: Tensor, gradient: Tensor, m: Tensor, v: Tensor, options: AdamOptions): void
  /** Generalised advantage estimation (Schulman et al. 2016, Eq. 16) into `advantages` and `returns`, f32 [T, E]. */
  gae(input: GaeInput, options: GaeOptions, advantages: Tensor, returns: Tensor): void
}
