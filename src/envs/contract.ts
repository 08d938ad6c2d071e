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
  /** Length of `state`, the input of a central critic. */
  readonly stateSize: number
  /**
   * Whether every agent observes the state, that is, each entry of `observations` always has the numbers of `state`. A
   * rollout then stores them once. False by default.
   */
  readonly observesState?: boolean
  /** Steps after which an episode is truncated; Infinity for no limit. */
  readonly timeLimit: number
  /** Fewest steps after which an episode may be truncated; `timeLimit` by default. */
  readonly truncatesAfter?: number
  /** Simulated seconds of a step, if the environment simulates time. */
  readonly stepSeconds?: number
  /**
   * Makes the tables of a finite cooperative game without masks, for exact methods. Every agent's observation is then
   * the one-hot number of the state: entry s is 1 in state s. States beyond the last entry follow the end of an
   * episode.
   */
  readonly finiteGame?: () => FiniteGame
  /**
   * `cooperative`: all agents get the same reward. `general`: agents, or the teams in `teams`, have separate rewards.
   */
  readonly mode: 'cooperative' | 'general'
  /**
   * Ids of the agents of each team, by name. Each agent belongs to one team, and all agents of a team get the same
   * reward. By default, the agents of a cooperative task are one team, and each agent of a general one is a team.
   */
  readonly teams?: Readonly<Record<string, readonly string[]>>
}

/** Result of `step()` while the episode continues. */
export const RUNNING = 0
/** Result of `step()` for an episode that ended in a state without a future, whose value is 0. */
export const TERMINATED = 1
/** Result of `step()` for an episode that was cut by its time limit. Its last state still has a value. */
export const TRUNCATED = 2

/**
 * A multi-agent environment. The caller fills `actions`, calls `step()`, and reads the views. The views are always the
 * same objects; nothing is allocated per step. After TERMINATED or TRUNCATED, the views hold the final observation and
 * state until `reset`.
 */
export interface MultiAgentEnv {
  readonly spec: EnvSpec
  /** One per agent: its raw local observation. */
  readonly observations: readonly Float32Array[]
  /** [stateSize], raw. */
  readonly state: Float32Array
  /** One per agent, in the agent's action space; a discrete choice is stored as its index. */
  readonly actions: readonly Float32Array[]
  /** One per agent: 1 for available choices of a discrete action, else 0. */
  readonly availableActions?: readonly Uint8Array[]
  /** 1 for active agents, 0 for agents that have left; [agents]. */
  readonly active?: Uint8Array
  /** [agents], of the last step. */
  readonly rewards: Float32Array
  /**
   * SHA-256 of the files other than code from which the environment was made, such as a model or a map. Runs record it.
   */
  readonly dataSha256?: string
  /** Starts an episode. The same seed gives the same episode, bit for bit. */
  reset(seed: number): void
  /**
   * Starts a step with the present actions; `step` finishes it. Optional, also for callers. A caller with several
   * environments submits all of them before the first `step`, so that another process can compute their steps together.
   */
  submit?(): void
  /** Advances by one step. @returns RUNNING, TERMINATED or TRUNCATED */
  step(): number
  /** Complete state as bytes: everything that `step` and the observations depend on. */
  saveState?(): Uint8Array
  /** Restores a result of `saveState`, and the views. */
  loadState?(saved: Uint8Array): void
  /** Present state as solids in space, for pictures. Must not change the state. */
  scene?(): Scene
  dispose?(): void
}
