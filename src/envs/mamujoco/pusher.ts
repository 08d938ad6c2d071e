import type { RandomStream } from '../random.js'
import { element, toXml, type XmlElement } from './mjcf.js'

type Vector = readonly [number, number, number]

export const PUSHER_ACTUATORS = [
  'r_shoulder_pan_joint',
  'r_shoulder_lift_joint',
  'r_upper_arm_roll_joint',
  'r_elbow_flex_joint',
  'r_forearm_roll_joint',
  'r_wrist_flex_joint',
  'r_wrist_roll_joint',
]

/** The object starts at least this far from the goal, in metres. */
const CLEARANCE = 0.17

/** Of the object up to Gymnasium's version 4, where a ball is hidden in the cylinder, in kilograms per cubic metre. */
const THIN = 0.00001

/**
 * The seven-joint arm of Gymnasium's Pusher, an object and a goal on a table, without gravity. Geoms' margins are half of
 * the published 0.002: newer MuJoCo adds those of the two in contact. Where the hand touches the object, contacts are
 * found as the published engine finds them, with one point for each pair of geoms.
 * @param heavier whether the object has the density that it has in version 5
 */
export function pusherXml(heavier: boolean): string {
  return toXml(
    element('mujoco', { model: 'arm3d' }, [
      element('compiler', { angle: 'radian', inertiafromgeom: true }),
      element(
        'option',
        { timestep: 0.01, gravity: [0, 0, 0], iterations: 20, integrator: 'Euler', ccd_iterations: 50 },
        [element('flag', { nativeccd: 'disable', multiccd: 'disable' })],
      ),
      element('size', { memory: '256K' }),
      element('default', {}, [
        element('joint', { armature: 0.04, damping: 1, limited: true }),
        element('geom', {
          friction: [0.8, 0.1, 0.1],
          density: 300,
          margin: 0.001,
          condim: 1,
          contype: 0,
          conaffinity: 0,
        }),
        element('motor', { ctrllimited: true, ctrlrange: [-2, 2] }),
      ]),
      element('worldbody', {}, [
        element('geom', {
          name: 'table',
          type: 'plane',
          pos: [0, 0.5, -0.325],
          size: [1, 1, 0.1],
          contype: 1,
          conaffinity: 1,
        }),
        arm(),
        sliding(
          'object',
          [0.45, -0.05, -0.275],
          [
            ...(heavier
              ? []
              : [element('geom', { type: 'sphere', size: [0.05, 0.05, 0.05], density: THIN })]),
            cylinder({ size: [0.05, 0.05, 0.05], density: heavier ? 0.01 : THIN, contype: 1 }),
          ],
        ),
        sliding('goal', [0.45, -0.05, -0.323], [cylinder({ size: [0.08, 0.001, 0.1], density: 0.00001 })]),
      ]),
      element(
        'actuator',
        {},
        PUSHER_ACTUATORS.map((joint) => element('motor', { joint })),
      ),
    ]),
  )
}

/** Shoulder, upper arm, elbow, forearm and wrist, each hanging on the one before. */
function arm(): XmlElement {
  const touching = { contype: 1, conaffinity: 1 }
  const hand = element('body', { name: 'r_wrist_roll_link' }, [
    hinge('r_wrist_roll', [1, 0, 0], [-1.5, 1.5]),
    element('body', { name: 'tips_arm' }, [ball([0.1, -0.1, 0], 0.01), ball([0.1, 0.1, 0], 0.01)]),
    capsule([0, -0.1, 0], [0, 0.1, 0], 0.02, touching),
    capsule([0, -0.1, 0], [0.1, -0.1, 0], 0.02, touching),
    capsule([0, 0.1, 0], [0.1, 0.1, 0], 0.02, touching),
  ])
  const wrist = element('body', { name: 'r_wrist_flex_link', pos: [0.321, 0, 0] }, [
    capsule([0, -0.02, 0], [0, 0.02, 0], 0.01),
    hinge('r_wrist_flex', [0, 1, 0], [-1.094, 0]),
    hand,
  ])
  const forearm = element('body', { name: 'r_forearm_roll_link' }, [
    capsule([-0.1, 0, 0], [0.1, 0, 0], 0.02),
    hinge('r_forearm_roll', [1, 0, 0], [-1.5, 1.5]),
    element('body', { name: 'r_forearm_link' }, [capsule([0, 0, 0], [0.291, 0, 0], 0.05), wrist]),
  ])
  const elbow = element('body', { name: 'r_elbow_flex_link', pos: [0.4, 0, 0] }, [
    capsule([0, -0.02, 0], [0, 0.02, 0], 0.06),
    hinge('r_elbow_flex', [0, 1, 0], [-2.3213, 0]),
    forearm,
  ])
  const upperArm = element('body', { name: 'r_upper_arm_roll_link' }, [
    capsule([-0.1, 0, 0], [0.1, 0, 0], 0.02),
    hinge('r_upper_arm_roll', [1, 0, 0], [-1.5, 1.7]),
    element('body', { name: 'r_upper_arm_link' }, [capsule([0, 0, 0], [0.4, 0, 0], 0.06), elbow]),
  ])
  const lift = element('body', { name: 'r_shoulder_lift_link', pos: [0.1, 0, 0] }, [
    capsule([0, -0.1, 0], [0, 0.1, 0], 0.1),
    hinge('r_shoulder_lift', [0, 1, 0], [-0.5236, 1.3963], 1),
    upperArm,
  ])
  return element('body', { name: 'r_shoulder_pan_link', pos: [0, -0.6, 0] }, [
    ball([-0.06, 0.05, 0.2], 0.05),
    ball([0.06, 0.05, 0.2], 0.05),
    ball([-0.06, 0.09, 0.2], 0.03),
    ball([0.06, 0.09, 0.2], 0.03),
    capsule([0, 0, -0.4], [0, 0, 0.2], 0.1),
    hinge('r_shoulder_pan', [0, 0, 1], [-2.2854, 1.714602], 1),
    lift,
  ])
}

/** A body that slides on the table. */
function sliding(name: string, pos: Vector, geoms: readonly XmlElement[]): XmlElement {
  const slide = (axis: 'x' | 'y') =>
    element('joint', {
      name: `${name === 'object' ? 'obj' : name}_slide${axis}`,
      type: 'slide',
      axis: axis === 'x' ? [1, 0, 0] : [0, 1, 0],
      range: [-10.3213, 10.3],
      damping: 0.5,
    })
  return element('body', { name, pos }, [...geoms, slide('y'), slide('x')])
}

function cylinder(attributes: Readonly<Record<string, number | readonly number[]>>): XmlElement {
  return element('geom', { type: 'cylinder', ...attributes })
}

function hinge(name: string, axis: Vector, range: readonly number[], damping = 0.1): XmlElement {
  return element('joint', { name: `${name}_joint`, axis, range, damping })
}

function capsule(
  from: Vector,
  to: Vector,
  radius: number,
  contact: Readonly<Record<string, number>> = {},
): XmlElement {
  return element('geom', { type: 'capsule', fromto: [...from, ...to], size: [radius], ...contact })
}

function ball(pos: Vector, radius: number): XmlElement {
  return element('geom', { type: 'sphere', pos, size: [radius] })
}

/** Puts the arm at its initial position and the object, at rest, off the goal; the noise stays in the arm's velocities. */
export function placeObject(random: RandomStream, qpos: number[], qvel: number[]): void {
  qpos.fill(0)
  // As the original: its pair is (-0.3 to 0, +-0.2), and the first sliding joint is the one along y.
  do {
    qpos[7] = -0.3 * random.uniform()
    qpos[8] = 0.2 * (2 * random.uniform() - 1)
  } while (Math.sqrt(qpos[7] * qpos[7] + qpos[8] * qpos[8]) <= CLEARANCE)
  qvel.fill(0, 7)
}
