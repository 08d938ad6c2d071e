import type { EnvContext } from '../context.js'
import type { RandomStream } from '../random.js'
import { weighAsPublished } from '../mujoco/sliding-weights.js'
import type { DataArray, PhysicsModel } from '../mujoco/world.js'
import type { ObservationElement } from './elements.js'

/**
 * Revision of a task: its model, reward and observation. `v2` is that of the published runs (Gym on mujoco-py, where
 * contact forces are 0), `v4` and `v5` are Gymnasium's, and `v4c` is its v4 with `use_contact_forces`.
 */
export type TaskVersion = 'v2' | 'v4' | 'v4c' | 'v5'
export const VERSIONS: readonly TaskVersion[] = ['v2', 'v4', 'v4c', 'v5']

/** States in which an episode continues. Bounds are excluded, unless `inclusive`. */
export interface HealthyRange {
  /** Which position is the height. */
  readonly height: number
  readonly z: readonly [low: number, high: number]
  readonly inclusive?: boolean
  readonly angle?: readonly [low: number, high: number]
  /** Of every state element but the first two positions. */
  readonly state?: readonly [low: number, high: number]
}

/**
 * The quantity rewarded at `weight` per unit: the velocity along x of positions (the mean of several), of the torso's `xpos`
 * or of the centre of mass of `xipos`, in m/s; or the height over one physics frame (Gymnasium's HumanoidStandup).
 */
export interface Progress {
  readonly of: 'positions' | 'torso' | 'mass' | 'height'
  readonly weight: number
  /** Of 'positions'. */
  readonly positions?: readonly number[]
}

/** A cost of `weight` times the sum of squared contact forces, each clipped to +-`clip`, at most `largest`. */
export interface ContactCost {
  readonly weight: number
  readonly clip: number
  readonly largest: number
}

/** A cost of `weight` times the distance between two bodies. */
export interface DistanceCost {
  readonly name: 'near' | 'distance'
  readonly weight: number
  readonly bodies: readonly [from: number, to: number]
}

/**
 * A task for a single controller. Per step the reward is
 * progress + healthyReward - controlCost |a|^2 - contact cost - distances, with a the controls as given.
 */
export interface Task {
  readonly name: string
  readonly version: TaskVersion
  /** The MJCF document. */
  readonly xml: string
  /** Whether bodies that only slide have the weights in constraints that the published engine gave them. */
  readonly publishedWeights?: boolean
  /** Physics frames in a step, and their length in seconds. */
  readonly frames: number
  readonly timestep: number
  /** Actuators in the order of the actions, by the joint they drive. */
  readonly actuators: readonly string[]
  /** Controls go from minus this to this. */
  readonly controlRange: number
  readonly initialPositions: readonly number[]
  /** Velocities: as many as positions, or one less with a free joint. */
  readonly velocities: number
  /** Whether the first joint is free: positions 3 to 6 are then a quaternion. */
  readonly freeRoot: boolean
  /** Everything that a single controller of all actuators observes. */
  readonly observation: readonly ObservationElement[]
  /** Number of leading positions that are not observed. */
  readonly skippedPositions: number
  readonly progress?: Progress
  readonly controlCost: number
  readonly contactCost?: ContactCost | undefined
  readonly distanceCosts?: readonly DistanceCost[]
  /** Whether distances are those of the state before the step, as in Gymnasium's version 4, or of the state it led to. */
  readonly distancesBefore?: boolean
  readonly healthyReward: number
  /** Whether `healthyReward` is also paid in the step that ends the episode. */
  readonly paidWhenUnhealthy: boolean
  readonly healthy?: HealthyRange
  readonly resetNoise: {
    /** Positions start within +-scale of the initial ones; velocities likewise, or normal with this s.d. */
    readonly scale: number
    readonly velocity: 'normal' | 'uniform'
    /** Of the velocities, where it is another. */
    readonly velocityScale?: number
  }
  /** Puts what else differs from episode to episode into the state that the noise gave. */
  readonly place?: (random: RandomStream, qpos: number[], qvel: number[]) => void
  readonly timeLimit: number
}

/** The compiled model of a task, as its worlds need it: of one task, always the same one. */
export async function taskModel(context: EnvContext, task: Task): Promise<PhysicsModel> {
  const model = await context.model(task.xml)
  if (task.publishedWeights === true) weighAsPublished(model.handle)
  return model
}

/** Arrays beside the state itself that the task's observation and reward, or other elements, are taken from. */
export function derivedArrays(task: Task, others: readonly ObservationElement[] = []): DataArray[] {
  const arrays = new Set<DataArray>()
  for (const { array, reading } of [...task.observation, ...others]) {
    if (reading !== 'zero') arrays.add(array)
  }
  if (task.progress?.of === 'torso' || task.distanceCosts !== undefined) arrays.add('xpos')
  if (task.progress?.of === 'mass') arrays.add('xipos')
  if (task.contactCost !== undefined) arrays.add('cfrc_ext')
  arrays.delete('qpos')
  arrays.delete('qvel')
  return [...arrays].sort()
}
