import { naturalLog } from '../../envs/random.js'

/** Bound below which the series is used instead of the logarithm. */
const NEAR = 0.25
const TERMS = 10

/** x - log(1 + x), without cancellation near 0; x from -1. */
export function logExcess(x: number): number {
  if (x <= -1) return Infinity
  if (Math.abs(x) > NEAR) return x - naturalLog(1 + x)
  // log(1 + x) = 2 artanh s, s = x / (2 + x), and x - 2 s = x s.
  const s = x / (2 + x)
  const square = s * s
  let sum = 0
  for (let n = TERMS; n >= 1; n--) sum = (sum + 1 / (2 * n + 1)) * square
  return x * s - 2 * s * sum
}

/**
 * KL(p || q) of two distributions of one length. Since both sum to 1, it is the sum of p (x - log(1 + x)) with
 * x = q / p - 1, whose terms are all at least 0.
 */
export function categoricalKl(p: Float64Array, q: Float64Array): number {
  let sum = 0
  for (let a = 0; a < p.length; a++) if (p[a] > 0) sum += p[a] * logExcess((q[a] - p[a]) / p[a])
  return sum
}

/** KL(old || new) in every state, [states]. */
export function stateKls(old: Float64Array, moved: Float64Array, states: number): Float64Array {
  const width = old.length / states
  return new Float64Array(states).map((_, s) =>
    categoricalKl(old.subarray(s * width, (s + 1) * width), moved.subarray(s * width, (s + 1) * width)),
  )
}

/** D_KL^max(old, new): the largest over the states. */
export function largestKl(old: Float64Array, moved: Float64Array, states: number): number {
  return stateKls(old, moved, states).reduce((max, kl) => Math.max(max, kl), 0)
}
