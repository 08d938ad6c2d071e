import type { AgentSpec, EnvSpec } from '../contract.js'
import type { EnvDefinition } from '../define.js'
import { choice, whole, type OptionRules } from '../options.js'
import { box, discrete, multiDiscrete } from '../spaces.js'
import { observationSize, writeObservation } from './parts.js'
import { particleScene } from './scene.js'
import {
  MOVES,
  ParticleWorld,
  STEP_SECONDS,
  type ActionForm,
  type ParticleState,
  type Scenario,
} from './world.js'

/** A scenario with its options, as the registry lists it. */
export interface ParticleTask {
  readonly description: string
  /** Default rewards of agents: their own, or a sum that makes them a team. */
  readonly rewards: RewardForm
  /** Options of this scenario alone. */
  readonly options: OptionRules
  /** @param options values of those */
  scenario(options: Readonly<Record<string, string | number>>): Scenario
}

/** `each`: an agent's own reward. `sum`, `mean`: of all agents', the same for all. */
const REWARD_FORMS = ['sum', 'mean', 'each'] as const
type RewardForm = (typeof REWARD_FORMS)[number]

/** Options of a task, its own first. */
export function particleOptions({ options, rewards, scenario }: ParticleTask): OptionRules {
  const own = Object.fromEntries(Object.entries(options).map(([name, rule]) => [name, rule.usual]))
  const both = scenario(own).agents.some(({ moves, talks }) => moves && talks)
  const forms = both ? ['discrete', 'multiDiscrete', 'continuous'] : ['discrete', 'continuous']
  return {
    ...options,
    actions: choice(forms),
    rewards: choice(REWARD_FORMS, rewards),
    timeLimit: whole(25, 1),
  }
}

/** The environment of a task. @param values of `particleOptions` */
export function defineParticles(
  id: string,
  task: ParticleTask,
  values: Readonly<Record<string, string | number>>,
): EnvDefinition<ParticleState> {
  const scenario = task.scenario(values)
  const form = values['actions'] as ActionForm
  const shared = values['rewards'] as RewardForm
  const world = new ParticleWorld(scenario)
  const count = scenario.agents.length
  const agents = scenario.agents.map((_, i) => describeAgent(scenario, i, form))
  return {
    spec: {
      id,
      agents,
      stateSize: agents.reduce((size, { observation }) => size + observation.size, 0),
      timeLimit: Number(values['timeLimit']),
      stepSeconds: STEP_SECONDS,
      mode: shared === 'each' ? 'general' : 'cooperative',
      ...(shared === 'each' && teamsOf(scenario)),
    },
    memory: () => world.state,
    reset: ({ random }) => world.reset(random),
    step({ actions, rewards }) {
      for (let i = 0; i < count; i++) world.act(i, actions[i], form)
      world.move()
      const global = world.globalReward()
      let total = 0
      for (let i = 0; i < count; i++) {
        const reward = world.reward(i, global)
        total += reward
        rewards[i] = reward
      }
      if (shared !== 'each') rewards.fill(shared === 'sum' ? total : total / count)
      return 0
    },
    observe({ observations, state }) {
      let at = 0
      for (let i = 0; i < count; i++) {
        writeObservation(world, i, observations[i])
        state.set(observations[i], at)
        at += observations[i].length
      }
    },
    scene: () => particleScene(world),
  }
}

function describeAgent(scenario: Scenario, agent: number, form: ActionForm): AgentSpec {
  const { id, moves, talks } = scenario.agents[agent]
  const sizes = [...(moves ? [MOVES] : []), ...(talks ? [scenario.words] : [])]
  const observation = box(observationSize(scenario, agent))
  if (form === 'continuous') {
    const size = sizes.reduce((sum, n) => sum + n, 0)
    return { id, observation, action: box(size, 0, 1) }
  }
  const apart = form === 'multiDiscrete' && sizes.length > 1
  const product = sizes.reduce((all, n) => all * n, 1)
  return { id, observation, action: apart ? multiDiscrete(sizes) : discrete(product) }
}

/** The teams of a scenario that has some, as a spec names them. */
function teamsOf({ agents }: Scenario): Pick<EnvSpec, 'teams'> {
  if (agents.every(({ team }) => team === '')) return {}
  const members = (name: string) => agents.filter(({ team }) => team === name).map(({ id }) => id)
  return { teams: Object.fromEntries(agents.map(({ team }) => [team, members(team)])) }
}
