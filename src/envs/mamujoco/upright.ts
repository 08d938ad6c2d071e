import { element, floor, planarRoot, toXml, type XmlElement } from './mjcf.js'

/** A point in the vertical plane: x, z, with the robot standing at the origin. */
type Point = readonly [number, number]

/** A part of the body in the initial pose, in world coordinates; lengths in metres, angles in degrees. */
interface Part {
  name: string
  /** Origin of the part's frame. */
  frame: Point
  /** The hinge that joins it to its parent; the torso has none. */
  hinge?: { name: string; at: Point; range: readonly [number, number] }
  capsule: { from: Point; to: Point; radius: number; friction: number }
}

/** Parameters of an upright robot. */
export interface UprightRobot {
  model: string
  /** Attributes that all joints and all geoms have. */
  joint: Readonly<Record<string, number | boolean>>
  geom: Readonly<Record<string, number | readonly number[]>>
  floor: readonly number[]
  gear: number
  /** Foot: its extent along x, where its frame is, its radius. */
  foot: { from: number; to: number; frame: number; radius: number }
  /** One per leg. */
  legs: readonly { suffix: string; footFriction: number }[]
}

const HIP = 1.05
const KNEE = 0.6
const ANKLE = 0.1
const CROWN = 1.45
const FRICTION = 0.9
/** A capsule lies along z; these turn it to lie along x. */
const LYING = [0.7071067811865476, 0, -0.7071067811865475, 0]

const TORSO: Part = {
  name: 'torso',
  frame: [0, 1.25],
  capsule: { from: [0, CROWN], to: [0, HIP], radius: 0.05, friction: FRICTION },
}

/** Thigh, leg and foot, each hanging on the one before. */
function leg({ foot }: UprightRobot, { suffix, footFriction }: UprightRobot['legs'][number]): Part[] {
  return [
    {
      name: `thigh${suffix}`,
      frame: [0, HIP],
      hinge: { name: `thigh${suffix}_joint`, at: [0, HIP], range: [-150, 0] },
      capsule: { from: [0, HIP], to: [0, KNEE], radius: 0.05, friction: FRICTION },
    },
    {
      name: `leg${suffix}`,
      frame: [0, 0.35],
      hinge: { name: `leg${suffix}_joint`, at: [0, KNEE], range: [-150, 0] },
      capsule: { from: [0, KNEE], to: [0, ANKLE], radius: 0.04, friction: FRICTION },
    },
    {
      name: `foot${suffix}`,
      frame: [foot.frame, 0],
      hinge: { name: `foot${suffix}_joint`, at: [0, ANKLE], range: [-45, 45] },
      capsule: {
        from: [foot.from, ANKLE],
        to: [foot.to, ANKLE],
        radius: foot.radius,
        friction: footFriction,
      },
    },
  ]
}

/** A point in the frame of a part. */
function local([x, z]: Point, frame: Point): number[] {
  return [x - frame[0], 0, z - frame[1]]
}

function capsule({ name, frame, capsule: { from, to, radius, friction } }: Part): XmlElement {
  const lying = from[1] === to[1]
  const halfLength = lying ? (to[0] - from[0]) / 2 : (from[1] - to[1]) / 2
  return element('geom', {
    name: `${name}_geom`,
    pos: local([(from[0] + to[0]) / 2, (from[1] + to[1]) / 2], frame),
    quat: lying ? LYING : undefined,
    size: [radius, halfLength],
    friction,
  })
}

/** Nests the parts of a leg, from the top down. */
function chain(parts: readonly Part[], parentFrame: Point): XmlElement[] {
  const [part, ...rest] = parts
  if (part === undefined) return []
  const joints =
    part.hinge === undefined
      ? []
      : [
          element('joint', {
            name: part.hinge.name,
            axis: [0, -1, 0],
            pos: local(part.hinge.at, part.frame),
            range: part.hinge.range,
          }),
        ]
  return [
    element('body', { name: part.name, pos: local(part.frame, parentFrame) }, [
      ...joints,
      capsule(part),
      ...chain(rest, part.frame),
    ]),
  ]
}

/**
 * The planar robots of T. Erez, Y. Tassa and E. Todorov (2011) as Gymnasium runs them: a torso on one leg (Hopper) or
 * two (Walker2d), each with thigh, leg and foot.
 */
export function uprightXml(robot: UprightRobot): string {
  const legs = robot.legs.map((l) => leg(robot, l))
  return toXml(
    element('mujoco', { model: robot.model }, [
      element('compiler', { angle: 'degree', inertiafromgeom: true }),
      element('option', { timestep: 0.002, integrator: 'RK4' }),
      element('size', { memory: '128K' }),
      element('default', {}, [
        element('joint', { limited: true, ...robot.joint }),
        element('geom', { type: 'capsule', contype: 1, ...robot.geom }),
      ]),
      element('worldbody', {}, [
        floor(robot.floor),
        element('body', { name: TORSO.name, pos: [0, 0, TORSO.frame[1]] }, [
          ...planarRoot({ pos: [0, 0, -TORSO.frame[1]], height: TORSO.frame[1] }),
          capsule(TORSO),
          ...legs.flatMap((parts) => chain(parts, TORSO.frame)),
        ]),
      ]),
      element(
        'actuator',
        {},
        legs.flat().map(({ hinge }) =>
          element('motor', {
            joint: hinge!.name,
            gear: [robot.gear],
            ctrllimited: true,
            ctrlrange: [-1, 1],
          }),
        ),
      ),
    ]),
  )
}

/** Hopper. Its geoms' margins are half of the published 0.001: newer MuJoCo adds the margins of the two in contact. */
export const HOPPER: UprightRobot = {
  model: 'hopper',
  joint: { armature: 1, damping: 1 },
  geom: { condim: 1, conaffinity: 1, margin: 0.0005, solimp: [0.8, 0.8, 0.01], solref: [0.02, 1] },
  floor: [20, 20, 0.125],
  gear: 200,
  foot: { from: -0.13, to: 0.26, frame: 0.13, radius: 0.06 },
  legs: [{ suffix: '', footFriction: 2 }],
}

/** Walker2d. @param rightFootFriction 0.9 up to Gymnasium's v4, 1.9 in v5 */
export function walker2d(rightFootFriction: number): UprightRobot {
  return {
    model: 'walker2d',
    joint: { armature: 0.01, damping: 0.1 },
    geom: { condim: 3, conaffinity: 0, density: 1000, friction: [0.7, 0.1, 0.1] },
    floor: [40, 40, 40],
    gear: 100,
    foot: { from: 0, to: 0.2, frame: 0.2, radius: 0.06 },
    legs: [
      { suffix: '', footFriction: rightFootFriction },
      { suffix: '_left', footFriction: 1.9 },
    ],
  }
}
