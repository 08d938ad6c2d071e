import { RUNNING, type MultiAgentEnv } from '../envs/contract.js'
import { PURPOSE, type Kernels } from '../kernels/index.js'
import { Actors } from './acting.js'
import { describeEvaluationFault, MAX_RESETS, permanentFault, type Breakage, type Fault } from './faults.js'
import type { EpisodeOutcomes, EvaluateResult, EvaluateTask } from './messages.js'
import { episodeSeed } from './seeds.js'
import { resetSoundly, stepSoundly, submit, teamReward } from './stepping.js'

/** An episode of an evaluation. */
interface Episode {
  readonly env: MultiAgentEnv
  readonly number: number
  /** Row among those that the actors act for. */
  readonly k: number
  return: number
  steps: number
  /** Times it was started again. */
  attempts: number
  running: boolean
  unfit: Breakage | undefined
}

/** Runs whole episodes. */
export class Evaluator {
  readonly #kernels: Kernels
  readonly #envs: readonly MultiAgentEnv[]
  readonly #pulse: () => void
  readonly #scored: readonly number[] | null

  /**
   * @param scored agents whose mean reward is the return of an episode; null for all
   * @param pulse called for every step, as a sign of life
   */
  constructor(
    kernels: Kernels,
    envs: readonly MultiAgentEnv[],
    scored: readonly number[] | null,
    pulse: () => void,
  ) {
    this.#scored = scored
    this.#kernels = kernels
    this.#envs = envs
    this.#pulse = pulse
  }

  evaluate(task: EvaluateTask): Omit<EvaluateResult, 'restarts'> {
    const episodes: Episode[] = []
    const faults: Fault[] = []
    for (let done = 0; done < task.count; done += task.rows) {
      const first = task.first + done
      episodes.push(...this.#together(task, first, Math.min(task.rows, task.count - done), faults))
    }
    faults.sort((a, b) => a.env - b.env)
    return { ...outcomes(episodes), faults }
  }

  /** Episodes first .. first + count - 1 side by side. */
  #together(task: EvaluateTask, first: number, count: number, faults: Fault[]): Episode[] {
    const actors = new Actors(this.#kernels, this.#envs[0].spec.agents, task.policies, task.rows)
    const episodes = Array.from({ length: count }, (_, k): Episode => {
      const fresh = { return: 0, steps: 0, attempts: 0, running: true, unfit: undefined }
      return { env: this.#envs[k], number: first + k, k, ...fresh }
    })
    for (const episode of episodes) this.#start(task, episode, actors)
    while (episodes.some(({ running }) => running)) {
      for (const { env, k } of episodes) actors.observe(k, env)
      if (task.sample) for (const { k, number, steps } of episodes) actors.keyNoise(k, number, steps)
      for (const agent of actors.agents) {
        if (task.sample) agent.sample()
        else agent.mode()
      }
      actors.advance()
      for (const episode of episodes)
        if (episode.running) episode.unfit = submit(episode.env, actors, episode.k)
      for (const episode of episodes) if (episode.running) this.#step(task, episode, actors, faults)
    }
    return episodes
  }

  #step(task: EvaluateTask, episode: Episode, actors: Actors, faults: Fault[]): void {
    this.#pulse()
    const end = episode.unfit ?? stepSoundly(episode.env)
    if (typeof end !== 'number') {
      const fault = { env: episode.number, step: episode.steps, ...end }
      faults.push(fault)
      if (++episode.attempts > MAX_RESETS) throw permanentFault(describeEvaluationFault(fault), fault)
      this.#start(task, episode, actors)
      return
    }
    episode.running = end === RUNNING
    episode.return += teamReward(episode.env, this.#scored)
    episode.steps++
  }

  #start({ iteration, seed }: EvaluateTask, episode: Episode, actors: Actors): void {
    const key = [PURPOSE.evaluation, episode.number, iteration, episode.attempts] as const
    resetSoundly(episode.env, episodeSeed(this.#kernels, seed, ...key))
    actors.forget(episode.k)
    episode.return = 0
    episode.steps = 0
  }
}

function outcomes(episodes: readonly Episode[]): EpisodeOutcomes {
  return {
    returns: episodes.map((episode) => episode.return),
    lengths: episodes.map(({ steps }) => steps),
  }
}
