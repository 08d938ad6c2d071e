/** Sums and statistics of vectors, in f64. */

export function sum(x: ArrayLike<number>): number {
  let total = 0
  for (let i = 0; i < x.length; i++) total += x[i]
  return total
}

/** x . y */
export function dot(x: ArrayLike<number>, y: ArrayLike<number>): number {
  let total = 0
  for (let i = 0; i < x.length; i++) total += x[i] * y[i]
  return total
}

/** Population mean and variance. */
export function moments(x: ArrayLike<number>): { mean: number; variance: number } {
  const mean = sum(x) / x.length
  let squares = 0
  for (let i = 0; i < x.length; i++) squares += (x[i] - mean) * (x[i] - mean)
  return { mean, variance: squares / x.length }
}

/** Elements of x with nonzero weight. */
export function counted(x: ArrayLike<number>, weight: ArrayLike<number>): number[] {
  return Array.from(x).filter((_, i) => weight[i] !== 0)
}
