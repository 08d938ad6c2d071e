// Categorical distributions, of which a row may have several side by side: one takes `count` columns of a matrix of
// logits, with `before` columns before them and `after` columns behind. A logit of -Infinity belongs to a choice that is
// not available, whose probability is 0. Without any available choice there is no distribution: the choice is 0, and
// its log-probability, entropy, divergence and derivatives are 0. Sums are f64, and over the choices in ascending order.

import { exp64, log64 } from './math64'
import { uniform64 } from './random'

const NONE: f64 = -Infinity

function logit(logits: usize, k: i32): f64 {
  return load<f32>(logits + ((k as usize) << 2)) as f64
}

// Largest logit, -Infinity without an available choice, NaN where one is NaN.
function largest(logits: usize, count: i32): f64 {
  let high = NONE
  for (let k = 0; k < count; k++) {
    const z = logit(logits, k)
    if (z != z) return z
    if (z > high) high = z
  }
  return high
}

// Sum of exp(logit - high).
function total(logits: usize, count: i32, high: f64): f64 {
  let sum: f64 = 0
  for (let k = 0; k < count; k++) sum += exp64(logit(logits, k) - high)
  return sum
}

// Choice stored as f32, or -1 for a number that is none.
function choiceOf(action: usize, count: i32): i32 {
  const value = load<f32>(action)
  return value >= 0 && value < (count as f32) ? (value as i32) : -1
}

function logProbOf(logits: usize, count: i32, choice: i32): f64 {
  const high = largest(logits, count)
  if (high == NONE) return 0
  return choice < 0 ? NaN : logit(logits, choice) - high - log64(total(logits, count, high))
}

function put(at: usize, value: f64, accumulate: i32): void {
  store<f32>(at, (accumulate ? (load<f32>(at) as f64) + value : value) as f32)
}

/** Sets the logits of choices that are not available to -Infinity. @param available u8 [rows, width] */
export function maskChoices(logits: usize, available: usize, width: i32, from: i32, to: i32): void {
  for (let i = from * width; i < to * width; i++)
    if (load<u8>(available + (i as usize)) == 0) store<f32>(logits + ((i as usize) << 2), -Infinity as f32)
}

/** Results of a choice that is none. */
const UNAVAILABLE = -1
const UNDEFINED = -2

/** Choice as an action has it: 0 where nothing is available, NaN where a logit is NaN. */
function entryOf(choice: i32): f32 {
  return choice == UNDEFINED ? f32.NaN : (max(choice, 0) as f32)
}

/** The first of the likeliest choices, -1 where none is available, -2 where a logit is NaN. @param available u8 [count], or 0 for all */
export function likeliest(logits: usize, available: usize, count: i32): i32 {
  let best = UNAVAILABLE
  let high = NONE
  for (let k = 0; k < count; k++) {
    if (available != 0 && load<u8>(available + (k as usize)) == 0) continue
    const z = logit(logits, k)
    if (z != z) return UNDEFINED
    if (z > high) {
      high = z
      best = k
    }
  }
  return best
}

/** Choice at the quantile 0 < u < 1, or as in `likeliest`. @param available u8 [count], or 0 for all */
export function choiceAt(logits: usize, available: usize, count: i32, u: f64): i32 {
  const best = likeliest(logits, available, count)
  if (best < 0) return best
  const high = logit(logits, best)
  let sum: f64 = 0
  for (let k = 0; k < count; k++)
    if (available == 0 || load<u8>(available + (k as usize)) != 0) sum += exp64(logit(logits, k) - high)
  const bound = u * sum
  let reached: f64 = 0
  let choice = best
  for (let k = 0; k < count; k++) {
    if (available != 0 && load<u8>(available + (k as usize)) == 0) continue
    const p = exp64(logit(logits, k) - high)
    if (p == 0) continue
    choice = k
    reached += p
    if (reached > bound) break
  }
  return choice
}

/** logProb[r] = log-probability of entry `earlier` of action[r], or that added to it. */
export function categoricalLogProb(
  logits: usize,
  before: i32,
  count: i32,
  after: i32,
  action: usize,
  earlier: i32,
  later: i32,
  logProb: usize,
  accumulate: i32,
  from: i32,
  to: i32,
): void {
  const width = before + count + after
  const actions = earlier + 1 + later
  for (let r = from; r < to; r++) {
    const choice = choiceOf(action + (((r * actions + earlier) as usize) << 2), count)
    const row = logits + (((r * width + before) as usize) << 2)
    put(logProb + ((r as usize) << 2), logProbOf(row, count, choice), accumulate)
  }
}

/** glogits = slope[r] d log-probability / d logits. @param slope f32 [rows] */
export function categoricalLogProbAdjoint(
  logits: usize,
  before: i32,
  count: i32,
  after: i32,
  action: usize,
  earlier: i32,
  later: i32,
  slope: usize,
  glogits: usize,
  from: i32,
  to: i32,
): void {
  const width = before + count + after
  const actions = earlier + 1 + later
  for (let r = from; r < to; r++) {
    const at = ((r * width + before) as usize) << 2
    const row = logits + at
    const g = load<f32>(slope + ((r as usize) << 2)) as f64
    const high = largest(row, count)
    if (g == 0 || high == NONE) {
      memory.fill(glogits + at, 0, (count as usize) << 2)
      continue
    }
    const choice = choiceOf(action + (((r * actions + earlier) as usize) << 2), count)
    const sum = total(row, count, high)
    for (let k = 0; k < count; k++) {
      const p = exp64(logit(row, k) - high) / sum
      store<f32>(glogits + at + ((k as usize) << 2), (g * ((k == choice ? 1 : 0) - p)) as f32)
    }
  }
}

/**
 * Draws entry `earlier` of action[r], and its log-probability as in `categoricalLogProb`. The uniform number has the key
 * (seed, purpose, streams[r], steps[r]) and the index `earlier`.
 * @param streams i32 [rows] @param steps i32 [rows]
 */
export function categoricalSample(
  logits: usize,
  before: i32,
  count: i32,
  after: i32,
  seedLow: u32,
  seedHigh: u32,
  purpose: u32,
  streams: usize,
  steps: usize,
  action: usize,
  earlier: i32,
  later: i32,
  logProb: usize,
  accumulate: i32,
  from: i32,
  to: i32,
): void {
  const width = before + count + after
  const actions = earlier + 1 + later
  for (let r = from; r < to; r++) {
    const row = logits + (((r * width + before) as usize) << 2)
    const stream = load<u32>(streams + ((r as usize) << 2))
    const step = load<u32>(steps + ((r as usize) << 2))
    const choice = choiceAt(row, 0, count, uniform64(seedLow, seedHigh, purpose, stream, step, earlier))
    store<f32>(action + (((r * actions + earlier) as usize) << 2), entryOf(choice))
    put(logProb + ((r as usize) << 2), logProbOf(row, count, max(choice, 0)), accumulate)
  }
}

/** Entry `earlier` of action[r] = the first of the likeliest choices. */
export function categoricalMode(
  logits: usize,
  before: i32,
  count: i32,
  after: i32,
  action: usize,
  earlier: i32,
  later: i32,
  from: i32,
  to: i32,
): void {
  const width = before + count + after
  const actions = earlier + 1 + later
  for (let r = from; r < to; r++) {
    const choice = likeliest(logits + (((r * width + before) as usize) << 2), 0, count)
    store<f32>(action + (((r * actions + earlier) as usize) << 2), entryOf(choice))
  }
}

/**
 * kl[r] = KL(old || new) = sum over available choices of p_old (log p_old - log p_new), or that added to it. Both have the
 * same available choices.
 */
export function categoricalKl(
  oldLogits: usize,
  logits: usize,
  before: i32,
  count: i32,
  after: i32,
  kl: usize,
  accumulate: i32,
  from: i32,
  to: i32,
): void {
  const width = before + count + after
  for (let r = from; r < to; r++) {
    const at = ((r * width + before) as usize) << 2
    const oldHigh = largest(oldLogits + at, count)
    const high = largest(logits + at, count)
    let sum: f64 = 0
    if (oldHigh != NONE && high != NONE) {
      const oldTotal = total(oldLogits + at, count, oldHigh)
      const shift = log64(total(logits + at, count, high)) - log64(oldTotal)
      for (let k = 0; k < count; k++) {
        const old = logit(oldLogits + at, k) - oldHigh
        const p = exp64(old) / oldTotal
        if (p != 0) sum += p * (old - (logit(logits + at, k) - high) + shift)
      }
    }
    put(kl + ((r as usize) << 2), sum, accumulate)
  }
}

/**
 * Product of the Fisher matrix diag(p) - p p' with a tangent, times the weight of the row.
 * @param glogits may be dlogits
 */
export function categoricalFisher(
  dlogits: usize,
  logits: usize,
  before: i32,
  count: i32,
  after: i32,
  weight: usize,
  glogits: usize,
  from: i32,
  to: i32,
): void {
  const width = before + count + after
  for (let r = from; r < to; r++) {
    const at = ((r * width + before) as usize) << 2
    const w = load<f32>(weight + ((r as usize) << 2)) as f64
    const high = largest(logits + at, count)
    if (w == 0 || high == NONE) {
      memory.fill(glogits + at, 0, (count as usize) << 2)
      continue
    }
    let sum: f64 = 0
    let along: f64 = 0
    for (let k = 0; k < count; k++) {
      const e = exp64(logit(logits + at, k) - high)
      sum += e
      along += e * logit(dlogits + at, k)
    }
    const mean = along / sum
    for (let k = 0; k < count; k++) {
      const p = exp64(logit(logits + at, k) - high) / sum
      const d = logit(dlogits + at, k) - mean
      store<f32>(glogits + at + ((k as usize) << 2), (w * p * d) as f32)
    }
  }
}

/**
 * Column `column` of a root of the Fisher matrix, sqrt(p_c) (e_c - p), times the root of the weight; 0 in the columns of
 * other distributions.
 */
export function categoricalFisherRoot(
  logits: usize,
  before: i32,
  count: i32,
  after: i32,
  column: i32,
  weight: usize,
  glogits: usize,
  from: i32,
  to: i32,
): void {
  const width = before + count + after
  for (let r = from; r < to; r++) {
    const start = ((r * width) as usize) << 2
    memory.fill(glogits + start, 0, (width as usize) << 2)
    const at = start + ((before as usize) << 2)
    const w = load<f32>(weight + ((r as usize) << 2)) as f64
    const high = largest(logits + at, count)
    if (w == 0 || high == NONE || column >= count) continue
    const sum = total(logits + at, count, high)
    const root = sqrt<f64>((w * exp64(logit(logits + at, column) - high)) / sum)
    for (let k = 0; k < count; k++) {
      const p = exp64(logit(logits + at, k) - high) / sum
      store<f32>(glogits + at + ((k as usize) << 2), (root * ((k == column ? 1 : 0) - p)) as f32)
    }
  }
}

/**
 * entropy[r] = H = -sum p log p, or that added to it. Where glogits is not 0, coefficient * weight * dH / d logits, which is
 * -p (log p + H), is added to it.
 */
export function categoricalEntropy(
  logits: usize,
  before: i32,
  count: i32,
  after: i32,
  weight: usize,
  coefficient: f64,
  glogits: usize,
  entropy: usize,
  accumulate: i32,
  from: i32,
  to: i32,
): void {
  const width = before + count + after
  for (let r = from; r < to; r++) {
    const at = ((r * width + before) as usize) << 2
    const high = largest(logits + at, count)
    let h: f64 = 0
    if (high != NONE) {
      const sum = total(logits + at, count, high)
      const scale = log64(sum)
      for (let k = 0; k < count; k++) {
        const z = logit(logits + at, k) - high
        const p = exp64(z) / sum
        if (p != 0) h -= p * (z - scale)
      }
      const w = coefficient * (load<f32>(weight + ((r as usize) << 2)) as f64)
      if (glogits != 0 && w != 0) {
        for (let k = 0; k < count; k++) {
          const z = logit(logits + at, k) - high
          const p = exp64(z) / sum
          if (p != 0) put(glogits + at + ((k as usize) << 2), -w * p * (z - scale + h), 1)
        }
      }
    }
    put(entropy + ((r as usize) << 2), h, accumulate)
  }
}
