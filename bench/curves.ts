// Learning curves of a grid of tasks, variants of the configuration and seeds, and their comparison.
//   node dist/bench/curves.js train   --out DIR --env ID[,ID...] --variant NAME[=SETTINGS] ... --seeds 1-10 --steps N
//                                     [--algo NAME] [--jobs N] [--workers N]
//   node dist/bench/curves.js summary --out DIR [--baseline NAME] [--json]
// SETTINGS are key=value pairs between spaces. A variant without them has the name of a solver: trustRegion.solver=NAME.
// Repeating the command continues stopped trainings and skips finished ones.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { finalMean } from '../src/report/curve.js'
import { deviation, interquartileMean, mean } from '../src/report/statistics.js'
import { readMetrics } from '../src/runs/metrics.js'
import type { IterationRecord } from '../src/runs/types.js'
import { seedsOf, trainGrid } from './grid.js'

/** One training of the grid. */
interface Job {
  readonly task: string
  readonly variant: string
  readonly settings: readonly string[]
  readonly seed: number
}

/** Result of a training: DIR/NAME.json. */
interface Curve extends Job {
  readonly steps: number
  readonly curve: readonly { readonly steps: number; readonly return: number }[]
  readonly iterations: readonly Iteration[]
}

/** Means over the agents of an iteration. */
interface Iteration {
  readonly residual: number
  /** Of the KL that was allowed. */
  readonly klShare: number
  readonly predictedGain: number
  readonly realisedGain: number
  readonly trials: number
  readonly rejected: number
  readonly learnerSeconds: number
}

const options = {
  out: { type: 'string' },
  env: { type: 'string', default: 'mamujoco/HalfCheetah-2x3' },
  algo: { type: 'string', default: 'hatrpo' },
  variant: { type: 'string', multiple: true },
  seeds: { type: 'string', default: '1-10' },
  steps: { type: 'string', default: '1000000' },
  jobs: { type: 'string', default: '1' },
  workers: { type: 'string', default: '1' },
  baseline: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const
const { values, positionals } = parseArgs({ options, allowPositionals: true })
const [command] = positionals
if (values.out === undefined || positionals.length !== 1 || !['train', 'summary'].includes(command)) {
  console.error(
    'usage: node dist/bench/curves.js train|summary --out DIR (the first lines of bench/curves.ts)',
  )
  process.exit(2)
}
const out = values.out

function jobsOf(): Job[] {
  const variants = (values.variant ?? ['plain', 'fast']).map((text) => {
    const [name] = text.split('=', 1)
    const settings = text === name ? `trustRegion.solver=${name}` : text.slice(name.length + 1)
    return { variant: name, settings: settings.split(/\s+/).filter(Boolean) }
  })
  // Seed by seed, so that a grid that is stopped early compares all variants on the seeds that it has.
  return seedsOf(values.seeds).flatMap((seed) =>
    values.env.split(',').flatMap((task) => variants.map((variant) => ({ task, ...variant, seed }))),
  )
}

const nameOf = ({ task, variant, seed }: Job) => `${task.replace(/^.*\//, '')}.${variant}.s${seed}`

const sets = ['evaluation.every=0', 'checkpoint.every=25']

function argsOf({ task, settings, seed }: Job): string[] {
  const run = ['--env', task, '--algo', values.algo, '--seed', String(seed), '--steps', values.steps]
  return [...run, ...[...sets, ...settings].flatMap((set) => ['--set', set])]
}

/** Result of the training in a folder. */
function curveOf(job: Job, dir: string): Curve {
  const records = readMetrics(join(dir, 'metrics.jsonl'))
  const curve = records.flatMap(({ steps, episodeReturn }) =>
    episodeReturn ? [{ steps, return: episodeReturn.mean }] : [],
  )
  return { ...job, steps: records.at(-1)!.steps, curve, iterations: records.map(iterationOf) }
}

function iterationOf({ agents, seconds, time }: IterationRecord): Iteration {
  const over = (pick: (agent: IterationRecord['agents'][number]) => number | undefined) =>
    mean(agents.map((agent) => pick(agent) ?? NaN))
  return {
    residual: over(({ cgResidual }) => cgResidual),
    klShare: over(({ klUsed, klAllowed }) => klUsed! / klAllowed!),
    predictedGain: over(({ predictedGain }) => predictedGain),
    realisedGain: over(({ realisedGain }) => realisedGain),
    trials: over(({ lineSearchTrials }) => lineSearchTrials),
    rejected: over(({ rejectedSteps }) => rejectedSteps),
    learnerSeconds: seconds * time.learner,
  }
}

async function train(): Promise<void> {
  const trainings = jobsOf().map((job) => ({ job, name: nameOf(job), args: argsOf(job) }))
  const { jobs, workers } = values
  await trainGrid(out, trainings, { jobs: Number(jobs), flags: ['--workers', workers] }, ({ job }, dir) =>
    curveOf(job, dir),
  )
}

/** Comparison of the seeds of a task and a variant. */
interface Row {
  readonly task: string
  readonly variant: string
  readonly seeds: number
  /** Of the last tenth of the curves (`finalMean`). */
  readonly final: { readonly mean: number; readonly sd: number; readonly iqm: number }
  /** Mean over the whole curve: its area. */
  readonly area: { readonly mean: number; readonly sd: number }
  /** Difference of the final means from the baseline's, in standard errors (Welch); 0 for the baseline itself. */
  readonly differs: number
  readonly iterations: Iteration
}

function rowsOf(curves: readonly Curve[]): Row[] {
  const groups = new Map<string, Curve[]>()
  for (const curve of curves) {
    const key = `${curve.task} ${curve.variant}`
    groups.set(key, [...(groups.get(key) ?? []), curve])
  }
  const finals = (group: readonly Curve[]) => group.map(({ curve }) => finalMean(curve.map((p) => p.return)))
  const baseline = values.baseline ?? 'plain'
  return [...groups.values()].map((group): Row => {
    const { task, variant } = group[0]
    const [own, base] = [finals(group), finals(groups.get(`${task} ${baseline}`) ?? group)]
    const error = Math.sqrt(deviation(own) ** 2 / own.length + deviation(base) ** 2 / base.length)
    const areas = group.map(({ curve }) => mean(curve.map((p) => p.return)))
    const all = group.flatMap(({ iterations }) => iterations)
    const over = (key: keyof Iteration) =>
      mean(all.map((iteration) => iteration[key]).filter(Number.isFinite))
    const keys = Object.keys(all[0]) as (keyof Iteration)[]
    return {
      task,
      variant,
      seeds: group.length,
      final: { mean: mean(own), sd: deviation(own), iqm: interquartileMean(own) },
      area: { mean: mean(areas), sd: deviation(areas) },
      differs: variant === baseline ? 0 : (mean(own) - mean(base)) / error,
      iterations: Object.fromEntries(keys.map((key) => [key, over(key)])) as unknown as Iteration,
    }
  })
}

function summary(): void {
  const files = readdirSync(out).filter((name) => name.endsWith('.json'))
  const curves = files.map((name) => JSON.parse(readFileSync(join(out, name), 'utf8')) as Curve)
  const rows = rowsOf(curves)
  if (values.json) return console.log(JSON.stringify(rows))
  const head = [
    'task',
    'variant',
    'seeds',
    'final return',
    's.d.',
    'IQM',
    'over the run',
    's.d.',
    'differs, s.e.',
  ]
  const more = ['residual', 'KL / allowed', 'gain predicted', 'realised', 'trials', 'rejected', 'update, s']
  console.log(`| ${[...head, ...more].join(' | ')} |\n|${'---|'.repeat(head.length + more.length)}`)
  for (const { task, variant, seeds, final, area, differs, iterations: it } of rows) {
    const returns = [final.mean, final.sd, final.iqm, area.mean, area.sd].map((v) => v.toFixed(0))
    const gains = [it.residual, it.klShare].map((v) => v.toFixed(2))
    const rest = [it.predictedGain, it.realisedGain].map((v) => v.toFixed(4))
    const counts = [it.trials, it.rejected, it.learnerSeconds].map((v) => v.toFixed(2))
    const cells = [task, variant, seeds, ...returns, differs.toFixed(1), ...gains, ...rest, ...counts]
    console.log(`| ${cells.join(' | ')} |`)
  }
}

if (command === 'train') await train()
else summary()
