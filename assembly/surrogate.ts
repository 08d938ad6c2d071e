// Surrogate objective of a policy step, from log-probabilities alone, and sums over rows.

import { exp64 } from './math64'

/**
 * Surrogate objective of a policy step, summed over rows, and its slope in the new log-probability.
 *
 * With ratio = exp(log pi_new - log pi_old), the objective of the trust region (Eq. 9) is ratio M and the clipped
 * objective (Eq. 11) is min(ratio M, clip(ratio, 1 - clip, 1 + clip) M). Rows of weight 0 contribute to no result.
 * @param clip negative for the trust region
 * @param slope weight * d objective / d log pi_new, f32 [rows], or 0
 * @param sums f64: sum of objectives, sum of weights, clipped rows
 */
export function surrogate(
  logProb: usize,
  oldLogProb: usize,
  m: usize,
  weight: usize,
  clip: f64,
  slope: usize,
  sums: usize,
  from: i32,
  to: i32,
): void {
  let objectives: f64 = 0
  let weights: f64 = 0
  let clipped: f64 = 0
  for (let r = from; r < to; r++) {
    const at = (r as usize) << 2
    const w = load<f32>(weight + at) as f64
    let change: f64 = 0
    if (w != 0) {
      const ratio = exp64((load<f32>(logProb + at) as f64) - (load<f32>(oldLogProb + at) as f64))
      const advantage = load<f32>(m + at) as f64
      let objective = ratio * advantage
      change = objective
      if (clip >= 0) {
        const bounded = min(max(ratio, 1 - clip), 1 + clip)
        if (bounded != ratio) clipped += w
        if (bounded * advantage < objective) {
          objective = bounded * advantage
          change = 0
        }
      }
      objectives += w * objective
      weights += w
    }
    if (slope != 0) store<f32>(slope + at, (w * change) as f32)
  }
  store<f64>(sums, objectives)
  store<f64>(sums, weights, 8)
  store<f64>(sums, clipped, 16)
}

/** Sum over rows of weight * x, without rows of weight 0. @param sums f64: that sum, sum of weights */
export function weightedSum(x: usize, weight: usize, sums: usize, from: i32, to: i32): void {
  let total: f64 = 0
  let weights: f64 = 0
  for (let r = from; r < to; r++) {
    const w = load<f32>(weight + ((r as usize) << 2)) as f64
    if (w == 0) continue
    total += w * (load<f32>(x + ((r as usize) << 2)) as f64)
    weights += w
  }
  store<f64>(sums, total)
  store<f64>(sums, weights, 8)
}
