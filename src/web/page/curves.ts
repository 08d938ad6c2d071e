import { EVALUATION, type PanelSeries } from '../panels.js'
import type { PageRun } from './store.js'

/** Points of a curve that are drawn at most. */
export const MOST_POINTS = 600

export interface CurveOptions {
  readonly x: 'steps' | 'time'
  /** The mean over agents, or a curve for each of them. */
  readonly agents: 'mean' | 'each'
  /** Weight of the past in an exponential mean, from 0 (none) to below 1. */
  readonly smoothing: number
}

/** Points in the order of `x`. */
export interface Points {
  readonly x: readonly number[]
  readonly y: readonly number[]
}

export interface Curve extends Points {
  /** Name of the agent, where the curve is of one. */
  readonly agent?: string
  /** Number of points behind each drawn point; 1 if all are drawn. */
  readonly every: number
}

/** Curves of one series of a run: one, or one for each agent. Empty where the run has no such numbers. */
export function curvesOf(run: PageRun, series: PanelSeries, options: CurveOptions): Curve[] {
  const { factor = 1 } = series
  const finish = (points: Points, agent?: string): Curve[] => {
    if (points.x.length === 0) return []
    const { x, y, every } = thin({ x: points.x, y: smooth(points.y, options.smoothing) }, MOST_POINTS)
    const scaled = y.map((value) => value * factor)
    return [{ x, y: scaled, every, ...(agent !== undefined && { agent }) }]
  }
  if (series.name === EVALUATION) return finish(evaluationPoints(run, options.x))
  const x = options.x === 'steps' ? run.steps : run.seconds
  if (!series.ofAgents) return finish(present(x, run.values.get(series.name)))
  const agents = run.latest.agents.flatMap((agent) => {
    const column = run.values.get(`${agent}/${series.name}`)
    return column ? [{ agent, column }] : []
  })
  if (options.agents === 'each')
    return agents.flatMap(({ agent, column }) => finish(present(x, column), agent))
  return finish(present(x, rowMeans(agents.map(({ column }) => column))))
}

/** The points that have a value; none without a column. */
function present(x: readonly number[], column: readonly (number | null)[] | undefined): Points {
  if (!column) return { x: [], y: [] }
  if (isComplete(column)) return { x, y: column }
  const points: { x: number[]; y: number[] } = { x: [], y: [] }
  for (const [i, value] of column.entries()) {
    if (value === null) continue
    points.x.push(x[i])
    points.y.push(value)
  }
  return points
}

function isComplete(column: readonly (number | null)[]): column is readonly number[] {
  return !column.includes(null)
}

/** Means over columns of the values that there are; null for a row without any. Undefined without columns. */
function rowMeans(columns: readonly (readonly (number | null)[])[]): (number | null)[] | undefined {
  if (columns.length === 0) return undefined
  const rows = columns[0].length
  const means = new Array<number | null>(rows)
  for (let i = 0; i < rows; i++) {
    let sum = 0
    let count = 0
    for (const column of columns) {
      const value = column[i]
      if (value === null) continue
      sum += value
      count++
    }
    means[i] = count === 0 ? null : sum / count
  }
  return means
}

/** Evaluations, which are made at the end of an iteration. */
function evaluationPoints({ latest, steps, seconds }: PageRun, x: CurveOptions['x']): Points {
  const { evaluations = { steps: [], means: [] } } = latest
  if (x === 'steps') return present(evaluations.steps, evaluations.means)
  const at = new Map(steps.map((step, i) => [step, seconds[i]]))
  const known = evaluations.steps.map((step, i) => ({ time: at.get(step), mean: evaluations.means[i] }))
  const timed = known.flatMap(({ time, mean }) => (time === undefined ? [] : [{ time, mean }]))
  return present(
    timed.map(({ time }) => time),
    timed.map(({ mean }) => mean),
  )
}

/** Exponential mean of the values so far, corrected at the start for weights with a sum below 1. */
export function smooth(values: readonly number[], weight: number): readonly number[] {
  if (weight === 0) return values
  const smoothed = new Array<number>(values.length)
  let sum = 0
  let total = 0
  for (let i = 0; i < values.length; i++) {
    sum = weight * sum + (1 - weight) * values[i]
    total = weight * total + (1 - weight)
    smoothed[i] = sum / total
  }
  return smoothed
}

/** At most `most` points: of equal parts of a longer curve the least and the greatest one, so that no peak is lost. */
export function thin({ x, y }: Points, most: number): Points & { every: number } {
  if (x.length <= most) return { x, y, every: 1 }
  const every = Math.ceil((2 * x.length) / most)
  const kept: { x: number[]; y: number[] } = { x: [], y: [] }
  for (let start = 0; start < x.length; start += every) {
    const end = Math.min(start + every, x.length)
    let [least, greatest] = [start, start]
    for (let i = start + 1; i < end; i++) {
      if (y[i] < y[least]) least = i
      if (y[i] > y[greatest]) greatest = i
    }
    for (const i of new Set([Math.min(least, greatest), Math.max(least, greatest)])) {
      kept.x.push(x[i])
      kept.y.push(y[i])
    }
  }
  return { ...kept, every }
}

/** Index of the point whose x is nearest to a value. @param x ascending, not empty */
export function nearest(x: readonly number[], value: number): number {
  let [low, high] = [0, x.length - 1]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (x[middle] < value) low = middle
    else high = middle
  }
  return value - x[low] <= x[high] - value ? low : high
}

/** Points of several curves over the union of their x values; undefined where a curve has no point. */
export function align(curves: readonly Points[]): [x: number[], ...y: (number | undefined)[][]] {
  const x = [...new Set(curves.flatMap((curve) => curve.x))].sort((a, b) => a - b)
  const at = new Map(x.map((value, i) => [value, i]))
  const columns = curves.map((curve) => {
    const column = new Array<number | undefined>(x.length).fill(undefined)
    curve.x.forEach((value, i) => (column[at.get(value)!] = curve.y[i]))
    return column
  })
  return [x, ...columns]
}
