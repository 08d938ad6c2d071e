import type { EnvContext } from './context.js'
import type { EnvSpec, MultiAgentEnv } from './contract.js'
import { actionSize } from './shape.js'

/** Id and options of an environment, as plain data that can be stored and posted to other threads. */
export interface EnvConfig {
  readonly id: string
  readonly [option: string]: string | number | boolean
}

/** Makes environments of one kind. */
export interface EnvFactory {
  /** Configuration with a value for every option. */
  readonly config: EnvConfig
  /** The spec of the environments that `create` makes, known before anything is loaded. */
  readonly spec: EnvSpec
  /** SHA-256 of the code of a user's environment (see `ImportedSource`); absent for built-in ones. */
  readonly sha256?: string
  /** @param context shared by all environments of the thread */
  create(context: EnvContext): Promise<MultiAgentEnv>
}

/** An environment as lists show it. */
export interface EnvListing {
  readonly id: string
  readonly description: string
  readonly agents: number
  /** Length of the longest agent's observation. */
  readonly observation: number
  /** Length of the longest agent's action. */
  readonly action: number
  readonly state: number
  readonly timeLimit: number
}

/** The line of an environment in lists. */
export function listEnv({ id, agents, stateSize, timeLimit }: EnvSpec, description: string): EnvListing {
  return {
    id,
    description,
    agents: agents.length,
    observation: Math.max(...agents.map(({ observation }) => observation.size)),
    action: Math.max(...agents.map(({ action }) => actionSize(action))),
    state: stateSize,
    timeLimit,
  }
}

/** Environments whose ids begin with the same `name/`. */
export interface EnvFamily {
  readonly name: string
  /** Whether MuJoCo computes their physics. */
  readonly simulated: boolean
  list(): EnvListing[]
  /**
   * @param name what follows `family/` in the id
   * @throws HatrpoError (exit code 2) for an unknown name, option or value
   */
  factory(name: string, options: Readonly<Record<string, string | number | boolean>>): EnvFactory
}
