import { halfCheetahXml } from './half-cheetah.js'
import { HOPPER, uprightXml, walker2d } from './upright.js'

/** Which of Gymnasium's revisions of a task: its model and its reward. */
export type TaskVersion = 'v4' | 'v5'

/** States in which an episode goes on; all bounds are excluded. */
export interface HealthyRange {
  readonly z: readonly [low: number, high: number]
  readonly angle: readonly [low: number, high: number]
  /** Of every state element but the first two positions. */
  readonly state?: readonly [low: number, high: number]
}

/**
 * A locomotion task. Per step the reward is
 * forwardWeight dx/dt + healthyReward - controlCost |a|^2, with a the action as given.
 * The observation is all positions but x, then all velocities.
 */
export interface Task {
  readonly name: string
  readonly version: TaskVersion
  /** The MJCF document. */
  readonly xml: string
  /** Physics frames in a step, and their length in seconds. */
  readonly frames: number
  readonly timestep: number
  /** Actuators in the order of the actions, by the joint they drive. */
  readonly actuators: readonly string[]
  /** The order in which MaMuJoCo's joint graph lists them. */
  readonly graphOrder: readonly string[]
  readonly positions: number
  readonly initialPositions: readonly number[]
  readonly forwardWeight: number
  readonly controlCost: number
  readonly healthyReward: number
  /** Whether `healthyReward` is also paid in the step that ends the episode. */
  readonly paidWhenUnhealthy: boolean
  readonly healthy?: HealthyRange
  /** Bound on the velocities that are observed. */
  readonly velocityClip: number
  readonly resetNoise: { readonly scale: number; readonly velocity: 'normal' | 'uniform' }
  readonly timeLimit: number
}

type TaskRow = Omit<Task, 'name' | 'version'>

const TIME_LIMIT = 1000

const halfCheetah: TaskRow = {
  xml: halfCheetahXml(),
  frames: 5,
  timestep: 0.01,
  actuators: ['bthigh', 'bshin', 'bfoot', 'fthigh', 'fshin', 'ffoot'],
  graphOrder: ['bfoot', 'bshin', 'bthigh', 'ffoot', 'fshin', 'fthigh'],
  positions: 9,
  initialPositions: [0, 0, 0, 0, 0, 0, 0, 0, 0],
  forwardWeight: 1,
  controlCost: 0.1,
  healthyReward: 0,
  paidWhenUnhealthy: false,
  velocityClip: Infinity,
  resetNoise: { scale: 0.1, velocity: 'normal' },
  timeLimit: TIME_LIMIT,
}

const upright = {
  frames: 4,
  timestep: 0.002,
  forwardWeight: 1,
  controlCost: 1e-3,
  healthyReward: 1,
  velocityClip: 10,
  resetNoise: { scale: 5e-3, velocity: 'uniform' },
  timeLimit: TIME_LIMIT,
} as const

const hopper = {
  ...upright,
  xml: uprightXml(HOPPER),
  actuators: ['thigh_joint', 'leg_joint', 'foot_joint'],
  graphOrder: ['thigh_joint', 'leg_joint', 'foot_joint'],
  positions: 6,
  initialPositions: [0, 1.25, 0, 0, 0, 0],
  healthy: { z: [0.7, Infinity], angle: [-0.2, 0.2], state: [-100, 100] },
} as const

const walker = {
  ...upright,
  actuators: [
    'thigh_joint',
    'leg_joint',
    'foot_joint',
    'thigh_left_joint',
    'leg_left_joint',
    'foot_left_joint',
  ],
  graphOrder: [
    'foot_joint',
    'leg_joint',
    'thigh_joint',
    'foot_left_joint',
    'leg_left_joint',
    'thigh_left_joint',
  ],
  positions: 9,
  initialPositions: [0, 1.25, 0, 0, 0, 0, 0, 0, 0],
  healthy: { z: [0.8, 2], angle: [-1, 1] },
} as const

/** All tasks, by name, then by version. */
export const TASKS: Readonly<Record<string, Readonly<Record<TaskVersion, TaskRow>>>> = {
  HalfCheetah: { v4: halfCheetah, v5: halfCheetah },
  Hopper: { v4: { ...hopper, paidWhenUnhealthy: true }, v5: { ...hopper, paidWhenUnhealthy: false } },
  Walker2d: {
    v4: { ...walker, xml: uprightXml(walker2d(0.9)), paidWhenUnhealthy: true },
    v5: { ...walker, xml: uprightXml(walker2d(1.9)), paidWhenUnhealthy: false },
  },
}

/** The row of a task, or undefined when there is no such task. */
export function findTask(name: string, version: TaskVersion): Task | undefined {
  if (!Object.hasOwn(TASKS, name)) return undefined
  return { name, version, ...TASKS[name][version] }
}
