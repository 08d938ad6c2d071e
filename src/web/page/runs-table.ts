import { byId, colourOf, lineSample, make } from './elements.js'
import type { PageRun } from './store.js'
import { duration, short } from './text.js'

/** Iterations over which returns, speeds and shares of time are averaged. */
const RECENT = 10

/** Parts of an iteration's time; each is the class of its colour. */
const PARTS = ['learner', 'physics', 'policy', 'rest'] as const
const FAULTS = [
  'faults/brokenSteps',
  'faults/workerRestarts',
  'faults/environmentRestarts',
  'critic/skippedSteps',
]

/** Headings of the columns but the last, which is the key of the colours of time. */
const HEADINGS = [
  'Run',
  'State',
  'Method',
  'Environment',
  'Seed',
  'Progress',
  'Return',
  'Steps/s',
  'Time left',
  'Faults',
]

/** Table of runs, which is also the legend of the charts. @param onShow called when a run is shown or hidden */
export function drawRuns(
  runs: readonly PageRun[],
  shown: ReadonlySet<number>,
  onShow: (id: number, show: boolean) => void,
): void {
  const table = byId<HTMLTableElement>('runs')
  const focused =
    document.activeElement instanceof HTMLElement ? document.activeElement.dataset['run'] : undefined
  const parts = PARTS.map((part) => make('span', { class: `key ${part}` }, part))
  const headings = [...HEADINGS.map((text) => [text]), parts].map((content) =>
    make('th', { scope: 'col' }, ...content),
  )
  const head = make('thead', {}, make('tr', {}, ...headings))
  const body = make('tbody', {}, ...runs.map((run) => row(run, shown.has(run.latest.id), onShow)))
  table.replaceChildren(head, body)
  if (focused !== undefined) table.querySelector<HTMLElement>(`[data-run="${focused}"]`)?.focus()
}

function row(run: PageRun, isShown: boolean, onShow: (id: number, show: boolean) => void): HTMLElement {
  const { latest } = run
  const box = make('input')
  box.type = 'checkbox'
  box.checked = isShown
  box.dataset['run'] = String(latest.id)
  box.addEventListener('change', () => onShow(latest.id, box.checked))
  const label = make('label', {}, box, lineSample('', colourOf(latest.id)), latest.name)
  const name = make('th', { scope: 'row' }, label)
  if (latest.problem !== undefined) name.append(make('p', { class: 'problem' }, latest.problem))
  const config = (key: string) => String(JSON.parse(latest.config[key] ?? '"-"'))
  const cells: (Node | string)[] = [
    make('span', { class: latest.state }, latest.state),
    config('algo'),
    // The environment's own name, where its id is a path.
    config('about.task' in latest.config ? 'about.task' : 'env.id'),
    config('seed'),
    ...(run.steps.length > 0 ? measured(run) : ['-', '-', '-', '-', '-', '-']),
  ]
  return make('tr', {}, name, ...cells.map((cell) => make('td', {}, cell)))
}

/** Progress, return, speed, time left, time split and faults. */
function measured(run: PageRun): (Node | string)[] {
  const { totalSteps = 0, state } = run.latest
  const done = run.steps.at(-1)!
  const bar = make('progress', { label: `steps of ${short(totalSteps)}` })
  bar.max = Math.max(totalSteps, done)
  bar.value = done
  const speed = recent(run, 'speed/stepsPerSecond')
  const left = state === 'running' && speed !== undefined ? duration((totalSteps - done) / speed) : '-'
  const faults = FAULTS.reduce((sum, name) => sum + total(run, name), 0)
  return [
    make('span', { class: 'progress' }, bar, ` ${short(done)} of ${short(totalSteps)}`),
    shortOr(recent(run, 'return/training')),
    shortOr(speed),
    left,
    faults === 0 ? '0' : make('b', { class: 'problem' }, String(faults)),
    split(run),
  ]
}

function shortOr(value: number | undefined): string {
  return value === undefined ? '-' : short(value)
}

/** Mean of the last values that there are. */
function recent(run: PageRun, name: string): number | undefined {
  const values = (run.values.get(name) ?? []).filter((value) => value !== null).slice(-RECENT)
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length
}

function total(run: PageRun, name: string): number {
  return (run.values.get(name) ?? []).reduce<number>((sum, value) => sum + (value ?? 0), 0)
}

/** A bar whose parts are the shares of an iteration's time. */
function split(run: PageRun): HTMLElement {
  const shares = PARTS.map((part) => ({ part, share: recent(run, `time/${part}`) ?? 0 }))
  const words = shares.map(({ part, share }) => `${part} ${(100 * share).toFixed(0)} %`).join(', ')
  const bar = make('div', { class: 'split', role: 'img', title: words, label: words })
  for (const { part, share } of shares) {
    const piece = make('span', { class: part })
    piece.style.flexGrow = String(share)
    bar.append(piece)
  }
  return bar
}
