/** Diagonal Gaussian and policy objectives on one row, in f64. */
import { sigmoid } from './activation.js'
import { sum } from './vectors.js'

type Vector = ArrayLike<number>

/** sigma = y sigmoid(log_std / x) */
export const deviation = (logStd: number, x: number, y: number): number => y * sigmoid(logStd / x)

/** sigma, log sigma, 1 / sigma^2, d log sigma / d log_std. */
export function tableRow(logStd: number, x: number, y: number): number[] {
  const sigma = deviation(logStd, x, y)
  return [sigma, Math.log(sigma), 1 / (sigma * sigma), (1 - sigma / y) / x]
}

/** log N(action; mean, diag(sigma^2)) */
export function logProb(action: Vector, mean: Vector, sigma: Vector): number {
  const terms = Array.from(sigma, (s, j) => {
    const z = (action[j] - mean[j]) / s
    return -0.5 * z * z - Math.log(s) - 0.5 * Math.log(2 * Math.PI)
  })
  return sum(terms)
}

/** d log pi / d mean = (action - mean) / sigma^2 */
export function logProbByMean(action: Vector, mean: Vector, sigma: Vector): number[] {
  return Array.from(sigma, (s, j) => (action[j] - mean[j]) / (s * s))
}

/** d log pi / d log sigma = ((action - mean) / sigma)^2 - 1 */
export function logProbByLogSigma(action: Vector, mean: Vector, sigma: Vector): number[] {
  return Array.from(sigma, (s, j) => ((action[j] - mean[j]) / s) * ((action[j] - mean[j]) / s) - 1)
}

/** KL(N(mean0, diag(sigma0^2)) || N(mean1, diag(sigma1^2))) */
export function gaussianKl(mean0: Vector, sigma0: Vector, mean1: Vector, sigma1: Vector): number {
  const terms = Array.from(sigma0, (s, j) => {
    const d = mean0[j] - mean1[j]
    return Math.log(sigma1[j] / s) + (s * s + d * d) / (2 * sigma1[j] * sigma1[j]) - 0.5
  })
  return sum(terms)
}

/** Sum over dimensions of 1/2 log(2 pi e sigma^2). */
export function entropy(sigma: Vector): number {
  return sum(Array.from(sigma, (s) => 0.5 + 0.5 * Math.log(2 * Math.PI) + Math.log(s)))
}

const clamp = (v: number, low: number, high: number) => Math.min(Math.max(v, low), high)

/** Objective of one row: ratio M (Eq. 9), or min(ratio M, clip(ratio) M) with a clip range (Eq. 11). */
export function surrogate(ratio: number, m: number, clip: number | null): number {
  if (clip === null) return ratio * m
  return Math.min(ratio * m, clamp(ratio, 1 - clip, 1 + clip) * m)
}

/** d surrogate / d log pi: ratio M, or 0 if the clipped term is smaller. */
export function surrogateSlope(ratio: number, m: number, clip: number | null): number {
  return surrogate(ratio, m, clip) < ratio * m ? 0 : ratio * m
}

export const isClipped = (ratio: number, clip: number | null): boolean =>
  clip !== null && clamp(ratio, 1 - clip, 1 + clip) !== ratio
