import type { ActionSpace, AgentSpec, EnvSpec, MultiAgentEnv } from '../envs/contract.js'
import { maskOf } from '../envs/available.js'
import { actionSize, maskSize } from '../envs/shape.js'
import { box, multiDiscrete } from '../envs/spaces.js'
import { teamsOf } from '../envs/teams.js'
import { usageError } from '../errors.js'
import { expectEqualRewards, teamReward } from './stepping.js'

/** Name of the agent that represents a whole team. */
const TEAM = 'team'

/**
 * Spec of a team as one agent: its observation is the state, and its action is the concatenation of the agents'
 * actions. Discrete actions become one multi-discrete action. The spec of a single agent is returned unchanged.
 * @throws HatrpoError (exit code 2) for a mix of continuous and discrete actions
 */
export function joinedSpec(spec: EnvSpec): EnvSpec {
  if (spec.agents.length === 1) return spec
  const { teams: _teams, ...rest } = spec
  const team: AgentSpec = { id: TEAM, observation: box(spec.stateSize), action: joinedAction(spec) }
  return { ...rest, agents: [team], observesState: true }
}

function joinedAction({ id, agents }: EnvSpec): ActionSpace {
  const [first] = agents
  const isBox = first.action.kind === 'box'
  const other = agents.find(({ action }) => (action.kind === 'box') !== isBox)
  if (other) {
    throw usageError(
      `environment ${id}: ${first.id} has a ${first.action.kind} action and ${other.id} a ${other.action.kind} one: ` +
        'one policy for the team needs actions of one kind, all continuous or all choices',
    )
  }
  const spaces = agents.map(({ action }) => action)
  if (!isBox) return multiDiscrete(spaces.flatMap(choices))
  const bounds = (which: 'low' | 'high') =>
    spaces.flatMap((space) => (space.kind === 'box' ? [...space[which]] : []))
  return box(bounds('low').length, bounds('low'), bounds('high'))
}

/** Numbers of options of each choice that an action makes. */
function choices(space: ActionSpace): readonly number[] {
  if (space.kind === 'box') return []
  return space.kind === 'discrete' ? [space.n] : space.sizes
}

/** An agent's part of a joined action. */
export interface JoinedPart {
  readonly id: string
  /** Its first number in the joined action, and how many it has. */
  readonly at: number
  readonly size: number
}

/** Parts of the agents in the joined action, in agent order; none where one agent is not joined with others. */
export function joinedParts({ agents }: EnvSpec): JoinedPart[] {
  let at = 0
  if (agents.length === 1) return []
  return agents.map(({ id, action }) => {
    const size = actionSize(action)
    at += size
    return { id, at: at - size, size }
  })
}

/** An environment with one agent that acts for all; an environment with a single agent is returned unchanged. */
export function joinAgents(env: MultiAgentEnv): MultiAgentEnv {
  return env.spec.agents.length === 1 ? env : new JoinedEnv(env)
}

class JoinedEnv implements MultiAgentEnv {
  readonly spec: EnvSpec
  readonly observations: readonly Float32Array[]
  readonly state: Float32Array
  readonly actions: readonly Float32Array[]
  readonly availableActions?: readonly Uint8Array[]
  readonly active?: Uint8Array
  readonly rewards = new Float32Array(1)
  readonly saveState?: () => Uint8Array
  readonly loadState?: (saved: Uint8Array) => void
  readonly #env: MultiAgentEnv
  readonly #teams: readonly (readonly number[])[]
  /** Parts of the joined action. */
  readonly #parts: readonly Float32Array[]
  /** Parts of the joined mask. */
  readonly #masks: readonly Uint8Array[]

  constructor(env: MultiAgentEnv) {
    this.spec = joinedSpec(env.spec)
    this.state = env.state
    this.observations = [env.state]
    const [{ action }] = this.spec.agents
    const joined = new Float32Array(actionSize(action))
    this.#env = env
    this.#teams = teamsOf(env.spec).map(({ agents }) => agents)
    this.#parts = joinedParts(env.spec).map(({ at, size }) => joined.subarray(at, at + size))
    this.actions = [joined]
    const masks = new Uint8Array(maskSize(action))
    let at = 0
    this.#masks = env.spec.agents.map((agent) => masks.subarray(at, (at += maskSize(agent.action))))
    if (env.availableActions) this.availableActions = [masks]
    if (env.active) this.active = new Uint8Array(1)
    const { saveState, loadState } = env
    if (saveState) this.saveState = () => saveState.call(env)
    if (loadState) {
      this.loadState = (saved) => {
        loadState.call(env, saved)
        this.#observe()
      }
    }
  }

  reset(seed: number): void {
    this.#env.reset(seed)
    this.rewards[0] = 0
    this.#observe()
  }

  submit(): void {
    this.#act()
    this.#env.submit?.()
  }

  step(): number {
    this.#act()
    const end = this.#env.step()
    const reward = teamReward(this.#env)
    // A reward that is not finite is the caller's to refuse.
    if (Number.isFinite(reward)) expectEqualRewards(this.#env, this.#teams)
    this.rewards[0] = Number.isFinite(reward) ? this.#env.rewards[0] : reward
    this.#observe()
    return end
  }

  dispose(): void {
    this.#env.dispose?.()
  }

  #act(): void {
    for (let i = 0; i < this.#parts.length; i++) this.#env.actions[i].set(this.#parts[i])
  }

  #observe(): void {
    const { availableActions, active } = this.#env
    if (availableActions)
      for (let i = 0; i < this.#masks.length; i++)
        this.#masks[i].set(maskOf(this.#env, i) ?? availableActions[i])
    if (active) this.active![0] = active.includes(1) ? 1 : 0
  }
}
