import type { Interval } from './bootstrap.js'
import type { MethodPoint } from './curve.js'
import type { Metric } from './runs.js'

/** A run in the comparison. */
export interface ComparedRun {
  readonly dir: string
  readonly seed: number
  readonly score: number
  /** Steps at which its score was measured. */
  readonly at: number
  /** Completed and configured steps. */
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
    /**
     * Median over the runs, infinite for those that never reach it; null if these are half or more, or without a
     * target.
     */
    readonly median: number | null
    /** Number of runs that reach it. */
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

/** Fraction of a method's runs with a score above each threshold. */
export interface Profile {
  readonly method: string
  /** One per run, normalised for several tasks. */
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
  /** Largest number of steps at which a score was measured. */
  readonly at: number
  readonly methods: readonly TaskMethod[]
  readonly improvements: readonly Improvement[]
  readonly profiles: Profiles
  /**
   * Level for the steps to reach it: a fraction of the way from the curves' first values to the best method's mean
   * score.
   */
  readonly target: { readonly start: number; readonly best: number; readonly level: number } | null
}

/** Comparison over all tasks, with scores normalised for each task. */
export interface OverallComparison {
  /** Scores of each task that are normalised to 0 and 1. */
  readonly scale: Readonly<Record<string, Scale>>
  readonly methods: readonly MethodSummary[]
  readonly improvements: readonly Improvement[]
  readonly profiles: Profiles
}

export interface Scale {
  readonly low: number
  readonly high: number
}

/** Comparison of runs, printed by `hatrpo compare --json`. */
export interface Comparison {
  readonly metric: Metric
  /** Steps after which results are ignored; null for whole runs. */
  readonly limit: number | null
  /** Fraction of the best score for `stepsToTarget`. */
  readonly share: number
  readonly confidence: number
  readonly resamples: number
  readonly seed: number
  readonly tasks: readonly TaskComparison[]
  /** Null for a single task. */
  readonly overall: OverallComparison | null
  /** Remarks on the numbers: omitted and unfinished runs, different lengths. */
  readonly notes: readonly string[]
}
