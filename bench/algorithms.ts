// Comparison of methods: trains the cells of a data file and prints them as the page docs/results/algorithms.md.
//   node dist/bench/algorithms.js train --out DIR [--cells FILE] [--only TEXT] [--jobs N] [--workers N] [--simd wide]
//   node dist/bench/algorithms.js table --out DIR [--cells FILE] > docs/results/algorithms.md
// The data file (bench/algorithms.json) has groups of methods with a common task, seeds and settings. Repeating the command
// continues stopped trainings and skips finished ones. TEXT selects runs by their names.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { AlgorithmName } from '../src/algorithms/table.js'
import { resolveConfig, type TrainConfig } from '../src/config/index.js'
import { loadEnvFactory } from '../src/envs/index.js'
import { HatrpoError } from '../src/errors.js'
import { bootstrapInterval } from '../src/report/bootstrap.js'
import { nearlyBest, SMOOTHING, smoothed } from '../src/report/curve.js'
import { interval } from '../src/report/format.js'
import { aggregateIqm, deviation, interquartileMean, mean, median, sum } from '../src/report/statistics.js'
import { readMetrics } from '../src/runs/metrics.js'
import type { IterationRecord, RunResult } from '../src/runs/types.js'
import { seedsOf, trainGrid, type Training } from './grid.js'

/** A task with methods to compare on it. */
interface Group {
  readonly title: string
  readonly env: string
  readonly preset?: string
  readonly steps: number
  /** `1-5` or `1,3`. */
  readonly seeds: string
  /** Settings of all its methods. */
  readonly set?: readonly string[]
  readonly methods: readonly (string | { name: string; algo: string; set?: readonly string[] })[]
  /** Remarks below the table. */
  readonly note?: string
}

/** Runs that differ only in their seeds. */
interface Cell {
  readonly group: Group
  readonly name: string
  readonly algo: string
  readonly set: readonly string[]
}

/** Result of a training: DIR/NAME.json. */
interface Outcome {
  readonly final: number
  readonly curve: readonly { readonly steps: number; readonly return: number }[]
  /** Iterations, times the median of their durations. */
  readonly minutes: number
  /** Median over iterations of the time of learning. */
  readonly updateSeconds: number
  /** Used fraction of the KL budget; null for methods without a bound on the KL. */
  readonly klShare: number | null
}

/** Fraction of the distance from a curve's first to its largest value, whose steps are printed. */
const NEARLY = 0.99
/** No evaluation but the last. */
const ONCE = 'evaluation.every=1000000'

const { values, positionals } = parseArgs({
  options: {
    out: { type: 'string' },
    cells: { type: 'string', default: join(import.meta.dirname, '../../bench/algorithms.json') },
    only: { type: 'string', default: '' },
    jobs: { type: 'string', default: '1' },
    workers: { type: 'string', default: '1' },
    simd: { type: 'string', default: 'baseline' },
  },
  allowPositionals: true,
})
const [command] = positionals
if (values.out === undefined || positionals.length !== 1 || !['train', 'table'].includes(command)) {
  console.error(
    'usage: node dist/bench/algorithms.js train|table --out DIR (the first lines of bench/algorithms.ts)',
  )
  process.exit(2)
}
const out = values.out
const { intro, groups } = JSON.parse(readFileSync(values.cells, 'utf8')) as {
  intro: string
  groups: readonly Group[]
}

function cellsOf(group: Group): Cell[] {
  return group.methods.map((method) => {
    const { name, algo, set = [] } = typeof method === 'string' ? { name: method, algo: method } : method
    return { group, name, algo, set: [ONCE, ...(group.set ?? []), ...set] }
  })
}

/** Flags of a cell's command, without its seeds. */
function flagsOf({ group: { env, preset, steps }, algo, set }: Cell): string[] {
  const chosen = preset === undefined ? [] : ['--preset', preset]
  const sets = set.flatMap((setting) => ['--set', setting])
  return ['--env', env, '--algo', algo, ...chosen, '--steps', String(steps), ...sets]
}

/** Why a cell cannot be trained, in one line; null where it can. */
async function faultOf({ group: { env, preset, steps }, algo, set }: Cell): Promise<string | null> {
  try {
    const flags = { env: { id: env }, algo: algo as AlgorithmName, steps }
    const { config } = resolveConfig({ preset, flags, set })
    await loadEnvFactory(config.env)
    return null
  } catch (error) {
    if (error instanceof HatrpoError) return error.message
    throw error
  }
}

function trainingOf(cell: Cell, seed: number): Training {
  const task = cell.group.env.replace(/^.*\//, '').replace(/\.\w+$/, '')
  const name = `${task}-${cell.group.steps}.${cell.name.replace(/\W+/g, '-')}.s${seed}`
  return { name, args: [...flagsOf(cell), '--seed', String(seed)] }
}

async function train(): Promise<void> {
  const trainings: Training[] = []
  for (const group of groups) {
    const cells: Cell[] = []
    for (const cell of cellsOf(group)) {
      const fault = await faultOf(cell)
      if (fault === null) cells.push(cell)
      else console.log(`${group.title}, ${cell.name}: left out: ${fault}`)
    }
    // Seed by seed, so that a grid that is stopped early compares all methods on the seeds that it has.
    for (const seed of seedsOf(group.seeds)) trainings.push(...cells.map((cell) => trainingOf(cell, seed)))
  }
  const chosen = trainings.filter(({ name }) => name.includes(values.only))
  const { jobs, workers, simd } = values
  const flags = ['--workers', workers, '--simd', simd]
  await trainGrid(out, chosen, { jobs: Number(jobs), flags }, (_, dir) => outcomeOf(dir))
}

/** Result of the finished run in a folder. */
function outcomeOf(dir: string): Outcome {
  const result = JSON.parse(readFileSync(join(dir, 'result.json'), 'utf8')) as RunResult
  const config = JSON.parse(readFileSync(join(dir, 'config.json'), 'utf8')) as TrainConfig
  const records = readMetrics(join(dir, 'metrics.jsonl'))
  const curve = records.flatMap(({ steps, episodeReturn }) =>
    episodeReturn ? [{ steps, return: episodeReturn.mean }] : [],
  )
  return {
    final: result.evaluation!.mean,
    curve,
    minutes: (records.length * median(records.map(({ seconds }) => seconds))) / 60,
    updateSeconds: median(records.map(({ seconds, time }) => seconds * time.learner)),
    klShare: klShareOf(records, config.trustRegion.delta),
  }
}

/** A split budget is counted once, although KL that an agent does not use is allotted again. */
function klShareOf(records: readonly IterationRecord[], delta: number): number | null {
  const agents = records.flatMap((record) => record.agents)
  if (agents.some(({ klAllowed }) => klAllowed === undefined)) return null
  const allowed = agents.map(({ klAllowed, turn }) => (turn === undefined ? klAllowed! : delta))
  return sum(agents.map(({ klUsed }) => klUsed!)) / sum(allowed)
}

async function table(): Promise<string> {
  const parts = [`# Comparison of methods`, intro, LEGEND]
  for (const group of groups) {
    parts.push(`## ${group.title}`, await tableOf(group))
    if (group.note !== undefined) parts.push(group.note)
    const commands = cellsOf(group).map((cell) => commandOf(cell))
    parts.push('```sh\n' + commands.join('\n') + '\n```')
  }
  return parts.join('\n\n')
}

const LEGEND = `IQM is the interquartile mean over seeds, with its 95 % bootstrap interval ([compare.md](../compare.md)). *Steps to 99 %* is the
number of steps after which the training return, averaged over ${SMOOTHING} iterations, has covered 99 % of the distance from its first
to its largest value; mean ± standard deviation over seeds. *Minutes* is the time of a run, and *update* the learning time of an
iteration; both are medians over iterations, of the fastest seed. *KL* is the used fraction of the KL budget. A dash means that
the run was not made.

\`node dist/bench/algorithms.js train --out DIR\` makes the missing runs, and \`table\` prints this page.`

async function tableOf(group: Group): Promise<string> {
  const seeds = seedsOf(group.seeds)
  const columns = ['IQM', '95 %', 's.d.', 'steps to 99 %, thousands', 'minutes', 'update, s', 'KL']
  const head = ['method', ...seeds.map((seed) => `seed ${seed}`), ...columns]
  const lines = [`| ${head.join(' | ')} |`, `|---|${'---:|'.repeat(head.length - 1)}`]
  for (const cell of cellsOf(group)) {
    const fault = (await faultOf(cell)) ?? failureOf(cell)
    const outcomes = seeds.map((seed) => outcomeAt(cell, seed))
    const made = outcomes.filter((outcome) => outcome !== null)
    const finals = outcomes.map((outcome) => (outcome ? number(outcome.final) : '–'))
    const rest = made.length > 0 ? summary(made) : columns.map(() => '–')
    const name = fault === null ? cell.name : `${cell.name} (not run: ${fault.replaceAll('|', '\\|')})`
    lines.push(`| ${[name, ...finals, ...rest].join(' | ')} |`)
  }
  return lines.join('\n')
}

/** The last words of a cell's run that failed, such as a task that the method cannot train on; null for none. */
function failureOf(cell: Cell): string | null {
  const names = seedsOf(cell.group.seeds).map((seed) => join(out, `${trainingOf(cell, seed).name}.error`))
  const failed = names.find((name) => existsSync(name))
  return failed === undefined ? null : readFileSync(failed, 'utf8').replace(/^hatrpo: /, '')
}

function outcomeAt(cell: Cell, seed: number): Outcome | null {
  const path = join(out, `${trainingOf(cell, seed).name}.json`)
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Outcome) : null
}

/** The columns after the seeds' values. */
function summary(outcomes: readonly Outcome[]): string[] {
  const finals = outcomes.map(({ final }) => final)
  const several = finals.length > 1
  const least = (pick: (outcome: Outcome) => number) => Math.min(...outcomes.map(pick))
  const steps = outcomes.flatMap(({ curve }) => {
    if (curve.length === 0) return []
    const returns = curve.map((point) => point.return)
    return [curve[nearlyBest(smoothed(returns, SMOOTHING), NEARLY)].steps]
  })
  const spread = steps.length > 1 ? ` ± ${thousands(deviation(steps))}` : ''
  const shares = outcomes.map(({ klShare }) => klShare)
  return [
    number(interquartileMean(finals)),
    interval(bootstrapInterval([finals], aggregateIqm), number),
    several ? number(deviation(finals)) : '–',
    steps.length > 0 ? `${thousands(mean(steps))}${spread}` : '–',
    least(({ minutes }) => minutes).toFixed(1),
    least(({ updateSeconds }) => updateSeconds).toFixed(3),
    shares.includes(null) ? '–' : mean(shares as number[]).toFixed(2),
  ]
}

const thousands = (value: number): string => (value / 1000).toFixed(0)

/** With three digits that count, at least. */
function number(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3)
}

/** The command that makes a cell's runs. */
function commandOf(cell: Cell): string {
  const quoted = flagsOf(cell).map((flag) => (/^[\w./:=,-]+$/.test(flag) ? flag : `'${flag}'`))
  return `npx hatrpo train ${quoted.join(' ')} --seeds ${cell.group.seeds}`
}

if (command === 'train') {
  await train().catch((error: Error) => {
    console.error(error.message)
    process.exitCode = 1
  })
} else console.log(await table())
