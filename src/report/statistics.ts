/**
 * Statistics over runs, by the definitions of rliable (Agarwal et al., "Deep Reinforcement Learning at the Edge of the
 * Statistical Precipice", NeurIPS 2021).
 */

/** Scores of one method: for each task, one score a run. */
export type Strata = readonly (readonly number[])[]

export function sum(numbers: readonly number[]): number {
  let total = 0
  for (const v of numbers) total += v
  return total
}

export const mean = (numbers: readonly number[]): number => sum(numbers) / numbers.length

/** Sample standard deviation; NaN for one number. */
export function deviation(numbers: readonly number[]): number {
  const centre = mean(numbers)
  return Math.sqrt(sum(numbers.map((v) => (v - centre) * (v - centre))) / (numbers.length - 1))
}

/** Mean of the two middle numbers where their count is even; infinities are allowed. */
export function median(numbers: readonly number[]): number {
  const sorted = Float64Array.from(numbers).sort()
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** Mean without a quarter of the numbers, rounded down, at either end. For fewer than four numbers it is the mean. */
export function interquartileMean(numbers: readonly number[]): number {
  return aggregateIqm([numbers])
}

/** Interquartile mean of the scores of all runs on all tasks. */
export function aggregateIqm(strata: Strata): number {
  const sorted = new Float64Array(strata.reduce((count, { length }) => count + length, 0))
  let filled = 0
  for (const scores of strata) for (const score of scores) sorted[filled++] = score
  sorted.sort()
  const cut = Math.floor(filled / 4)
  let total = 0
  for (let i = cut; i < filled - cut; i++) total += sorted[i]
  return total / (filled - 2 * cut)
}

/** The number below which a share of the numbers lies, interpolated linearly between its neighbours. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const at = share * (sorted.length - 1)
  const below = Math.floor(at)
  const above = Math.min(below + 1, sorted.length - 1)
  return sorted[below] + (at - below) * (sorted[above] - sorted[below])
}

/** Mean over the tasks of the mean score of each. */
export function aggregateMean(strata: Strata): number {
  let total = 0
  for (const scores of strata) total += mean(scores)
  return total / strata.length
}

/**
 * Probability that a run of X has a higher score than a run of Y on the same task, a tie counted half: the Mann-Whitney
 * statistic U over the number of pairs, averaged over the tasks.
 */
export function probabilityOfImprovement(x: Strata, y: Strata): number {
  return mean(x.map((scores, task) => winsOf(scores, y[task]) / (scores.length * y[task].length)))
}

function winsOf(x: readonly number[], y: readonly number[]): number {
  let wins = 0
  for (const a of x) for (const b of y) wins += a > b ? 1 : a === b ? 0.5 : 0
  return wins
}

/** Performance profile at one threshold: share of all runs on all tasks whose score is above it. */
export function shareAbove(strata: Strata, threshold: number): number {
  let [above, all] = [0, 0]
  for (const scores of strata) {
    for (const score of scores) if (score > threshold) above++
    all += scores.length
  }
  return above / all
}
