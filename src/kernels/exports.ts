/**
 * Exports of dist/assembly/kernels.wasm. Pointers are byte addresses in the memory of the module. Unsigned 32-bit arguments
 * may be any number congruent to them modulo 2^32; unsigned results are returned as signed numbers (read with `>>> 0`).
 * The functions in assembly/ document shapes, orders of summation and error bounds.
 */
export interface KernelExports
  extends
    ElementwiseExports,
    Math64Exports,
    RandomExports,
    VectorExports,
    StatisticsExports,
    LearningExports,
    LayerExports,
    InitialExports,
    ProgramExports {
  /** Address of the first byte that the module does not use. */
  heapBase(): number
}

/** assembly/elementwise.ts: f32[n] to f32[n], in place if x = out. */
export interface ElementwiseExports {
  expArray(x: number, out: number, n: number): void
  expMinusOneArray(x: number, out: number, n: number): void
  tanhArray(x: number, out: number, n: number): void
  sigmoidArray(x: number, out: number, n: number): void
  logArray(x: number, out: number, n: number): void
  erfArray(x: number, out: number, n: number): void
}

/** assembly/math64.ts: replacements of Math.* with the same bits in every engine. */
export interface Math64Exports {
  exp64(x: number): number
  log64(x: number): number
  /** |x| <= 2^20, NaN outside. */
  sin64(x: number): number
  /** |x| <= 2^20, NaN outside. */
  cos64(x: number): number
  tanh64(x: number): number
  pow64(x: number, y: number): number
}

/** assembly/orthogonal.ts */
export interface InitialExports {
  /** Bytes of scratch memory. */
  orthogonalBytes(rows: number, cols: number): number
  /** noise and out are f32[rows * cols]. */
  orthogonal(noise: number, rows: number, cols: number, gain: number, out: number, scratch: number): void
}

/** assembly/random.ts: Philox4x32-10 keyed by (seed, purpose, stream, step, index), each an unsigned 32-bit integer. */
export interface RandomExports {
  /** out is u32[4]. */
  philox4x32(c0: number, c1: number, c2: number, c3: number, k0: number, k1: number, out: number): void
  /** 32 random bits, as a signed integer. */
  random32(
    seedLo: number,
    seedHi: number,
    purpose: number,
    stream: number,
    step: number,
    index: number,
  ): number
  /** Uniform in (0, 1). */
  uniform64(
    seedLo: number,
    seedHi: number,
    purpose: number,
    stream: number,
    step: number,
    index: number,
  ): number
  /** Standard normal. */
  normal64(
    seedLo: number,
    seedHi: number,
    purpose: number,
    stream: number,
    step: number,
    index: number,
  ): number
  /** out is f64[n]. */
  fillUniforms(
    out: number,
    n: number,
    seedLo: number,
    seedHi: number,
    purpose: number,
    stream: number,
    step: number,
  ): void
  /** out is f32[n]. */
  fillNormals(
    out: number,
    n: number,
    seedLo: number,
    seedHi: number,
    purpose: number,
    stream: number,
    step: number,
  ): void
  /** out is i32[n]. */
  permutation(
    out: number,
    n: number,
    seedLo: number,
    seedHi: number,
    purpose: number,
    stream: number,
    step: number,
  ): void
}

/** assembly/vector.ts: f32 vectors, f64 reductions. */
export interface VectorExports {
  dot(x: number, y: number, n: number): number
  axpy(alpha: number, x: number, y: number, n: number): void
  scaleAdd(alpha: number, x: number, y: number, out: number, n: number): void
  scale(alpha: number, x: number, n: number): void
  copy(x: number, out: number, bytes: number): void
  fill(x: number, value: number, n: number): void
  sumPartials(
    partials: number,
    blocks: number,
    n: number,
    from: number,
    to: number,
    out: number,
    scale: number,
  ): void
  /** out is f64[2]; valid is f32[n] or 0. Returns the number of valid elements. */
  meanAndVariance(x: number, valid: number, n: number, out: number): number
  /** scratch is f64[2]; valid is f32[n] or 0. Returns the number of valid elements. */
  standardise(x: number, valid: number, n: number, eps: number, scratch: number): number
  /** weight is f32[n] or 0. */
  ratioProduct(m: number, newLogProb: number, oldLogProb: number, n: number, weight: number): void
  /** 1 if every element is finite, else 0. */
  allFinite(x: number, n: number): number
}

/** assembly/gae.ts and assembly/adam.ts. */
export interface LearningExports {
  /** rewards, values, nextValues, advantages, returns f32 [T, E]; ends u8 [T, E]; mode an index into TRUNCATION_MODES. */
  gae(
    rewards: number,
    values: number,
    nextValues: number,
    ends: number,
    T: number,
    E: number,
    gamma: number,
    lambda: number,
    mode: number,
    advantages: number,
    returns: number,
  ): void
  adamStep(
    parameters: number,
    gradient: number,
    m: number,
    v: number,
    n: number,
    gradScale: number,
    lr: number,
    beta1: number,
    beta2: number,
    eps: number,
    beta1Power: number,
    beta2Power: number,
  ): void
}

/** assembly/statistics.ts: f32 vectors; weight is f32[n]; elements of weight 0 do not count. */
export interface StatisticsExports {
  /** index is i32[n]. Returns 1 if an index is not in 0 .. length - 1, else 0. */
  pick(x: number, length: number, index: number, out: number, n: number): number
  replace(x: number, y: number, weight: number, n: number): void
  normalise(x: number, mean: number, deviation: number, out: number, n: number): void
  denormalise(x: number, mean: number, deviation: number, out: number, n: number): void
  sum(x: number, n: number): number
  /** out is f64[2]: sum and sum of squares. Returns the number of elements that count. */
  moments(x: number, weight: number, n: number, out: number): number
  /** minus is f32[n] or 0; out is f64[4]: min, max, mean, variance. Returns the number of elements that count. */
  spread(x: number, weight: number, minus: number, n: number, out: number): number
}

/** Kernels of single steps that TypeScript calls by name. The others run in programs only. */
export interface LayerExports {
  packedBytes(n: number, k: number): number
  multiplyRows(a: number, b: number, out: number, n: number, repeat: number, from: number, to: number): void
}

/** assembly/program.ts, threads.ts and solve.ts. */
export interface ProgramExports {
  /** Runs a whole program on the calling thread. */
  runAlone(program: number): void
  /** Runs a program with the helpers that are present. Returns 1 if one died with unfinished work, else 0. */
  runShared(control: number, program: number): number
  /** Works on every program that `runShared` starts, until `dismiss(control, 1)`. */
  help(control: number): void
  dismiss(control: number, leave: number): void
  /**
   * passes is u32[passCount], addresses of programs; image is read only if there are passes. out is f64[iterations +
   * 1]: squared residuals, then the curvature.
   * @returns number of iterations, or -1 if a helper died with unfinished work
   */
  solve(
    control: number,
    program: number,
    n: number,
    damping: number,
    direction: number,
    product: number,
    residual: number,
    b: number,
    x: number,
    image: number,
    passes: number,
    passCount: number,
    iterations: number,
    tolerance: number,
    out: number,
  ): number
}
