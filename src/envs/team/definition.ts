import type { Reading, StateField } from './fields.js'

/** Numbers to be read, in order. */
export type Numbers = Readonly<ArrayLike<number>>

/**
 * View of the world after a step, the argument of a team's functions. Always the same object, which may be
 * destructured.
 */
export interface TeamScene {
  /**
   * Present values of a reading, as a view of MuJoCo's memory without a copy. Valid until the function returns.
   * @throws HatrpoError for a reading that the model does not have
   */
  read(reading: Reading): Numbers
  /** Values of a reading before the step, for the readings listed in `keep`. */
  before(reading: Reading): Numbers
  /** Number of steps in this episode, including the present one. */
  readonly steps: number
  /** Simulated seconds of a step. */
  readonly stepSeconds: number
}

/** The state that `start` may change. */
export interface TeamStart {
  /** Writable numbers of the state. Valid until the function returns. */
  write(reading: StateField | `${StateField}:${string}`): Float64Array
  /** Random numbers of the episode. */
  readonly random: {
    /** In [0, 1). */
    uniform(): number
    /** Standard normal. */
    normal(): number
  }
}

/** Functions that define a task. */
export interface TeamFunctions {
  /** Reward of the team for a step. */
  reward(scene: TeamScene): number
  /** Whether the step ended the episode in a state without a future. */
  terminated?(scene: TeamScene): boolean
  /** Sets quantities that differ between episodes, after the reset noise. */
  start?(start: TeamStart): void
  /** Readings that are available through `before`. */
  keep?: readonly Reading[]
}

/**
 * Part of an observation: a reading, or
 * `own`: positions, then velocities, of the joints that the agent's actuators drive (of the tendon, for an actuator with
 * a tendon along sites);
 * `neighbours`: the same of joints that other agents drive and that share a link with a joint of the agent;
 * `others`: the same of all joints that other agents drive;
 * `base`: the same of joints that no actuator drives, such as a free base or objects;
 * `all`: the same of all joints.
 * The last two omit the x and y of a free joint that carries driven joints, the position of the robot on the ground.
 */
export type View = 'own' | 'neighbours' | 'others' | 'base' | 'all' | Reading
export const VIEWS: readonly View[] = ['own', 'neighbours', 'others', 'base', 'all']

/** Largest uniform noise of initial positions and velocities. */
export interface ResetNoise {
  readonly position: number
  readonly velocity: number
}

/** A MuJoCo model whose actuators are divided among agents. */
export interface MujocoTeam extends TeamFunctions {
  /** The MJCF file: `new URL('./robot.xml', import.meta.url)`, or an absolute path. */
  readonly model: URL | string
  /** Id of the environment; by default the name of the model file without its extension. */
  readonly name?: string
  /**
   * Names of the actuators of each agent, in the order of its action. Agents of a list are `agent_0`, `agent_1` ... An
   * actuator without a name has that of the joint, tendon, site or body that only it drives, or its number: `#3`.
   */
  readonly agents: Readonly<Record<string, readonly string[]>> | readonly (readonly string[])[]
  /** Observations of the agents: one list for all, or one for each. `['all']` by default. */
  readonly observe?: readonly View[] | Readonly<Record<string, readonly View[]>>
  /** Input of the central critic; by default `all`, then any other readings that agents observe. */
  readonly state?: readonly View[]
  /** Physics frames per step: 5 by default. */
  readonly frames?: number
  /** Steps after which an episode is truncated: 1000 by default. */
  readonly timeLimit?: number
  /** Reset noise: one number for positions and velocities, or one for each. 0.01 by default. */
  readonly resetNoise?: number | ResetNoise
  /** Name of the keyframe from which episodes start, or `none`; by default the first keyframe of the model, if any. */
  readonly keyframe?: string
  /**
   * Control per unit of action. By default, actions from -1 to 1 span the control range of each actuator, and an
   * actuator without a range gets the action unchanged.
   */
  readonly controlScale?: number
}

/** A team as it will be run: checked, and with its defaults filled in. */
export interface TeamSettings extends Required<Pick<MujocoTeam, 'frames' | 'timeLimit'>> {
  readonly resetNoise: ResetNoise
  readonly agents: readonly { readonly id: string; readonly actuators: readonly string[] }[]
  /** One per agent. */
  readonly observe: readonly (readonly string[])[]
  readonly state: readonly string[] | undefined
  readonly keyframe: string | undefined
  readonly controlScale: number | undefined
}
