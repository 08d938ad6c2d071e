import { escapeMarkup, short, ticks } from './format.js'

/** Colours of methods, in their order; further methods take them again with other dashes. */
const LIGHT = ['#0b6bcb', '#c2410c', '#15803d', '#7e22ce', '#a16207', '#be185d']
const DARK = ['#60a5fa', '#fb923c', '#4ade80', '#c084fc', '#facc15', '#f472b6']
const DASHES = ['', '8 4', '2 4', '10 3 2 3']

/** Space around a plot's lines, for axes and titles. */
const MARGIN = { left: 72, right: 18, top: 12, title: 32, bottom: 54 }
/** Width of a character of the legend, about. */
const CHARACTER = 7.2
const LEGEND_LINE = 22

export interface PlotPoint {
  readonly x: number
  readonly y: number
  readonly band: { readonly low: number; readonly high: number } | null
}

/** A line of a plot. */
export interface PlotLine {
  /** Number of its method, which its colour belongs to. */
  readonly style: number
  /** With x ascending; empty for none. */
  readonly points: readonly PlotPoint[]
}

export interface Plot {
  /** Empty for none. */
  readonly title: string
  readonly xLabel: string
  readonly yLabel: string
  readonly lines: readonly PlotLine[]
  /** Ends of the vertical axis; those of the lines and bands without. */
  readonly yRange?: readonly [low: number, high: number]
  /** Least x of the axis; that of the lines without. */
  readonly xFrom?: number
}

export interface Box {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

/**
 * Rules for the classes of plots, in light and dark. Custom properties are avoided, because many SVG renderers lack
 * them.
 */
export const CHART_STYLE = [
  '.chart text{font:13px system-ui,sans-serif;fill:#444}',
  '.chart .title{font-size:15px;font-weight:600;fill:#111}',
  '.chart .grid{stroke:#888;stroke-opacity:.27}',
  '.chart .line{fill:none;stroke-width:2;stroke-linejoin:round}',
  '.chart .band{opacity:.18}',
  paletteRules(LIGHT),
  `@media (prefers-color-scheme:dark){.chart text{fill:#bbb}.chart .title{fill:#eee}${paletteRules(DARK)}}`,
].join('\n')

function paletteRules(palette: readonly string[]): string {
  return palette
    .map((colour, i) => `.chart .line.s${i}{stroke:${colour}}.chart .fill.s${i}{fill:${colour}}`)
    .join('')
}

/** Class and dashes of a method's line. */
function stroke(style: number): string {
  const dash = DASHES[Math.floor(style / LIGHT.length) % DASHES.length]
  return `class="line s${style % LIGHT.length}"${dash === '' ? '' : ` stroke-dasharray="${dash}"`}`
}

const fill = (style: number, kind: string) => `class="${kind}fill s${style % LIGHT.length}"`

/** To hundredths of a pixel. */
const round = (position: number): number => Number(position.toFixed(2))

/** Position of a value on an axis. */
function scale(values: readonly number[], from: number, to: number): (value: number) => number {
  const [low, high] = [values[0], values.at(-1)!]
  return (value) => round(from + ((value - low) / (high - low)) * (to - from))
}

/** A plot as SVG elements within a box. */
export function drawPlot(plot: Plot, box: Box): string {
  const all = plot.lines.flatMap(({ points }) => points)
  const xs = all.map(({ x }) => x)
  const ys = all.flatMap(({ y, band }) => (band ? [y, band.low, band.high] : [y]))
  const [left, right] = [box.left + MARGIN.left, box.left + box.width - MARGIN.right]
  const top = box.top + MARGIN.top + (plot.title === '' ? 0 : MARGIN.title)
  const bottom = box.top + box.height - MARGIN.bottom
  const xTicks = ticks(plot.xFrom ?? least(xs), greatest(xs), Math.max(2, Math.floor(box.width / 120)))
  const yTicks = ticks(...(plot.yRange ?? ([least(ys), greatest(ys)] as const)), 6)
  const x = scale(xTicks, left, right)
  const y = scale(yTicks, bottom, top)
  return [
    ...titleOf(plot.title, left, box.top + 26),
    ...yTicks.map(
      (value) =>
        `<line class="grid" x1="${left}" x2="${right}" y1="${y(value)}" y2="${y(value)}"/>` +
        `<text x="${left - 8}" y="${y(value) + 4}" text-anchor="end">${short(value)}</text>`,
    ),
    ...xTicks.map(
      (value) => `<text x="${x(value)}" y="${bottom + 20}" text-anchor="middle">${short(value)}</text>`,
    ),
    `<text x="${round((left + right) / 2)}" y="${bottom + 42}" text-anchor="middle">${escapeMarkup(plot.xLabel)}</text>`,
    `<text transform="translate(${box.left + 16} ${(top + bottom) / 2}) rotate(-90)" text-anchor="middle">${escapeMarkup(plot.yLabel)}</text>`,
    // Bands lie below all lines.
    ...plot.lines.flatMap((line) => drawBand(line, x, y)),
    ...plot.lines.flatMap((line) => drawLine(line, x, y)),
  ].join('\n')
}

const least = (values: readonly number[]) =>
  values.reduce((a, b) => Math.min(a, b), values.length > 0 ? Infinity : 0)
const greatest = (values: readonly number[]) =>
  values.reduce((a, b) => Math.max(a, b), values.length > 0 ? -Infinity : 1)

type Axis = (value: number) => number

function drawBand({ style, points }: PlotLine, x: Axis, y: Axis): string[] {
  const banded = points.flatMap(({ x: at, band }) => (band ? [{ at, ...band }] : []))
  const edge = (key: 'low' | 'high') => banded.map((point) => `${x(point.at)},${y(point[key])}`)
  const outline = [...edge('high'), ...edge('low').reverse()].join(' ')
  return banded.length > 0 ? [`<polygon ${fill(style, 'band ')} points="${outline}"/>`] : []
}

/** A line, or a dot for a single point. */
function drawLine({ style, points }: PlotLine, x: Axis, y: Axis): string[] {
  const [first, ...others] = points.map((point) => [x(point.x), y(point.y)] as const)
  if (first === undefined) return []
  if (others.length === 0) return [`<circle ${fill(style, '')} cx="${first[0]}" cy="${first[1]}" r="3.5"/>`]
  return [`<polyline ${stroke(style)} points="${[first, ...others].map((at) => at.join(',')).join(' ')}"/>`]
}

/** A title as elements; none for an empty one. */
export function titleOf(title: string, x: number, y: number): string[] {
  return title === '' ? [] : [`<text class="title" x="${x}" y="${y}">${escapeMarkup(title)}</text>`]
}

/** Points and their intervals on one horizontal axis. */
export interface IntervalRow {
  readonly label: string
  readonly style: number
  readonly value: number
  readonly interval: { readonly low: number; readonly high: number } | null
}

const ROW = 26

export function intervalsHeight(rows: readonly IntervalRow[]): number {
  return MARGIN.top + MARGIN.title + rows.length * ROW + MARGIN.bottom
}

export function drawIntervals(
  {
    title,
    xLabel,
    rows,
    marks,
  }: { title: string; xLabel: string; rows: readonly IntervalRow[]; marks?: readonly [number, number] },
  { left: boxLeft, top, width }: Omit<Box, 'height'>,
): string {
  const values = rows.flatMap(({ value, interval }) =>
    interval ? [value, interval.low, interval.high] : [value],
  )
  const left = round(boxLeft + 16 + CHARACTER * Math.max(...rows.map(({ label }) => label.length)))
  const right = boxLeft + width - MARGIN.right
  const first = top + MARGIN.top + MARGIN.title
  const bottom = first + rows.length * ROW
  const xTicks = ticks(...(marks ?? ([least(values), greatest(values)] as const)), 5)
  const x = scale(xTicks, left, right)
  return [
    ...titleOf(title, boxLeft + 8, top + 26),
    ...xTicks.map(
      (value) =>
        `<line class="grid" x1="${x(value)}" x2="${x(value)}" y1="${first}" y2="${bottom}"/>` +
        `<text x="${x(value)}" y="${bottom + 20}" text-anchor="middle">${short(value)}</text>`,
    ),
    `<text x="${round((left + right) / 2)}" y="${bottom + 42}" text-anchor="middle">${escapeMarkup(xLabel)}</text>`,
    ...rows.map(({ label, style, value, interval }, index) => {
      const y = first + (index + 0.5) * ROW
      const bar = interval
        ? `<line ${stroke(style)} x1="${x(interval.low)}" x2="${x(interval.high)}" y1="${y}" y2="${y}"/>`
        : ''
      return (
        `<text x="${left - 8}" y="${y + 4}" text-anchor="end">${escapeMarkup(label)}</text>${bar}` +
        `<circle ${fill(style, '')} cx="${x(value)}" cy="${y}" r="4.5"/>`
      )
    }),
  ].join('\n')
}

/** An entry of a legend: a method, or a remark without a line. */
export interface LegendEntry {
  readonly label: string
  readonly style: number | null
}

/** A legend in lines that fit a width. */
export function drawLegend(
  entries: readonly LegendEntry[],
  { left, top, width }: Omit<Box, 'height'>,
): { svg: string; height: number } {
  let [x, line] = [left, 0]
  const drawn = entries.map(({ label, style }) => {
    const indent = style === null ? 0 : 38
    const wide = indent + CHARACTER * label.length + 26
    if (x > left && x + wide > left + width) [x, line] = [left, line + 1]
    const y = top + line * LEGEND_LINE + 14
    const sample =
      style === null ? '' : `<line ${stroke(style)} x1="${x}" x2="${round(x + 30)}" y1="${y}" y2="${y}"/>`
    const text = `<text x="${round(x + indent)}" y="${y + 4}">${escapeMarkup(label)}</text>`
    x = round(x + wide)
    return sample + text
  })
  return { svg: drawn.join('\n'), height: (line + 1) * LEGEND_LINE + 4 }
}

/** A picture with a name and a description for those who do not see it. */
export interface Picture {
  /** Unique in its document. */
  readonly id: string
  readonly title: string
  readonly description: string
  readonly width: number
  readonly height: number
  readonly content: string
}

/** @param style rules within a separate picture */
export function svgElement({ id, title, description, width, height, content }: Picture, style = ''): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-title ${id}-desc">
<title id="${id}-title">${escapeMarkup(title)}</title>
<desc id="${id}-desc">${escapeMarkup(description)}</desc>
${style === '' ? '' : `<style>\n${style}\n</style>\n`}${content}
</svg>
`
}
