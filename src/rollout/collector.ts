import { HatrpoError } from '../errors.js'
import { BrokenStepError, RUNNING, TERMINATED, TRUNCATED, type MultiAgentEnv } from '../envs/index.js'
import { PURPOSE, splitSeed, type Kernels } from '../kernels/index.js'
import { Actors } from './acting.js'
import type {
  CollectResult,
  CollectTask,
  EnvProgress,
  EvaluateResult,
  EvaluateTask,
  Fault,
  WorkerSetup,
} from './messages.js'
import type { RolloutLayout } from './storage.js'

/** Resets of one environment in a rollout, or of one episode, after which a fault counts as one that stays. */
const MAX_RESETS = 3

/**
 * A 53-bit seed for an episode, from the key (seed, purpose, stream, step).
 * @param attempt counts the times the episode was started again
 */
export function episodeSeed(
  kernels: Kernels,
  seed: number,
  purpose: number,
  stream: number,
  step: number,
  attempt = 0,
): number {
  const [low, high] = splitSeed(seed)
  const draw = (index: number) => kernels.exports.random32(low, high, purpose, stream, step, index) >>> 0
  return (draw(2 * attempt + 1) >>> 11) * 0x100000000 + draw(2 * attempt)
}

/** Why a step does not count. */
type Breakage = Pick<Fault, 'reason' | 'detail'>

interface Running {
  episode: number
  episodeReturn: number
  episodeSteps: number
  faults: number
  /** Truncations so far in this rollout. */
  truncations: number
}

/** Steps a worker's environments and evaluates the policies, writing into the shared rollout. */
export class Collector {
  readonly #kernels: Kernels
  readonly #envs: readonly MultiAgentEnv[]
  readonly #seed: number
  readonly #layout: RolloutLayout
  readonly #states: Float32Array
  readonly #rewards: Float32Array
  readonly #valid: Float32Array
  readonly #ends: Uint8Array
  readonly #pulses: Int32Array
  readonly #agents: readonly {
    observations: Float32Array
    actions: Float32Array
    logProb: Float32Array
    weight: Float32Array
  }[]

  /**
   * @param envs at least as many as any task has
   * @param setup.pulses address of i32 [workers], where each worker counts its steps
   */
  constructor(
    kernels: Kernels,
    envs: readonly MultiAgentEnv[],
    { seed, layout, pulses }: Pick<WorkerSetup, 'seed' | 'layout' | 'pulses'>,
  ) {
    const buffer = kernels.memory.buffer
    const rows = layout.steps * layout.envs
    const stateRows = rows + layout.envs * (1 + layout.truncations)
    const f32 = (address: number, length: number) => new Float32Array(buffer, address, length)
    this.#kernels = kernels
    this.#envs = envs
    this.#seed = seed
    this.#layout = layout
    this.#states = f32(layout.states, stateRows * layout.stateSize)
    this.#rewards = f32(layout.rewards, rows)
    this.#valid = f32(layout.valid, rows)
    this.#ends = new Uint8Array(buffer, layout.ends, rows)
    this.#pulses = new Int32Array(buffer, pulses)
    this.#agents = layout.agents.map((agent) => ({
      observations: f32(agent.observations, rows * agent.observationSize),
      actions: f32(agent.actions, rows * agent.actionSize),
      logProb: f32(agent.logProb, rows),
      weight: f32(agent.weight, rows),
    }))
  }

  /** Shows that a worker goes on. */
  pulse(worker: number): void {
    Atomics.add(this.#pulses, worker, 1)
  }

  /** One rollout of the task's environments, from where they stand. */
  collect(task: CollectTask): Omit<CollectResult, 'restarts'> {
    const begun = performance.now()
    const { steps, envs: total, stateSize } = this.#layout
    const count = task.progress.length
    const actors = new Actors(this.#kernels, this.#envs[0].spec.agents, task.policies, count)
    const running = task.progress.map((progress, k) => {
      // To bring an environment to where it stood may take as long as its episode did.
      this.pulse(task.worker)
      return this.#resume(task.first + k, this.#envs[k], progress)
    })
    const episodes: { env: number; return: number; steps: number }[] = []
    const faults: Fault[] = []
    const unfit = new Array<Breakage | undefined>(count)
    let physics = 0
    let policy = 0

    for (let t = 0; t < steps; t++) {
      const acting = performance.now()
      for (let k = 0; k < count; k++) {
        actors.observe(k, this.#envs[k])
        for (const agent of actors.agents) agent.keyNoise(k, task.first + k, task.startStep + t)
      }
      for (const agent of actors.agents) agent.sample()
      policy += performance.now() - acting
      for (let k = 0; k < count; k++) this.#record(t * total + task.first + k, k, actors)

      const stepping = performance.now()
      for (let k = 0; k < count; k++) unfit[k] = submit(this.#envs[k], actors, k)
      for (let k = 0; k < count; k++) {
        const e = task.first + k
        const env = this.#envs[k]
        const run = running[k]
        const row = t * total + e
        const end = unfit[k] ?? this.#step(env, task.worker)
        if (typeof end !== 'number') {
          const fault = { env: e, step: task.startStep + t, ...end }
          faults.push(fault)
          if (++run.faults > MAX_RESETS) throw stays(describeFault(fault), fault)
          this.#markBroken(row)
          this.#startEpisode(e, env, run)
          continue
        }
        this.#ends[row] = end
        this.#rewards[row] = env.rewards[0]
        run.episodeReturn += env.rewards[0]
        run.episodeSteps++
        if (end === RUNNING) continue
        if (end === TRUNCATED) this.#keepFinalState(e, env, run)
        episodes.push({ env: e, return: run.episodeReturn, steps: run.episodeSteps })
        this.#startEpisode(e, env, run)
      }
      physics += performance.now() - stepping
    }

    // The states after the rollout, whose values its last steps look forward to.
    for (let k = 0; k < count; k++) {
      this.#states.set(this.#envs[k].state, (steps * total + task.first + k) * stateSize)
    }
    episodes.sort((a, b) => a.env - b.env)
    faults.sort((a, b) => a.env - b.env)
    const progress = running.map((run, k) => ({
      state: saveState(this.#envs[k]),
      episode: run.episode,
      episodeReturn: run.episodeReturn,
      episodeSteps: run.episodeSteps,
    }))
    return { progress, episodes, faults, time: { physics, policy, total: performance.now() - begun } }
  }

  /** Whole episodes with the policies' modes. */
  evaluate(task: EvaluateTask): Omit<EvaluateResult, 'restarts'> {
    const returns: number[] = []
    const faults: Fault[] = []
    for (let done = 0; done < task.count; done += task.rows) {
      const first = task.first + done
      returns.push(...this.#evaluateTogether(task, first, Math.min(task.rows, task.count - done), faults))
    }
    faults.sort((a, b) => a.env - b.env)
    return { returns, faults }
  }

  #evaluateTogether(task: EvaluateTask, first: number, count: number, faults: Fault[]): number[] {
    const actors = new Actors(this.#kernels, this.#envs[0].spec.agents, task.policies, task.rows)
    const returns = new Array<number>(count).fill(0)
    const steps = new Array<number>(count).fill(0)
    const attempts = new Array<number>(count).fill(0)
    const running = new Array<boolean>(count).fill(true)
    const unfit = new Array<Breakage | undefined>(count)
    const start = (k: number) => {
      const key = [PURPOSE.evaluation, first + k, task.iteration, attempts[k]] as const
      resetSoundly(this.#envs[k], episodeSeed(this.#kernels, task.seed, ...key))
      returns[k] = 0
      steps[k] = 0
    }
    for (let k = 0; k < count; k++) start(k)
    while (running.includes(true)) {
      for (let k = 0; k < count; k++) actors.observe(k, this.#envs[k])
      for (const agent of actors.agents) agent.mean()
      for (let k = 0; k < count; k++) if (running[k]) unfit[k] = submit(this.#envs[k], actors, k)
      for (let k = 0; k < count; k++) {
        if (!running[k]) continue
        const env = this.#envs[k]
        const end = unfit[k] ?? this.#step(env, task.worker)
        if (typeof end !== 'number') {
          const fault = { env: first + k, step: steps[k], ...end }
          faults.push(fault)
          if (++attempts[k] > MAX_RESETS) throw stays(describeEvaluationFault(fault), fault)
          start(k)
          continue
        }
        running[k] = end === RUNNING
        returns[k] += env.rewards[0]
        steps[k]++
      }
    }
    return returns
  }

  // Brings an environment to where it stood.
  #resume(e: number, env: MultiAgentEnv, progress: EnvProgress): Running {
    const run = { ...progress, faults: 0, truncations: 0 }
    if (progress.state === null) this.#startEpisode(e, env, run)
    else loadState(env, progress.state)
    return run
  }

  #startEpisode(e: number, env: MultiAgentEnv, run: Running): void {
    resetSoundly(env, episodeSeed(this.#kernels, this.#seed, PURPOSE.episodes, e, run.episode))
    run.episode++
    run.episodeReturn = 0
    run.episodeSteps = 0
  }

  // What the agents saw and chose in one environment.
  #record(row: number, k: number, actors: Actors): void {
    const env = this.#envs[k]
    this.#states.set(env.state, row * this.#layout.stateSize)
    for (let i = 0; i < this.#agents.length; i++) {
      const kept = this.#agents[i]
      const agent = actors.agents[i]
      const { observationSize, actionSize } = this.#layout.agents[i]
      kept.observations.set(env.observations[i], row * observationSize)
      const first = k * actionSize
      for (let j = 0; j < actionSize; j++) kept.actions[row * actionSize + j] = agent.actions[first + j]!
      kept.logProb[row] = agent.logProb[k]!
      kept.weight[row] = !env.active || env.active[i] ? 1 : 0
    }
    this.#valid[row] = 1
  }

  // Steps one environment. Returns how the episode stands, or why the step does not count.
  #step(env: MultiAgentEnv, worker: number): number | Breakage {
    this.pulse(worker)
    let end: number
    try {
      end = env.step()
    } catch (error) {
      if (!(error instanceof BrokenStepError)) throw nameThrown(env, 'step()', error)
      const detail = detailOf(error)
      return { reason: error.message, ...(detail !== undefined && { detail }) }
    }
    if (end !== RUNNING && end !== TERMINATED && end !== TRUNCATED) {
      throw new HatrpoError(
        `${env.spec.id}: step() returned ${end}: it must return ${RUNNING} (running), ${TERMINATED} (terminated) or ${TRUNCATED} (truncated)`,
      )
    }
    const reward = env.rewards[0]
    if (!Number.isFinite(reward)) return { reason: `${env.spec.id}: the reward is ${reward}` }
    const reason = findUnsound(env)
    return reason === undefined ? end : { reason }
  }

  // A step that broke: nothing about it counts, and the episode before it ends there (see Advantages.compute).
  #markBroken(row: number): void {
    this.#rewards[row] = 0
    this.#ends[row] = TERMINATED
    this.#valid[row] = 0
    for (let i = 0; i < this.#agents.length; i++) {
      const { observationSize, actionSize } = this.#layout.agents[i]
      const kept = this.#agents[i]
      // Networks pass over the row all the same, and what overflowed once would do so again.
      kept.observations.fill(0, row * observationSize, (row + 1) * observationSize)
      kept.weight[row] = 0
      kept.logProb[row] = 0
      kept.actions.fill(0, row * actionSize, (row + 1) * actionSize)
    }
  }

  #keepFinalState(e: number, env: MultiAgentEnv, run: Running): void {
    const { steps, envs, truncations, stateSize } = this.#layout
    if (run.truncations >= truncations) {
      throw new HatrpoError(
        `${env.spec.id} truncated an episode before its time limit of ${env.spec.timeLimit}: ` +
          'declare the shorter time limit in its spec',
      )
    }
    const row = steps * envs + envs + e * truncations + run.truncations++
    this.#states.set(env.state, row * stateSize)
  }
}

/** One line that names where a step broke. */
export function describeFault({ env, step, reason }: Fault): string {
  return `environment ${env}, step ${step}: ${reason}`
}

/** The same for an evaluation, whose faults name an episode and its step. */
export function describeEvaluationFault({ env, step, reason }: Fault): string {
  return `evaluation episode ${env}, step ${step}: ${reason}`
}

/** Gives an environment its agents' actions, and starts its step. Returns why it has none to make, or undefined. */
function submit(env: MultiAgentEnv, actors: Actors, k: number): Breakage | undefined {
  const broken = actors.broken(k)
  if (broken) return { reason: `the policy of ${broken.id} gave a non-finite action` }
  actors.act(env, k)
  env.submit?.()
  return undefined
}

/** What stands behind an error, such as the traceback of another language. */
export function detailOf({ cause }: Error): string | undefined {
  return cause instanceof Error ? cause.stack : undefined
}

function stays(line: string, { detail }: Fault): HatrpoError {
  const text = `${line}, again after ${MAX_RESETS} resets: giving up`
  return new HatrpoError(text, detail === undefined ? {} : { cause: withStack(line, detail) })
}

/** An error as another thread told of it. */
export function withStack(message: string, stack: string): Error {
  const error = new Error(message)
  error.stack = stack
  return error
}

/** What an environment threw, said to be its own, with the line that threw. Errors of ours say it already. */
function nameThrown(env: MultiAgentEnv, call: string, error: unknown): unknown {
  if (error instanceof HatrpoError || !(error instanceof Error)) return error
  const [, file, line] = /^\s+at .*?([^\s()\\/]+):(\d+):\d+\)?$/m.exec(error.stack ?? '') ?? []
  const place = file === undefined ? '' : ` (${file}:${line})`
  const message = `${env.spec.id}: ${call} threw ${error.name}: ${error.message}${place}`
  return withStack(message, error.stack ?? message)
}

/** Resets an environment. @throws HatrpoError when it starts in a state that is not finite */
function resetSoundly(env: MultiAgentEnv, seed: number): void {
  try {
    env.reset(seed)
  } catch (error) {
    throw nameThrown(env, `reset(${seed})`, error)
  }
  const unsound = findUnsound(env)
  if (unsound !== undefined) throw new HatrpoError(`${unsound} after reset(${seed})`)
}

/** Which of an environment's views is not finite, in one line. */
function findUnsound(env: MultiAgentEnv): string | undefined {
  for (let i = 0; i < env.observations.length; i++) {
    if (!allFinite(env.observations[i])) {
      return `${env.spec.id}: the observation of ${env.spec.agents[i].id} is not finite`
    }
  }
  return allFinite(env.state) ? undefined : `${env.spec.id}: the state is not finite`
}

function allFinite(values: Float32Array): boolean {
  for (let i = 0; i < values.length; i++) if (values[i] - values[i] !== 0) return false
  return true
}

function saveState(env: MultiAgentEnv): Uint8Array {
  if (!env.saveState) throw missingState(env)
  return env.saveState()
}

function loadState(env: MultiAgentEnv, state: Uint8Array): void {
  if (!env.loadState) throw missingState(env)
  env.loadState(state)
}

function missingState(env: MultiAgentEnv): HatrpoError {
  return new HatrpoError(`${env.spec.id} has no saveState and loadState: training needs both`)
}
