import { RandomStream } from '../src/envs/random.js'

export const sum = (numbers: readonly number[]) => numbers.reduce((total, v) => total + v, 0)
export const mean = (numbers: readonly number[]) => sum(numbers) / numbers.length

/** Sample standard deviation; NaN for one number. */
export function deviation(numbers: readonly number[]): number {
  const centre = mean(numbers)
  return Math.sqrt(sum(numbers.map((v) => (v - centre) * (v - centre))) / (numbers.length - 1))
}

/** Mean of the middle half, the numbers at its ends in part. */
export function interquartileMean(numbers: readonly number[]): number {
  const ascending = [...numbers].sort((a, b) => a - b)
  const cut = numbers.length / 4
  const weights = ascending.map((_, i) => {
    const inside = Math.min(i + 1, numbers.length - cut) - Math.max(i, cut)
    return Math.max(0, inside)
  })
  return sum(ascending.map((v, i) => weights[i] * v)) / sum(weights)
}

const RESAMPLES = 10_000

/** 95 % interval of the interquartile mean: percentiles over resamples of the numbers, the same ones every time. */
export function bootstrapInterval(numbers: readonly number[]): [low: number, high: number] {
  const random = new RandomStream(1, 1)
  const means = Array.from({ length: RESAMPLES }, () =>
    interquartileMean(numbers.map(() => numbers[Math.floor(random.uniform() * numbers.length)])),
  ).sort((a, b) => a - b)
  return [means[Math.floor(0.025 * RESAMPLES)], means[Math.ceil(0.975 * RESAMPLES) - 1]]
}

/**
 * Index of the first value that has come 99 % of the way from a curve's first value to its largest one.
 * @param curve of at least one value
 */
export function nearlyBest(curve: readonly number[]): number {
  const best = curve.reduce((largest, v) => Math.max(largest, v))
  const level = curve[0] + 0.99 * (best - curve[0])
  return curve.findIndex((v) => v >= level)
}

/** Means over the last `width` values, fewer at the beginning. */
export function smoothed(curve: readonly number[], width: number): number[] {
  return curve.map((_, i) => mean(curve.slice(Math.max(0, i + 1 - width), i + 1)))
}
