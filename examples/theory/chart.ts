// Charts as SVG, in rows of panels. Colours follow the reader's light or dark theme.

/** A point of a panel. */
export type Point = readonly [x: number, y: number]

export interface Series {
  /** In the legend; left out of it where absent. */
  readonly label?: string
  readonly points: readonly Point[]
  readonly mark: 'line' | 'dots' | 'path'
  /** Number of its colour, from 0. */
  readonly colour: number
  readonly dashed?: boolean
}

export interface Axis {
  readonly label: string
  readonly from: number
  readonly to: number
  readonly log?: boolean
}

export interface Panel {
  readonly title: string
  readonly x: Axis
  readonly y: Axis
  readonly series: readonly Series[]
  /** Height of the ground below the series, shaded by its sign and size. */
  readonly ground?: (x: number, y: number) => number
}

const WIDTH = 400
const HEIGHT = 340
const PLOT = { left: 62, right: 385, top: 62, bottom: 292 }
const LEGEND = { row: 15, from: 12 }
const CELLS = 20
const LIGHT = ['#0b6bcb', '#c2410c', '#15803d', '#7e22ce']
const DARK = ['#60a5fa', '#fb923c', '#4ade80', '#c084fc']

/** An SVG document with the panels side by side. */
export function draw(panels: readonly Panel[]): string {
  const width = WIDTH * panels.length
  const rules = (colours: readonly string[]) =>
    colours.map((c, i) => `.c${i}{stroke:${c}}.f${i}{fill:${c}}`).join('')
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${HEIGHT}" font-family="sans-serif" font-size="11">`,
    `<style>svg{background:#fff}text{fill:#222}.axis{stroke:#999}.grid{stroke:#eee}${rules(LIGHT)}`,
    `@media(prefers-color-scheme:dark){svg{background:#111}text{fill:#ddd}.axis{stroke:#777}.grid{stroke:#2a2a2a}${rules(DARK)}}</style>`,
    ...panels.map((panel, i) => `<g transform="translate(${i * WIDTH} 0)">\n${drawPanel(panel)}\n</g>`),
    '</svg>\n',
  ].join('\n')
}

function drawPanel({ title, x, y, series, ground }: Panel): string {
  const across = scale(x, PLOT.left, PLOT.right)
  const up = scale(y, PLOT.bottom, PLOT.top)
  const out = [`<text x="${PLOT.left}" y="18" font-size="13" font-weight="bold">${escape(title)}</text>`]
  if (ground) out.push(...shade(ground, x, y, across, up))
  for (const at of ticks(x)) {
    const px = round(across(at))
    out.push(line('grid', px, PLOT.top, px, PLOT.bottom))
    out.push(`<text x="${px}" y="${PLOT.bottom + 15}" text-anchor="middle">${tickText(at, x)}</text>`)
  }
  for (const at of ticks(y)) {
    const py = round(up(at))
    out.push(line('grid', PLOT.left, py, PLOT.right, py))
    out.push(`<text x="${PLOT.left - 5}" y="${py + 4}" text-anchor="end">${tickText(at, y)}</text>`)
  }
  out.push(line('axis', PLOT.left, PLOT.bottom, PLOT.right, PLOT.bottom))
  out.push(line('axis', PLOT.left, PLOT.top, PLOT.left, PLOT.bottom))
  const middle = (PLOT.top + PLOT.bottom) / 2
  out.push(
    `<text x="${(PLOT.left + PLOT.right) / 2}" y="${HEIGHT - 14}" text-anchor="middle">${escape(x.label)}</text>`,
    `<text transform="translate(14 ${middle}) rotate(-90)" text-anchor="middle">${escape(y.label)}</text>`,
  )
  for (const one of series) out.push(...drawSeries(one, across, up))
  out.push(...legend(series))
  return out.join('\n')
}

function drawSeries({ points, mark, colour, dashed }: Series, across: Scale, up: Scale): string[] {
  const places = points.map(([px, py]) => [round(across(px)), round(up(py))] as const)
  const dots = places.map(([px, py]) => `M${px} ${py}h0`).join('')
  const dotted = (size: number) =>
    `<path class="c${colour}" fill="none" stroke-width="${size}" stroke-linecap="round" d="${dots}"/>`
  if (mark === 'dots') return [dotted(4)]
  const dash = dashed ? ' stroke-dasharray="5 4"' : ''
  const way = places.map(([px, py]) => `${px},${py}`).join(' ')
  const drawn = `<polyline class="c${colour}" fill="none" stroke-width="1.6"${dash} points="${way}"/>`
  return mark === 'path' ? [drawn, dotted(7)] : [drawn]
}

function legend(series: readonly Series[]): string[] {
  const named = series.filter(({ label }) => label !== undefined)
  return named.flatMap(({ label, colour, mark, dashed }, i) => {
    const column = PLOT.left + (i % 2) * 165
    const y = 32 + Math.floor(i / 2) * LEGEND.row
    const key =
      mark === 'dots'
        ? `<circle class="f${colour}" cx="${column + 6}" cy="${y}" r="3"/>`
        : `<line class="c${colour}" stroke-width="2"${dashed ? ' stroke-dasharray="5 4"' : ''} x1="${column}" x2="${column + LEGEND.from}" y1="${y}" y2="${y}"/>`
    return [key, `<text x="${column + LEGEND.from + 5}" y="${y + 4}">${escape(label!)}</text>`]
  })
}

function shade(f: (x: number, y: number) => number, x: Axis, y: Axis, across: Scale, up: Scale): string[] {
  const [dx, dy] = [(x.to - x.from) / CELLS, (y.to - y.from) / CELLS]
  const cells = Array.from({ length: CELLS * CELLS }, (_, i) => {
    const [left, low] = [x.from + (i % CELLS) * dx, y.from + Math.floor(i / CELLS) * dy]
    return { left, low, height: f(left + dx / 2, low + dy / 2) }
  })
  const largest = Math.max(...cells.map(({ height }) => Math.abs(height)))
  return cells.map(({ left, low, height }) => {
    const place = `x="${round(across(left))}" y="${round(up(low + dy))}"`
    const size = `width="${round(across(left + dx) - across(left))}" height="${round(up(low) - up(low + dy))}"`
    const opacity = round((0.6 * Math.abs(height)) / largest, 2)
    return `<rect class="f${height > 0 ? 2 : 1}" ${place} ${size} opacity="${opacity}"/>`
  })
}

type Scale = (value: number) => number

/** Places of values between two ends; beyond the axis they are at its end. */
function scale({ from, to, log = false }: Axis, start: number, end: number): Scale {
  const map = log ? Math.log10 : (v: number) => v
  return (value) => {
    const inside = Math.min(to, Math.max(from, value))
    return start + ((map(inside) - map(from)) / (map(to) - map(from))) * (end - start)
  }
}

/** Powers of ten, or about five multiples of 1, 2 or 5 times one. */
function ticks({ from, to, log = false }: Axis): number[] {
  if (log) {
    const [first, last] = [Math.ceil(Math.log10(from) - 1e-9), Math.floor(Math.log10(to) + 1e-9)]
    const every = Math.ceil((last - first) / 6) || 1
    return Array.from({ length: Math.floor((last - first) / every) + 1 }, (_, i) =>
      Number(`1e${first + i * every}`),
    )
  }
  const rough = (to - from) / 5
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999)!
  const first = Math.ceil(from / step - 1e-9)
  return Array.from({ length: Math.floor(to / step + 1e-9) - first + 1 }, (_, i) => (first + i) * step)
}

function tickText(value: number, { log = false }: Axis): string {
  return log && (value < 0.01 || value > 9999)
    ? `1e${Math.round(Math.log10(value))}`
    : String(round(value, 4))
}

function line(kind: string, x1: number, y1: number, x2: number, y2: number): string {
  return `<line class="${kind}" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"/>`
}

function round(value: number, digits = 1): number {
  return Number(value.toFixed(digits))
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
