import {
  CHART_STYLE,
  drawIntervals,
  drawLegend,
  drawPlot,
  intervalsHeight,
  svgElement,
  titleOf,
  type IntervalRow,
  type Picture,
  type Plot,
} from './chart.js'
import type { Comparison, MethodSummary, Profiles, TaskComparison } from './comparison.js'
import type { MethodPoint } from './curve.js'
import { interval, runCount, score } from './format.js'
import { METRICS } from './runs.js'

/** Statistics that the line of a method's curve may be. */
export const LINES = {
  iqm: {
    title: 'IQM',
    value: (point: MethodPoint) => point.iqm,
    band: (point: MethodPoint) => point.iqmInterval,
  },
  mean: {
    title: 'mean',
    value: (point: MethodPoint) => point.mean,
    band: (point: MethodPoint) => point.meanInterval,
  },
} as const

/** Horizontal axes of curves, for the tasks that are drawn. */
export const AXES = {
  steps: () => ({ label: 'environment steps', of: (point: MethodPoint) => point.steps }),
  time: timeAxis,
} as const

export interface PictureOptions {
  readonly title?: string
  /** IQM by default. */
  readonly line?: keyof typeof LINES
  /** Steps by default. */
  readonly x?: keyof typeof AXES
}

const WIDTH = 760
/** Of a plot that has the width to itself, and of one of two side by side. */
const HEIGHT = { wide: 370, narrow: 300 }
const LEFT = 72
const BAND_LEGEND = { label: 'band: 95 % interval', style: null } as const

/** Wall time of training, in a unit that fits. */
function timeAxis(tasks: readonly TaskComparison[]) {
  const points = tasks.flatMap(({ methods }) => methods.flatMap(({ curve }) => curve))
  const most = points.reduce((longest, { seconds }) => (seconds > longest ? seconds : longest), 0)
  const [unit, name] = most >= 10_800 ? [3600, 'hours'] : most >= 300 ? [60, 'minutes'] : [1, 'seconds']
  return { label: `wall time of training (${name})`, of: (point: MethodPoint) => point.seconds / unit }
}

/** Methods of all tasks, in the order of their colours. */
export function methodsOf({ tasks }: Pick<Comparison, 'tasks'>): string[] {
  return [...new Set(tasks.flatMap(({ methods }) => methods.map(({ method }) => method)))]
}

/** The picture as a separate file. */
export function svgFile(picture: Picture): string {
  return svgElement(picture, CHART_STYLE)
}

/** Learning curves, one plot a task. */
export function curvesPicture(comparison: Comparison, options: PictureOptions = {}): Picture {
  const { tasks, metric } = comparison
  const names = methodsOf(comparison)
  const { line = 'iqm', x = 'steps' } = options
  const [columns, rowHeight] = tasks.length > 1 ? [2, HEIGHT.narrow] : [1, HEIGHT.wide]
  const title = options.title ?? (tasks.length > 1 ? `${tasks.length} tasks` : tasks[0].task)
  const axis = AXES[x](tasks)
  const timeless = (name: string) =>
    tasks.some(({ methods }) =>
      methods.some(
        ({ method, curve }) => method === name && !curve.every((point) => Number.isFinite(axis.of(point))),
      ),
    )
      ? ', wall time unknown'
      : ''
  const banded = tasks.some(({ methods }) => methods.some(({ runs }) => runs > 1))
  const legend = drawLegend(
    [
      ...names.map((name, style) => ({
        label: `${name} (${countOf(comparison, name)}${timeless(name)})`,
        style,
      })),
      ...(banded ? [BAND_LEGEND] : []),
    ],
    { left: LEFT, top: 36, width: WIDTH - LEFT },
  )
  const head = 36 + legend.height
  const plots = tasks.map((task, index) => {
    const plot: Plot = {
      title: tasks.length > 1 ? task.task : '',
      xLabel: axis.label,
      yLabel: `${METRICS[metric].title}, ${LINES[line].title}`,
      xFrom: 0,
      lines: task.methods.map(({ method, curve }) => ({
        style: names.indexOf(method),
        points: curve
          .map((point) => ({ x: axis.of(point), y: LINES[line].value(point), band: LINES[line].band(point) }))
          .filter((point) => Number.isFinite(point.x)),
      })),
    }
    const [left, top] = [(index % columns) * (WIDTH / columns), Math.floor(index / columns) * rowHeight]
    return drawPlot(plot, { left, top: head + top, width: WIDTH / columns, height: rowHeight })
  })
  const finals = tasks.map((task) => `${task.task}: ${task.methods.map(described).join('; ')}.`)
  return {
    id: 'curves',
    title: `${title}: learning curves`,
    description: `${METRICS[metric].title} against ${axis.label}: ${LINES[line].title} over runs and its 95 % bootstrap interval. At the end: ${finals.join(' ')}`,
    width: WIDTH,
    height: head + Math.ceil(tasks.length / columns) * rowHeight,
    content: [...titleOf(title, LEFT, 26), legend.svg, ...plots].join('\n'),
  }
}

/** Runs of a method: their number on every task, or on each where it differs. */
function countOf({ tasks }: Comparison, name: string): string {
  const counts = tasks.flatMap(({ methods }) =>
    methods.filter(({ method }) => method === name).map(({ runs }) => runs),
  )
  const different = [...new Set(counts)]
  return different.length === 1
    ? runCount(different[0])
    : `${Math.min(...counts)} to ${Math.max(...counts)} runs`
}

function described({ method, iqm, iqmInterval, runs }: MethodSummary): string {
  return `${method} ${score(iqm)}${iqmInterval ? `, ${interval(iqmInterval)}` : ''}, ${runCount(runs)}`
}

/** IQMs of methods with their intervals. */
export function summaryPicture(
  id: string,
  title: string,
  xLabel: string,
  summaries: readonly MethodSummary[],
  names: readonly string[],
): Picture {
  const rows = summaries.map(({ method, iqm, iqmInterval }): IntervalRow => ({
    label: method,
    style: names.indexOf(method),
    value: iqm,
    interval: iqmInterval,
  }))
  return {
    id,
    title: `${title}: interquartile means`,
    description: `${xLabel}, with 95 % bootstrap intervals: ${summaries.map(described).join('; ')}.`,
    width: WIDTH,
    height: intervalsHeight(rows),
    content: drawIntervals({ title, xLabel, rows }, { left: 0, top: 0, width: WIDTH }),
  }
}

/** Performance profiles. */
export function profilePicture(
  id: string,
  title: string,
  xLabel: string,
  { thresholds, methods }: Profiles,
  names: readonly string[],
): Picture {
  const legend = drawLegend(
    [...methods.map(({ method }) => ({ label: method, style: names.indexOf(method) })), BAND_LEGEND],
    { left: LEFT, top: 36, width: WIDTH - LEFT },
  )
  const plot: Plot = {
    title: '',
    xLabel,
    yLabel: 'share of runs with a higher score',
    yRange: [0, 1],
    lines: methods.map(({ method, shares, intervals }) => ({
      style: names.indexOf(method),
      points: thresholds.map((x, i) => ({ x, y: shares[i], band: intervals[i] })),
    })),
  }
  const height = 36 + legend.height
  return {
    id,
    title: `${title}: performance profiles`,
    description: `Share of the runs whose score is above a threshold, from ${score(thresholds[0])} to ${score(thresholds.at(-1)!)}, with 95 % bootstrap intervals.`,
    width: WIDTH,
    height: height + HEIGHT.narrow,
    content: [
      ...titleOf(title, LEFT, 26),
      legend.svg,
      drawPlot(plot, { left: 0, top: height, width: WIDTH, height: HEIGHT.narrow }),
    ].join('\n'),
  }
}
