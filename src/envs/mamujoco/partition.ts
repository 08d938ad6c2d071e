import { usageError } from '../../errors.js'
import type { Mapping, PartitionOrder } from './options.js'
import type { Task } from './task.js'
import { fewestSegments } from './tasks.js'

/** One way to divide a task. */
interface Division {
  /** Actuators of each agent. */
  readonly sizes: readonly number[]
  /** Joints in the order in which MaMuJoCo deals them out, where that is not the model's. */
  readonly graph?: readonly string[]
  /** Whether Gymnasium-Robotics has it; with its own order where that is not the graph's. */
  readonly farama?: boolean | readonly string[]
}

const equal = (agents: number, each: number) => Array.from({ length: agents }, () => each)

const CHEETAH = ['bfoot', 'bshin', 'bthigh', 'ffoot', 'fshin', 'fthigh']
const CHEETAH_XML = ['bthigh', 'bshin', 'bfoot', 'fthigh', 'fshin', 'ffoot']
const WALKER = ['', '_left'].flatMap((side) => ['foot', 'leg', 'thigh'].map((part) => `${part}${side}_joint`))
const antLegs = (...legs: number[]) => legs.flatMap((leg) => [`hip_${leg}`, `ankle_${leg}`])
const hips = (side: string) => ['x', 'y', 'z'].map((axis) => `${side}_hip_${axis}`)
const ABDOMEN = ['abdomen_x', 'abdomen_y', 'abdomen_z']
const HUMANOID_JOINTS = [
  'left_shoulder1',
  'left_shoulder2',
  ...ABDOMEN,
  'right_shoulder1',
  'right_shoulder2',
  'right_elbow',
  'left_elbow',
  ...hips('left'),
  ...hips('right'),
  'right_knee',
  'left_knee',
]
const ARMS = ['right', 'left'].flatMap((side) =>
  ['shoulder1', 'shoulder2', 'elbow'].map((j) => `${side}_${j}`),
)
const LEGS = [...hips('right'), 'right_knee', ...hips('left'), 'left_knee']
const HUMANOID = {
  '17x1': { sizes: equal(17, 1), graph: HUMANOID_JOINTS },
  '9_8': { sizes: [9, 8], graph: [...ABDOMEN, ...ARMS, ...LEGS], farama: true },
}

/** The ways to divide each task of one size. */
const DIVISIONS: Readonly<Record<string, Readonly<Record<string, Division>>>> = {
  HalfCheetah: {
    '2x3': { sizes: equal(2, 3), graph: CHEETAH, farama: CHEETAH_XML },
    '3x2': { sizes: equal(3, 2), graph: CHEETAH },
    '6x1': { sizes: equal(6, 1), graph: CHEETAH, farama: CHEETAH_XML },
  },
  Hopper: { '3x1': { sizes: equal(3, 1), farama: true } },
  Walker2d: {
    '2x3': { sizes: equal(2, 3), graph: WALKER, farama: true },
    '3x2': { sizes: equal(3, 2), graph: WALKER },
    '6x1': { sizes: equal(6, 1), graph: WALKER },
  },
  Ant: {
    '2x4': { sizes: equal(2, 4), graph: antLegs(1, 2, 3, 4), farama: true },
    '2x4d': { sizes: equal(2, 4), graph: antLegs(1, 4, 2, 3), farama: true },
    '4x2': { sizes: equal(4, 2), graph: antLegs(1, 2, 3, 4), farama: true },
    '8x1': { sizes: equal(8, 1), graph: antLegs(1, 2, 3, 4) },
  },
  Humanoid: HUMANOID,
  HumanoidStandup: HUMANOID,
  Swimmer: { '2x1': { sizes: equal(2, 1), farama: true } },
  Reacher: { '2x1': { sizes: equal(2, 1), farama: true } },
  Pusher: { '3p': { sizes: [3, 1, 3], farama: true } },
  CoupledHalfCheetah: { '1p1': { sizes: [6, 6], farama: true } },
}

/** Divisions of the tasks of any length that lists show: agents x segments each. */
const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  ManySegmentSwimmer: ['10x2'],
  ManySegmentAnt: ['2x3'],
}

/** Most segments that a task of any length may have. */
const MOST_SEGMENTS = 100

/** The divisions of a task that lists show. */
export function divisionNames(task: string): string[] {
  if (Object.hasOwn(EXAMPLES, task)) return [...EXAMPLES[task]]
  return Object.hasOwn(DIVISIONS, task) ? Object.keys(DIVISIONS[task]) : []
}

/** Agents and segments of each, of a name such as `10x2`; undefined when it is none, or of too few or too many segments. */
export function parseSegments(task: string, division: string): { agents: number; each: number } | undefined {
  const fewest = fewestSegments(task)
  const match = /^([1-9]\d{0,2})x([1-9]\d{0,2})$/.exec(division)
  if (fewest === undefined || match === null) return undefined
  const [agents, each] = [Number(match[1]), Number(match[2])]
  return agents * each >= fewest && agents * each <= MOST_SEGMENTS ? { agents, each } : undefined
}

/** Whether a task can be divided so. */
export function hasDivision(task: string, division: string): boolean {
  if (parseSegments(task, division) !== undefined) return true
  return Object.hasOwn(DIVISIONS, task) && Object.hasOwn(DIVISIONS[task], division)
}

/** Whether Gymnasium-Robotics divides a task so. */
export function isFaramaDivision(task: Task, name: string): boolean {
  return hasDivision(task.name, name) && division(task, name, 'farama').farama !== undefined
}

/**
 * The actuators that each agent drives: agent k takes the k-th block of the order.
 * @param name such as `2x3`: agents x actuators each, or agents x segments each
 * @param mapping with `farama`, Gymnasium-Robotics' order has its slip: in the many-segment ant, the first leg's nodes
 *   drive the second leg, and the other way round
 * @throws HatrpoError (exit code 2) when the task is not divided so
 */
export function partition(
  task: Task,
  name: string,
  order: PartitionOrder,
  mapping: Mapping = 'corrected',
): number[][] {
  const { sizes, graph = task.actuators, farama } = division(task, name, mapping)
  if (order === 'farama' && farama === undefined) {
    throw usageError(
      `env.partition=farama: Gymnasium-Robotics has no ${task.name} ${name}; must be harl or graph`,
    )
  }
  const listed = order === 'farama' && typeof farama === 'object' ? farama : graph
  const inOrder = order === 'harl' ? task.actuators : listed
  let next = 0
  return sizes.map((size) => {
    next += size
    return inOrder.slice(next - size, next).map((joint) => task.actuators.indexOf(joint))
  })
}

function division(task: Task, name: string, mapping: Mapping): Division {
  const segmented = parseSegments(task.name, name)
  if (segmented !== undefined) {
    const { agents, each } = segmented
    const sizes = equal(agents, task.actuators.length / agents)
    if (task.name !== 'ManySegmentAnt' || mapping === 'corrected') return { sizes, farama: true }
    const swapped = Array.from({ length: agents * each }, (_, s) =>
      [2, 3, 0, 1].map((i) => task.actuators[4 * s + i]),
    )
    return { sizes, farama: swapped.flat() }
  }
  if (!hasDivision(task.name, name)) {
    throw usageError(
      `partition ${name} of ${task.name}: must be one of ${divisionNames(task.name).join(', ')}`,
    )
  }
  return DIVISIONS[task.name][name]
}
