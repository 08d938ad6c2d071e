import { existsSync, rmdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Command } from 'commander'
import { usageError } from '../errors.js'
import {
  completeEnv,
  parseValue,
  type ResolvedConfig,
  resolveConfig,
  totalIterations,
  type TrainConfig,
  validateConfig,
} from '../config/index.js'
import { openSimd, simdModes } from '../devices/open.js'
import { readRunConfig, readRunResult } from '../runs/folder.js'
import { releaseLocks } from '../runs/lock.js'
import type { TrainResult } from '../runs/types.js'
import { Busy } from './busy.js'
import { configSources, withTaskFlags, withValueFlags, type ConfigFlags } from './config-flags.js'
import { Interrupt } from './interrupt.js'
import { episodeCount, flagName, parseSeeds, wholeFlag } from './numbers.js'
import { createProgress } from './progress.js'
import { makeRunFolder } from './run-name.js'

interface TrainFlags extends ConfigFlags {
  seeds?: string
  workers?: string
  simd?: string
  out?: string
  resume?: string
  verbose?: boolean
}

/** Flags that may accompany `--resume`; the folder holds the rest of the run's configuration. */
const resumeFlags = new Set(['resume', 'steps', 'device', 'workers', 'simd', 'verbose'])

export function trainCommand(): Command {
  const command = withTaskFlags(new Command('train').description('Train policies and write a run folder.'))
    .option('--seeds <list>', 'seeds of several runs in sequence: 1-5 or 1,3,7')
    .option('--envs <n>', 'environments stepped side by side (default: 20)')
    .option(
      '--workers <n>',
      'threads that step environments and compute updates; with 0 or 1, updates use only the main thread; never changes a result',
    )
    .option(
      '--simd <mode>',
      `vectors: ${simdModes.join(' or ')} (256 bits, Node 26 on x86-64); never changes a result`,
    )
  return withValueFlags(command)
    .option(
      '--out <dir>',
      'run folder (default: runs/<env>-<algo>-s<seed>); with --seeds the folder of the runs s<seed>',
    )
    .option('--resume <dir>', 'continue the run in this folder; --steps extends it, --device moves it')
    .addHelpText(
      'after',
      `
The last line on stdout is "parameters sha256 <hex>". SIGINT (Ctrl-C) and SIGTERM write a checkpoint and end the run;
its exit code is 130 or 143.

Settings of teams (docs/teams.md):
  actor.sharing     own, shared, or groups of agents: {"walkers":["a","b"],"arms":["c"]}
  critic.input      input of critics: state, observation, observations, observationsAndActions
  critic.sharing    team or own: a critic for each team, or for each agent
  opponents.from    none, past (earlier policies of the learning team), or the folder of a run

Examples:
  hatrpo train --env mamujoco/HalfCheetah-2x3 --algo hatrpo --preset harl --steps 2000000
  hatrpo train --env mamujoco/Hopper-3x1 --algo happo --seeds 1-5 --set clipped.clip=0.1
  hatrpo train --env ./my-env.ts --algo hatrpo --set env.size=5
  hatrpo train --resume runs/HalfCheetah-2x3-hatrpo-s1 --steps 4000000`,
    )
    .action(async (flags: TrainFlags) => {
      const workers = flags.workers === undefined ? {} : { workers: rolloutThreads(flags.workers) }
      // Before a folder is made, which a refusal would leave behind.
      if (flags.simd !== undefined) await openSimd(flags.simd)
      const code =
        flags.resume === undefined
          ? await startRuns(flags, workers)
          : await resumeRun(flags.resume, flags, workers)
      if (code !== undefined) process.exitCode = code
    })
}

type Workers = { workers?: number }

/** Number of threads for --workers. Never 0: a step that does not return on the main one would keep signals waiting. */
function rolloutThreads(flag: string): number {
  return Math.max(1, wholeFlag('--workers', flag, 0, 1024))
}

/** Trains once per seed. @returns the exit code of an interrupted training */
async function startRuns(flags: TrainFlags, workers: Workers): Promise<number | undefined> {
  if (flags.seeds !== undefined && flags.seed !== undefined)
    throw usageError(`--seed is ${flags.seed} and --seeds is ${flags.seeds}: give one of them`)
  if (flags.out === '') throw usageError('--out is "": name a new or empty folder')
  const seeds = flags.seeds === undefined ? [undefined] : parseSeeds(flags.seeds)
  const sources = configSources(flags)
  const set = (seed: number | undefined) => [
    ...(flags.set ?? []),
    ...(seed === undefined ? [] : [`seed=${seed}`]),
  ]
  const runs: ResolvedConfig[] = []
  for (const seed of seeds) {
    runs.push(await completeEnv(resolveConfig({ ...sources, set: set(seed) })))
  }
  const results: TrainResult[] = []
  for (const run of runs) {
    const { seed } = run.config
    const out = flags.out !== undefined && runs.length > 1 ? join(flags.out, `s${seed}`) : flags.out
    const made = out === undefined || !existsSync(out)
    const ended = await trainInto(out ?? makeRunFolder(run.config), made, run, workers, flags)
    if (typeof ended === 'number') return ended
    results.push(ended)
    const isLast = results.length === runs.length
    printResult(ended, isLast && runs.length > 1 ? [await overSeeds(results, flags.seeds!)] : [])
  }
  return undefined
}

/** Mean and spread of what several runs came to, in one line. */
async function overSeeds(results: readonly TrainResult[], seeds: string): Promise<string> {
  const { METRICS, deviation, mean, readRun } = await import('../report/index.js')
  const metric = results.every(({ evaluation }) => evaluation) ? 'evaluation' : 'training'
  const { title, score, missing } = METRICS[metric]
  const curves = results.map(({ dir }) => readRun({ dir, label: undefined }, metric).curve)
  const scores = curves.filter((curve) => curve.length > 0).map(score)
  if (scores.length < curves.length)
    return `seeds ${seeds}: no mean, ${results[curves.findIndex(({ length }) => length === 0)].dir} ${missing}`
  return `seeds ${seeds}: ${title} ${mean(scores).toFixed(1)}, s.d. ${deviation(scores).toFixed(1)} over ${scores.length} runs`
}

async function resumeRun(dir: string, flags: TrainFlags, workers: Workers): Promise<number | undefined> {
  const other = Object.keys(flags).find((flag) => !resumeFlags.has(flag))
  if (other !== undefined)
    throw usageError(
      `${flagName(other)} cannot be combined with --resume: the configuration is in ${join(dir, 'config.json')}; only --steps, --device, --workers and --simd may be given`,
    )
  const stored = readRunConfig(dir)
  const { steps, device } = flags
  const config =
    steps === undefined && device === undefined
      ? stored
      : validateConfig({
          ...stored,
          ...(steps !== undefined && { steps: parseValue(steps) }),
          ...(device !== undefined && { device }),
        })
  const result = readRunResult(dir, config)
  if (result?.iterations === totalIterations(config)) {
    process.stderr.write(`${dir} is finished\n`)
    printResult({ dir, ...result })
    return undefined
  }
  const ended = await trainInto(dir, false, { config }, workers, { ...flags, resume: dir })
  if (typeof ended === 'number') return ended
  printResult(ended)
  return undefined
}

/**
 * Trains and shows progress.
 *
 * @param made whether this command makes the folder, and so removes it again if it stays empty
 * @returns the result, or the exit code of an interrupted training
 */
async function trainInto(
  dir: string,
  made: boolean,
  { config, preset, tunedFor }: Pick<ResolvedConfig, 'config' | 'preset' | 'tunedFor'>,
  workers: Workers,
  flags: TrainFlags,
): Promise<TrainResult | number> {
  const { train } = await import('../training/train.js')
  const origin = { ...(preset !== undefined && { preset }), ...(tunedFor !== undefined && { tunedFor }) }
  const { endThreads } = await import('../rollout/local/threads.js')
  // Iterations print separate lines.
  const busy = new Busy({ first: 10_000 })
  const progress = await createProgress(config, flags.verbose ?? false)
  const interrupt = new Interrupt(
    () =>
      progress.event(
        'stopping: finishing the iteration, then a checkpoint; a second signal ends the run at once',
      ),
    async () => {
      releaseLocks()
      await endThreads()
    },
  )
  let result: TrainResult
  try {
    result = await train({
      config,
      dir,
      origin,
      ...workers,
      resume: flags.resume !== undefined,
      signal: interrupt.signal,
      onPhase: (phase) => busy.phase(phase),
      onStart: () => progress.event(introduction(dir, config, tunedFor)),
      onIteration: (record) => progress.iteration(record),
      onEvaluation: (record) => progress.evaluation(record),
      onFinding: ({ line }) => progress.event(line),
      onEvent: (message, detail) => {
        progress.event(message)
        if (flags.verbose && detail !== undefined) progress.event(detail)
      },
    })
  } catch (error) {
    if (made) removeIfEmpty(dir, ...(flags.out === undefined ? [dirname(dir)] : []))
    throw error
  } finally {
    busy.stop()
    progress.stop()
    interrupt.stop()
  }
  if (result.finished) return result
  process.stderr.write(`stopped after ${result.steps} steps; continue with: hatrpo train --resume ${dir}\n`)
  return interrupt.exitCode ?? 1
}

function introduction(dir: string, config: TrainConfig, tunedFor: string | undefined): string {
  const tuned = tunedFor === undefined ? '' : `, settings tuned for ${tunedFor}`
  return `${config.algo} on ${config.env.id}, seed ${config.seed}${tuned}: ${dir}`
}

/** Removes the folders of a training that failed before it wrote anything, the innermost first. */
function removeIfEmpty(...folders: readonly string[]): void {
  try {
    for (const folder of folders) rmdirSync(folder)
  } catch {
    // It holds something, or does not exist.
  }
}

/** @param more lines before the last one, which is always the digest of the parameters */
function printResult(result: Omit<TrainResult, 'finished'>, more: readonly string[] = []): void {
  const { dir, steps, iterations, evaluation, best, findings = [], parametersSha256 } = result
  const lines = [`run ${dir}`, `steps ${steps} in ${iterations} iterations`]
  if (evaluation)
    lines.push(
      `evaluation ${evaluation.mean.toFixed(1)} +- ${evaluation.sd.toFixed(1)} over ${episodeCount(evaluation.episodes)}`,
    )
  if (best)
    lines.push(
      `best checkpoint ${best.iteration}, evaluation ${best.evaluation.toFixed(1)} (--checkpoint best)`,
    )
  lines.push(...findings.map(({ line }) => `at the end: ${line}`))
  process.stdout.write(`${[...lines, ...more, `parameters sha256 ${parametersSha256}`].join('\n')}\n`)
}
