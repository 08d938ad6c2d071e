import { antXml, manySegmentAntXml } from './ant.js'
import { offset, angles, values, zeros, type ObservationElement } from './elements.js'
import { coupledHalfCheetahXml, halfCheetahXml } from './half-cheetah.js'
import { HUMANOID_ACTUATORS, humanoidXml, LYING, STANDING } from './humanoid.js'
import { placeObject, pusherXml, PUSHER_ACTUATORS } from './pusher.js'
import { placeTarget, reacherXml } from './reacher.js'
import { manySegmentSwimmerXml, swimmerXml } from './swimmer.js'
import { VERSIONS, type Task, type TaskVersion } from './task.js'
import { HOPPER, uprightXml, walker2d } from './upright.js'

type TaskRow = Omit<Task, 'name' | 'version'>

/** Settings that most tasks share. */
const COMMON = {
  controlRange: 1,
  freeRoot: false,
  healthyReward: 0,
  paidWhenUnhealthy: false,
  timeLimit: 1000,
} as const

/** All positions but the first `skipped`, then all velocities. */
function state(
  positions: number,
  velocities: number,
  skipped: number,
  clip = Infinity,
): ObservationElement[] {
  return [...values('qpos', skipped, positions - skipped), ...values('qvel', 0, velocities, clip)]
}

function rest(positions: number): number[] {
  return Array.from({ length: positions }, () => 0)
}

const CHEETAH_JOINTS = ['bthigh', 'bshin', 'bfoot', 'fthigh', 'fshin', 'ffoot']

const halfCheetah: TaskRow = {
  ...COMMON,
  xml: halfCheetahXml(),
  frames: 5,
  timestep: 0.01,
  actuators: CHEETAH_JOINTS,
  initialPositions: rest(9),
  velocities: 9,
  observation: state(9, 9, 1),
  skippedPositions: 1,
  progress: { of: 'positions', positions: [0], weight: 1 },
  controlCost: 0.1,
  resetNoise: { scale: 0.1, velocity: 'normal' },
}

/** The mean of both cheetahs' rewards. Of the tendon's Jacobian, only the columns of the roots' x and z. */
const coupledHalfCheetah: TaskRow = {
  ...halfCheetah,
  xml: coupledHalfCheetahXml(),
  actuators: ['0', '1'].flatMap((suffix) => CHEETAH_JOINTS.map((joint) => joint + suffix)),
  initialPositions: rest(18),
  velocities: 18,
  observation: [
    ...values('qpos', 1, 8),
    ...values('qpos', 10, 8),
    ...values('qvel', 0, 18),
    ...tendonJacobian(),
    ...values('ten_length', 0, 1),
    ...values('ten_velocity', 0, 1),
  ],
  progress: { of: 'positions', positions: [0, 9], weight: 1 },
  controlCost: 0.05,
}

/** MuJoCo 3 stores the Jacobian's non-zero columns: x, z, angle of the first root, then of the second. */
export function tendonJacobian(): ObservationElement[] {
  return [...values('ten_J', 0, 2), ...values('ten_J', 3, 2)]
}

const upright = {
  ...COMMON,
  frames: 4,
  timestep: 0.002,
  skippedPositions: 1,
  progress: { of: 'positions', positions: [0], weight: 1 },
  controlCost: 1e-3,
  healthyReward: 1,
  resetNoise: { scale: 5e-3, velocity: 'uniform' },
} as const

function hopper(version: TaskVersion): TaskRow {
  return {
    ...upright,
    xml: uprightXml(HOPPER),
    actuators: ['thigh_joint', 'leg_joint', 'foot_joint'],
    initialPositions: [0, 1.25, 0, 0, 0, 0],
    velocities: 6,
    observation: state(6, 6, 1, 10),
    healthy: { height: 1, z: [0.7, Infinity], angle: [-0.2, 0.2], state: [-100, 100] },
    paidWhenUnhealthy: version !== 'v5',
  }
}

function walker(version: TaskVersion): TaskRow {
  return {
    ...upright,
    xml: uprightXml(walker2d(version === 'v5' ? 1.9 : 0.9)),
    actuators: ['', '_left'].flatMap((side) =>
      ['thigh', 'leg', 'foot'].map((part) => `${part}${side}_joint`),
    ),
    initialPositions: [0, 1.25, 0, 0, 0, 0, 0, 0, 0],
    velocities: 9,
    observation: state(9, 9, 1, 10),
    healthy: { height: 1, z: [0.8, 2], angle: [-1, 1] },
    paidWhenUnhealthy: version !== 'v5',
  }
}

/** Physics frames in a step and their length, as in `Task`. */
type Pace = Pick<TaskRow, 'frames' | 'timestep'>

/** Of the many-segment tasks as published; Gymnasium-Robotics has frames twice as long. */
const PUBLISHED_PACE: Pace = { frames: 4, timestep: 0.005 }
const SWIMMER_PACE: Pace = { frames: 4, timestep: 0.01 }
const ANT_PACE: Pace = { frames: 5, timestep: 0.01 }

function swimmer(xml: string, actuators: readonly string[], pace: Pace): TaskRow {
  const positions = 3 + actuators.length
  return {
    ...COMMON,
    xml,
    ...pace,
    actuators,
    initialPositions: rest(positions),
    velocities: positions,
    observation: state(positions, positions, 2),
    skippedPositions: 2,
    progress: { of: 'positions', positions: [0], weight: 1 },
    controlCost: 1e-4,
    resetNoise: { scale: 0.1, velocity: 'uniform' },
  }
}

/** @param xml of a robot with a free root that starts level, 0.75 m up, every joint at 0 */
function ant(
  version: TaskVersion,
  xml: string,
  actuators: readonly string[],
  bodies: number,
  pace: Pace,
): TaskRow {
  const velocities = 6 + actuators.length
  const forces = (from: number) => values('cfrc_ext', 6 * from, 6 * (bodies - from), 1)
  const observed = { v2: zeros(forces(0)), v4: [], v4c: forces(0), v5: forces(1) }
  const contactCost = { weight: 5e-4, clip: 1, largest: Infinity }
  return {
    ...COMMON,
    xml,
    ...pace,
    actuators,
    initialPositions: [0, 0, 0.75, 1, ...rest(3 + actuators.length)],
    velocities,
    freeRoot: true,
    observation: [...state(velocities + 1, velocities, 2), ...observed[version]],
    skippedPositions: 2,
    progress: { of: 'torso', weight: 1 },
    controlCost: 0.5,
    contactCost: version === 'v4c' || version === 'v5' ? contactCost : undefined,
    healthyReward: 1,
    paidWhenUnhealthy: version !== 'v5',
    healthy: { height: 2, z: [0.2, 1], inclusive: true },
    resetNoise: { scale: 0.1, velocity: 'normal' },
  }
}

const ANT_ACTUATORS = [4, 1, 2, 3].flatMap((leg) => [`hip_${leg}`, `ankle_${leg}`])
const ANT_BODIES = 14
const SEGMENT_BODIES = 7

function humanoidBase(version: TaskVersion, xml: string, height: number) {
  const bodies = 14
  // Version 5 omits constants: the world body, and the root's six forces.
  const first = version === 'v5' ? 1 : 0
  const forces = values('cfrc_ext', 6 * first, 6 * (bodies - first))
  return {
    ...COMMON,
    xml,
    frames: 5,
    timestep: 0.003,
    actuators: HUMANOID_ACTUATORS,
    controlRange: 0.4,
    initialPositions: [0, 0, height, 1, ...rest(20)],
    velocities: 23,
    freeRoot: true,
    observation: [
      ...state(24, 23, 2),
      ...values('cinert', 10 * first, 10 * (bodies - first)),
      ...values('cvel', 6 * first, 6 * (bodies - first)),
      ...values('qfrc_actuator', 6 * first, 23 - 6 * first),
      ...(version === 'v2' ? zeros(forces) : forces),
    ],
    skippedPositions: 2,
    controlCost: 0.1,
    resetNoise: { scale: 0.01, velocity: 'uniform' },
  } as const
}

const IMPACT_COST = { weight: 5e-7, clip: Infinity, largest: 10 }

/** Version 4 observes contact forces and does not charge for them. */
function humanoid(version: TaskVersion): TaskRow {
  return {
    ...humanoidBase(version, humanoidXml(STANDING), 1.4),
    progress: { of: 'mass', weight: 1.25 },
    contactCost: version === 'v5' ? IMPACT_COST : undefined,
    healthyReward: 5,
    paidWhenUnhealthy: version !== 'v5',
    healthy: { height: 2, z: [1, 2], inclusive: version === 'v2' },
  }
}

function humanoidStandup(version: TaskVersion): TaskRow {
  return {
    ...humanoidBase(version, humanoidXml(LYING), 0.105),
    progress: { of: 'height', weight: 1 },
    contactCost: version === 'v2' ? undefined : IMPACT_COST,
    healthyReward: 1,
  }
}

/** Bodies: 1 and 2 the arm, 3 the fingertip, 4 the target. */
function reacher(version: TaskVersion): TaskRow {
  return {
    ...COMMON,
    xml: reacherXml(),
    frames: 2,
    timestep: 0.01,
    actuators: ['joint0', 'joint1'],
    initialPositions: [0, 0, 0.1, -0.1],
    velocities: 4,
    observation: [
      ...angles('cosine', 0, 2),
      ...angles('sine', 0, 2),
      ...values('qpos', 2, 2),
      ...values('qvel', 0, 2),
      // Up to version 4 with the height, which is always the same.
      ...offset(3, 4, version === 'v5' ? 2 : 3),
    ],
    skippedPositions: 0,
    controlCost: 1,
    distanceCosts: [{ name: 'distance', weight: 1, bodies: [3, 4] }],
    ...(version === 'v5' ? {} : { distancesBefore: true }),
    resetNoise: { scale: 0.1, velocity: 'uniform', velocityScale: 5e-3 },
    place: placeTarget,
    timeLimit: 50,
  }
}

/** Bodies of the pusher. */
const TIPS = 10
const OBJECT = 11
const GOAL = 12

function pusher(version: TaskVersion): TaskRow {
  return {
    ...COMMON,
    xml: pusherXml(version === 'v5'),
    publishedWeights: true,
    frames: 5,
    timestep: 0.01,
    actuators: PUSHER_ACTUATORS,
    controlRange: 2,
    initialPositions: rest(11),
    velocities: 11,
    observation: [
      ...values('qpos', 0, 7),
      ...values('qvel', 0, 7),
      ...[TIPS, OBJECT, GOAL].flatMap((body) => values('xpos', 3 * body, 3)),
    ],
    skippedPositions: 0,
    controlCost: 0.1,
    distanceCosts: [
      { name: 'near', weight: 0.5, bodies: [TIPS, OBJECT] },
      { name: 'distance', weight: 1, bodies: [GOAL, OBJECT] },
    ],
    ...(version === 'v5' ? {} : { distancesBefore: true }),
    resetNoise: { scale: 5e-3, velocity: 'uniform' },
    place: placeObject,
    timeLimit: 100,
  }
}

/** Makes a version of a task; `segments` is for tasks of variable length. */
type MakeTask = (version: TaskVersion, segments: number) => TaskRow

interface TaskEntry {
  readonly versions: readonly TaskVersion[]
  /** The default version, where that is not v4. */
  readonly usual?: TaskVersion
  readonly make: MakeTask
  /** Fewest segments; undefined for tasks of one size. */
  readonly fewestSegments?: number
}

const PLAIN: readonly TaskVersion[] = ['v2', 'v4', 'v5']
const ARMS: readonly TaskVersion[] = ['v4', 'v5']

/** All tasks, by name. */
const TASKS: Readonly<Record<string, TaskEntry>> = {
  HalfCheetah: { versions: PLAIN, make: () => halfCheetah },
  Hopper: { versions: PLAIN, make: hopper },
  Walker2d: { versions: PLAIN, make: walker },
  Ant: { versions: VERSIONS, make: (version) => ant(version, antXml(), ANT_ACTUATORS, ANT_BODIES, ANT_PACE) },
  Humanoid: { versions: PLAIN, make: humanoid },
  HumanoidStandup: { versions: PLAIN, make: humanoidStandup },
  Swimmer: { versions: PLAIN, make: () => swimmer(swimmerXml(), ['motor1_rot', 'motor2_rot'], SWIMMER_PACE) },
  ManySegmentSwimmer: {
    versions: PLAIN,
    fewestSegments: 2,
    make: (version, segments) => {
      const pace = version === 'v2' ? PUBLISHED_PACE : SWIMMER_PACE
      const actuators = Array.from({ length: segments }, (_, i) => `rot${i}`)
      return swimmer(manySegmentSwimmerXml(segments, pace.timestep), actuators, pace)
    },
  },
  ManySegmentAnt: {
    versions: VERSIONS,
    fewestSegments: 1,
    make: (version, segments) => {
      const joints = (s: number) => [`hip1_${s}`, `ankle1_${s}`, `hip2_${s}`, `ankle2_${s}`]
      const actuators = Array.from({ length: segments }, (_, s) => joints(s)).flat()
      const pace = version === 'v2' ? PUBLISHED_PACE : ANT_PACE
      const xml = manySegmentAntXml(segments, pace.timestep)
      return ant(version, xml, actuators, 1 + SEGMENT_BODIES * segments, pace)
    },
  },
  CoupledHalfCheetah: { versions: ['v4', 'v5'], make: () => coupledHalfCheetah },
  Reacher: { versions: ARMS, usual: 'v5', make: reacher },
  Pusher: { versions: ARMS, usual: 'v5', make: pusher },
}

export const TASK_NAMES = Object.keys(TASKS)

/** Versions of a task; undefined for an unknown task. */
export function taskVersions(name: string): readonly TaskVersion[] | undefined {
  return Object.hasOwn(TASKS, name) ? TASKS[name].versions : undefined
}

/** The version of a task that is meant unless one is named. */
export function usualVersion(name: string): TaskVersion {
  return TASKS[name].usual ?? 'v4'
}

/** Fewest segments of a task of variable length; undefined for others. */
export function fewestSegments(name: string): number | undefined {
  return Object.hasOwn(TASKS, name) ? TASKS[name].fewestSegments : undefined
}

/** A version of a task, or undefined if there is none. @param segments for tasks of variable length */
export function findTask(name: string, version: TaskVersion, segments = 1): Task | undefined {
  if (taskVersions(name)?.includes(version) !== true) return undefined
  return { name, version, ...TASKS[name].make(version, segments) }
}
