import type { Reading, StateField } from './fields.js'

/** Numbers to be read, in order. */
export type Numbers = Readonly<ArrayLike<number>>

/** The view of the world that a team's functions get after a step. It stays the same object; the functions may take it apart. */
export interface TeamScene {
  /**
   * Present values of a reading. The numbers are MuJoCo's own memory: nothing is copied, and they are good until the
   * function returns.
   * @throws HatrpoError for a reading that the model does not have
   */
  read(reading: Reading): Numbers
  /** The same as it was when the step began, for the readings listed in `keep`. */
  before(reading: Reading): Numbers
  /** Made in this episode, this one included. */
  readonly steps: number
  /** Simulated time of a step. */
  readonly stepSeconds: number
}

/** The state that `start` may change. */
export interface TeamStart {
  /** Numbers of the state, to be overwritten. Good until the function returns. */
  write(reading: StateField | `${StateField}:${string}`): Float64Array
  /** The episode's own random numbers. */
  readonly random: {
    /** In [0, 1). */
    uniform(): number
    /** Standard normal. */
    normal(): number
  }
}

/** A task in code. */
export interface TeamFunctions {
  /** The team's reward for a step. */
  reward(scene: TeamScene): number
  /** Whether the step ended the episode, in a state that has no future. */
  terminated?(scene: TeamScene): boolean
  /** Places what differs from episode to episode, after the reset noise. */
  start?(start: TeamStart): void
  /** Readings that `before` is asked for. */
  keep?: readonly Reading[]
}

/**
 * Part of an observation: a reading, or
 * `own`: positions, then velocities, of the joints that the agent's actuators drive (of the tendon, for one that runs
 * along sites);
 * `neighbours`: the same of joints that other agents drive and that share a link with one of the agent's;
 * `others`: of all joints that other agents drive;
 * `base`: of the joints that nothing drives, such as a free base or objects;
 * `all`: of all joints.
 * The last two leave out the x and y of a free joint that carries driven ones: where on the ground the robot is.
 */
export type View = 'own' | 'neighbours' | 'others' | 'base' | 'all' | Reading
export const VIEWS: readonly View[] = ['own', 'neighbours', 'others', 'base', 'all']

/** How far an episode's start is from its initial state: every number moves uniformly by at most this. */
export interface ResetNoise {
  readonly position: number
  readonly velocity: number
}

/** A MuJoCo model whose actuators are divided among agents. */
export interface MujocoTeam extends TeamFunctions {
  /** The MJCF file: `new URL('./robot.xml', import.meta.url)`, or an absolute path. */
  readonly model: URL | string
  /** Id of the environment; the model file's name without its ending by default. */
  readonly name?: string
  /**
   * Actuators of each agent, by name, in the order of its action; agents `agent_0`, `agent_1` ... or by their own names.
   * An actuator without a name goes by the joint, tendon, site or body that it alone drives, or by its number: `#3`.
   */
  readonly agents: Readonly<Record<string, readonly string[]>> | readonly (readonly string[])[]
  /** Observations of the agents: all alike, or each on its own. `['all']` by default. */
  readonly observe?: readonly View[] | Readonly<Record<string, readonly View[]>>
  /** Input of the central critic; by default `all`, then what agents observe beside it. */
  readonly state?: readonly View[]
  /** Physics frames in a step: 5 by default. */
  readonly frames?: number
  /** Steps after which an episode is cut: 1000 by default. */
  readonly timeLimit?: number
  /** One number for positions and velocities, or one each: 0.01 by default. */
  readonly resetNoise?: number | ResetNoise
  /** Name of the keyframe that episodes start from, or `none`: the model's first by default, if it has one. */
  readonly keyframe?: string
  /**
   * Control per unit of action. By default actions from -1 to 1 span the control range of each actuator; one without a
   * range gets the action as it is.
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
