import { configSha256, totalIterations, type TrainConfig } from '../config/index.js'
import type { EnvConfig } from '../envs/index.js'
import { readRunResult } from '../runs/folder.js'
import { readRunEvaluations, readRunSeries, type EvaluationPoint } from '../runs/series.js'
import { readConfigFile, type RunAbout } from '../runs/stored-config.js'
import { SMOOTHING, finalMean, smoothed, type Curve } from './curve.js'
import type { FoundRun } from './find.js'

/** Scores of a run. Each row has a function that reads the curve from the folder, and the score of a curve. */
export const METRICS = {
  evaluation: {
    title: 'evaluation return',
    missing: 'has no evaluation',
    /** Iterations or evaluations that a point of the curve is averaged over. */
    smoothing: 1,
    remedy: '--metric training compares returns of training',
    curve: evaluationCurve,
    score: (curve: Curve) => curve.at(-1)!.value,
    /** Steps at which the score was measured, given the completed steps of the run. */
    at: (curve: Curve, _made: number) => curve.at(-1)!.steps,
  },
  training: {
    title: 'training return',
    missing: 'has ended no episode',
    smoothing: SMOOTHING,
    remedy: 'train it for longer',
    curve: trainingCurve,
    score: (curve: Curve) => finalMean(curve.map(({ value }) => value)),
    at: (_curve: Curve, made: number) => made,
  },
} as const

export type Metric = keyof typeof METRICS

/** A run as its folder shows it. */
export interface RunData {
  readonly dir: string
  readonly label: string | undefined
  /** With portable paths. */
  readonly config: TrainConfig
  readonly about: RunAbout | undefined
  /** Name of the environment, which does not depend on where its files lie. */
  readonly envName: string
  /** `configSha256`, which no number of steps is part of. */
  readonly identity: string
  /** Completed and configured steps. */
  readonly steps: number
  readonly planned: number
  readonly finished: boolean
  /** Steps that metrics.jsonl reaches; fewer than `steps` where the file is damaged or missing. */
  readonly logged: number
  /** Values of the metric, not smoothed. */
  readonly curve: Curve
}

/** Reads the data of a run for a comparison. @throws HatrpoError for a damaged folder */
export function readRun({ dir, label }: FoundRun, metric: Metric): RunData {
  const { portable: config, config: absolute, about } = readConfigFile(dir)
  const result = readRunResult(dir, absolute)
  const series = readRunSeries(dir)
  const evaluations = readRunEvaluations(dir)
  const steps = Math.max(result?.steps ?? 0, series.steps.at(-1) ?? 0, evaluations.at(-1)?.steps ?? 0)
  const planned = totalIterations(config) * config.envs * config.rolloutSteps
  const curve = METRICS[metric].curve(evaluations, series)
  const finished = result !== undefined
  return {
    dir,
    label,
    config,
    about,
    envName: about?.task ?? config.env.id,
    identity: configSha256(config),
    steps,
    planned,
    finished,
    logged: series.steps.at(-1) ?? 0,
    curve,
  }
}

type Series = ReturnType<typeof readRunSeries>

function evaluationCurve(evaluations: readonly EvaluationPoint[], { steps, seconds }: Series): Curve {
  const timeAt = new Map(steps.map((at, i) => [at, seconds[i]]))
  return evaluations.map(({ steps: at, mean: value }) => ({
    steps: at,
    seconds: timeAt.get(at) ?? NaN,
    value,
  }))
}

function trainingCurve(_evaluations: readonly EvaluationPoint[], series: Series): Curve {
  const returns = series.values.get('return/training') ?? []
  return returns.flatMap((value, i) =>
    value === null ? [] : [{ steps: series.steps[i], seconds: series.seconds[i], value }],
  )
}

/** The curve for drawing and searching: only finite values, smoothed according to its metric. */
export function shownCurve(curve: Curve, metric: Metric): Curve {
  const finite = curve.filter(({ value }) => Number.isFinite(value))
  const { smoothing } = METRICS[metric]
  const values = smoothed(
    finite.map(({ value }) => value),
    smoothing,
  )
  return finite.map((point, i) => ({ ...point, value: values[i] }))
}

/** Key of a task: the environment with all its options. */
export function taskKey({ id, ...options }: EnvConfig): string {
  return JSON.stringify([id, ...Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1))])
}

/**
 * Names of tasks by key: the environment's name, with options that distinguish it from another task of the same name,
 * and with its id if the files differ.
 */
export function taskNames(runs: readonly Pick<RunData, 'config' | 'envName'>[]): Map<string, string> {
  const byKey = new Map(runs.map(({ config: { env }, envName }) => [taskKey(env), { env, envName }]))
  const names = new Map<string, string>()
  for (const [key, { env, envName }] of byKey) {
    const alike = [...byKey.values()].filter((other) => other.envName === envName).map((other) => other.env)
    const options = [...new Set(alike.flatMap(Object.keys))].filter((name) =>
      alike.some((other) => other[name] !== env[name]),
    )
    const told = options.map((name) => `${name}=${env[name] ?? 'none'}`)
    names.set(key, told.length > 0 ? `${envName} (${told.join(' ')})` : envName)
  }
  return names
}
