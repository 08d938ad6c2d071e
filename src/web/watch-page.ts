/** Page of `hatrpo watch`. The build bundles this file with its imports. */
import { Chart, type DrawnCurve, type Range } from './page/chart.js'
import { curvesOf, MOST_POINTS, type CurveOptions } from './page/curves.js'
import { byId, colourOf } from './page/elements.js'
import { drawDifferences, drawFindings } from './page/notes.js'
import { drawRuns } from './page/runs-table.js'
import { Store, type PageRun } from './page/store.js'
import { PANELS } from './panels.js'
import { formatSeen, type Updates } from './updates.js'

/** Milliseconds between two requests. */
const EVERY = 2000
/** Number of runs that are shown initially. */
const SHOWN = 8
/** Seconds of training from which the time axis is in hours. */
const HOURS_FROM = 7200

const store = new Store()
const shown = new Set<number>()
/** Runs that were switched on or off by hand, or by themselves when they appeared. */
const decided = new Set<number>()
let zoom: Range | undefined
let drawing = 0

const controls = byId<HTMLFormElement>('controls')
const charts = PANELS.map((panel) => new Chart(panel, setZoom, redraw))
byId('charts').append(...charts.map(({ element }) => element))

function options(): CurveOptions {
  const values = new FormData(controls)
  const is = (name: string, value: string) => values.get(name) === value
  return {
    x: is('x', 'time') ? 'time' : 'steps',
    agents: is('agents', 'each') ? 'each' : 'mean',
    smoothing: Number(values.get('smoothing')),
  }
}

function setZoom(range: Range | undefined): void {
  zoom = range
  for (const chart of charts) chart.zoom(range)
}

/** Draws once before the next frame, however often it is called. */
function redraw(): void {
  cancelAnimationFrame(drawing)
  drawing = requestAnimationFrame(draw)
}

function draw(): void {
  const runs = [...store.runs.values()]
  drawRuns(runs, shown, (id, show) => {
    if (show) shown.add(id)
    else shown.delete(id)
    redraw()
    if (show) void poll()
  })
  const visible = runs.filter(({ latest }) => shown.has(latest.id))
  drawFindings(visible)
  drawDifferences(visible)
  drawCharts(visible, options())
}

function drawCharts(runs: readonly PageRun[], chosen: CurveOptions): void {
  const longest = Math.max(0, ...runs.map(({ seconds }) => seconds.at(-1) ?? 0))
  const [unit, perUnit] = longest < HOURS_FROM ? ['minutes', 60] : ['hours', 3600]
  const label = chosen.x === 'steps' ? 'steps of all environments' : `${unit} of training`
  const scaled = (x: readonly number[]) => (chosen.x === 'steps' ? x : x.map((seconds) => seconds / perUnit))
  let every = 1
  for (const chart of charts) {
    const { series } = chart.panel
    const all = series.map((one) => runs.map((run) => ({ run, curves: curvesOf(run, one, chosen) })))
    chart.element.hidden = all.flat().every(({ curves }) => curves.length === 0)
    if (chart.element.hidden) continue
    const drawn: DrawnCurve[] = all.flatMap((ofRuns, i) =>
      (chart.shows(i) ? ofRuns : []).flatMap(({ run, curves }) =>
        curves.map((curve) => {
          every = Math.max(every, curve.every)
          const words = [run.latest.name, curve.agent, series.length > 1 ? series[i].label : undefined]
          return {
            x: scaled(curve.x),
            y: curve.y,
            label: words.filter((word) => word !== undefined).join(', '),
            colour: colourOf(run.latest.id),
            series: i,
          }
        }),
      ),
    )
    chart.draw(drawn, label, zoom)
  }
  byId('downsampling').textContent =
    every === 1
      ? 'Every iteration is drawn.'
      : `Curves of more than ${MOST_POINTS} points show the least and the greatest of every ${every} of them, or of fewer.`
}

function say(text: string, isProblem = false): void {
  byId('status').textContent = text
  byId('status').classList.toggle('problem', isProblem)
}

/** Shows runs that are new, up to a number of them, running ones first. */
function showNew(): void {
  const unseen = [...store.runs.values()].filter(({ latest }) => !decided.has(latest.id))
  const order = [...unseen.filter(isRunning), ...unseen.filter((run) => !isRunning(run))]
  for (const { latest } of order) {
    decided.add(latest.id)
    if (shown.size < SHOWN) shown.add(latest.id)
  }
}

function counts(running: number): string {
  return `${store.runs.size} ${store.runs.size === 1 ? 'run' : 'runs'}, ${running} running`
}

function isRunning({ latest }: PageRun): boolean {
  return latest.state === 'running'
}

let timer: ReturnType<typeof setTimeout> | undefined
let asking = false

/** The last answer; the same again has nothing new. */
let answer = ''

/** @returns whether a further request brings more at once */
function take(updates: Updates): boolean {
  const before = shown.size
  store.apply(updates)
  showNew()
  redraw()
  return updates.more || shown.size > before
}

/** Requests new records, draws them, and repeats later. A hidden page makes no requests. */
async function poll(): Promise<void> {
  if (asking) return
  asking = true
  clearTimeout(timer)
  let more = false
  try {
    const response = await fetch(`updates?${formatSeen(store.seen(shown))}`)
    if (!response.ok) throw new Error(await response.text())
    const text = await response.text()
    if (text !== answer) more = take(JSON.parse(text) as Updates)
    answer = text
    const running = [...store.runs.values()].filter(isRunning).length
    say(store.runs.size === 0 ? 'no runs yet: they appear here when they start' : counts(running))
  } catch (error) {
    say(`no answer from hatrpo watch (${(error as Error).message}): is it still running?`, true)
  } finally {
    asking = false
  }
  if (!document.hidden) timer = setTimeout(() => void poll(), more ? 0 : EVERY)
}

controls.addEventListener('input', () => {
  controls.querySelector('output')!.textContent = String(options().smoothing)
  redraw()
})
controls.addEventListener('submit', (event) => event.preventDefault())
for (const input of controls.querySelectorAll('[name="x"]'))
  input.addEventListener('change', () => setZoom(undefined))
byId('whole').addEventListener('click', () => setZoom(undefined))
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) void poll()
})
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw)
void poll()
