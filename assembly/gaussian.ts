// The diagonal Gaussian head: mean from the network, a standard deviation that does not depend on the state,
// sigma = y sigmoid(log_std / x). Sums inside a row and over rows are f64.
//
// The table of a head holds four f64 per action dimension (DEVIATION_*): sigma, log sigma, the precision 1 / sigma^2 and
// the slope d log sigma / d log_std = (1 - sigmoid(log_std / x)) / x.

import {
  DEVIATION_ROW,
  DEVIATION_LOG_SIGMA,
  DEVIATION_PRECISION,
  DEVIATION_SIGMA,
  DEVIATION_SLOPE,
} from './generated/layout'
import { exp64, log64 } from './math64'
import { normal64 } from './random'

const HALF_LOG_TWO_PI: f64 = 0.9189385332046727

/** sigmoid(log_std / x), which is sigma / y. */
export function squashedLogStd(logStd: f32, x: f64): f64 {
  return 1 / (1 + exp64(-(logStd as f64) / x))
}

/** Fills the table [size, 4] from log_std f32 [size]. */
export function gaussianTable(logStd: usize, x: f64, y: f64, table: usize, size: i32): void {
  for (let j = 0; j < size; j++) {
    const s = squashedLogStd(load<f32>(logStd + ((j as usize) << 2)), x)
    const sigma = s * y
    store<f64>(table, sigma, DEVIATION_SIGMA)
    store<f64>(table, log64(sigma), DEVIATION_LOG_SIGMA)
    store<f64>(table, 1 / (sigma * sigma), DEVIATION_PRECISION)
    store<f64>(table, (1 - s) / x, DEVIATION_SLOPE)
    table += DEVIATION_ROW
  }
}

// log pi(action | mean), summed over dimensions.
function logProbOfRow(mean: usize, action: usize, table: usize, size: i32): f64 {
  let sum: f64 = 0
  for (let j = 0; j < size; j++) {
    const at = (j as usize) << 2
    const row = table + (j as usize) * DEVIATION_ROW
    const d = (load<f32>(action + at) as f64) - (load<f32>(mean + at) as f64)
    sum -=
      0.5 * d * d * load<f64>(row, DEVIATION_PRECISION) +
      load<f64>(row, DEVIATION_LOG_SIGMA) +
      HALF_LOG_TWO_PI
  }
  return sum
}

/** logProb[r] = log pi(action[r] | mean[r]), f32 [rows]. */
export function gaussianLogProb(
  mean: usize,
  action: usize,
  table: usize,
  size: i32,
  logProb: usize,
  from: i32,
  to: i32,
): void {
  const stride = (size as usize) << 2
  for (let r = from; r < to; r++) {
    const offset = (r as usize) * stride
    store<f32>(
      logProb + ((r as usize) << 2),
      logProbOfRow(mean + offset, action + offset, table, size) as f32,
    )
  }
}

/**
 * Samples action[r] = mean[r] + sigma z and its log-probability. z is standard normal, keyed by
 * (seed, purpose, streams[r], steps[r]): the noise of a row depends on its environment and step alone.
 * @param streams i32 [rows], environment (and agent) of each row
 * @param steps i32 [rows], step of that environment
 */
export function gaussianSample(
  mean: usize,
  table: usize,
  size: i32,
  seedLow: u32,
  seedHigh: u32,
  purpose: u32,
  streams: usize,
  steps: usize,
  action: usize,
  logProb: usize,
  from: i32,
  to: i32,
): void {
  const stride = (size as usize) << 2
  for (let r = from; r < to; r++) {
    const offset = (r as usize) * stride
    const stream = load<u32>(streams + ((r as usize) << 2))
    const step = load<u32>(steps + ((r as usize) << 2))
    for (let j = 0; j < size; j++) {
      const at = offset + ((j as usize) << 2)
      const sigma = load<f64>(table + (j as usize) * DEVIATION_ROW, DEVIATION_SIGMA)
      const z = normal64(seedLow, seedHigh, purpose, stream, step, j)
      store<f32>(action + at, ((load<f32>(mean + at) as f64) + sigma * z) as f32)
    }
    store<f32>(
      logProb + ((r as usize) << 2),
      logProbOfRow(mean + offset, action + offset, table, size) as f32,
    )
  }
}

/**
 * Surrogate objective of a policy step and its gradient, summed over rows.
 *
 * With ratio = exp(log pi_new - log pi_old), the objective of the trust region (Eq. 9) is ratio M and the clipped
 * objective (Eq. 11) is min(ratio M, clip(ratio, 1 - clip, 1 + clip) M). Rows of weight 0 contribute to no result.
 * @param mean f32 [rows, size]
 * @param weight f32 [rows], 1 for valid rows and 0 for others
 * @param clip negative for the trust region
 * @param gmean d objective / d mean, f32 [rows, size], or 0 for no gradient
 * @param glogStd d (sum of objectives) / d log_std over these rows, f32 [size], or 0
 * @param logProb f32 [rows], the new log-probabilities
 * @param sums f64: sum of objectives, sum of weights, clipped rows
 * @param accumulate 1 to add to the content of glogStd
 */
export function gaussianSurrogate(
  mean: usize,
  table: usize,
  size: i32,
  action: usize,
  oldLogProb: usize,
  m: usize,
  weight: usize,
  clip: f64,
  gmean: usize,
  glogStd: usize,
  logProb: usize,
  sums: usize,
  from: i32,
  to: i32,
  accumulate: i32,
): void {
  const stride = (size as usize) << 2
  let objectives: f64 = 0
  let weights: f64 = 0
  let clipped: f64 = 0
  if (glogStd != 0 && !accumulate) memory.fill(glogStd, 0, stride)
  for (let r = from; r < to; r++) {
    const at = (r as usize) << 2
    const offset = (r as usize) * stride
    const newLogProb = logProbOfRow(mean + offset, action + offset, table, size)
    if (logProb != 0) store<f32>(logProb + at, newLogProb as f32)
    const w = load<f32>(weight + at) as f64
    if (w == 0) {
      if (gmean != 0) memory.fill(gmean + offset, 0, stride)
      continue
    }
    // The old log-probability is stored as f32. Rounding the new one to f32 too makes the ratio exactly 1 at the old
    // parameters.
    const ratio = exp64((newLogProb as f32 as f64) - (load<f32>(oldLogProb + at) as f64))
    const advantage = load<f32>(m + at) as f64
    let objective = ratio * advantage
    let slope = objective
    if (clip >= 0) {
      const bounded = min(max(ratio, 1 - clip), 1 + clip)
      if (bounded != ratio) clipped += w
      if (bounded * advantage < objective) {
        objective = bounded * advantage
        slope = 0
      }
    }
    objectives += w * objective
    weights += w
    if (gmean == 0) continue
    // d log pi / d mean = (a - mean) / sigma^2,  d log pi / d log sigma = ((a - mean) / sigma)^2 - 1
    for (let j = 0; j < size; j++) {
      const i = (j as usize) << 2
      const row = table + (j as usize) * DEVIATION_ROW
      const d = (load<f32>(action + offset + i) as f64) - (load<f32>(mean + offset + i) as f64)
      const precision = load<f64>(row, DEVIATION_PRECISION)
      store<f32>(gmean + offset + i, (w * slope * d * precision) as f32)
      const g = w * slope * (d * d * precision - 1) * load<f64>(row, DEVIATION_SLOPE)
      store<f32>(glogStd + i, load<f32>(glogStd + i) + (g as f32))
    }
  }
  store<f64>(sums, objectives)
  store<f64>(sums, weights, 8)
  store<f64>(sums, clipped, 16)
}

/**
 * Sum over rows of weight * KL(old || new) in closed form:
 * sum over dimensions of log(sigma_new / sigma_old) + (sigma_old^2 + (mean_old - mean_new)^2) / (2 sigma_new^2) - 1/2.
 * @param sums f64: sum of divergences, sum of weights
 */
export function gaussianKl(
  oldMean: usize,
  oldTable: usize,
  mean: usize,
  table: usize,
  size: i32,
  weight: usize,
  sums: usize,
  from: i32,
  to: i32,
): void {
  const stride = (size as usize) << 2
  // The deviations do not depend on the state, so their terms are the same in every row.
  let fixed: f64 = 0
  for (let j = 0; j < size; j++) {
    const t = (j as usize) * DEVIATION_ROW
    const sigma = load<f64>(oldTable + t, DEVIATION_SIGMA)
    fixed += load<f64>(table + t, DEVIATION_LOG_SIGMA) - load<f64>(oldTable + t, DEVIATION_LOG_SIGMA)
    fixed += 0.5 * (sigma * sigma * load<f64>(table + t, DEVIATION_PRECISION) - 1)
  }
  let total: f64 = 0
  let weights: f64 = 0
  for (let r = from; r < to; r++) {
    const w = load<f32>(weight + ((r as usize) << 2)) as f64
    if (w == 0) continue
    let moved: f64 = 0
    for (let j = 0; j < size; j++) {
      const at = (r as usize) * stride + ((j as usize) << 2)
      const d = (load<f32>(oldMean + at) as f64) - (load<f32>(mean + at) as f64)
      moved += 0.5 * d * d * load<f64>(table + (j as usize) * DEVIATION_ROW, DEVIATION_PRECISION)
    }
    total += w * (fixed + moved)
    weights += w
  }
  store<f64>(sums, total)
  store<f64>(sums, weights, 8)
}

/**
 * Product of the Fisher matrix of the distribution with a tangent. The matrix is diagonal: 1 / sigma^2 for the mean and
 * 2 (d log sigma / d log_std)^2 for log_std, each times the weight of the row.
 * @param dmean tangent of the mean, f32 [rows, size]
 * @param dlogStd tangent of log_std, f32 [size]
 * @param gmean f32 [rows, size], may be dmean
 * @param glogStd f32 [size], summed over these rows
 * @param accumulate 1 to add to the content of glogStd
 */
export function gaussianFisher(
  dmean: usize,
  dlogStd: usize,
  table: usize,
  size: i32,
  weight: usize,
  gmean: usize,
  glogStd: usize,
  from: i32,
  to: i32,
  accumulate: i32,
): void {
  const stride = (size as usize) << 2
  let weights: f64 = 0
  for (let r = from; r < to; r++) {
    const w = load<f32>(weight + ((r as usize) << 2)) as f64
    weights += w
    for (let j = 0; j < size; j++) {
      const at = (r as usize) * stride + ((j as usize) << 2)
      const precision = load<f64>(table + (j as usize) * DEVIATION_ROW, DEVIATION_PRECISION)
      store<f32>(gmean + at, (w * precision * (load<f32>(dmean + at) as f64)) as f32)
    }
  }
  for (let j = 0; j < size; j++) {
    const at = (j as usize) << 2
    const slope = load<f64>(table + (j as usize) * DEVIATION_ROW, DEVIATION_SLOPE)
    const g = (2 * slope * slope * weights * (load<f32>(dlogStd + at) as f64)) as f32
    store<f32>(glogStd + at, accumulate ? load<f32>(glogStd + at) + g : g)
  }
}

/** gmean = sqrt(weight) / sigma in one column and 0 in the others: a column of a root of the mean's Fisher matrix. */
export function gaussianFisherRoot(
  table: usize,
  size: i32,
  column: i32,
  weight: usize,
  gmean: usize,
  from: i32,
  to: i32,
): void {
  const stride = (size as usize) << 2
  const precision = load<f64>(table + (column as usize) * DEVIATION_ROW, DEVIATION_PRECISION)
  for (let r = from; r < to; r++) {
    const row = gmean + (r as usize) * stride
    const w = load<f32>(weight + ((r as usize) << 2)) as f64
    memory.fill(row, 0, stride)
    store<f32>(row + ((column as usize) << 2), sqrt(w * precision) as f32)
  }
}
