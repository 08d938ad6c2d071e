/** Number of sums that advance together, which hides the latency of an addition. */
const TOGETHER = 4

/** Inverses of symmetric matrices [n, n], row-major, in f64. */
export class ShiftedInverse {
  readonly #n: number
  readonly #factor: Float64Array
  readonly #columns: Float64Array
  readonly #inverse: Float64Array

  constructor(n: number) {
    this.#n = n
    this.#factor = new Float64Array(n * n)
    this.#columns = new Float64Array(n * n)
    this.#inverse = new Float64Array(n * n)
  }

  /**
   * Inverse of A + shift I for a positive semidefinite A, by Cholesky. A pivot below the shift is a rounding error and
   * is replaced by the shift, so the inverse is always positive definite.
   *
   * @returns the inverse, which the next call overwrites
   */
  of(a: ArrayLike<number>, shift: number): Float64Array {
    cholesky(a, this.#n, shift, this.#factor)
    invertTriangle(this.#factor, this.#n, this.#columns)
    gram(this.#columns, this.#n, this.#inverse)
    return this.#inverse
  }
}

/** sums[c] += sign * sum over k in from .. to - 1 of x[xAt + k] y[yAt + c n + k], k ascending, for four rows c of y. */
function addProducts(
  sums: Float64Array,
  sign: 1 | -1,
  x: Float64Array,
  xAt: number,
  y: Float64Array,
  yAt: number,
  n: number,
  from: number,
  to: number,
): void {
  let s0 = sums[0]
  let s1 = sums[1]
  let s2 = sums[2]
  let s3 = sums[3]
  const y1 = yAt + n
  const y2 = y1 + n
  const y3 = y2 + n
  for (let k = from; k < to; k++) {
    const value = sign * x[xAt + k]
    s0 += value * y[yAt + k]
    s1 += value * y[y1 + k]
    s2 += value * y[y2 + k]
    s3 += value * y[y3 + k]
  }
  sums[0] = s0
  sums[1] = s1
  sums[2] = s2
  sums[3] = s3
}

/** Lower triangular L with L L' = A + shift I. */
function cholesky(a: ArrayLike<number>, n: number, shift: number, l: Float64Array): void {
  const sums = new Float64Array(TOGETHER)
  for (let i = 0; i < n; i++) {
    for (let start = 0; start <= i; start += TOGETHER) {
      const end = Math.min(start + TOGETHER, i + 1)
      // The mean of both halves: rounding need not leave A symmetric.
      for (let j = start; j < end; j++) sums[j - start] = (a[i * n + j] + a[j * n + i]) / 2
      const whole = start + TOGETHER <= n
      if (whole) addProducts(sums, -1, l, i * n, l, start * n, n, 0, start)
      for (let j = start; j < end; j++) {
        let sum = sums[j - start]
        for (let k = whole ? start : 0; k < j; k++) sum -= l[i * n + k] * l[j * n + k]
        l[i * n + j] = j < i ? sum / l[j * n + j] : Math.sqrt(Math.max(sum + shift, shift))
      }
    }
  }
}

/** Columns of L^-1 as rows of x: row j is column j, which starts at entry j. */
function invertTriangle(l: Float64Array, n: number, x: Float64Array): void {
  const sums = new Float64Array(TOGETHER)
  x.fill(0)
  for (let start = 0; start < n; start += TOGETHER) {
    const end = Math.min(start + TOGETHER, n)
    for (let i = start; i < n; i++) {
      sums.fill(0)
      if (end - start === TOGETHER) addProducts(sums, 1, l, i * n, x, start * n, n, start, i)
      else
        for (let j = start; j < end; j++)
          for (let k = start; k < i; k++) sums[j - start] += l[i * n + k] * x[j * n + k]
      for (let j = start; j < end && j <= i; j++)
        x[j * n + i] = i === j ? 1 / l[j * n + j] : -sums[j - start] / l[i * n + i]
    }
  }
}

/** X' X, with the columns of a lower triangular X as the rows of x: (L L')^-1 for X = L^-1. */
function gram(x: Float64Array, n: number, product: Float64Array): void {
  const sums = new Float64Array(TOGETHER)
  for (let i = 0; i < n; i++) {
    for (let start = 0; start <= i; start += TOGETHER) {
      const end = Math.min(start + TOGETHER, i + 1)
      sums.fill(0)
      if (start + TOGETHER <= n) addProducts(sums, 1, x, i * n, x, start * n, n, i, n)
      else
        for (let j = start; j < end; j++)
          for (let k = i; k < n; k++) sums[j - start] += x[i * n + k] * x[j * n + k]
      for (let j = start; j < end; j++) product[i * n + j] = product[j * n + i] = sums[j - start]
    }
  }
}
