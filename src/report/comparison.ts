import type { Interval } from './bootstrap.js'
import type { MethodPoint } from './curve.js'
import type { Metric } from './runs.js'

/** A run that counts. */
export interface ComparedRun {
  readonly dir: string
  readonly seed: number
  readonly score: number
  /** Steps at which its score was measured. */
  readonly at: number
  /** Steps made, and asked for. */
  readonly steps: number
  readonly planned: number
  readonly finished: boolean
}

/** Statistics of a method's scores. Intervals and the deviation are null for a single run. */
export interface MethodSummary {
  readonly method: string
  readonly runs: number
  readonly mean: number
  /** Sample standard deviation over the runs. */
  readonly sd: number | null
  readonly iqm: number
  readonly meanInterval: Interval | null
  readonly iqmInterval: Interval | null
}

/** Statistics of a method on one task. */
export interface TaskMethod extends MethodSummary {
  readonly scores: readonly ComparedRun[]
  /** Steps after which its runs first reach the task's target. */
  readonly stepsToTarget: {
    /** Over the runs, those that never do counted as infinite: null where these are half or more, and without a target. */
    readonly median: number | null
    /** Runs that do. */
    readonly reached: number
  }
  readonly curve: readonly MethodPoint[]
}

/** Probability that a run of one method has a higher score than one of the other. */
export interface Improvement {
  readonly method: string
  readonly over: string
  readonly probability: number
  readonly interval: Interval | null
}

/** Share of a method's runs whose score is above each threshold. */
export interface Profile {
  readonly method: string
  /** One a run, normalised where tasks are taken together. */
  readonly scores: readonly number[]
  readonly shares: readonly number[]
  readonly intervals: readonly (Interval | null)[]
}

/** Profiles of several methods. */
export interface Profiles {
  readonly thresholds: readonly number[]
  readonly methods: readonly Profile[]
}

export interface TaskComparison {
  readonly task: string
  /** Most steps at which a score was measured. */
  readonly at: number
  readonly methods: readonly TaskMethod[]
  readonly improvements: readonly Improvement[]
  readonly profiles: Profiles
  /** Level whose steps are counted: a share of the way from the curves' first values to the best method's mean score. */
  readonly target: { readonly start: number; readonly best: number; readonly level: number } | null
}

/** All tasks together, scores normalised task by task. */
export interface OverallComparison {
  /** Scores of each task that count as 0 and as 1. */
  readonly scale: Readonly<Record<string, Scale>>
  readonly methods: readonly MethodSummary[]
  readonly improvements: readonly Improvement[]
  readonly profiles: Profiles
}

export interface Scale {
  readonly low: number
  readonly high: number
}

/** Comparison of runs, as `hatrpo compare --json` prints it. */
export interface Comparison {
  readonly metric: Metric
  /** Steps beyond which nothing counts; null for the whole runs. */
  readonly limit: number | null
  /** Share of the best that `stepsToTarget` asks for. */
  readonly share: number
  readonly confidence: number
  readonly resamples: number
  readonly seed: number
  readonly tasks: readonly TaskComparison[]
  /** Null for a single task. */
  readonly overall: OverallComparison | null
  /** What a reader of the numbers should know: runs left out, unfinished ones, different lengths. */
  readonly notes: readonly string[]
}
