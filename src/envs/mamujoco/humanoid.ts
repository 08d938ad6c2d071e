import { freeRoot } from './ant.js'
import { element, toXml, type XmlElement } from './mjcf.js'

type Vector = readonly [x: number, y: number, z: number]

/** Initial pose of a humanoid: standing, or lying on its back. Lengths in metres. */
export interface Pose {
  model: string
  torsoHeight: number
  head: Vector
  /** The upper waist is a capsule across the body, centred here. */
  upperWaist: Vector
  lowerWaist: Vector
  pelvis: Vector
  /** The hip: how far below the pelvis. */
  hipHeight: number
  /** The thigh's capsule ends and its knee is this far along the leg; the shin's capsule likewise. */
  leg: { down: Vector; thigh: number; knee: number; shin: number }
  foot: Vector
  /** Range of the left hip's y hinge in degrees; the right one's is -110 to 20. */
  leftHipRange: readonly [number, number]
}

export const STANDING: Pose = {
  model: 'humanoid',
  torsoHeight: 1.4,
  head: [0, 0, 0.19],
  upperWaist: [-0.01, 0, -0.12],
  lowerWaist: [-0.01, 0, -0.26],
  pelvis: [0, 0, -0.165],
  hipHeight: -0.04,
  leg: { down: [0, 0, -1], thigh: 0.34, knee: 0.403, shin: 0.3 },
  foot: [0, 0, -0.45],
  leftHipRange: [-110, 20],
}

export const LYING: Pose = {
  model: 'humanoidstandup',
  torsoHeight: 0.105,
  head: [-0.15, 0, 0],
  upperWaist: [0.11, 0, 0],
  lowerWaist: [0.21, 0, 0],
  pelvis: [0.165, 0, 0],
  hipHeight: 0,
  leg: { down: [1, 0, 0], thigh: 0.34, knee: 0.403, shin: 0.3 },
  foot: [0.35, 0, -0.1],
  leftHipRange: [-120, 20],
}

/** The waist's two bodies lean back by this much. */
const LEAN = [1, 0, -0.002, 0]

/** Gear of each motor in newton metres per unit of control, in the order of the controls. */
const MOTORS: readonly (readonly [joint: string, gear: number])[] = [
  ['abdomen_y', 100],
  ['abdomen_z', 100],
  ['abdomen_x', 100],
  ...['right', 'left'].flatMap((side) => [
    [`${side}_hip_x`, 100] as const,
    [`${side}_hip_z`, 100] as const,
    [`${side}_hip_y`, 300] as const,
    [`${side}_knee`, 200] as const,
  ]),
  ...['right', 'left'].flatMap((side) =>
    ['shoulder1', 'shoulder2', 'elbow'].map((joint) => [`${side}_${joint}`, 25] as const),
  ),
]

/** The joints that the motors drive, in their order. */
export const HUMANOID_ACTUATORS = MOTORS.map(([joint]) => joint)

/**
 * The humanoid of Y. Tassa, T. Erez and E. Todorov (2012) as Gymnasium runs it. Geoms' margins are half of the published
 * 0.001: newer MuJoCo adds the margins of the two in contact.
 */
export function humanoidXml(pose: Pose): string {
  return toXml(
    element('mujoco', { model: pose.model }, [
      element('compiler', { angle: 'degree', inertiafromgeom: true }),
      element('option', { timestep: 0.003, integrator: 'RK4', solver: 'PGS', iterations: 50 }),
      element('size', { memory: '2M' }),
      element('default', {}, [
        element('joint', { armature: 1, damping: 1, limited: true }),
        element('geom', { contype: 1, conaffinity: 1, condim: 1, margin: 0.0005 }),
        element('motor', { ctrllimited: true, ctrlrange: [-0.4, 0.4] }),
      ]),
      element('worldbody', {}, [
        element('geom', {
          name: 'floor',
          type: 'plane',
          size: [20, 20, 0.125],
          condim: 3,
          friction: [1, 0.1, 0.1],
        }),
        torso(pose),
      ]),
      element('tendon', {}, ['left', 'right'].map(hipToKnee)),
      element(
        'actuator',
        {},
        MOTORS.map(([joint, gear]) => element('motor', { name: joint, joint, gear: [gear] })),
      ),
    ]),
  )
}

function torso(pose: Pose): XmlElement {
  return element('body', { name: 'torso', pos: [0, 0, pose.torsoHeight] }, [
    freeRoot({ stiffness: 0 }),
    across('torso1', [0, 0, 0], 0.07, 0.07),
    ball('head', pose.head, 0.09),
    across('uwaist', pose.upperWaist, 0.06, 0.06),
    element('body', { name: 'lwaist', pos: pose.lowerWaist, quat: LEAN }, [
      across('lwaist', [0, 0, 0], 0.06, 0.06),
      abdomen('z', [0, 0, 1], 0.065, [-45, 45], 20),
      abdomen('y', [0, 1, 0], 0.065, [-75, 30], 10),
      element('body', { name: 'pelvis', pos: pose.pelvis, quat: LEAN }, [
        abdomen('x', [1, 0, 0], 0.1, [-35, 35], 10),
        across('butt', [-0.02, 0, 0], 0.07, 0.09),
        leg(pose, 'right'),
        leg(pose, 'left'),
      ]),
    ]),
    arm('right'),
    arm('left'),
  ])
}

function leg(
  { hipHeight, leg: { down, thigh, knee, shin }, foot, leftHipRange }: Pose,
  side: 'right' | 'left',
): XmlElement {
  // The legs lean 1 cm inwards at the knee; y points left.
  const inwards = side === 'right' ? 0.01 : -0.01
  const mirror = side === 'right' ? 1 : -1
  const along = (length: number, y: number): Vector => [length * down[0], y, length * down[2]]
  const hinge = (name: string, axis: Vector, range: readonly number[], armature: number, stiffness: number) =>
    element('joint', { name: `${side}_hip_${name}`, axis, range, armature, damping: 5, stiffness })
  return element('body', { name: `${side}_thigh`, pos: [0, -0.1 * mirror, hipHeight] }, [
    hinge('x', [mirror, 0, 0], [-25, 5], 0.01, 10),
    hinge('z', [0, 0, mirror], [-60, 35], 0.01, 10),
    hinge('y', [0, 1, 0], side === 'right' ? [-110, 20] : leftHipRange, side === 'right' ? 0.008 : 0.01, 20),
    limb(`${side}_thigh1`, [0, 0, 0], along(thigh, inwards), 0.06),
    element('body', { name: `${side}_shin`, pos: along(knee, inwards) }, [
      element('joint', {
        name: `${side}_knee`,
        axis: [0, -1, 0],
        pos: [0, 0, 0.02],
        range: [-160, -2],
        armature: 0.006,
        stiffness: side === 'left' ? 1 : undefined,
      }),
      limb(`${side}_shin1`, [0, 0, 0], along(shin, 0), 0.049),
      element('body', { name: `${side}_foot`, pos: foot }, [ball(`${side}_foot`, [0, 0, 0.1], 0.075)]),
    ]),
  ])
}

function arm(side: 'right' | 'left'): XmlElement {
  // y points left: the right arm is the left one mirrored.
  const y = side === 'right' ? -1 : 1
  const range = side === 'right' ? [-85, 60] : [-60, 85]
  const hinge = (name: string, axis: Vector, range: readonly number[], armature: number, stiffness: number) =>
    element('joint', { name: `${side}_${name}`, axis, range, armature, stiffness })
  return element('body', { name: `${side}_upper_arm`, pos: [0, 0.17 * y, 0.06] }, [
    hinge('shoulder1', [2, -y, 1], range, 0.0068, 1),
    hinge('shoulder2', [0, y, 1], range, 0.0051, 1),
    limb(`${side}_uarm1`, [0, 0, 0], [0.16, 0.16 * y, -0.16], 0.04),
    element('body', { name: `${side}_lower_arm`, pos: [0.18, 0.18 * y, -0.18] }, [
      hinge('elbow', [0, -1, -y], [-90, 50], 0.0028, 0),
      limb(`${side}_larm`, [0.01, -0.01 * y, 0.01], [0.17, -0.17 * y, 0.17], 0.031),
      ball(`${side}_hand`, [0.18, -0.18 * y, 0.18], 0.04),
    ]),
  ])
}

function abdomen(
  axis: string,
  direction: Vector,
  z: number,
  range: readonly number[],
  stiffness: number,
): XmlElement {
  return element('joint', {
    name: `abdomen_${axis}`,
    axis: direction,
    pos: [0, 0, z],
    range,
    armature: 0.02,
    damping: 5,
    stiffness,
  })
}

/** A capsule from left to right. */
function across(name: string, [x, , z]: Vector, halfWidth: number, radius: number): XmlElement {
  return limb(name, [x, -halfWidth, z], [x, halfWidth, z], radius)
}

function limb(name: string, from: Vector, to: Vector, radius: number): XmlElement {
  return element('geom', { name, type: 'capsule', fromto: [...from, ...to], size: [radius] })
}

function ball(name: string, pos: Vector, radius: number): XmlElement {
  return element('geom', { name, type: 'sphere', pos, size: [radius] })
}

/** A fixed tendon that measures how far the knee is bent beyond the hip; it exerts no force. */
function hipToKnee(side: string): XmlElement {
  return element('fixed', { name: `${side}_hipknee` }, [
    element('joint', { joint: `${side}_hip_y`, coef: -1 }),
    element('joint', { joint: `${side}_knee`, coef: 1 }),
  ])
}
