// Draws learning curves as SVG: one line for each group of runs, the mean over its runs with a band of one
// standard deviation (population). Colours follow the reader's light or dark theme.
//
//   node scripts/plot.mjs --out FILE [--title TEXT] [--metric evaluation|episodeReturn] GROUP...
//
// A GROUP is `LABEL=PATH,PATH,...`, or a PATH alone; a PATH is a run folder or a metrics.jsonl.
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { parseArgs } from 'node:util'

const WIDTH = 760
const HEIGHT = 430
const PLOT = { left: 70, right: 740, top: 52, bottom: 372 }
const LIGHT = ['#0b6bcb', '#c2410c', '#15803d', '#7e22ce', '#a16207', '#be185d']
const DARK = ['#60a5fa', '#fb923c', '#4ade80', '#c084fc', '#facc15', '#f472b6']

function stop(message) {
  console.error(`plot: ${message}`)
  process.exit(2)
}

/** The [steps, value] pairs of one run, ascending. */
function readCurve(path, metric) {
  if (!existsSync(path)) stop(`${path} does not exist: give a run folder or a metrics.jsonl`)
  const file = statSync(path).isDirectory() ? join(path, 'metrics.jsonl') : path
  if (!existsSync(file)) stop(`${path} holds no metrics.jsonl`)
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean)
  const points = lines.flatMap((line, index) => {
    let record
    try {
      record = JSON.parse(line)
    } catch {
      return stop(`line ${index + 1} of ${file} is not JSON`)
    }
    const value = record[metric]?.mean
    return Number.isFinite(value) ? [[record.steps, value]] : []
  })
  if (points.length > 0 || metric !== 'evaluation') return points
  const evaluations = join(dirname(file), 'eval.json')
  return existsSync(evaluations) ? readEvaluations(evaluations) : []
}

/** The evaluations of an eval.json, marl-eval's tree: environment > task > algorithm > run > step_k. */
function readEvaluations(file) {
  let node = JSON.parse(readFileSync(file, 'utf8'))
  for (let level = 0; level < 4; level++) node = Object.values(node)[0] ?? {}
  return Object.values(node)
    .filter((entry) => entry.step_count !== undefined)
    .map((entry) => [entry.step_count, mean(entry.return)])
    .sort((a, b) => a[0] - b[0])
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length

/** Linear interpolation between the points of a curve; `x` lies between its ends. */
function valueAt(curve, x) {
  const after = curve.findIndex(([steps]) => steps >= x)
  const [x1, y1] = curve[after]
  if (x1 === x || after === 0) return y1
  const [x0, y0] = curve[after - 1]
  return y0 + ((y1 - y0) * (x - x0)) / (x1 - x0)
}

/** Mean and standard deviation over the runs, at every step that a run was measured at and all of them cover. */
function summarise(curves) {
  const from = Math.max(...curves.map((curve) => curve[0][0]))
  const to = Math.min(...curves.map((curve) => curve.at(-1)[0]))
  const steps = [...new Set(curves.flatMap((curve) => curve.map(([x]) => x)))]
  return steps
    .filter((x) => x >= from && x <= to)
    .sort((a, b) => a - b)
    .map((x) => {
      const values = curves.map((curve) => valueAt(curve, x))
      const centre = mean(values)
      const spread = Math.sqrt(mean(values.map((value) => (value - centre) ** 2)))
      return { x, mean: centre, low: centre - spread, high: centre + spread }
    })
}

/** Round numbers from `low` to `high`, about `count` of them; the first and the last enclose both. */
function ticks(low, high, count) {
  const raw = (high - low || Math.abs(high) || 1) / count
  const power = 10 ** Math.floor(Math.log10(raw))
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= raw * 0.999)
  const first = Math.floor(low / step)
  const last = Math.max(Math.ceil(high / step), first + 1)
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step)
}

function short(value) {
  const [unit, suffix] = Math.abs(value) >= 1e6 ? [1e6, 'M'] : Math.abs(value) >= 1e4 ? [1e3, 'k'] : [1, '']
  return `${Number((value / unit).toPrecision(6))}${suffix}`
}

const escape = (text) =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c])

/** @param groups `{ label, runs, points }`, points as `summarise` gives them */
function draw({ groups, title, yLabel }) {
  const all = groups.flatMap(({ points }) => points)
  const xTicks = ticks(0, Math.max(...all.map(({ x }) => x)), 6)
  const yTicks = ticks(Math.min(...all.map(({ low }) => low)), Math.max(...all.map(({ high }) => high)), 6)
  const scale = (values, from, to) => {
    const [low, high] = [values[0], values.at(-1)]
    return (value) => Number((from + ((value - low) / (high - low)) * (to - from)).toFixed(2))
  }
  const x = scale(xTicks, PLOT.left, PLOT.right)
  const y = scale(yTicks, PLOT.bottom, PLOT.top)
  const path = (points, key) => points.map((point) => `${x(point.x)},${y(point[key])}`).join(' ')

  const grid = yTicks.map(
    (value) =>
      `<line class="grid" x1="${PLOT.left}" x2="${PLOT.right}" y1="${y(value)}" y2="${y(value)}"/>` +
      `<text x="${PLOT.left - 8}" y="${y(value) + 4}" text-anchor="end">${short(value)}</text>`,
  )
  const axis = xTicks.map(
    (value) => `<text x="${x(value)}" y="${PLOT.bottom + 20}" text-anchor="middle">${short(value)}</text>`,
  )
  const curves = groups.map(({ label, runs, points }, index) => {
    const series = `s${index % LIGHT.length}`
    const band = `${path(points, 'high')} ${path([...points].reverse(), 'low')}`
    const top = PLOT.top + 18 + index * 20
    return [
      runs > 1 ? `<polygon class="band ${series}" points="${band}"/>` : '',
      `<polyline class="line ${series}" points="${path(points, 'mean')}"/>`,
      `<line class="line ${series}" x1="${PLOT.left + 14}" x2="${PLOT.left + 38}" y1="${top}" y2="${top}"/>`,
      `<text x="${PLOT.left + 46}" y="${top + 4}">${escape(label)} (${runs} ${runs === 1 ? 'run' : 'runs'})</text>`,
    ].join('\n')
  })
  // Plain rules, not custom properties: many SVG renderers do not know those.
  const colours = (palette) =>
    palette
      .map((colour, index) => `.line.s${index}{stroke:${colour}}.band.s${index}{fill:${colour}}`)
      .join('')

  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escape(title)}">
<style>
text{font:13px system-ui,sans-serif;fill:#444}
.title{font-size:16px;font-weight:600;fill:#111}
.grid{stroke:#888;stroke-opacity:.27}
.line{fill:none;stroke-width:2;stroke-linejoin:round}
.band{opacity:.18}
${colours(LIGHT)}
@media (prefers-color-scheme:dark){text{fill:#bbb}.title{fill:#eee}${colours(DARK)}}
</style>
<text class="title" x="${PLOT.left}" y="28">${escape(title)}</text>
${grid.join('\n')}
${axis.join('\n')}
<text x="${(PLOT.left + PLOT.right) / 2}" y="${HEIGHT - 12}" text-anchor="middle">environment steps</text>
<text transform="translate(18 ${(PLOT.top + PLOT.bottom) / 2}) rotate(-90)" text-anchor="middle">${escape(yLabel)}</text>
${curves.join('\n')}
</svg>
`
}

const METRICS = { evaluation: 'evaluation return', episodeReturn: 'training return' }

function parse() {
  const options = { out: { type: 'string' }, title: { type: 'string' }, metric: { type: 'string' } }
  try {
    return parseArgs({ options, allowPositionals: true })
  } catch (error) {
    return stop(error.message)
  }
}

const { values, positionals } = parse()
if (!values.out) stop('--out is missing: the SVG file to write')
if (positionals.length === 0) stop('no run is given: LABEL=runs/a,runs/b or a run folder')
if (values.metric && !(values.metric in METRICS)) {
  stop(`--metric is ${values.metric}: it must be one of ${Object.keys(METRICS).join(', ')}`)
}

const chosen = positionals.map((text) => {
  const at = text.indexOf('=')
  const paths = text.slice(at + 1).split(',')
  return { label: at < 0 ? basename(text) : text.slice(0, at), paths }
})
const readAll = (metric) => chosen.flatMap(({ paths }) => paths).map((path) => readCurve(path, metric))
const evaluated = () => readAll('evaluation').every((curve) => curve.length > 0)
const metric = values.metric ?? (evaluated() ? 'evaluation' : 'episodeReturn')

const groups = chosen.map(({ label, paths }) => {
  const curves = paths.map((path) => readCurve(path, metric))
  const empty = curves.findIndex((curve) => curve.length === 0)
  if (empty >= 0) stop(`${paths[empty]} has no ${METRICS[metric]}`)
  const points = summarise(curves)
  if (points.length === 0) stop(`the runs of ${label} have no steps in common`)
  return { label, runs: paths.length, points }
})
const title = values.title ?? groups.map(({ label }) => label).join(', ')
const spread = groups.some(({ runs }) => runs > 1) ? ', mean ± s.d.' : ''
writeFileSync(values.out, draw({ groups, title, yLabel: `${METRICS[metric]}${spread}` }))
console.log(values.out)
