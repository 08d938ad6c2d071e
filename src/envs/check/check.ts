import { HatrpoError, usageError } from '../../errors.js'
import { EnvContext } from '../context.js'
import type { EnvSpec, MultiAgentEnv } from '../contract.js'
import type { EnvFactory } from '../factory.js'
import { defaultStages, narrowInputs } from '../narrow.js'
import { RandomStream } from '../random.js'
import { findShapeProblems } from '../shape.js'
import { checkAllocation } from './allocation.js'
import { checkForeignMemory, checkOwnMemory } from './aliasing.js'
import { Constants } from './constants.js'
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
import { addThrown, attempt, type Finding, Findings, firstLine, Thrown } from './finding.js'
import { checkOpposed } from './opposed.js'
import { checkRestore } from './restore.js'
import { ActionSampler, hasBounds } from './sampler.js'
import { StepChecks } from './step-checks.js'
import type { Trace } from './trace.js'

/** Purpose of the random stream that draws the seeds of the episodes. */
const SEEDS_PURPOSE = 0x636b5eed

/** Subject of a check: a factory, a function that makes environments, or one environment. */
export type CheckedSource =
  | EnvFactory
  | ((context: EnvContext) => MultiAgentEnv | Promise<MultiAgentEnv>)
  | MultiAgentEnv

export interface CheckOptions {
  /** Episodes of random actions. Default 3. */
  readonly episodes?: number
  /** Seed of the episodes' seeds and of the actions. Default 1. */
  readonly seed?: number
  /** Shared resources of the environments of a thread; a new one by default. */
  readonly context?: EnvContext
  /** Whether to detect objects that `step` makes; useless if `step` only calls another process. Default true. */
  readonly allocation?: boolean
  /** The same environment with separate rewards, if `source` returns a shared reward computed from them. */
  readonly ownRewards?: CheckedSource
  /** Called with the next stage, such as `episode 2 of 3, step 100`. */
  readonly progress?: (stage: string) => void
}

export interface CheckReport {
  /** Spec of the environment; undefined if it is incomplete. */
  readonly spec: EnvSpec | undefined
  readonly episodes: readonly EpisodeSummary[]
  /** Speed of `step` in the episodes; undefined without episodes. */
  readonly stepsPerSecond: number | undefined
  /** Way in which training restores an environment. */
  readonly restoredBy: 'saveState' | 'replay'
  /** Omitted checks with the reason, and other remarks. */
  readonly notes: readonly string[]
  /** Faults; empty for a valid environment. */
  readonly findings: readonly Finding[]
}

/**
 * Checks an environment: runs episodes of random actions, repeats them on other instances, and compares bits. If
 * `source` is a single environment, comparisons with a second one are omitted and noted.
 * @throws HatrpoError (exit code 2) for a wrong number of episodes or seed. Exceptions of the environment are findings.
 */
export async function checkEnv(source: CheckedSource, options: CheckOptions = {}): Promise<CheckReport> {
  const { episodes = 3, seed = 1 } = options
  if (!Number.isSafeInteger(episodes) || episodes < 1)
    throw usageError(`episodes is ${episodes}: it must be a whole number from 1`)
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw usageError(`seed is ${seed}: it must be a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`)
  const check = new Check(makerOf(source, options.context), seed, options)
  try {
    await check.run(episodes)
  } catch (error) {
    // A view or a method that was replaced meanwhile is found where it is used.
    const known = error instanceof Thrown || error instanceof HatrpoError
    addThrown(check.findings, known ? error : new Thrown('a check', error))
  } finally {
    check.dispose()
  }
  return check.report()
}

/** Makes an environment; undefined if the source has no further one. */
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

/** One check: its environments and findings. */
class Check {
  readonly findings = new Findings()
  readonly #make: Maker
  readonly #seed: number
  readonly #options: CheckOptions
  readonly #sampler: ActionSampler
  readonly #made: MultiAgentEnv[] = []
  readonly #notes: string[] = []
  #spec: EnvSpec | undefined
  #episodes: readonly Episode[] = []

  constructor(make: Maker, seed: number, options: CheckOptions) {
    this.#make = make
    this.#seed = seed
    this.#options = options
    this.#sampler = new ActionSampler(seed)
  }

  /** Runs all checks in the order of `checkRules`, except those that earlier findings make meaningless. */
  async run(count: number): Promise<void> {
    const { findings } = this
    this.#tell('making an environment')
    const env = await this.#makeEnv()
    if (env === undefined) return
    for (const message of narrowInputs(env.spec, defaultStages))
      findings.add('narrow-input', message, message)
    checkOwnMemory(env, findings)
    const seeds = this.#seeds(count)
    this.#runEpisodes(env, seeds.slice(0, count))
    if (findings.has('step-result')) return
    const traces = this.#episodes.map(({ trace }) => trace)
    // An exception leaves nothing to compare with.
    if (traces.length === 0) return
    const [{ seed }] = this.#episodes
    if (hasBounds(env.spec) && !findings.has('finite')) {
      this.#tell('actions beyond their bounds')
      attempt(findings, () => checkUnclipped(env, seed, this.#sampler, findings))
    }
    this.#tell('the same episode again')
    attempt(findings, () => checkReused(env, traces[0], this.#seed, findings))
    this.#tell('episodes of other seeds')
    attempt(findings, () => checkSeeds(env, traces[0], seeds.slice(1), this.#seed, findings))
    await this.#checkOwnRewards(seed)
    await this.#compareInstances(env, traces)
    await this.#checkSteps(env, seed)
  }

  #tell(stage: string): void {
    this.#options.progress?.(stage)
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
    const { findings } = this
    const checks = new StepChecks(env, findings)
    const constants = new Constants(env)
    const episodes: Episode[] = []
    this.#episodes = episodes
    for (const [i, seed] of seeds.entries()) {
      this.#tell(`episode ${i + 1} of ${seeds.length}, reset`)
      const looks = {
        reset: (when: string) => {
          checks.afterReset(when)
          constants.afterReset()
        },
        step: (end: unknown, when: string, step: number) => {
          checks.afterStep(end, when)
          constants.afterStep()
          this.#tell(`episode ${i + 1} of ${seeds.length}, step ${step}`)
        },
      }
      attempt(findings, () => episodes.push(runEpisode(env, seed, i, this.#sampler, looks, findings)))
      if (findings.has('step-result')) return
      const episode = episodes.at(-1)
      if (episode?.seed === seed && episode.end !== 'running') checkStepAfterEnd(env, episode, findings)
    }
    if (episodes.length === 0) return
    if (!findings.has('view-replaced', 'finite')) this.#notes.push(...constants.report(findings))
    const { timeLimit } = env.spec
    checkEnds(episodes, timeLimit, findings)
    if (
      timeLimit > LONGEST_EPISODE &&
      timeLimit !== Infinity &&
      episodes.some(({ end }) => end === 'running')
    )
      this.#notes.push(
        `the time limit of ${timeLimit} was not reached: episodes are stopped after ${LONGEST_EPISODE} steps`,
      )
  }

  /** Checks that need a second and a third environment. */
  async #compareInstances(env: MultiAgentEnv, traces: readonly Trace[]): Promise<void> {
    const { findings } = this
    const seed = this.#seed
    this.#tell('several environments at once')
    const second = await this.#makeEnv()
    const third = await this.#makeEnv()
    if (second === undefined || third === undefined) {
      this.#notes.push(
        'two environments were not compared: a single environment was given, not a function that makes them',
      )
      return
    }
    checkForeignMemory(env, second, findings)
    const shared = findings.has('aliasing')
    attempt(findings, () => checkFresh(second, traces[0], seed, findings))
    if (findings.has('determinism')) {
      this.#notes.push(
        'saveState and shared variables were not checked: the same seed does not give the same episode',
      )
      return
    }
    const pair = [traces[0], traces[1] ?? traces[0]] as const
    if (!shared) attempt(findings, () => checkInterleaved([env, second], pair, seed, findings))
    if (env.saveState === undefined) {
      this.#notes.push(
        'there is no saveState: training restores a step by repeating the episode from its seed',
      )
    } else if (!findings.has('shared-state', 'aliasing')) {
      this.#tell('saved states')
      attempt(findings, () => checkRestore(env, third, second, pair, seed, findings))
    }
  }

  async #checkOwnRewards(seed: number): Promise<void> {
    const { ownRewards, context } = this.#options
    if (ownRewards === undefined) return
    this.#tell("agents' own rewards")
    const env = await makerOf(ownRewards, context)()
    if (env === undefined) return
    this.#made.push(env)
    attempt(this.findings, () => checkOpposed(env, seed, this.#sampler, this.findings))
  }

  async #checkSteps(env: MultiAgentEnv, seed: number): Promise<void> {
    this.#tell('allocation')
    // Replaced views are already reported.
    if (this.findings.has('view-replaced')) return
    if (this.#options.allocation === false) {
      this.#notes.push('allocation was not checked: the check is switched off')
      return
    }
    if (!(await checkAllocation(env, seed, this.#sampler, this.findings)))
      this.#notes.push('allocation was not checked: this engine does not report it')
  }
}
