import { RUNNING, TRUNCATED, type MultiAgentEnv } from '../envs/contract.js'
import { teamsOf } from '../envs/teams.js'
import { PURPOSE, type Kernels } from '../kernels/index.js'
import { Actors } from './acting.js'
import { describeFault, MAX_RESETS, permanentFault, type Breakage, type Fault } from './faults.js'
import type { CollectResult, CollectTask, EnvCourse, WorkerSetup } from './messages.js'
import { Recorder, type Instant } from './recorder.js'
import { episodeSeed } from './seeds.js'
import {
  expectEqualRewards,
  loadState,
  resetSoundly,
  saveState,
  stepSoundly,
  submit,
  teamReward,
} from './stepping.js'
import { rowOf } from './storage.js'

/** An environment in the course of a rollout. */
interface Running {
  readonly env: MultiAgentEnv
  /** Its number in the rollout, and its row among those that the actors act for. */
  readonly e: number
  readonly k: number
  episode: number
  episodeReturn: number
  episodeSteps: number
  broken: number
  /** Why its step cannot be made, found before the step. */
  unfit: Breakage | undefined
  /** View of it for the recorder: one object, so that no step allocates. */
  readonly instant: Instant
}

/** A rollout in the making. */
interface Course {
  readonly task: CollectTask
  readonly recorder: Recorder
  readonly episodes: { env: number; return: number; steps: number }[]
  readonly faults: Fault[]
}

/** Signals between a worker and its source during a rollout. */
interface Signals {
  /** Called for every step, as a sign of life. */
  readonly pulse: () => void
  /** Whether the rollout is to end before the next step. */
  readonly stopped: () => boolean
}

type CollectorSetup = Pick<WorkerSetup, 'seed' | 'layout' | 'oneReward' | 'scored'>

/** Steps a worker's environments with the policies' actions and records them in the shared rollout. */
export class Collector {
  readonly #kernels: Kernels
  readonly #envs: readonly MultiAgentEnv[]
  readonly #setup: CollectorSetup
  readonly #signals: Signals
  readonly #teams: readonly (readonly number[])[]

  /** @param envs at least as many as any task has */
  constructor(kernels: Kernels, envs: readonly MultiAgentEnv[], setup: CollectorSetup, signals: Signals) {
    this.#kernels = kernels
    this.#envs = envs
    this.#setup = setup
    this.#signals = signals
    this.#teams = teamsOf(envs[0].spec).map(({ agents }) => agents)
  }

  /** The task's part of a rollout, up to its last step or the one before which the worker is asked to end. */
  collect(task: CollectTask): Omit<CollectResult, 'restarts'> {
    const begun = performance.now()
    const { layout } = this.#setup
    const { steps } = layout
    const { agents } = this.#envs[0].spec
    const actors = new Actors(this.#kernels, agents, task.policies, task.courses.length)
    const recorder = new Recorder(this.#kernels.memory.buffer, layout)
    task.courses.forEach(({ truncations }, k) => recorder.resume(task.first + k, truncations))
    const course: Course = { task, recorder, episodes: [], faults: [] }
    const running = task.courses.map((env, k) => this.#resume(task.first + k, k, env, actors))
    const restore = performance.now() - begun
    let physics = 0
    let policy = 0

    let t = task.from
    for (; t < steps && !this.#signals.stopped(); t++) {
      const acting = performance.now()
      for (const { env, e, k } of running) {
        actors.observe(k, env)
        actors.keyNoise(k, e, task.startStep + t)
      }
      for (const agent of actors.agents) agent.sample()
      policy += performance.now() - acting

      for (const run of running) recorder.choice(rowOf(layout, t, run.e), instant(run))
      actors.advance()

      const stepping = performance.now()
      for (const run of running) run.unfit = submit(run.env, actors, run.k)
      for (const run of running) this.#step(course, run, t)
      physics += performance.now() - stepping
    }

    if (t === steps) for (const run of running) recorder.finished(run.e, instant(run))
    const courses = running.map((run) => this.#courseOf(run, recorder.truncations(run.e)))
    const time = { physics, policy, restore, total: performance.now() - begun }
    return { ...sorted(course), first: task.first, courses, to: t, time }
  }

  /** Makes one environment's step, records it, and starts a new episode where it ended or broke. */
  #step({ task, recorder, episodes, faults }: Course, run: Running, t: number): void {
    const { env, e } = run
    const row = rowOf(this.#setup.layout, t, e)
    this.#signals.pulse()
    const end = run.unfit ?? stepSoundly(env)
    if (typeof end !== 'number') {
      const fault = { env: e, step: task.startStep + t, ...end }
      faults.push(fault)
      if (++run.broken > MAX_RESETS) throw permanentFault(describeFault(fault), fault)
      recorder.broken(row, run.unfit !== undefined)
      this.#startEpisode(run)
      return
    }
    if (this.#setup.oneReward) expectEqualRewards(env, this.#teams)
    recorder.outcome(row, instant(run, end))
    run.episodeReturn += teamReward(env, this.#setup.scored)
    run.episodeSteps++
    if (end === RUNNING) return
    if (end === TRUNCATED) recorder.truncated(e, instant(run, end))
    episodes.push({ env: e, return: run.episodeReturn, steps: run.episodeSteps })
    this.#startEpisode(run)
  }

  /** Brings an environment to its progress. */
  #resume(e: number, k: number, { state, hidden, ...counters }: EnvCourse, actors: Actors): Running {
    // To restore an environment may take as long as its episode did.
    this.#signals.pulse()
    const env = this.#envs[k]
    const instant = { env, actors, k, starts: false, end: RUNNING }
    const run = { env, e, k, ...counters, unfit: undefined, instant }
    if (state === null) {
      this.#startEpisode(run)
    } else {
      loadState(run.env, state, this.#remembers)
      actors.remember(k, hidden)
    }
    return run
  }

  #courseOf(run: Running, truncations: number): EnvCourse {
    const { env, k, episode, episodeReturn, episodeSteps, broken } = run
    const state = saveState(env, this.#remembers)
    const hidden = run.instant.actors.states(k)
    return { state, episode, episodeReturn, episodeSteps, truncations, broken, hidden }
  }

  /** Whether the last actions are recorded, which makes them part of an environment's state. */
  get #remembers(): boolean {
    return this.#setup.layout.team.jointHistory.width > 0
  }

  #startEpisode(run: Running): void {
    const { seed } = this.#setup
    resetSoundly(run.env, episodeSeed(this.#kernels, seed, PURPOSE.episodes, run.e, run.episode))
    run.instant.actors.forget(run.k)
    run.episode++
    run.episodeReturn = 0
    run.episodeSteps = 0
  }
}

function instant({ instant: view, episodeSteps }: Running, end = RUNNING): Instant {
  view.starts = episodeSteps === 0
  view.end = end
  return view
}

/** Episodes and faults by environment, then in time. */
function sorted({ episodes, faults }: Course): Pick<CollectResult, 'episodes' | 'faults'> {
  episodes.sort((a, b) => a.env - b.env)
  faults.sort((a, b) => a.env - b.env)
  return { episodes, faults }
}
