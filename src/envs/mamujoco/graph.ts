import { angles, offset, values, type ObservationElement } from './elements.js'
import type { Mapping } from './options.js'
import { tendonJacobian } from './tasks.js'
import type { Task } from './task.js'

/** Observed elements of a node, by category. */
type Seen = Readonly<Record<string, readonly ObservationElement[]>>

/** A joint that an actuator drives. Bodies count for the categories `cinert`, `cvel` and `cfrc_ext`. */
export interface JointNode {
  readonly label: string
  /** Undefined in a copy of a node, which belongs to no agent. */
  readonly actuator?: number | undefined
  readonly seen: Seen
  readonly bodies: readonly number[]
}

/**
 * The joints of a robot, joined where they are neighbours: Gymnasium-Robotics' hypergraph of each task, after the
 * original of C. Schroeder de Witt et al. 2020.
 */
export interface JointGraph {
  readonly nodes: readonly JointNode[]
  /** Each joins all its nodes with one another; positions in `nodes`. */
  readonly edges: readonly (readonly number[])[]
  /** Elements that all agents observe, root by root. */
  readonly globals: readonly Seen[]
  /** Default categories at distance 0, 1, ...; the last one repeats. */
  readonly categories: readonly (readonly string[])[]
  /** Largest magnitude of contact forces that is observed. */
  readonly forceClip: number
}

/** The parts of a graph that a task does not determine. */
interface Layout {
  /** Labels in the order of the joints, with the actuator that each drives. */
  readonly joints: readonly { label: string; actuator: number; bodies?: readonly number[]; seen?: Seen }[]
  /** Edges by label. */
  readonly edges: readonly (readonly string[])[]
  readonly globals: readonly Seen[]
  /** Categories beside qpos and qvel at distance 0. */
  readonly others?: readonly string[]
  readonly velocityClip?: number
  readonly forceClip?: number
}

/** @param mapping whether the slips of Gymnasium-Robotics are repeated or corrected */
export function jointGraph(task: Task, mapping: Mapping): JointGraph {
  if (task.name === 'ManySegmentAnt' && mapping === 'farama') return faramaManySegmentAnt(task)
  return fromLayout(task, LAYOUTS[task.name](task, mapping))
}

/** First part of a node's label; the second distinguishes it from others with the same label in Gymnasium-Robotics. */
export function givenLabel({ label }: JointNode): string {
  return label.split(' ')[0]
}

/** Joints are the last positions and velocities of the model, in the layout's order. */
function fromLayout(task: Task, layout: Layout): JointGraph {
  const { joints, edges, globals, others = [], velocityClip, forceClip = Infinity } = layout
  const first = task.initialPositions.length - joints.length
  const nodes = joints.map(({ label, actuator, bodies = [], seen }, i): JointNode => {
    const velocity = task.velocities - joints.length + i
    return { label, actuator, bodies, seen: { ...seenOfJoint(first + i, velocity, velocityClip), ...seen } }
  })
  const labels = joints.map(({ label }) => label)
  return {
    nodes,
    edges: edges.map((edge) => edge.map((label) => labels.indexOf(label))),
    globals,
    categories: [['qpos', 'qvel', ...others], ['qpos']],
    forceClip,
  }
}

function seenOfJoint(position: number, velocity: number, velocityClip?: number): Seen {
  return {
    qpos: values('qpos', position, 1),
    qvel: values('qvel', velocity, 1, velocityClip),
    qfrc_actuator: values('qfrc_actuator', velocity, 1),
  }
}

/** Labels that are the joints of the actuators, in order. */
function inOrder(labels: readonly string[]): { label: string; actuator: number }[] {
  return labels.map((label, actuator) => ({ label, actuator }))
}

/** Each label joined with the next. */
function path(...labels: string[]): string[][] {
  return labels.slice(1).map((label, i) => [labels[i], label])
}

/** Seen of a root joint: nothing of its position where that is how far the robot got. */
function root(index: number, options: { position: boolean; clip?: number | undefined }): Seen {
  return {
    qpos: options.position ? values('qpos', index, 1) : [],
    qvel: values('qvel', index, 1, options.clip),
    qfrc_actuator: values('qfrc_actuator', index, 1),
  }
}

/** x, z and angle of a planar robot whose root joints start at `from`. */
function planarGlobals(from: number, clip?: number): Seen[] {
  return [
    root(from, { position: false, clip }),
    root(from + 1, { position: true, clip }),
    root(from + 2, { position: true, clip }),
  ]
}

/** A free body: all but where it is on the ground. */
const FREE: Seen = { qpos: values('qpos', 2, 5), qvel: values('qvel', 0, 6) }
/** Of the ants', also what drives it along x, which nothing does. */
const ANT_ROOT: Seen = { ...FREE, qfrc_actuator: values('qfrc_actuator', 0, 1) }

function cheetahEdges(suffix: string): string[][] {
  return path(...['bfoot', 'bshin', 'bthigh', 'fthigh', 'fshin', 'ffoot'].map((joint) => joint + suffix))
}

function halfCheetah(task: Task): Layout {
  return { joints: inOrder(task.actuators), edges: cheetahEdges(''), globals: planarGlobals(0) }
}

/** Gymnasium-Robotics' first cheetah reads the second's joints. */
function coupledHalfCheetah(task: Task, mapping: Mapping): Layout {
  const tendon: Seen = {
    ten_J: tendonJacobian(),
    ten_length: values('ten_length', 0, 1),
    ten_velocity: values('ten_velocity', 0, 1),
  }
  const joints = inOrder(task.actuators).map((joint, i) => {
    const at = (mapping === 'corrected' && i < 6 ? 3 : 12) + (i % 6)
    return { ...joint, seen: { ...seenOfJoint(at, at), ...(i % 6 === 0 ? tendon : {}) } }
  })
  const [x0, z0, y0] = planarGlobals(0)
  const [x1, z1, y1] = planarGlobals(9)
  return {
    joints,
    edges: [...cheetahEdges('0'), ...cheetahEdges('1')],
    globals: [x0, y0, z0, x1, y1, z1],
    others: ['ten_J', 'ten_length', 'ten_velocity'],
  }
}

function hopper(task: Task): Layout {
  return {
    joints: inOrder(task.actuators),
    edges: path('foot_joint', 'leg_joint', 'thigh_joint'),
    globals: planarGlobals(0, 10),
    velocityClip: 10,
  }
}

/** Gymnasium-Robotics does not clip the velocities that its agents see, though the task does. */
function walker(task: Task, mapping: Mapping): Layout {
  const clip = mapping === 'corrected' ? 10 : Infinity
  return {
    joints: inOrder(task.actuators),
    edges: [
      ...path('foot_joint', 'leg_joint', 'thigh_joint', 'thigh_left_joint'),
      ...path('thigh_left_joint', 'leg_left_joint', 'foot_left_joint'),
    ],
    globals: planarGlobals(0, clip),
    velocityClip: clip,
  }
}

/** Bodies: 1 the torso, then of each leg the stub, the limb and the shin. */
function ant(): Layout {
  const actuators = [2, 4, 6, 0]
  const joints = actuators.flatMap((actuator, i) => {
    const stub = 2 + 3 * i
    return [
      { label: `hip${i + 1}`, actuator, bodies: [1, stub] },
      { label: `ankle${i + 1}`, actuator: actuator + 1, bodies: [stub, stub + 1, stub + 2] },
    ]
  })
  return {
    joints,
    edges: [...[4, 1, 2, 3].map((leg) => [`ankle${leg}`, `hip${leg}`]), ['hip4', 'hip1', 'hip2', 'hip3']],
    globals: [ANT_ROOT],
    others: ['cfrc_ext'],
    forceClip: 1,
  }
}

/** Hips of a segment are neighbours of one another and of those of the next segment. */
function manySegmentAnt(task: Task): Layout {
  const segments = task.actuators.length / 4
  const joints = Array.from({ length: segments }, (_, s) =>
    segmentBodies(s).map((bodies, i) => ({ label: segmentLabels(s)[i], actuator: 4 * s + i, bodies })),
  ).flat()
  const edges = Array.from({ length: segments }, (_, s) => {
    const [hip1, ankle1, hip2, ankle2] = segmentLabels(s)
    const [before1, , before2] = segmentLabels(s - 1)
    return [[ankle1, hip1], [ankle2, hip2], [hip1, hip2], ...(s > 0 ? [[before1, before2, hip1, hip2]] : [])]
  }).flat()
  return { joints, edges, globals: [ANT_ROOT], others: ['cfrc_ext'], forceClip: 1 }
}

function segmentLabels(segment: number): string[] {
  return ['hip1', 'ankle1', 'hip2', 'ankle2'].map((joint) => `${joint}_${segment}`)
}

/** Of the first hip and ankle, then of the second. */
function segmentBodies(segment: number): number[][] {
  const torso = 1 + 7 * segment
  return [1, 4].flatMap((leg) => [
    [torso, torso + leg],
    [torso + leg, torso + leg + 1, torso + leg + 2],
  ])
}

/**
 * Gymnasium-Robotics' graph of the many-segment ant with its mistakes: all segments but the last read positions counted
 * from the wrong end, the nodes of each leg drive the other leg, and the edge between segments has copies of the
 * earlier segment's hips, which belong to no agent, so the edge only leads backwards.
 */
function faramaManySegmentAnt(task: Task): JointGraph {
  const segments = task.actuators.length / 4
  const nodes: JointNode[] = []
  const edges: number[][] = []
  let before: number[] = []
  for (let s = 0; s < segments; s++) {
    const at = (size: number, i: number) => {
      const fromEnd = -4 + 4 * (segments - 1 - s) + i
      return fromEnd < 0 ? size + fromEnd : fromEnd
    }
    const first = nodes.length
    segmentLabels(s).forEach((label, i) => {
      const actuator = 4 * s + ((i + 2) % 4)
      const seen = seenOfJoint(at(task.initialPositions.length, i), at(task.velocities, i))
      nodes.push({ label, actuator, bodies: segmentBodies(s)[i], seen })
    })
    const [hip1, ankle1, hip2, ankle2] = [first, first + 1, first + 2, first + 3]
    edges.push([ankle1, hip1], [ankle2, hip2], [hip1, hip2])
    if (s > 0) edges.push([...before, hip1, hip2])
    before = [hip1, hip2].map((hip) => nodes.push({ ...nodes[hip], actuator: undefined }) - 1)
  }
  return {
    nodes,
    edges,
    globals: [ANT_ROOT],
    categories: [['qpos', 'qvel', 'cfrc_ext'], ['qpos']],
    forceClip: 1,
  }
}

/** Gymnasium-Robotics' node `abdomen_y` reads the joint abdomen_z, and the other way round. */
function humanoid(_: Task, mapping: Mapping): Layout {
  const waist = [1, 2, 3]
  const leg = (side: string, actuator: number, thigh: number) => [
    ...['x', 'z', 'y'].map((axis, i) => ({
      label: `${side}_hip_${axis}`,
      actuator: actuator + i,
      bodies: [thigh, thigh + 1],
    })),
    { label: `${side}_knee`, actuator: actuator + 3, bodies: [thigh + 1, thigh + 2] },
  ]
  const arm = (side: string, actuator: number, upper: number) => [
    { label: `${side}_shoulder1`, actuator, bodies: [1, upper, upper + 1] },
    { label: `${side}_shoulder2`, actuator: actuator + 1, bodies: [1, upper, upper + 1] },
    { label: `${side}_elbow`, actuator: actuator + 2, bodies: [upper + 1] },
  ]
  const abdomen = [
    { label: 'abdomen_z', actuator: 1, bodies: waist },
    { label: 'abdomen_y', actuator: 0, bodies: waist },
  ]
  const middle = ['abdomen_x', 'abdomen_y', 'abdomen_z']
  const perSide = ['right', 'left'].flatMap((side) => {
    const hips = ['x', 'y', 'z'].map((axis) => `${side}_hip_${axis}`)
    const shoulders = [`${side}_shoulder1`, `${side}_shoulder2`]
    return [
      hips,
      [`${side}_elbow`, ...shoulders],
      [`${side}_knee`, ...hips],
      [...shoulders, ...middle],
      [...middle, ...hips],
    ]
  })
  return {
    joints: [
      ...(mapping === 'corrected' ? abdomen : abdomen.toReversed()),
      { label: 'abdomen_x', actuator: 2, bodies: [3, 4, 7] },
      ...leg('right', 3, 4),
      ...leg('left', 7, 7),
      ...arm('right', 11, 10),
      ...arm('left', 14, 12),
    ],
    edges: [middle, ...perSide],
    globals: [FREE],
    others: ['cinert', 'cvel', 'qfrc_actuator', 'cfrc_ext'],
  }
}

/** Each agent also sees a velocity of the root: the first along x, the second along y. */
function swimmer(): Layout {
  const joint = (label: string, actuator: number) => ({
    label,
    actuator,
    seen: { qvel: [...values('qvel', actuator, 1), ...values('qvel', 3 + actuator, 1)] },
  })
  return {
    joints: [joint('rot2', 0), joint('rot3', 1)],
    edges: [['rot2', 'rot3']],
    globals: [root(2, { position: true })],
  }
}

function manySegmentSwimmer(task: Task): Layout {
  return { joints: inOrder(task.actuators), edges: path(...task.actuators), globals: [] }
}

/** The joints of the arm come first in the model, which distinguishes them from the usual layout. */
function reacher(): Layout {
  const joint = (label: string, i: number, bodies: readonly number[], others: Seen = {}) => ({
    label,
    actuator: i,
    bodies,
    seen: { ...seenOfJoint(i, i), qpos: [...angles('sine', i, 1), ...angles('cosine', i, 1)], ...others },
  })
  const target = (i: number): Seen => ({ ...seenOfJoint(i, i), qvel: [] })
  return {
    joints: [joint('joint0', 0, [1, 2]), joint('joint1', 1, [2, 3], { fingertip_dist: offset(3, 4, 3) })],
    edges: [['joint0', 'joint1']],
    globals: [target(2), target(3)],
    others: ['fingertip_dist'],
  }
}

/**
 * Gymnasium-Robotics labels both shoulder joints as the wrist, so their order in observations depends on Python's
 * memory addresses. Here the shoulders follow the wrist.
 */
function pusher(task: Task, mapping: Mapping): Layout {
  const place = (body: number): Seen => ({ qpos: values('xpos', 3 * body, 3), qvel: [] })
  const label = (joint: string, i: number) =>
    mapping === 'farama' && i < 2 ? `r_wrist_roll_joint ${i}` : joint
  const labels = task.actuators.map(label)
  return {
    joints: labels.map((name, i) => ({ label: name, actuator: i, seen: seenOfJoint(i, i) })),
    edges: path(...labels),
    globals: [place(10), place(11), place(12)],
  }
}

const LAYOUTS: Readonly<Record<string, (task: Task, mapping: Mapping) => Layout>> = {
  HalfCheetah: halfCheetah,
  CoupledHalfCheetah: coupledHalfCheetah,
  Hopper: hopper,
  Walker2d: walker,
  Ant: ant,
  ManySegmentAnt: manySegmentAnt,
  Humanoid: humanoid,
  HumanoidStandup: humanoid,
  Swimmer: swimmer,
  ManySegmentSwimmer: manySegmentSwimmer,
  Reacher: reacher,
  Pusher: pusher,
}
