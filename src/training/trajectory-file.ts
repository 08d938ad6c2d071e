import type { MultiAgentEnv } from '../envs/contract.js'

/** Information in a file about all its episodes. */
export interface TrajectoryAbout {
  readonly environment: string
  readonly agents: readonly string[]
  readonly seed: number
  /** Simulated seconds of a step; null if the environment does not simulate time. */
  readonly stepSeconds: number | null
}

/** Name and version of both formats, in the file. */
export const TRAJECTORY_FORMAT = { format: 'hatrpo-trajectory', version: 1 } as const

/** Numbers of one moment, agent after agent: views that hold until the environment moves on. */
export interface Sight {
  readonly observations: readonly Float32Array[]
  readonly state: Float32Array
  /** One per agent, of environments with masks. */
  readonly available?: readonly Uint8Array[]
  /** [agents], of environments that agents leave. */
  readonly active?: Uint8Array
}

/** A step that was made. */
export interface StepResult {
  readonly actions: readonly Float32Array[]
  readonly rewards: Float32Array
  readonly terminated: boolean
  readonly truncated: boolean
}

/** A file of trajectories in the making. */
export interface TrajectoryFile {
  /** Before a step. */
  before(episode: number, step: number, sight: Sight): void
  /** After the step. */
  after(result: StepResult): void
  /** After the last step of an episode. */
  end(episode: number, steps: number, total: number, sight: Sight): void
  /** Content of the file. */
  bytes(): Uint8Array
}

/** The present moment of an environment; masks only where an agent has choices. */
export function sightOf({ observations, state, availableActions, active }: MultiAgentEnv): Sight {
  return {
    observations,
    state,
    ...(availableActions?.some(({ length }) => length > 0) && { available: availableActions }),
    ...(active && { active }),
  }
}
