import type { ActionSpace, AgentSpec, EnvSpec } from '../contract.js'
import { box, discrete, multiDiscrete } from '../spaces.js'
import type { PettingZooOptions } from './options.js'

/** Bounds from Python: one number for all elements or one for each; null for no bound. */
type Bounds = number | null | readonly (number | null)[]

/** A space with bounds. */
interface Range {
  readonly size: number
  readonly low: Bounds
  readonly high: Bounds
}

/** Description of an environment, sent by Python. */
export interface Description {
  readonly agents: readonly {
    readonly id: string
    readonly observation: Range
    readonly action:
      | ({ readonly kind: 'box' } & Range)
      | { readonly kind: 'discrete'; readonly n: number }
      | { readonly kind: 'multiDiscrete'; readonly sizes: readonly number[] }
  }[]
  /** Whether the environment has masks of available actions. */
  readonly masked: boolean
  /** Length of what `env.state()` gives; 0 where the observations together are the state. */
  readonly state: number
  /** Steps after which it says that it truncates an episode. */
  readonly timeLimit: number | null
}

/** The environment's spec, as its own description and the options have it. */
export function specOf(id: string, description: Description, options: PettingZooOptions): EnvSpec {
  const agents = description.agents.map(({ id: name, observation, action }): AgentSpec => {
    return { id: name, observation: boxOf(observation), action: actionOf(action) }
  })
  const observed = agents.reduce((sum, { observation }) => sum + observation.size, 0)
  const timeLimit = timeLimitOf(description.timeLimit, options.timeLimit)
  return {
    id,
    agents,
    stateSize: description.state || observed,
    timeLimit,
    // Without a known limit, any step may be truncated.
    ...(timeLimit === Infinity && { truncatesAfter: 1 }),
    mode: options.rewards === 'each' ? 'general' : 'cooperative',
  }
}

function timeLimitOf(told: number | null, asked: PettingZooOptions['timeLimit']): number {
  if (asked === 0) return Infinity
  return Math.min(told ?? Infinity, asked === 'auto' ? Infinity : asked)
}

function boxOf({ size, low, high }: Range) {
  return box(size, boundsOf(low, -Infinity), boundsOf(high, Infinity))
}

function boundsOf(bounds: Bounds, missing: number): number | number[] {
  if (bounds === null) return missing
  return typeof bounds === 'number' ? bounds : bounds.map((bound) => bound ?? missing)
}

function actionOf(action: Description['agents'][number]['action']): ActionSpace {
  if (action.kind === 'box') return boxOf(action)
  return action.kind === 'discrete' ? discrete(action.n) : multiDiscrete(action.sizes)
}
