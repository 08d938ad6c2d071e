import { RandomStream } from '../envs/random.js'
import { usageError } from '../errors.js'
import { PURPOSE } from '../kernels/purposes.js'
import { quantile, type Strata } from './statistics.js'

/** Share of the resamples that an interval holds. */
export const CONFIDENCE = 0.95
/** Resamples behind an interval of a mean or an IQM. */
export const RESAMPLES = 50_000
/** Resamples behind a point of a curve or a profile, and behind a probability of improvement. */
export const FEWER_RESAMPLES = 2000

export interface Interval {
  readonly low: number
  readonly high: number
}

export interface BootstrapOptions {
  readonly resamples?: number
  readonly seed?: number
}

/**
 * Percentile intervals of statistics over stratified resamples: each stratum is replaced by an equal number of draws
 * from it, with replacement. All statistics use the same resamples, which depend only on the seed.
 *
 * @param groups strata of one method, or of each of several
 * @param statistics functions of the resampled groups
 * @throws HatrpoError (exit code 2) for an invalid number of resamples or seed
 * @returns an interval for each statistic; null if every stratum has only one score
 */
export function bootstrapIntervals(
  groups: readonly Strata[],
  statistics: readonly ((sample: readonly Strata[]) => number)[],
  { resamples = RESAMPLES, seed = 1 }: BootstrapOptions = {},
): (Interval | null)[] {
  if (!(Number.isSafeInteger(resamples) && resamples > 0))
    throw usageError(`resamples is ${resamples}: it must be a whole number, at least 1`)
  if (groups.every((strata) => strata.every((scores) => scores.length < 2))) return statistics.map(() => null)
  const random = new RandomStream(seed, PURPOSE.bootstrap)
  const sample = groups.map((strata) => strata.map((scores) => [...scores]))
  const values = statistics.map(() => new Float64Array(resamples))
  for (let k = 0; k < resamples; k++) {
    for (const [group, strata] of groups.entries())
      for (const [stratum, scores] of strata.entries()) draw(scores, random, sample[group][stratum])
    for (const [s, statistic] of statistics.entries()) values[s][k] = statistic(sample)
  }
  return values.map((found) => {
    found.sort()
    return { low: quantile(found, (1 - CONFIDENCE) / 2), high: quantile(found, (1 + CONFIDENCE) / 2) }
  })
}

/** Fills `out` with draws from scores, with replacement. */
function draw(scores: readonly number[], random: RandomStream, out: number[]): void {
  for (let i = 0; i < out.length; i++) out[i] = scores[Math.floor(random.uniform() * scores.length)]
}

/** Interval of one statistic of one method's scores. */
export function bootstrapInterval(
  strata: Strata,
  statistic: (sample: Strata) => number,
  options: BootstrapOptions = {},
): Interval | null {
  return bootstrapIntervals([strata], [([sample]) => statistic(sample)], options)[0]
}
