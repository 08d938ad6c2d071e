// The diagonal Gaussian whose deviation depends on the state: a row of outputs holds `size` means and then `size` numbers
// s, with sigma = y sigmoid(s / x). Sums inside a row are f64.

import { squashedLogStd } from './gaussian'
import { log64 } from './math64'
import { normal64 } from './random'

const HALF_LOG_TWO_PI: f64 = 0.9189385332046727

function at32(row: usize, j: i32): f64 {
  return load<f32>(row + ((j as usize) << 2)) as f64
}

// sigma / y of dimension j.
function squashed(row: usize, size: i32, x: f64, j: i32): f64 {
  return squashedLogStd(load<f32>(row + (((size + j) as usize) << 2)), x)
}

// log pi(action | outputs), summed over dimensions.
function logProbOfRow(row: usize, action: usize, size: i32, x: f64, y: f64): f64 {
  let sum: f64 = 0
  for (let j = 0; j < size; j++) {
    const sigma = squashed(row, size, x, j) * y
    const z = (at32(action, j) - at32(row, j)) / sigma
    sum -= 0.5 * z * z + log64(sigma) + HALF_LOG_TWO_PI
  }
  return sum
}

/** logProb[r] = log pi(action[r] | outputs[r]), f32 [rows]. */
export function rowGaussianLogProb(
  outputs: usize,
  size: i32,
  x: f64,
  y: f64,
  action: usize,
  logProb: usize,
  from: i32,
  to: i32,
): void {
  for (let r = from; r < to; r++) {
    const at = ((r * size) as usize) << 2
    const value = logProbOfRow(outputs + at * 2, action + at, size, x, y)
    store<f32>(logProb + ((r as usize) << 2), value as f32)
  }
}

/** goutputs = slope[r] d log pi / d outputs. @param slope f32 [rows] */
export function rowGaussianLogProbAdjoint(
  outputs: usize,
  size: i32,
  x: f64,
  y: f64,
  action: usize,
  slope: usize,
  goutputs: usize,
  from: i32,
  to: i32,
): void {
  const half = (size as usize) << 2
  for (let r = from; r < to; r++) {
    const row = outputs + (r as usize) * half * 2
    const out = goutputs + (r as usize) * half * 2
    const g = load<f32>(slope + ((r as usize) << 2)) as f64
    if (g == 0) {
      memory.fill(out, 0, half * 2)
      continue
    }
    for (let j = 0; j < size; j++) {
      const s = squashed(row, size, x, j)
      const sigma = s * y
      const z = (at32(action + (r as usize) * half, j) - at32(row, j)) / sigma
      store<f32>(out + ((j as usize) << 2), ((g * z) / sigma) as f32)
      store<f32>(out + half + ((j as usize) << 2), ((g * (z * z - 1) * (1 - s)) / x) as f32)
    }
  }
}

/** action[r] = mean + sigma z and its log-probability, z keyed as in `gaussianSample`. */
export function rowGaussianSample(
  outputs: usize,
  size: i32,
  x: f64,
  y: f64,
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
  for (let r = from; r < to; r++) {
    const at = ((r * size) as usize) << 2
    const row = outputs + at * 2
    const stream = load<u32>(streams + ((r as usize) << 2))
    const step = load<u32>(steps + ((r as usize) << 2))
    for (let j = 0; j < size; j++) {
      const sigma = squashed(row, size, x, j) * y
      const z = normal64(seedLow, seedHigh, purpose, stream, step, j)
      store<f32>(action + at + ((j as usize) << 2), (at32(row, j) + sigma * z) as f32)
    }
    const value = logProbOfRow(row, action + at, size, x, y)
    store<f32>(logProb + ((r as usize) << 2), value as f32)
  }
}

/**
 * kl[r] = KL(old || new) in closed form: sum over dimensions of
 * log(sigma_new / sigma_old) + (sigma_old^2 + (mean_old - mean_new)^2) / (2 sigma_new^2) - 1/2.
 */
export function rowGaussianKl(
  oldOutputs: usize,
  outputs: usize,
  size: i32,
  x: f64,
  y: f64,
  kl: usize,
  from: i32,
  to: i32,
): void {
  const stride = (size as usize) << 3
  for (let r = from; r < to; r++) {
    const old = oldOutputs + (r as usize) * stride
    const row = outputs + (r as usize) * stride
    let sum: f64 = 0
    for (let j = 0; j < size; j++) {
      const before = squashed(old, size, x, j) * y
      const sigma = squashed(row, size, x, j) * y
      const ratio = before / sigma
      const z = (at32(old, j) - at32(row, j)) / sigma
      sum += 0.5 * (ratio * ratio + z * z - 1) - log64(ratio)
    }
    store<f32>(kl + ((r as usize) << 2), sum as f32)
  }
}

/**
 * Product of the Fisher matrix of the outputs with a tangent, times the weight of the row. The matrix is diagonal:
 * 1 / sigma^2 for a mean and 2 (d log sigma / d s)^2 for s.
 * @param goutputs may be doutputs
 */
export function rowGaussianFisher(
  doutputs: usize,
  outputs: usize,
  size: i32,
  x: f64,
  y: f64,
  weight: usize,
  goutputs: usize,
  from: i32,
  to: i32,
): void {
  const half = (size as usize) << 2
  for (let r = from; r < to; r++) {
    const at = (r as usize) * half * 2
    const w = load<f32>(weight + ((r as usize) << 2)) as f64
    for (let j = 0; j < size; j++) {
      const i = at + ((j as usize) << 2)
      const s = squashed(outputs + at, size, x, j)
      const sigma = s * y
      const slope = (1 - s) / x
      store<f32>(goutputs + i, ((w * (load<f32>(doutputs + i) as f64)) / (sigma * sigma)) as f32)
      const d = load<f32>(doutputs + half + i) as f64
      store<f32>(goutputs + half + i, (w * 2 * slope * slope * d) as f32)
    }
  }
}

/** Column `column` of a root of that matrix, times the root of the weight. */
export function rowGaussianFisherRoot(
  outputs: usize,
  size: i32,
  x: f64,
  y: f64,
  column: i32,
  weight: usize,
  goutputs: usize,
  from: i32,
  to: i32,
): void {
  const stride = (size as usize) << 3
  const j = column < size ? column : column - size
  for (let r = from; r < to; r++) {
    const out = goutputs + (r as usize) * stride
    memory.fill(out, 0, stride)
    if (j >= size) continue
    const w = load<f32>(weight + ((r as usize) << 2)) as f64
    const s = squashed(outputs + (r as usize) * stride, size, x, j)
    const slope = (1 - s) / x
    const root = column < size ? sqrt<f64>(w) / (s * y) : sqrt<f64>(2 * w) * slope
    store<f32>(out + ((column as usize) << 2), root as f32)
  }
}

/**
 * entropy[r] = sum over dimensions of 1/2 + log sqrt(2 pi) + log sigma. Where goutputs is not 0, coefficient * weight * its
 * derivative by the outputs is added to it.
 */
export function rowGaussianEntropy(
  outputs: usize,
  size: i32,
  x: f64,
  y: f64,
  weight: usize,
  coefficient: f64,
  goutputs: usize,
  entropy: usize,
  from: i32,
  to: i32,
): void {
  const half = (size as usize) << 2
  for (let r = from; r < to; r++) {
    const at = (r as usize) * half * 2
    const w = coefficient * (load<f32>(weight + ((r as usize) << 2)) as f64)
    let sum: f64 = 0
    for (let j = 0; j < size; j++) {
      const s = squashed(outputs + at, size, x, j)
      sum += 0.5 + HALF_LOG_TWO_PI + log64(s * y)
      if (goutputs == 0 || w == 0) continue
      const place = goutputs + at + half + ((j as usize) << 2)
      store<f32>(place, ((load<f32>(place) as f64) + (w * (1 - s)) / x) as f32)
    }
    store<f32>(entropy + ((r as usize) << 2), sum as f32)
  }
}
