/** Deterministic actions in a box, on one row, in f64. */
import { normal, uniform, type Stream } from './random.js'

type Vector = ArrayLike<number>

/** offset + scale tanh(z) */
export function squash(z: Vector, scale: Vector, offset: Vector): number[] {
  return Array.from(z, (v, j) => offset[j] + scale[j] * Math.tanh(v))
}

/** Derivative of `squash` by z. */
export function squashSlope(z: Vector, scale: Vector): number[] {
  return Array.from(z, (v, j) => scale[j] * (1 - Math.tanh(v) * Math.tanh(v)))
}

/** Uniform actions before step `warmup`, noisy ones afterwards. */
export function explore(
  mode: Vector,
  low: Vector,
  high: Vector,
  { noise, warmup }: { readonly noise: number; readonly warmup: number },
  key: Stream,
): number[] {
  return Array.from(mode, (v, j) => {
    const range = high[j] - low[j]
    if (key.step < warmup) return low[j] + range * uniform(key, j)
    return Math.min(Math.max(v + (noise * range * normal(key, j)) / 2, low[j]), high[j])
  })
}
