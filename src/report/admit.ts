import { METRICS, type Metric, type RunData } from './runs.js'
import { groupBy } from './methods.js'
import type { Curve } from './curve.js'

/** A run under the names of its task and method, with its score. */
export interface Entry {
  readonly run: RunData
  readonly task: string
  readonly method: string
  /** Up to the limit, as measured. */
  readonly curve: Curve
  readonly score: number
  /** Steps at which the score was measured. */
  readonly at: number
}

type Named = Pick<Entry, 'run' | 'task' | 'method'>

/**
 * Runs with a finite score, each seed of a method once.
 * @param limit steps beyond which nothing counts
 * @param notes gets a line on every run that is left out or not finished, and on runs that do not match
 */
export function admitRuns(named: readonly Named[], metric: Metric, limit: number, notes: string[]): Entry[] {
  const once = withoutRepeats(named, notes)
  const entries = once.flatMap((entry) => admit(entry, metric, limit, notes))
  for (const group of groupBy(entries, ({ task }) => task)) noteLengths(group, limit, notes)
  for (const group of groupBy(entries, ({ task }) => task)) noteOrigins(group, notes)
  return entries
}

/** Keeps the longest of runs that have their method, task, settings and seed in common: they are one run, and not luck. */
function withoutRepeats(named: readonly Named[], notes: string[]): Named[] {
  return groupBy(named, ({ run, method }) => `${run.identity} ${method}`).map((same) => {
    const [kept, ...others] = [...same].sort((a, b) => b.run.steps - a.run.steps)
    for (const { run } of others)
      notes.push(
        `${run.dir} is left out: it has the settings and the seed of ${kept.run.dir}, so it is the same run`,
      )
    return kept
  })
}

function admit(entry: Named, metric: Metric, limit: number, notes: string[]): Entry[] {
  const { run } = entry
  const { title, missing, remedy, score: scoreOf, at: measuredAt } = METRICS[metric]
  const curve = run.curve.filter(({ steps }) => steps <= limit)
  const made = `${run.steps} of ${run.planned} steps`
  if (curve.length === 0) {
    const within = run.curve.length > 0 ? ` within ${limit} steps` : ` (${made} made)`
    notes.push(`${run.dir} is left out: it ${missing}${within}; ${remedy}`)
    return []
  }
  const score = scoreOf(curve)
  const at = measuredAt(curve, Math.min(run.steps, limit))
  if (!Number.isFinite(score)) {
    notes.push(`${run.dir} is left out: its ${title} after ${at} steps is not finite`)
    return []
  }
  const odd = curve.filter(({ value }) => !Number.isFinite(value)).length
  if (odd > 0) notes.push(`${run.dir}: ${odd} values of its curve are not finite, and are not drawn`)
  if (run.finished && run.logged < run.steps)
    notes.push(`${run.dir}: metrics.jsonl is damaged or missing after ${run.logged} of ${run.steps} steps`)
  if (!run.finished && run.steps < limit) notes.push(`${run.dir} is not finished: ${made} made`)
  return [{ ...entry, curve, score, at }]
}

/** Notes scores of one task that were measured after different numbers of steps. */
function noteLengths(entries: readonly Entry[], limit: number, notes: string[]): void {
  const ends = entries.map(({ at }) => at)
  const [least, most] = [Math.min(...ends), Math.max(...ends)]
  if (least === most) return
  const remedy = limit === Infinity ? `; --at ${least} compares all at the same one` : ''
  notes.push(`${entries[0].task}: scores are measured after ${least} to ${most} steps${remedy}`)
}

/** Notes differences that are neither the method's nor the task's. */
function noteOrigins(entries: readonly Entry[], notes: string[]): void {
  const { task } = entries[0]
  const differing = (pick: (run: RunData) => string | number | undefined) =>
    [...new Set(entries.map(({ run }) => pick(run)))].filter((value) => value !== undefined)
  const versions = differing(({ about }) => about?.packageVersion)
  if (versions.length > 1) notes.push(`${task}: its runs were made by versions ${versions.join(' and ')}`)
  if (differing(({ about }) => about?.envSha256).length > 1)
    notes.push(`${task}: the environment's code was changed between its runs`)
  const episodes = differing(({ config }) => config.evaluation.episodes)
  if (episodes.length > 1)
    notes.push(`${task}: evaluations have different numbers of episodes (${episodes.join(', ')})`)
}
