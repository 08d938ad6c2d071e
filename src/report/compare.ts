import { usageError } from '../errors.js'
import { admitRuns, type Entry } from './admit.js'
import {
  bootstrapIntervals,
  CONFIDENCE,
  FEWER_RESAMPLES,
  RESAMPLES,
  type BootstrapOptions,
} from './bootstrap.js'
import type {
  Comparison,
  ComparedRun,
  Improvement,
  MethodSummary,
  OverallComparison,
  Profiles,
  Scale,
  TaskComparison,
  TaskMethod,
} from './comparison.js'
import { levelAt, methodCurve, type Curve } from './curve.js'
import { findRuns } from './find.js'
import { groupBy, methodNames } from './methods.js'
import { readRun, shownCurve, taskKey, taskNames, type Metric } from './runs.js'
import {
  aggregateIqm,
  aggregateMean,
  deviation,
  mean,
  median,
  probabilityOfImprovement,
  shareAbove,
  type Strata,
} from './statistics.js'

export interface CompareOptions {
  /** Run folders, folders of runs, and `NAME=PATH,PATH`. */
  readonly runs: readonly string[]
  /** Score of a run; the last evaluation by default. */
  readonly metric?: Metric
  /** Steps after which results are ignored; unlimited by default. */
  readonly at?: number
  /** Fraction of the best score for the steps to reach it, 0.95 by default. */
  readonly share?: number
  /** Scores of each task that are normalised to 0 and 1 for several tasks; docs/compare.md defines the default. */
  readonly scale?: Readonly<Record<string, Scale>>
  /** Resamples of means and IQMs, 50,000 by default. */
  readonly resamples?: number
  /** Seed of the bootstrap, 1 by default. */
  readonly seed?: number
  /** Called with the name of each phase; many runs take seconds. */
  onPhase?(phase: string): void
}

/** Thresholds of a profile: equal steps from below the lowest score to the highest one. */
const THRESHOLDS = 43
/** Fewest runs for which a percentile interval has about its nominal coverage. */
const FEW_RUNS = 5

/** A comparison and the runs behind it. */
export interface ComparedRuns {
  readonly comparison: Comparison
  readonly entries: readonly Entry[]
}

/**
 * Compares the methods of runs, for each task and, with several tasks, over all of them.
 * @throws HatrpoError (exit code 2) if no run has a score, and for folders that are damaged or not runs
 */
export function compareRuns(options: CompareOptions): Comparison {
  return compareWithRuns(options).comparison
}

/** `compareRuns`, with the runs that count. */
export function compareWithRuns(options: CompareOptions): ComparedRuns {
  const {
    metric = 'evaluation',
    at: limit = Infinity,
    share = 0.95,
    resamples = RESAMPLES,
    seed = 1,
  } = options
  if (!(share > 0 && share <= 1)) throw usageError(`share is ${share}: it must be above 0 and at most 1`)
  const notes: string[] = []
  options.onPhase?.('looking for runs')
  const runs = findRuns(options.runs).map((found, k, { length }) => {
    options.onPhase?.(`reading run ${k + 1} of ${length}`)
    return readRun(found, metric)
  })
  const tasks = taskNames(runs)
  const methods = methodNames(runs, notes)
  const named = runs.map((run) => ({
    run,
    task: tasks.get(taskKey(run.config.env))!,
    method: methods.get(run)!,
  }))
  const entries = admitRuns(named, metric, limit, notes)
  if (entries.length === 0) throw usageError(`nothing can be compared: ${notes.at(-1)!}`)
  const bootstrap = { resamples, seed }
  const compared = groupBy(entries, ({ task }) => task).map((group) => {
    options.onPhase?.(
      `resampling ${group.length === 1 ? '1 run' : `${group.length} runs`} on ${group[0].task}`,
    )
    return compareTask(group, metric, share, bootstrap, notes)
  })
  if (compared.length > 1) options.onPhase?.('resampling over all tasks')
  const overall =
    compared.length > 1 ? compareOverall(compared, entries, options.scale, bootstrap, notes) : null
  const comparison: Comparison = {
    metric,
    limit: Number.isFinite(limit) ? limit : null,
    share,
    confidence: CONFIDENCE,
    resamples,
    seed,
    tasks: compared,
    overall,
    notes,
  }
  return { comparison, entries }
}

/** Scores of a task's methods, by method. */
type Scores = readonly (readonly [method: string, strata: Strata])[]

function compareTask(
  entries: readonly Entry[],
  metric: Metric,
  share: number,
  bootstrap: BootstrapOptions,
  notes: string[],
): TaskComparison {
  const { task } = entries[0]
  const groups = groupBy(entries, ({ method }) => method)
  const shown = new Map(entries.map((entry) => [entry, shownCurve(entry.curve, metric)]))
  const scores: Scores = groups.map((group) => [group[0].method, [group.map(({ score }) => score)]])
  const target = targetOf(groups, [...shown.values()], share)
  if (target === null)
    notes.push(`${task}: no method ends above the start of its curves, so there is no target to reach`)
  const methods = groups.map((group, index): TaskMethod => {
    const curves = group.map((entry) => shown.get(entry)!)
    const curve = methodCurve(curves, { seed: bootstrap.seed ?? 1 })
    noteCurve(group[0], curves, curve.at(-1)?.steps, notes)
    return {
      ...summaryOf(scores[index], bootstrap),
      scores: group.map(comparedRun),
      stepsToTarget: stepsTo(curves, target?.level ?? Infinity),
      curve,
    }
  })
  noteCounts(task, methods, notes)
  return {
    task,
    at: Math.max(...entries.map(({ at }) => at)),
    methods,
    improvements: improvementsOf(scores, bootstrap),
    profiles: profilesOf(scores, bootstrap),
    target,
  }
}

function comparedRun({ run, score, at }: Entry): ComparedRun {
  const { dir, config, steps, planned, finished } = run
  return { dir, seed: config.seed, score, at, steps, planned, finished }
}

function summaryOf([method, strata]: Scores[number], bootstrap: BootstrapOptions): MethodSummary {
  const [meanInterval, iqmInterval] = bootstrapIntervals(
    [strata],
    [([sample]) => aggregateMean(sample), ([sample]) => aggregateIqm(sample)],
    bootstrap,
  )
  const all = strata.flat()
  return {
    method,
    runs: all.length,
    mean: aggregateMean(strata),
    sd: all.length > 1 ? deviation(all) : null,
    iqm: aggregateIqm(strata),
    meanInterval,
    iqmInterval,
  }
}

/** The level whose steps are counted; null where the best method ends no higher than the curves begin. */
function targetOf(
  groups: readonly (readonly Entry[])[],
  curves: readonly Curve[],
  share: number,
): TaskComparison['target'] {
  const start = mean(curves.map((curve) => curve[0].value))
  const best = Math.max(...groups.map((group) => mean(group.map(({ score }) => score))))
  return best > start ? { start, best, level: levelAt(start, best, share) } : null
}

function stepsTo(curves: readonly Curve[], level: number): TaskMethod['stepsToTarget'] {
  const steps = curves.map((curve) => curve.find(({ value }) => value >= level)?.steps ?? Infinity)
  const middle = median(steps)
  return {
    median: Number.isFinite(middle) ? middle : null,
    reached: steps.filter(Number.isFinite).length,
  }
}

/** Notes a method whose curve does not show all that its runs have. */
function noteCurve(
  { task, method }: Entry,
  curves: readonly Curve[],
  end: number | undefined,
  notes: string[],
) {
  const longest = Math.max(...curves.map((curve) => curve.at(-1)!.steps))
  if (end === undefined) notes.push(`${task}: the runs of ${method} have no steps in common, and no curve`)
  else if (end < longest)
    notes.push(
      `${task}: the curve of ${method} ends at ${end} steps with its shortest run; the longest has ${longest}`,
    )
}

/** Notes methods with unreliable intervals. */
function noteCounts(task: string, methods: readonly MethodSummary[], notes: string[]): void {
  const names = (from: number, to: number) =>
    methods.filter(({ runs }) => runs >= from && runs < to).map(({ method }) => method)
  const [single, few] = [names(1, 2), names(2, FEW_RUNS)]
  if (single.length > 0) notes.push(`${task}: one run of ${single.join(', ')}: no deviation and no interval`)
  if (few.length > 0)
    notes.push(
      `${task}: fewer than ${FEW_RUNS} runs of ${few.join(', ')}: their 95 % intervals are too narrow`,
    )
}

/** Every method against every later one, and in the other direction where that is the likelier one. */
function improvementsOf(
  scores: Scores,
  { seed = 1, resamples = RESAMPLES }: BootstrapOptions,
): Improvement[] {
  const options = { seed, resamples: Math.min(resamples, FEWER_RESAMPLES) }
  return scores.flatMap((x, index) =>
    scores.slice(index + 1).map((y): Improvement => {
      const [a, b] = probabilityOfImprovement(x[1], y[1]) >= 0.5 ? [x, y] : [y, x]
      const [interval] = bootstrapIntervals(
        [a[1], b[1]],
        [([sampleA, sampleB]) => probabilityOfImprovement(sampleA, sampleB)],
        options,
      )
      return { method: a[0], over: b[0], probability: probabilityOfImprovement(a[1], b[1]), interval }
    }),
  )
}

function profilesOf(scores: Scores, { seed = 1, resamples = RESAMPLES }: BootstrapOptions): Profiles {
  const all = scores.flatMap(([, strata]) => strata.flat())
  const [low, high] = [Math.min(...all), Math.max(...all)]
  const step = (high - low) / (THRESHOLDS - 3)
  const thresholds = high > low ? Array.from({ length: THRESHOLDS }, (_, i) => low + (i - 2) * step) : [low]
  const options = { seed, resamples: Math.min(resamples, FEWER_RESAMPLES) }
  const methods = scores.map(([method, strata]) => ({
    method,
    scores: strata.flat(),
    shares: thresholds.map((threshold) => shareAbove(strata, threshold)),
    intervals: bootstrapIntervals(
      [strata],
      thresholds.map(
        (threshold) =>
          ([sample]: readonly Strata[]) =>
            shareAbove(sample, threshold),
      ),
      options,
    ),
  }))
  return { thresholds, methods }
}

/** Methods that have runs on all tasks, on scores that are normalised task by task. */
function compareOverall(
  tasks: readonly TaskComparison[],
  entries: readonly Entry[],
  given: CompareOptions['scale'],
  bootstrap: BootstrapOptions,
  notes: string[],
): OverallComparison | null {
  const scale = Object.fromEntries(tasks.map(({ task }) => [task, given?.[task] ?? spreadOf(task, entries)]))
  for (const task of Object.keys(given ?? {}))
    if (!Object.hasOwn(scale, task))
      throw usageError(`the scale of ${task} fits no task of the runs: ${Object.keys(scale).join(', ')}`)
  for (const [task, { low, high }] of Object.entries(scale))
    if (!(high > low)) {
      notes.push(
        `${task}: all values are ${low}, so scores cannot be normalised: no statistics over all tasks`,
      )
      return null
    }
  const everywhere: [string, Strata][] = []
  for (const group of groupBy(entries, ({ method }) => method)) {
    const { method } = group[0]
    const strata = tasks.map(({ task }) => {
      const { low, high } = scale[task]
      return group.filter((entry) => entry.task === task).map(({ score }) => (score - low) / (high - low))
    })
    const missing = tasks.filter((_, index) => strata[index].length === 0).map(({ task }) => task)
    if (missing.length > 0)
      notes.push(
        `${method} has no runs on ${missing.join(', ')}: it is omitted from the comparison over all tasks`,
      )
    else everywhere.push([method, strata])
    if (missing.length === 0 && new Set(strata.map(({ length }) => length)).size > 1)
      notes.push(`${method}: tasks with more runs weigh more in its IQM and its profile over all tasks`)
  }
  if (everywhere.length === 0) return null
  return {
    scale,
    methods: everywhere.map((scores) => ({ ...summaryOf(scores, bootstrap), sd: null })),
    improvements: improvementsOf(everywhere, bootstrap),
    profiles: profilesOf(everywhere, bootstrap),
  }
}

/** The least and the greatest value that a compared run has on a task, at any step. */
function spreadOf(task: string, entries: readonly Entry[]): Scale {
  const values = entries
    .filter((entry) => entry.task === task)
    .flatMap(({ curve }) => curve.map(({ value }) => value))
    .filter(Number.isFinite)
  return { low: Math.min(...values), high: Math.max(...values) }
}
