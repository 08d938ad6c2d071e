import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readEvaluations, type StoredEvaluations } from './evaluations.js'
import { readMetrics } from './metrics.js'
import { iterationScalars } from './scalars.js'
import type { IterationRecord } from './types.js'

/** Numbers of a run's iterations, each list in step with `steps`. */
export interface RunSeries {
  /** Steps of all environments so far. */
  readonly steps: number[]
  /** Wall time so far, that of evaluations and checkpoints left out. */
  readonly seconds: number[]
  /** By TensorBoard's names (`iterationScalars`); null where an iteration has no such number, or one that is not finite. */
  readonly values: Map<string, (number | null)[]>
}

/** An evaluation of a run. */
export interface EvaluationPoint {
  readonly steps: number
  /** One per episode. */
  readonly returns: readonly number[]
  /** NaN where a return is not finite. */
  readonly mean: number
}

/** Series without iterations, for `extendSeries`. */
export function emptySeries(): RunSeries {
  return { steps: [], seconds: [], values: new Map() }
}

/** Adds the numbers of one more iteration. */
export function extendSeries(series: RunSeries, record: IterationRecord): void {
  const { steps, seconds, values } = series
  const done = steps.length
  steps.push(record.steps)
  seconds.push((seconds.at(-1) ?? 0) + record.seconds)
  for (const [name, value] of Object.entries(iterationScalars(record))) {
    const column = values.get(name) ?? new Array<number | null>(done).fill(null)
    values.set(name, column)
    column.push(Number.isFinite(value) ? value! : null)
  }
  for (const column of values.values()) if (column.length === done) column.push(null)
}

/** The series of a run folder; empty where it has no metrics.jsonl yet. */
export function readRunSeries(dir: string): RunSeries {
  const path = join(dir, 'metrics.jsonl')
  const series = emptySeries()
  if (existsSync(path)) for (const record of readMetrics(path)) extendSeries(series, record)
  return series
}

/** The evaluations of a run folder, in the order of their steps. @throws HatrpoError for a damaged eval.json */
export function readRunEvaluations(dir: string): EvaluationPoint[] {
  return evaluationPoints(readEvaluations(join(dir, 'eval.json')))
}

/** Evaluations by their steps and means. */
export function evaluationPoints({ steps = [] }: Partial<StoredEvaluations> = {}): EvaluationPoint[] {
  return steps.map(({ step_count, return: returns }) => ({
    steps: step_count,
    returns,
    mean: meanOf(returns),
  }))
}

function meanOf(returns: readonly (number | null)[]): number {
  let total = 0
  for (const value of returns) total += value ?? NaN
  return total / returns.length
}
