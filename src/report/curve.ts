import { interquartileMean, mean } from './statistics.js'
import { bootstrapIntervals, FEWER_RESAMPLES, type BootstrapOptions, type Interval } from './bootstrap.js'

/** A measured value of a run. */
export interface CurvePoint {
  readonly steps: number
  /** Wall time of training up to the point; NaN if unknown. */
  readonly seconds: number
  readonly value: number
}

/** Values of a run in the order of their steps. */
export type Curve = readonly CurvePoint[]

/** Iterations over which returns of training are averaged. */
export const SMOOTHING = 10
/** Share of a curve's end that counts as its final value, where a value is a return of training. */
export const FINAL = 0.1
/** Points of a method's curve at most. */
const MOST_POINTS = 200

/** Means over the last `width` values, fewer at the beginning. */
export function smoothed(values: readonly number[], width: number): number[] {
  return values.map((_, i) => mean(values.slice(Math.max(0, i + 1 - width), i + 1)))
}

/** Mean over the last tenth of some values. */
export function finalMean(values: readonly number[]): number {
  return mean(values.slice(Math.floor((1 - FINAL) * values.length)))
}

/** The value that lies a share of the way from `start` to `best`. */
export function levelAt(start: number, best: number, share: number): number {
  return start + share * (best - start)
}

/**
 * Index of the first value that has come a share of the way from a curve's first value to its largest one.
 * @param values at least one
 */
export function nearlyBest(values: readonly number[], share: number): number {
  const best = values.reduce((largest, v) => Math.max(largest, v))
  const level = levelAt(values[0], best, share)
  return values.findIndex((v) => v >= level)
}

/** A point of a method's curve: statistics over its runs at equal steps. */
export interface MethodPoint {
  readonly steps: number
  /** Mean over the runs; NaN if one of them has no wall time. */
  readonly seconds: number
  readonly mean: number
  readonly iqm: number
  /** Intervals of both; null for one run. */
  readonly meanInterval: Interval | null
  readonly iqmInterval: Interval | null
}

/**
 * Curve of a method over its runs, at every step at which one of them was measured and that all of them cover; between its
 * points a run is interpolated linearly.
 *
 * @param curves one a run, each with a point at least
 * @returns an empty curve where the runs have no steps in common
 */
export function methodCurve(curves: readonly Curve[], options: BootstrapOptions): MethodPoint[] {
  const from = Math.max(...curves.map((curve) => curve[0].steps))
  const to = Math.min(...curves.map((curve) => curve.at(-1)!.steps))
  const all = [...new Set(curves.flatMap((curve) => curve.map(({ steps }) => steps)))]
    .filter((steps) => steps >= from && steps <= to)
    .sort((a, b) => a - b)
  return thinned(all).map((steps): MethodPoint => {
    const points = curves.map((curve) => pointAt(curve, steps))
    const values = points.map(({ value }) => value)
    const [meanInterval, iqmInterval] = bootstrapIntervals(
      [[values]],
      [([[sample]]) => mean(sample), ([[sample]]) => interquartileMean(sample)],
      { resamples: FEWER_RESAMPLES, ...options },
    )
    return {
      steps,
      seconds: mean(points.map(({ seconds }) => seconds)),
      mean: mean(values),
      iqm: interquartileMean(values),
      meanInterval,
      iqmInterval,
    }
  })
}

/** Some of many steps, evenly chosen, the first and the last among them. */
function thinned(steps: readonly number[]): readonly number[] {
  const every = (steps.length - 1) / (MOST_POINTS - 1)
  if (steps.length <= MOST_POINTS) return steps
  return Array.from({ length: MOST_POINTS }, (_, i) => steps[Math.round(i * every)])
}

/** Linear interpolation at steps between a curve's ends. */
function pointAt(curve: Curve, steps: number): CurvePoint {
  const after = curve.findIndex((point) => point.steps >= steps)
  const b = curve[after]
  if (b.steps === steps || after === 0) return b
  const a = curve[after - 1]
  const way = (steps - a.steps) / (b.steps - a.steps)
  return {
    steps,
    seconds: a.seconds + way * (b.seconds - a.seconds),
    value: a.value + way * (b.value - a.value),
  }
}
