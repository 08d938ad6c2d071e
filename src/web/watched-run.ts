import { join } from 'node:path'
import { flatConfig, totalIterations, type TrainConfig } from '../config/index.js'
import { diagnose } from '../runs/diagnostics.js'
import { parseEvaluations } from '../runs/evaluations.js'
import { readRunResult } from '../runs/folder.js'
import { isHeld } from '../runs/lock.js'
import { MetricsFollower } from '../runs/metrics-follower.js'
import { type EvaluationPoint, emptySeries, evaluationPoints, extendSeries } from '../runs/series.js'
import { parseConfigFile } from '../runs/stored-config.js'
import type { Finding, IterationRecord } from '../runs/types.js'
import { FileView, type FoundRun, withFile } from './folders.js'
import { PANELS } from './panels.js'
import type { Columns, Evaluations, RunState, RunUpdate, SeenRun } from './updates.js'

/** Rows of a run that an answer holds at most. */
const ROWS = 5000
/** Significant digits of the numbers that are sent. */
const DIGITS = 6

/** Records that are kept of a run's beginning, and of its end: more than any diagnosis judges. */
export const KEPT = 100

/** Names of the numbers that the panels show: of runs, and of agents without their ids. */
const runNames = PANELS.flatMap(({ series }) => series.filter(({ ofAgents }) => !ofAgents)).map(
  ({ name }) => name,
)
const agentNames = PANELS.flatMap(({ series }) => series.filter(({ ofAgents }) => ofAgents)).map(
  ({ name }) => name,
)

/** A run folder, and the records read so far. */
export class WatchedRun {
  readonly id: number
  readonly #found: FoundRun
  readonly #config: FileView<ReturnType<typeof parseConfigFile>>
  readonly #evaluations: FileView<EvaluationPoint[]>
  readonly #follower = new MetricsFollower()
  #series = emptySeries()
  /** Agents, or groups of them, that learned. */
  readonly #agents = new Set<string>()
  #beginning: IterationRecord[] = []
  #latest: IterationRecord[] = []
  #generation = 0
  #findings: readonly Finding[] = []

  constructor(id: number, found: FoundRun) {
    const { dir } = found
    this.id = id
    this.#found = found
    this.#config = new FileView(dir, 'config.json', (text) => parseConfigFile(dir, () => text))
    this.#evaluations = new FileView(dir, 'eval.json', (text) =>
      evaluationPoints(parseEvaluations(text, join(dir, 'eval.json'))),
    )
  }

  /**
   * Present state of the run. New lines are read only for a page that shows the run.
   * @param seen rows of the page; undefined for a page that does not show the run
   */
  update(seen: SeenRun | undefined): { run: RunUpdate; more: boolean } {
    const { name, dir } = this.#found
    try {
      const unread = seen !== undefined && this.#follow()
      const run = { ...this.#facts(), ...this.#plan() }
      if (!seen) return { run, more: false }
      const columns = this.#columns(seen.generation === this.#generation ? seen.rows : 0)
      const unsent = columns.from + columns.steps.length < this.#series.steps.length
      return {
        run: { ...run, columns, evaluations: this.#evaluated(), findings: this.#findings },
        more: unread || unsent,
      }
    } catch (error) {
      // A damaged folder does not affect other runs. The page identifies the folder by its name.
      const problem = (error as Error).message.replaceAll(dir, name)
      return { run: { ...this.#facts(), state: 'stopped', config: {}, problem }, more: false }
    }
  }

  #facts() {
    const { damaged } = this.#follower
    return {
      id: this.id,
      name: this.#found.name,
      generation: this.#generation,
      rows: this.#series.steps.length,
      agents: [...this.#agents],
      ...(damaged && { problem: `metrics.jsonl cannot be read after line ${this.#series.steps.length}` }),
    }
  }

  /** Goal of the run, and its state. */
  #plan() {
    const stored = this.#config.content
    if (!stored) return { state: 'stopped' as const, config: {} }
    const { portable, config, about } = stored
    return {
      state: this.#state(config),
      config: { ...texts(flatConfig(portable)), ...texts(Object.entries(about ?? {}), 'about.') },
      totalSteps: totalIterations(config) * config.envs * config.rolloutSteps,
    }
  }

  #state(config: TrainConfig): RunState {
    const { dir } = this.#found
    if (isHeld(dir)) return 'running'
    return readRunResult(dir, config) ? 'finished' : 'stopped'
  }

  /** Reads new lines. @returns whether there are more of them than one call reads */
  #follow(): boolean {
    const added = withFile(this.#found.dir, 'metrics.jsonl', (file) => this.#follower.read(file))
    if (!added) return false
    if (added.restarted) {
      this.#generation++
      this.#series = emptySeries()
      this.#beginning = []
      this.#latest = []
    }
    for (const record of added.records) {
      extendSeries(this.#series, record)
      for (const { id } of record.agents) this.#agents.add(id)
    }
    const early = KEPT - this.#beginning.length
    this.#beginning.push(...added.records.slice(0, early))
    this.#latest = [...this.#latest, ...added.records.slice(early)].slice(-KEPT)
    if (added.records.length > 0 || added.restarted) this.#diagnose()
    return added.more
  }

  #diagnose(): void {
    const stored = this.#config.content
    this.#findings = stored ? diagnose([...this.#beginning, ...this.#latest], stored.config) : []
  }

  #columns(from: number): Columns {
    const { steps, seconds, values } = this.#series
    const start = Math.min(from, steps.length)
    const end = Math.min(start + ROWS, steps.length)
    const names = [
      ...runNames,
      ...[...this.#agents].flatMap((id) => agentNames.map((name) => `${id}/${name}`)),
    ]
    const present = names.filter((name) => values.has(name))
    const part = (column: readonly (number | null)[]) => column.slice(start, end).map(rounded)
    return {
      from: start,
      steps: steps.slice(start, end),
      seconds: part(seconds) as number[],
      values: Object.fromEntries(present.map((name) => [name, part(values.get(name)!)])),
    }
  }

  #evaluated(): Evaluations {
    const points = this.#evaluations.content ?? []
    return {
      steps: points.map(({ steps }) => steps),
      means: points.map(({ mean }) => (Number.isFinite(mean) ? rounded(mean) : null)),
    }
  }
}

function rounded(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(DIGITS))
}

/** Values by key, as JSON. */
function texts(entries: Iterable<[string, unknown]>, prefix = ''): Record<string, string> {
  return Object.fromEntries([...entries].map(([key, value]) => [prefix + key, JSON.stringify(value)]))
}
