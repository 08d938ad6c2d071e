import type { UpdateForecast } from './agent-update.js'

/** Policies that are scored again after a move: all remaining ones, the one about to move, or none. */
export const RESCORING = ['all', 'lazy', 'once'] as const
export type Rescoring = (typeof RESCORING)[number]

/** Settings of budgets that are split; bounds in multiples of an equal share of the total. */
export interface AllocationOptions {
  readonly rescore: Rescoring
  /** Least share of a policy that has something to gain. */
  readonly min: number
  /** Largest share of a policy. */
  readonly max: number
}

/** Split of one KL budget among policies that move one after another. */
export interface KlAllocation {
  /** KL of an equal share, nats: the total is that much for every policy. */
  readonly equalShare: number
  /**
   * Merit of a policy, by which it takes its turn: 0 for one with nothing to gain. Comparable between forecasts made at
   * different pots.
   */
  merit(forecast: UpdateForecast, pot: number): number
  /**
   * KL for each of the policies that are left, were it its turn.
   * @param merits of these policies, 0 or more
   * @param pot KL that is left, nats
   */
  shares(merits: readonly number[], pot: number): number[]
}

/** Bounds on a policy's share, nats. */
export interface ShareBounds {
  readonly min: number
  readonly max: number
}

/**
 * The split of a KL budget that maximises the gain of the local model, sum_i sqrt(2 s_i d_i), subject to sum_i d_i <= total
 * and min <= d_i <= max. Stationarity of the Lagrangian gives d_i = clip(t s_i, min, max) with one t for all, and without
 * bounds d_i = total s_i / sum_j s_j. The sum of the shares is piecewise linear in t, so t is solved for exactly, between
 * the two breakpoints that enclose it.
 *
 * A policy without anything to gain, s_i = 0, has no share, not even the least one. Least shares that exceed the total
 * are lowered to equal shares of it.
 *
 * @param scores s_i = g_i' H_i^-1 g_i, finite, 0 or more
 */
export function optimalShares(scores: readonly number[], total: number, bounds: ShareBounds): number[] {
  const largest = Math.max(...scores)
  if (!(largest > 0) || !(total > 0)) return scores.map(() => 0)
  // Only ratios matter: scaled scores neither overflow nor underflow below.
  const scaled = scores.map((score) => score / largest)
  const gainers = scaled.filter((score) => score > 0)
  const max = Math.min(bounds.max, total)
  const min = Math.min(bounds.min, max, total / gainers.length)
  const t = waterLevel(gainers, total, { min, max })
  return scaled.map((score) => (score > 0 ? clip(t * score, min, max) : 0))
}

function clip(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value))
}

/** The t at which the sum of clip(t s_i, min, max) is the total, or the least one at which no share can grow. */
function waterLevel(scores: readonly number[], total: number, { min, max }: ShareBounds): number {
  const breakpoints = scores.flatMap((score) => [min / score, max / score]).sort((a, b) => a - b)
  const sumAt = (t: number) => scores.reduce((sum, score) => sum + clip(t * score, min, max), 0)
  const above = breakpoints.find((t) => sumAt(t) >= total)
  if (above === undefined) return breakpoints.at(-1)!
  // Below this breakpoint and above the one before it, the same shares are at a bound.
  let [fixed, slope] = [0, 0]
  for (const score of scores) {
    if (min / score >= above) fixed += min
    else if (max / score < above) fixed += max
    else slope += score
  }
  return slope > 0 ? Math.min(above, (total - fixed) / slope) : above
}

/** An equal share for every policy, spent or not. */
export function equalAllocation(equalShare: number): KlAllocation {
  return {
    equalShare,
    merit: ({ score }) => score,
    shares: (merits) => merits.map(() => equalShare),
  }
}

/** Optimal shares of the remaining budget by the local model. */
export function optimalAllocation(equalShare: number, { min, max }: AllocationOptions): KlAllocation {
  const bounds = { min: min * equalShare, max: max * equalShare }
  return {
    equalShare,
    merit: ({ score }) => score,
    shares: (merits, pot) => optimalShares(merits, pot, bounds),
  }
}

/** Guards ratios against a KL of 0, relative to the budget: too small to change a ranking. */
const EPSILON = 1e-6

/**
 * Best gain per KL first: the policy with the best step takes as much of the remaining budget as it may. The merit is
 * the ratio of the step's gain and KL on the batch, times the square root of its budget. Steps of one budget are thus
 * ranked by the ratio. Between budgets, the ratio of the local model falls as the root, which the factor compensates.
 */
export function greedyAllocation(equalShare: number, { max }: AllocationOptions): KlAllocation {
  const share = (pot: number) => Math.min(max * equalShare, pot)
  return {
    equalShare,
    merit: (forecast, pot) => {
      const budget = share(pot)
      if (budget <= 0) return forecast.score
      const { gain, kl } = forecast.attempt(budget)
      return (gain / (kl + EPSILON * budget)) * Math.sqrt(budget)
    },
    shares: (merits, pot) => merits.map(() => share(pot)),
  }
}
