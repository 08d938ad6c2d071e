import type {
  Comparison,
  Improvement,
  MethodSummary,
  Profiles,
  TaskComparison,
  TaskMethod,
} from './comparison.js'
import { interval, NONE, probability, score, ticks } from './format.js'
import { METRICS } from './runs.js'

/** A table for the terminal or a page: the first column names the row, the others are right-aligned. */
export interface Table {
  readonly caption: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** A part of a comparison: a task, or all tasks together. */
export interface Section {
  readonly title: string
  readonly tables: readonly Table[]
}

/** Thresholds that a table of profiles has, about. */
const THRESHOLDS = 5

export function sectionsOf(comparison: Comparison): Section[] {
  const tasks = comparison.tasks.map((task) => taskSection(task, comparison))
  const { overall } = comparison
  if (!overall) return tasks
  const [title, caption] = ['All tasks', "normalised scores: 0 and 1 are the ends of each task's scale"]
  const head = ['method', 'runs', 'mean', '95 % interval', 'IQM', '95 % interval']
  const rows = overall.methods.map((method) => [method.method, String(method.runs), ...centres(method)])
  const scale = {
    caption: 'scale of the tasks',
    head: ['task', '0 is', '1 is'],
    rows: Object.entries(overall.scale).map(([task, { low, high }]) => [task, score(low), score(high)]),
  }
  const tables = [{ caption, head, rows }, ...comparing(overall.improvements, overall.profiles), scale]
  return [...tasks, { title, tables }]
}

function taskSection(task: TaskComparison, { metric, share, limit }: Comparison): Section {
  const percent = `${Number((100 * share).toPrecision(3))} %`
  const level = task.target ? ` (${score(task.target.level)})` : ''
  const head = [
    'method',
    'runs',
    'mean',
    's.d.',
    '95 % interval',
    'IQM',
    '95 % interval',
    `steps to ${percent}${level}`,
  ]
  const isCutShort = ({ scores }: TaskMethod) =>
    scores.some(({ finished, steps }) => !finished && steps < (limit ?? Infinity))
  const rows = task.methods.map((method) => {
    const [middle, meanInterval, iqm, iqmInterval] = centres(method)
    const sd = method.sd === null ? NONE : score(method.sd)
    const name = isCutShort(method) ? `${method.method} *` : method.method
    return [name, String(method.runs), middle, sd, meanInterval, iqm, iqmInterval, stepsCell(method, task)]
  })
  const { title } = METRICS[metric]
  const mark = task.methods.some(isCutShort) ? '; * some of its runs are not finished' : ''
  const scores = { caption: `${title} after ${task.at} steps${mark}`, head, rows }
  return { title: task.task, tables: [scores, ...comparing(task.improvements, task.profiles)] }
}

function centres({ mean, meanInterval, iqm, iqmInterval }: MethodSummary): string[] {
  return [score(mean), interval(meanInterval), score(iqm), interval(iqmInterval)]
}

function stepsCell(
  { stepsToTarget: { median, reached }, runs }: TaskMethod,
  { target }: TaskComparison,
): string {
  if (target === null) return NONE
  const count = `${reached} of ${runs}`
  return median === null ? `not reached (${count})` : `${median} (${count})`
}

/** Tables that compare several methods. */
function comparing(improvements: readonly Improvement[], profiles: Profiles): Table[] {
  return [
    ...(improvements.length > 0 ? [improvementTable(improvements)] : []),
    ...(profiles.thresholds.length > 1 ? [profileTable(profiles)] : []),
  ]
}

function improvementTable(improvements: readonly Improvement[]): Table {
  return {
    caption: 'probability of improvement: that a run of the first has a higher score than one of the second',
    head: ['methods', 'probability', '95 % interval'],
    rows: improvements.map(({ method, over, probability: value, interval: found }) => [
      `${method} over ${over}`,
      probability(value),
      interval(found, probability),
    ]),
  }
}

/** Profiles at a few round thresholds, which lie within those of the profiles. */
function profileTable({ thresholds, methods }: Profiles): Table {
  const [low, high] = [thresholds[0], thresholds.at(-1)!]
  const chosen = ticks(low, high, THRESHOLDS).filter((value) => value >= low && value < high)
  return {
    caption: 'performance profile: share of the runs whose score is above',
    head: ['method', ...chosen.map((value) => String(value))],
    rows: methods.map(({ method, scores }) => [
      method,
      ...chosen.map((value) => probability(scores.filter((found) => found > value).length / scores.length)),
    ]),
  }
}

/** The tables and notes as text for a terminal. */
export function asText(comparison: Comparison): string {
  const sections = sectionsOf(comparison).map(({ title, tables }) =>
    [title, '='.repeat(title.length), '', tables.map(textTable).join('\n\n')].join('\n'),
  )
  const notes = comparison.notes.map((note) => `- ${note}`)
  return [...sections, ...(notes.length > 0 ? [['Notes', ...notes].join('\n')] : [])].join('\n\n')
}

function textTable({ caption, head, rows }: Table): string {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column].length)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
      .join('  ')
      .trimEnd()
  return [caption, line(head), ...rows.map(line)].join('\n')
}
