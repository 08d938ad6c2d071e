import type { Spread } from '../device.js'

/** out[i] = f(x[i], y[i]), rounded once. Without y, f(x[i], 0). */
export function combined(
  x: ArrayLike<number>,
  y: ArrayLike<number> | null,
  f: (x: number, y: number) => number,
): Float32Array {
  const out = new Float32Array(x.length)
  if (y) for (let i = 0; i < out.length; i++) out[i] = f(x[i], y[i])
  else for (let i = 0; i < out.length; i++) out[i] = f(x[i], 0)
  return out
}

/** Number, sum and sum of squares of the elements with nonzero weight. */
export function moments(
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
): { count: number; sum: number; squares: number } {
  let [count, sum, squares] = [0, 0, 0]
  for (let i = 0; i < x.length; i++) {
    if (weight[i] === 0) continue
    count++
    sum += x[i]
    squares += x[i] * x[i]
  }
  return { count, sum, squares }
}

/** Spread of x - minus over the elements with nonzero weight. The variance takes a second pass. */
export function spread(
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  minus: ArrayLike<number> | null,
): Spread {
  let [count, sum, squares] = [0, 0, 0]
  let [min, max] = [Infinity, -Infinity]
  for (let i = 0; i < x.length; i++) {
    if (weight[i] === 0) continue
    const v = x[i] - (minus?.[i] ?? 0)
    count++
    sum += v
    min = Math.min(min, v)
    max = Math.max(max, v)
  }
  const mean = sum / count
  for (let i = 0; i < x.length; i++) {
    if (weight[i] === 0) continue
    const v = x[i] - (minus?.[i] ?? 0) - mean
    squares += v * v
  }
  return { count, min, max, mean, variance: squares / count }
}
