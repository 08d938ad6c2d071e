import { HatrpoError, usageError } from '../../errors.js'
import { EnvContext } from '../context.js'
import type { EnvSpec, MultiAgentEnv } from '../contract.js'
import type { EnvFactory } from '../factory.js'
import { defaultStages, narrowInputs } from '../narrow.js'
import { RandomStream } from '../random.js'
import { findShapeProblems } from '../shape.js'
import { checkAllocation } from './allocation.js'
import { checkForeignMemory, checkOwnMemory } from './aliasing.js'
import { checkFresh, checkInterleaved, checkReused, checkSeeds } from './determinism.js'
import {
  checkEnds,
  checkStepAfterEnd,
  checkUnclipped,
  type Episode,
  type EpisodeSummary,
  LONGEST_EPISODE,
  runEpisode,
} from './episodes.js'
import { type Finding, Findings, firstLine, Thrown } from './finding.js'
import { checkRestore } from './restore.js'
import { ActionSampler, hasBounds } from './sampler.js'
import { StepChecks } from './step-checks.js'
import type { Trace } from './trace.js'

/** Purpose of the random stream that draws the seeds of the episodes. */
const SEEDS_PURPOSE = 0x636b5eed

/** Subject of a check: a factory, a function that makes environments, or one environment. */
export type CheckedSource =
  EnvFactory | ((context: EnvContext) => MultiAgentEnv | Promise<MultiAgentEnv>) | MultiAgentEnv

export interface CheckOptions {
  /** Episodes of random actions. Default 3. */
  readonly episodes?: number
  /** Of the episodes' seeds and of the actions. Default 1. */
  readonly seed?: number
  /** Resources that environments of one thread share; default: one of its own. */
  readonly context?: EnvContext
  /** Whether to look for objects that `step` makes; of no use where `step` only asks another process. Default true. */
  readonly allocation?: boolean
}

export interface CheckReport {
  /** Undefined when it is not whole. */
  readonly spec: EnvSpec | undefined
  readonly episodes: readonly EpisodeSummary[]
  /** Of the episodes, in `step` alone; undefined when there was none. */
  readonly stepsPerSecond: number | undefined
  /** How training brings an environment back. */
  readonly restoredBy: 'saveState' | 'replay'
  /** Checks that could not be made, with the reason, and other remarks. */
  readonly notes: readonly string[]
  /** The faults; empty for a sound environment. */
  readonly findings: readonly Finding[]
}

/**
 * Looks for what is wrong with an environment: runs episodes of random actions, repeats them on other instances, and
 * compares bits. A source that is one environment cannot be compared with a second one; a note records it.
 * @throws HatrpoError (exit code 2) for a wrong number of episodes or seed. What the environment throws is a finding.
 */
export async function checkEnv(source: CheckedSource, options: CheckOptions = {}): Promise<CheckReport> {
  const { episodes = 3, seed = 1, allocation = true } = options
  if (!Number.isSafeInteger(episodes) || episodes < 1)
    throw usageError(`episodes is ${episodes}: it must be a whole number from 1`)
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw usageError(`seed is ${seed}: it must be a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`)
  const check = new Check(makerOf(source, options.context), seed, allocation)
  try {
    await check.run(episodes)
  } catch (error) {
    if (!(error instanceof Thrown)) throw error
    check.findings.add(
      'throws',
      `${error.message}: it must work for every seed, and for every action in the spec's spaces`,
    )
  } finally {
    check.dispose()
  }
  return check.report()
}

/** Makes an environment; undefined when there is no further one. */
type Maker = () => Promise<MultiAgentEnv | undefined>

function makerOf(source: CheckedSource, context = new EnvContext()): Maker {
  if (typeof source === 'function') return async () => source(context)
  if (typeof (source as Partial<EnvFactory>).create === 'function') {
    return () => (source as EnvFactory).create(context)
  }
  let given = false
  return async () => {
    if (given) return undefined
    given = true
    return source as MultiAgentEnv
  }
}

/** One check: the environments it made and what it found. */
class Check {
  readonly findings = new Findings()
  readonly #make: Maker
  readonly #seed: number
  readonly #allocation: boolean
  readonly #sampler: ActionSampler
  readonly #made: MultiAgentEnv[] = []
  readonly #notes: string[] = []
  #spec: EnvSpec | undefined
  #episodes: readonly Episode[] = []

  constructor(make: Maker, seed: number, allocation: boolean) {
    this.#make = make
    this.#seed = seed
    this.#allocation = allocation
    this.#sampler = new ActionSampler(seed)
  }

  /** All checks, in the order of `checkRules`; those that earlier findings leave without meaning are left out. */
  async run(count: number): Promise<void> {
    const { findings } = this
    const env = await this.#makeEnv()
    if (env === undefined) return
    for (const message of narrowInputs(env.spec, defaultStages))
      findings.add('narrow-input', message, message)
    checkOwnMemory(env, findings)
    const seeds = this.#seeds(count)
    this.#runEpisodes(env, seeds.slice(0, count))
    if (findings.has('step-result')) return
    if (hasBounds(env.spec) && !findings.has('finite')) checkUnclipped(env, seeds[0], this.#sampler, findings)
    const traces = this.#episodes.map(({ trace }) => trace)
    checkReused(env, traces[0], this.#seed, findings)
    checkSeeds(env, traces[0], seeds.slice(1), this.#seed, findings)
    await this.#compareInstances(env, traces)
    await this.#checkSteps(env, seeds[0])
  }

  report(): CheckReport {
    const steps = this.#episodes.reduce((sum, episode) => sum + episode.steps, 0)
    const seconds = this.#episodes.reduce((sum, episode) => sum + episode.seconds, 0)
    return {
      spec: this.#spec,
      episodes: this.#episodes.map(({ seed, steps, end, returns }) => ({ seed, steps, end, returns })),
      stepsPerSecond: seconds > 0 ? steps / seconds : undefined,
      restoredBy: this.#made[0]?.saveState === undefined ? 'replay' : 'saveState',
      notes: this.#notes,
      findings: this.findings.list,
    }
  }

  dispose(): void {
    for (const env of this.#made) {
      try {
        env.dispose?.()
      } catch (error) {
        this.findings.add('throws', `dispose threw ${firstLine(error)}: it must work at any time`, 'dispose')
      }
    }
  }

  /** An environment whose spec and views are whole; undefined after findings, or when the source has no more. */
  async #makeEnv(): Promise<MultiAgentEnv | undefined> {
    let env: MultiAgentEnv | undefined
    try {
      env = await this.#make()
    } catch (error) {
      if (!(error instanceof HatrpoError)) throw new Thrown('making an environment', error)
      if (error.exitCode === 2) throw error
      throw new Thrown('making an environment', error.message)
    }
    if (env === undefined && this.#made.length > 0) return undefined
    const problems = findShapeProblems(env)
    for (const { where, message } of problems) this.findings.add(where, message, message)
    if (env === undefined || problems.length > 0) return undefined
    this.#spec ??= env.spec
    this.#made.push(env)
    return env
  }

  /** Seeds of episodes, as large as training draws them; one for each, and some that only the check of seeds uses. */
  #seeds(count: number): number[] {
    const random = new RandomStream(this.#seed, SEEDS_PURPOSE)
    return Array.from({ length: count + 4 }, () => Math.floor(random.uniform() * Number.MAX_SAFE_INTEGER))
  }

  #runEpisodes(env: MultiAgentEnv, seeds: readonly number[]): void {
    const checks = new StepChecks(env, this.findings)
    const episodes: Episode[] = []
    this.#episodes = episodes
    for (const [i, seed] of seeds.entries()) {
      episodes.push(runEpisode(env, seed, i, this.#sampler, checks, this.findings))
      if (this.findings.has('step-result')) return
      if (episodes[i].end !== 'running') checkStepAfterEnd(env, episodes[i], this.findings)
    }
    const { timeLimit } = env.spec
    checkEnds(episodes, timeLimit, this.findings)
    if (
      timeLimit > LONGEST_EPISODE &&
      timeLimit !== Infinity &&
      episodes.some(({ end }) => end === 'running')
    )
      this.#notes.push(
        `the time limit of ${timeLimit} was not reached: episodes are left after ${LONGEST_EPISODE} steps`,
      )
  }

  /** Checks that need a second and a third environment. */
  async #compareInstances(env: MultiAgentEnv, traces: readonly Trace[]): Promise<void> {
    const { findings } = this
    const seed = this.#seed
    const second = await this.#makeEnv()
    const third = await this.#makeEnv()
    if (second === undefined || third === undefined) {
      this.#notes.push(
        'two environments were not compared: one environment was given, and not what makes them',
      )
      return
    }
    checkForeignMemory(env, second, findings)
    const shared = findings.has('aliasing')
    checkFresh(second, traces[0], seed, findings)
    if (findings.has('determinism')) {
      this.#notes.push(
        'saveState and shared variables were not checked: the same seed does not give the same episode',
      )
      return
    }
    const pair = [traces[0], traces[1] ?? traces[0]] as const
    if (!shared) checkInterleaved([env, second], pair, seed, findings)
    if (env.saveState === undefined) {
      this.#notes.push(
        'there is no saveState: training goes back to a step by running the episode again from its seed',
      )
    } else if (!findings.has('shared-state', 'aliasing')) {
      checkRestore(env, third, second, pair, seed, findings)
    }
  }

  async #checkSteps(env: MultiAgentEnv, seed: number): Promise<void> {
    // Views that are made anew are found already.
    if (this.findings.has('view-replaced')) return
    if (!this.#allocation) {
      this.#notes.push('allocation was not checked: it was left out')
      return
    }
    if (!(await checkAllocation(env, seed, this.#sampler, this.findings)))
      this.#notes.push('allocation was not checked: this engine does not tell of it')
  }
}
