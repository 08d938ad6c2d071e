/** Categorical distribution on one row of logits, in f64. A choice with the logit -Infinity is unavailable. */
import { sum } from './vectors.js'

type Logits = ArrayLike<number>

/** Probabilities, or zeros if no choice is available. */
export function probabilities(logits: Logits): number[] {
  const high = Math.max(...Array.from(logits))
  if (high === -Infinity) return Array.from(logits, () => 0)
  const parts = Array.from(logits, (z) => Math.exp(z - high))
  const total = sum(parts)
  return parts.map((part) => part / total)
}

/** log sum exp, and whether any choice is available. */
function scale(logits: Logits): number {
  const high = Math.max(...Array.from(logits))
  return high + Math.log(sum(Array.from(logits, (z) => Math.exp(z - high))))
}

const none = (logits: Logits) => Array.from(logits).every((z) => z === -Infinity)

/** log p of a choice, or NaN for an invalid choice. */
export function logProb(logits: Logits, choice: number): number {
  if (none(logits)) return 0
  if (!(choice >= 0 && choice < logits.length)) return NaN
  return logits[Math.floor(choice)] - scale(logits)
}

/** d log p / d logits = e_choice - p */
export function logProbGradient(logits: Logits, choice: number): number[] {
  if (none(logits)) return Array.from(logits, () => 0)
  return probabilities(logits).map((p, k) => (k === Math.floor(choice) ? 1 : 0) - p)
}

const undefinedIn = (logits: Logits) => Array.from(logits).some(Number.isNaN)

/** First of the most probable choices. 0 if none is available, NaN if a logit is NaN. */
export function likeliest(logits: Logits): number {
  const all = Array.from(logits)
  if (undefinedIn(logits)) return NaN
  return Math.max(0, all.indexOf(Math.max(...all)))
}

/** First choice at which the cumulative probability exceeds 0 < u < 1. Special cases as in `likeliest`. */
export function choiceAt(logits: Logits, u: number): number {
  if (undefinedIn(logits)) return NaN
  const p = probabilities(logits)
  const sums = p.map((_, k) => sum(p.slice(0, k + 1)))
  const total = sums.at(-1)!
  return Math.max(
    0,
    sums.findIndex((value, k) => p[k] > 0 && value > u * total),
  )
}

/** Sum over available choices of p_old (log p_old - log p_new). */
export function kl(old: Logits, now: Logits): number {
  if (none(old) || none(now)) return 0
  const shift = scale(now) - scale(old)
  return sum(probabilities(old).map((p, k) => (p > 0 ? p * (old[k] - now[k] + shift) : 0)))
}

/** (diag(p) - p p') d */
export function fisher(logits: Logits, d: ArrayLike<number>): number[] {
  const p = probabilities(logits)
  const mean = sum(p.map((v, k) => v * d[k]))
  return p.map((v, k) => v * (d[k] - mean))
}

/** sqrt(p_c) (e_c - p) */
export function fisherRoot(logits: Logits, c: number): number[] {
  const p = probabilities(logits)
  return p.map((v, k) => Math.sqrt(p[c]) * ((k === c ? 1 : 0) - v))
}

/** -sum p log p */
export function entropy(logits: Logits): number {
  return -sum(probabilities(logits).map((p) => (p > 0 ? p * Math.log(p) : 0)))
}

/** d entropy / d logits = -p (log p + entropy) */
export function entropyGradient(logits: Logits): number[] {
  const h = entropy(logits)
  return probabilities(logits).map((p) => (p > 0 ? -p * (Math.log(p) + h) : 0))
}
