import type { RunUpdate, SeenRun, Updates } from '../updates.js'

/** State of a run in the page. */
export interface PageRun {
  /** The last update, whose columns are in the fields below. */
  latest: RunUpdate
  generation: number
  readonly steps: number[]
  /** Wall time so far. */
  readonly seconds: number[]
  /** By name, as long as `steps`; null where an iteration has no such number. */
  readonly values: Map<string, (number | null)[]>
}

/** Runs of the server, assembled from its responses. */
export class Store {
  readonly runs = new Map<number, PageRun>()

  /** Rows that the page has of some runs, for the next request. */
  seen(shown: Iterable<number>): Map<number, SeenRun> {
    const seen = new Map<number, SeenRun>()
    for (const id of shown) {
      const run = this.runs.get(id)
      if (run) seen.set(id, { generation: run.generation, rows: run.steps.length })
    }
    return seen
  }

  apply(updates: Updates): void {
    const present = new Set(updates.runs.map(({ id }) => id))
    for (const id of this.runs.keys()) if (!present.has(id)) this.runs.delete(id)
    for (const update of updates.runs) {
      const run = this.runs.get(update.id) ?? emptyRun(update)
      this.runs.set(update.id, run)
      if (run.generation !== update.generation) clear(run)
      run.generation = update.generation
      append(run, update)
      const { evaluations = run.latest.evaluations } = update
      run.latest = { ...update, ...(evaluations && { evaluations }) }
    }
  }
}

function emptyRun(latest: RunUpdate): PageRun {
  return { latest, generation: latest.generation, steps: [], seconds: [], values: new Map() }
}

function clear(run: PageRun): void {
  run.steps.length = 0
  run.seconds.length = 0
  run.values.clear()
}

function append(run: PageRun, { columns }: RunUpdate): void {
  // Rows that do not continue those at hand answer an earlier request; the next one asks again.
  if (!columns || columns.from !== run.steps.length) return
  const before = run.steps.length
  for (const name of Object.keys(columns.values))
    if (!run.values.has(name)) run.values.set(name, new Array<null>(before).fill(null))
  for (const [name, column] of run.values) {
    const added = columns.values[name] ?? new Array<null>(columns.steps.length).fill(null)
    for (const value of added) column.push(value)
  }
  for (const value of columns.steps) run.steps.push(value)
  for (const value of columns.seconds) run.seconds.push(value)
}
