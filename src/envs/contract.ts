import type { FiniteGame } from './finite-game.js'
import type { Scene } from './scene.js'

/** A continuous space: `size` numbers, each between its `low` and `high` (which may be infinite). */
export interface Box {
  readonly kind: 'box'
  readonly size: number
  readonly low: Float64Array
  readonly high: Float64Array
}

/** One choice out of `n`, numbered from 0. */
export interface Discrete {
  readonly kind: 'discrete'
  readonly n: number
}

/** Several choices made at once, the i-th out of `sizes[i]`. */
export interface MultiDiscrete {
  readonly kind: 'multiDiscrete'
  readonly sizes: readonly number[]
}

export type ActionSpace = Box | Discrete | MultiDiscrete

export interface AgentSpec {
  readonly id: string
  readonly observation: Box
  readonly action: ActionSpace
}

export interface EnvSpec {
  readonly id: string
  readonly agents: readonly AgentSpec[]
  /** Length of `state`, what a central critic sees. */
  readonly stateSize: number
  /**
   * Whether every agent observes the state: each entry of `observations` holds the numbers of `state` whenever views can
   * be read. A rollout then stores them once. Not so unless stated.
   */
  readonly observesState?: boolean
  /** Steps after which an episode is truncated; Infinity when it never is. */
  readonly timeLimit: number
  /** Fewest steps after which an episode may be truncated, where that is not `timeLimit`. */
  readonly truncatesAfter?: number
  /** Seconds of simulated time a step takes, where there is such a thing. */
  readonly stepSeconds?: number
  /**
   * Makes the tables of the game that the environment plays, where that is finite, cooperative and without masks; exact
   * methods read them. Every agent's observation is then the number of the state, one-hot: entry s is 1 in state s. States
   * behind the last entry are those after the end of an episode.
   */
  readonly finiteGame?: () => FiniteGame
  /** `cooperative`: all agents get the same reward. `general`: agents, or the teams in `teams`, have rewards of their own. */
  readonly mode: 'cooperative' | 'general'
  /**
   * Teams by name, as ids of their agents: each agent is in one. All agents of a team get the same reward. Where none
   * are named, agents of a cooperative task are one team, and others have each their own.
   */
  readonly teams?: Readonly<Record<string, readonly string[]>>
}

/** Result of `step()` while the episode continues. */
export const RUNNING = 0
/** The episode ended in a state that has no future: its value is 0. */
export const TERMINATED = 1
/** The episode was cut by its time limit: the state it ended in still has a value. */
export const TRUNCATED = 2

/**
 * A multi-agent environment. The caller fills `actions`, calls `step()`, and reads the views.
 * The views stay the same objects for the environment's whole life; nothing is allocated per step.
 * After TERMINATED or TRUNCATED the views hold the final observation and state until `reset`.
 */
export interface MultiAgentEnv {
  readonly spec: EnvSpec
  /** One per agent: its raw local observation. */
  readonly observations: readonly Float32Array[]
  /** [stateSize], raw. */
  readonly state: Float32Array
  /** One per agent, in the agent's action space; a discrete choice is stored as its index. */
  readonly actions: readonly Float32Array[]
  /** One per agent, 1 where a discrete action may be chosen. */
  readonly availableActions?: readonly Uint8Array[]
  /** [agents], 1 for agents still playing. */
  readonly active?: Uint8Array
  /** [agents], of the last step. */
  readonly rewards: Float32Array
  /** SHA-256 of the files, other than code, that the environment was made of: a model, a map. Runs keep it. */
  readonly dataSha256?: string
  /** Starts an episode. The same seed gives the same episode, bit for bit. */
  reset(seed: number): void
  /**
   * Starts the step with the actions as they are; `step` then finishes it. A caller with several environments submits all
   * of them before it steps the first, so that what runs in another process does their steps together. May be left out:
   * `step` then does it.
   */
  submit?(): void
  /** Advances by one step. @returns RUNNING, TERMINATED or TRUNCATED */
  step(): number
  /** Everything that `step` and the observations read, as bytes. */
  saveState?(): Uint8Array
  /** Restores what `saveState` gave, and the views. */
  loadState?(saved: Uint8Array): void
  /** The present state as solids in space, for pictures. Changes nothing that `step` or `saveState` reads. */
  scene?(): Scene
  dispose?(): void
}
