import { existsSync, readFileSync } from 'node:fs'
import { HatrpoError } from '../errors.js'
import type { TrainConfig } from '../config/index.js'
import { isBuiltIn } from '../envs/registry.js'
import { replaceFile } from './disk.js'
import type { EvaluationRecord } from './types.js'

/** Returns of the episodes of one evaluation. */
export interface StepMetrics {
  readonly step_count: number
  readonly return: readonly number[]
}

/** One run in marl-eval's form: `step_k` entries, and `absolute_metrics` where the best policies were evaluated again. */
export type RunMetrics = Record<string, StepMetrics | Pick<StepMetrics, 'return'>>

/** marl-eval's tree: environment > task > algorithm > run. */
export type MarlEval = Record<string, Record<string, Record<string, Record<string, RunMetrics>>>>

/** The evaluations of an eval.json, in the order of their steps, under the names that it gives the task. */
export interface StoredEvaluations {
  readonly environment: string
  readonly task: string
  readonly steps: readonly StepMetrics[]
}

/** Reads the one run of an eval.json, if there is such a file. @throws HatrpoError when it holds something else */
export function readEvaluations(path: string): StoredEvaluations | undefined {
  return existsSync(path) ? parseEvaluations(readFileSync(path, 'utf8'), path) : undefined
}

/** The one run in the text of an eval.json. @throws HatrpoError when it holds something else */
export function parseEvaluations(text: string, path: string): StoredEvaluations {
  try {
    const tree = JSON.parse(text) as MarlEval
    const [[environment, tasks]] = Object.entries(tree)
    const [[task, algorithms]] = Object.entries(tasks)
    const [[, runs]] = Object.entries(algorithms)
    const [[, metrics]] = Object.entries(runs)
    const steps = stepsOf(metrics)
    if (!steps.every((step) => Number.isFinite(step.step_count) && Array.isArray(step.return)))
      throw new Error('a step has no step_count or no returns')
    return { environment, task, steps: steps.sort((a, b) => a.step_count - b.step_count) }
  } catch (error) {
    throw new HatrpoError(`${path} is damaged: it must hold one run in marl-eval's form`, { cause: error })
  }
}

/** A run's entries in marl-eval's form. */
export function runMetrics(steps: readonly StepMetrics[]): RunMetrics {
  return Object.fromEntries(steps.map((entry, k) => [`step_${k}`, entry]))
}

function stepsOf(metrics: RunMetrics): StepMetrics[] {
  return Object.entries(metrics)
    .filter(([name]) => name.startsWith('step_'))
    .map(([, entry]) => entry as StepMetrics)
}

/**
 * eval.json: a run's evaluations in the form that marl-eval reads (Gorsane et al. 2022), rewritten whole each time.
 */
export class EvaluationLog {
  readonly path: string
  readonly #names: readonly [environment: string, task: string, algorithm: string, run: string]
  readonly #steps: StepMetrics[]

  /**
   * @param name of the environment, which does not depend on where its files lie
   * @param lastStep evaluations after this many steps are removed
   */
  constructor(path: string, name: string, config: TrainConfig, lastStep: number) {
    this.path = path
    const slash = name.indexOf('/')
    const [environment, task] = isBuiltIn(name)
      ? [name.slice(0, slash), name.slice(slash + 1)]
      : ['custom', name]
    this.#names = [environment, task, config.algo, `seed_${config.seed}`]
    const stored = this.#read()
    this.#steps = stored.filter((entry) => entry.step_count <= lastStep)
    if (this.#steps.length < stored.length) this.#write()
  }

  /** The last evaluation there is. */
  get last(): { readonly steps: number; readonly returns: readonly number[] } | undefined {
    const last = this.#steps.at(-1)
    return last && { steps: last.step_count, returns: last.return }
  }

  append({ steps, returns }: EvaluationRecord): void {
    this.#steps.push({ step_count: steps, return: returns })
    this.#write()
  }

  #read(): StepMetrics[] {
    if (!existsSync(this.path)) return []
    try {
      const tree = JSON.parse(readFileSync(this.path, 'utf8')) as MarlEval
      // The file has one run. Earlier versions named an environment of the user's own by its path.
      const [task] = Object.values(tree).flatMap((environment) => Object.values(environment))
      const [metrics] = Object.values(task).flatMap((algorithm) => Object.values(algorithm))
      return stepsOf(metrics)
    } catch (error) {
      throw new HatrpoError(
        `${this.path} is damaged: delete it to continue without the earlier evaluations`,
        {
          cause: error,
        },
      )
    }
  }

  #write(): void {
    const [environment, task, algorithm, run] = this.#names
    const tree: MarlEval = { [environment]: { [task]: { [algorithm]: { [run]: runMetrics(this.#steps) } } } }
    replaceFile(this.path, `${JSON.stringify(tree, null, 1)}\n`)
  }
}
