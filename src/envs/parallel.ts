import { HatrpoError } from '../errors.js'
import { RUNNING, TERMINATED, TRUNCATED, type ActionSpace, type Box, type MultiAgentEnv } from './contract.js'
import { actionSize } from './shape.js'

/** Action of an agent: a single number, or as many numbers as its space has. */
export type ParallelAction = number | ArrayLike<number>

export interface ParallelInfo {
  /** 1 for available choices, else 0; parts of a multi-discrete action are concatenated. */
  readonly action_mask?: Uint8Array
}

/** By agent. */
export type ByAgent<T> = Record<string, T>

export interface ParallelStep {
  readonly observations: ByAgent<Float32Array>
  readonly rewards: ByAgent<number>
  readonly terminations: ByAgent<boolean>
  readonly truncations: ByAgent<boolean>
  readonly infos: ByAgent<ParallelInfo>
}

/** An environment with PettingZoo's parallel API: dictionaries by agent, new ones every step. */
export interface ParallelEnv {
  readonly possibleAgents: readonly string[]
  /** Active agents, for which `step` needs an action. Empty before `reset` and after the end. */
  readonly agents: readonly string[]
  observationSpace(agent: string): Box
  actionSpace(agent: string): ActionSpace
  /** @param options.seed default: 0 for the first episode, then one more for each */
  reset(options?: {
    readonly seed?: number
  }): [observations: ByAgent<Float32Array>, infos: ByAgent<ParallelInfo>]
  /**
   * @param actions one for each of `agents`
   * @returns an entry for each agent that acted. An agent that leaves while others remain is terminated.
   * @throws HatrpoError outside an episode, for an action that is missing or not in its space, and for an action of an
   *   inactive agent
   */
  step(actions: Readonly<ByAgent<ParallelAction>>): ParallelStep
  /** [stateSize], a copy. */
  state(): Float32Array
  close(): void
}

/** Wraps an environment in PettingZoo's parallel API, with dictionaries by agent. Training does not use this form. */
export function toParallelEnv(env: MultiAgentEnv): ParallelEnv {
  return new DictionaryEnv(env)
}

class DictionaryEnv implements ParallelEnv {
  readonly possibleAgents: readonly string[]
  readonly #env: MultiAgentEnv
  readonly #indices: ReadonlyMap<string, number>
  #playing: readonly string[] = []
  #nextSeed = 0

  constructor(env: MultiAgentEnv) {
    this.#env = env
    this.possibleAgents = env.spec.agents.map(({ id }) => id)
    this.#indices = new Map(this.possibleAgents.map((id, i) => [id, i]))
  }

  get agents(): readonly string[] {
    return this.#playing
  }

  observationSpace(agent: string): Box {
    return this.#env.spec.agents[this.#index(agent)].observation
  }

  actionSpace(agent: string): ActionSpace {
    return this.#env.spec.agents[this.#index(agent)].action
  }

  reset({ seed = this.#nextSeed }: { readonly seed?: number } = {}): [
    ByAgent<Float32Array>,
    ByAgent<ParallelInfo>,
  ] {
    this.#playing = []
    this.#env.reset(seed)
    this.#nextSeed = seed + 1
    this.#playing = this.#activeAgents()
    return [this.#observe(this.#playing), this.#inform(this.#playing)]
  }

  step(actions: Readonly<ByAgent<ParallelAction>>): ParallelStep {
    const env = this.#env
    const acted = this.#playing
    if (acted.length === 0) throw new HatrpoError(`${env.spec.id}: no agent plays: call reset first`)
    this.#writeActions(actions)
    this.#playing = []
    const end = env.step()
    const active = this.#activeAgents()
    if (end === RUNNING) this.#playing = active
    return {
      observations: this.#observe(acted),
      rewards: dictionary(acted, (agent) => env.rewards[this.#index(agent)]),
      terminations: dictionary(acted, (agent) => end === TERMINATED || !active.includes(agent)),
      truncations: dictionary(acted, (agent) => end === TRUNCATED && active.includes(agent)),
      infos: this.#inform(acted),
    }
  }

  state(): Float32Array {
    return this.#env.state.slice()
  }

  close(): void {
    this.#playing = []
    this.#env.dispose?.()
  }

  #activeAgents(): string[] {
    const { active } = this.#env
    return this.possibleAgents.filter((_, i) => active === undefined || active[i] !== 0)
  }

  #observe(agents: readonly string[]): ByAgent<Float32Array> {
    return dictionary(agents, (agent) => this.#env.observations[this.#index(agent)].slice())
  }

  #inform(agents: readonly string[]): ByAgent<ParallelInfo> {
    return dictionary(agents, (agent) => {
      const mask = this.#env.availableActions?.[this.#index(agent)]
      return mask === undefined || mask.length === 0 ? {} : { action_mask: mask.slice() }
    })
  }

  /** Checks all actions, then writes them; agents that have left do nothing. */
  #writeActions(actions: Readonly<ByAgent<ParallelAction>>): void {
    const { id } = this.#env.spec
    for (const agent of Object.keys(actions)) {
      this.#index(agent)
      if (!this.#playing.includes(agent))
        throw new HatrpoError(`${id}: there is an action of ${agent}, which does not play any more`)
    }
    const written = this.#playing.map((agent) => {
      const action = actions[agent]
      if (action === undefined) throw new HatrpoError(`${id}: there is no action of ${agent}`)
      return this.#checkAction(agent, typeof action === 'number' ? [action] : action)
    })
    for (const view of this.#env.actions) view.fill(0)
    this.#playing.forEach((agent, k) => this.#env.actions[this.#index(agent)].set(written[k]))
  }

  #checkAction(agent: string, action: ArrayLike<number>): ArrayLike<number> {
    const space = this.actionSpace(agent)
    const size = actionSize(space)
    const refuse = (found: string, right: string) =>
      new HatrpoError(`${this.#env.spec.id}: the action of ${agent} ${found}: it must ${right}`)
    if (action.length !== size) throw refuse(`has ${action.length} numbers`, `have ${size}`)
    const sizes = space.kind === 'discrete' ? [space.n] : space.kind === 'multiDiscrete' ? space.sizes : []
    for (let i = 0; i < action.length; i++) {
      const value = action[i]
      if (!Number.isFinite(value)) throw refuse(`is ${value}`, 'be finite')
      if (i < sizes.length && !(Number.isInteger(value) && value >= 0 && value < sizes[i]))
        throw refuse(`is ${value}`, `be a whole number from 0 to ${sizes[i] - 1}`)
    }
    return action
  }

  #index(agent: string): number {
    const index = this.#indices.get(agent)
    if (index !== undefined) return index
    const { id } = this.#env.spec
    throw new HatrpoError(`${id}: there is no agent ${agent}; there are ${this.possibleAgents.join(', ')}`)
  }
}

function dictionary<T>(agents: readonly string[], value: (agent: string) => T): ByAgent<T> {
  return Object.fromEntries(agents.map((agent) => [agent, value(agent)]))
}
