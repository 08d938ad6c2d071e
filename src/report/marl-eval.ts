import { join } from 'node:path'
import { HatrpoError } from '../errors.js'
import { bestCheckpoint } from '../runs/checkpoint.js'
import { readEvaluations, runMetrics, type MarlEval, type StepMetrics } from '../runs/evaluations.js'
import { evaluate } from '../training/evaluate.js'
import type { Entry } from './admit.js'
import { mean } from './statistics.js'

/** Episodes of an absolute metric, in multiples of those of an evaluation (Gorsane et al. 2022). */
const ABSOLUTE_EPISODES = 10

/**
 * Sources of absolute metrics.
 * - `rerun`: the checkpoint of the best evaluation, evaluated anew on ten times the episodes.
 * - `recorded`: the returns of the best evaluation itself, which are fewer, and too high on average: they were chosen.
 */
export const ABSOLUTE = { rerun: rerunBest, recorded: recordedBest } as const

export type AbsoluteSource = keyof typeof ABSOLUTE

export interface MarlEvalOptions {
  /** `rerun` by default. */
  readonly absolute?: AbsoluteSource
  /** Steps beyond which nothing counts; none by default. */
  readonly at?: number
  /** Threads that step environments; the result does not depend on it. */
  readonly workers?: number
  /** Told before a run is evaluated. */
  onRun?(dir: string, episodes: number): unknown
  /** Told what marl-eval would not read. */
  onNote?(note: string): unknown
}

/**
 * The evaluations of several runs as one tree of marl-eval, each run with its absolute metric.
 * @throws HatrpoError where a run has no evaluation, or no checkpoint of its best one
 */
export async function marlEval(entries: readonly Entry[], options: MarlEvalOptions = {}): Promise<MarlEval> {
  const { absolute = 'rerun', at = Infinity, onNote } = options
  const prepared = entries.map((entry) => ({ ...entry, ...storedOf(entry, at) }))
  // Every run is looked at before the first one is evaluated, which takes time.
  const sources = prepared.map((entry) => ABSOLUTE[absolute](entry, options))
  const tree: MarlEval = {}
  for (const [index, { run, method, environment, task, steps }] of prepared.entries()) {
    const runs = (((tree[environment] ??= {})[task] ??= {})[method.replaceAll(',', ';')] ??= {})
    const seed = `seed_${run.config.seed}`
    const taken = Object.keys(runs).filter((name) => name === seed || name.startsWith(`${seed}_`)).length
    const name = taken === 0 ? seed : `${seed}_${taken + 1}`
    runs[name] = { ...runMetrics(steps), absolute_metrics: { return: await sources[index]() } }
  }
  for (const note of mismatches(tree)) onNote?.(note)
  return tree
}

/** An entry with its evaluations, and the names of its task in the tree. */
interface Stored {
  readonly environment: string
  readonly task: string
  readonly steps: readonly StepMetrics[]
}

function storedOf({ run, task }: Entry, at: number): Stored {
  const stored = readEvaluations(join(run.dir, 'eval.json'))
  const steps = stored?.steps.filter(({ step_count }) => step_count <= at) ?? []
  if (!stored || steps.length === 0)
    throw new HatrpoError(`${run.dir} has no evaluation for --marl-eval: leave it out of the comparison`)
  if (!steps.every((step) => step.return.every(Number.isFinite)))
    throw new HatrpoError(
      `${run.dir} has a return that is not finite, which marl-eval does not read: leave it out`,
    )
  // Options that distinguish the task from another one of the same name.
  const options = task.slice(run.envName.length)
  return { environment: stored.environment, task: `${stored.task}${options}`, steps }
}

type Prepared = Entry & Stored
type Returns = readonly number[]

const bestOf = (steps: readonly StepMetrics[]): StepMetrics =>
  steps.reduce((best, step) => (mean(step.return) > mean(best.return) ? step : best))

function recordedBest({ steps }: Prepared): () => Promise<Returns> {
  return () => Promise.resolve(bestOf(steps).return)
}

function rerunBest({ run, steps }: Prepared, options: MarlEvalOptions): () => Promise<Returns> {
  const { dir, config } = run
  const { step_count } = bestOf(steps)
  const iteration = step_count / (config.envs * config.rolloutSteps)
  if (bestCheckpoint(dir)?.iteration !== iteration)
    throw new HatrpoError(
      `${dir} has no checkpoint of its best evaluation, after ${step_count} steps, to evaluate for the absolute metric; --absolute recorded takes that evaluation's own returns`,
    )
  const episodes = ABSOLUTE_EPISODES * config.evaluation.episodes
  return async () => {
    options.onRun?.(dir, episodes)
    const { workers } = options
    const threads = workers === undefined ? {} : { workers }
    const { returns } = await evaluate({
      source: dir,
      checkpoint: iteration,
      episodes,
      seed: config.seed,
      ...threads,
    })
    return returns
  }
}

/** Reasons why marl-eval cannot read a tree: it needs equal numbers of all entries. */
function mismatches(tree: MarlEval): string[] {
  const algorithms = Object.values(tree).flatMap((tasks) => Object.values(tasks))
  const runs = algorithms.flatMap((methods) => Object.values(methods))
  const metrics = runs.flatMap((found) => Object.values(found))
  const counts: [string, string[]][] = [
    ['algorithms on every task', algorithms.map((methods) => Object.keys(methods).sort().join(', '))],
    ['number of runs of every algorithm', runs.map((found) => String(Object.keys(found).length))],
    ['number of evaluations in every run', metrics.map((found) => String(Object.keys(found).length - 1))],
  ]
  return counts.flatMap(([what, found]) => {
    const different = [...new Set(found)]
    return different.length > 1
      ? [`marl-eval needs the same ${what}; here they are ${different.join(' / ')}`]
      : []
  })
}
