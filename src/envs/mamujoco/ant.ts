import { element, floor, toXml, type XmlElement } from './mjcf.js'

/** A point or a direction in the plane of the hips: x, y. */
type Point = readonly [number, number]

/** One leg: a fixed stub from the torso, a limb turning about the vertical, and a shin that lifts. */
export interface AntLeg {
  body: string
  /** The body that turns at the hip. */
  aux: string
  hip: string
  ankle: string
  /** End of the stub, where the hip is. */
  stub: Point
  /** From the hip to the ankle; the shin is twice as long. */
  limb: Point
  /** Axis of the ankle. */
  axis: Point
  /** Range of the ankle in degrees. */
  range: Point
}

const RADIUS = 0.08
const HIP_RANGE = [-30, 30]

/** A leg's body, to hang on a torso. */
export function antLeg(leg: AntLeg): XmlElement {
  const { stub, limb } = leg
  const capsule = ([x, y]: Point) =>
    element('geom', { type: 'capsule', fromto: [0, 0, 0, x, y, 0], size: [RADIUS] })
  return element('body', { name: leg.body }, [
    capsule(stub),
    element('body', { name: leg.aux, pos: [...stub, 0] }, [
      element('joint', { name: leg.hip, axis: [0, 0, 1], range: HIP_RANGE }),
      capsule(limb),
      element('body', { pos: [...limb, 0] }, [
        element('joint', { name: leg.ankle, axis: [...leg.axis, 0], range: leg.range }),
        capsule([2 * limb[0], 2 * limb[1]]),
      ]),
    ]),
  ])
}

/**
 * The document around an ant's torso. Geoms' margins are half of the published 0.01, as MuJoCo 3 adds them up.
 * @param timestep seconds
 */
export function antDocument(
  torso: XmlElement,
  motors: readonly string[],
  memory: string,
  timestep: number,
): string {
  return toXml(
    element('mujoco', { model: 'ant' }, [
      element('compiler', { angle: 'degree', inertiafromgeom: true }),
      element('option', { timestep, integrator: 'RK4' }),
      element('size', { memory }),
      element('default', {}, [
        element('joint', { armature: 1, damping: 1, limited: true }),
        element('geom', { condim: 3, conaffinity: 0, density: 5, friction: [1, 0.5, 0.5], margin: 0.005 }),
        element('motor', { ctrllimited: true, ctrlrange: [-1, 1], gear: [150] }),
      ]),
      element('worldbody', {}, [floor([40, 40, 40]), torso]),
      element(
        'actuator',
        {},
        motors.map((joint) => element('motor', { joint })),
      ),
    ]),
  )
}

/** The joint that lets a body move and turn freely. */
export function freeRoot(attributes: Readonly<Record<string, number>> = {}): XmlElement {
  return element('joint', {
    name: 'root',
    type: 'free',
    armature: 0,
    damping: 0,
    limited: false,
    ...attributes,
  })
}

/** Legs of the ant: 1 front left, 2 front right, 3 back, 4 right back. The ankles of 1 and 4 bend the other way. */
const LEGS: readonly { body: string; side: Point }[] = [
  { body: 'front_left_leg', side: [1, 1] },
  { body: 'front_right_leg', side: [-1, 1] },
  { body: 'back_leg', side: [-1, -1] },
  { body: 'right_back_leg', side: [1, -1] },
]

const MOTORS = [4, 1, 2, 3].flatMap((leg) => [`hip_${leg}`, `ankle_${leg}`])

/** The ant of J. Schulman et al. (2015) as Gymnasium runs it: a sphere on four legs of two joints each. */
export function antXml(): string {
  const legs = LEGS.map(({ body, side: [x, y] }, i) =>
    antLeg({
      body,
      aux: `aux_${i + 1}`,
      hip: `hip_${i + 1}`,
      ankle: `ankle_${i + 1}`,
      stub: [0.2 * x, 0.2 * y],
      limb: [0.2 * x, 0.2 * y],
      axis: x === y ? [-1, 1] : [1, 1],
      range: x > 0 ? [30, 70] : [-70, -30],
    }),
  )
  const torso = element('body', { name: 'torso', pos: [0, 0, 0.75] }, [
    element('geom', { type: 'sphere', size: [0.25] }),
    freeRoot({ margin: 0.01 }),
    ...legs,
  ])
  return antDocument(torso, MOTORS, '512K', 0.01)
}

/**
 * A chain of `segments` torsos on two legs each, one metre apart (the many-agent ant of C. Schroeder de Witt et al. 2020,
 * as Gymnasium-Robotics generates it). The first has no torso of its own, only the free joint.
 * @param timestep seconds
 */
export function manySegmentAntXml(segments: number, timestep: number): string {
  const root = element('body', { name: 'torso_0', pos: [0, 0, 0.75] }, [
    freeRoot({ margin: 0.01 }),
    antLeg(segmentLeg(0, 1, { body: 'front_left_leg', aux: 'aux1', stub: [0.2, 0.2], limb: [0.2, 0.2] })),
    antLeg(segmentLeg(0, 2, { body: 'right_back_leg', aux: 'aux2', stub: [0.2, -0.2], limb: [0.2, -0.2] })),
    ...laterSegments(1, segments),
  ])
  const motors = Array.from({ length: segments }, (_, s) => [
    `hip1_${s}`,
    `ankle1_${s}`,
    `hip2_${s}`,
    `ankle2_${s}`,
  ])
  return antDocument(root, motors.flat(), `${512 * segments}K`, timestep)
}

function laterSegments(segment: number, segments: number): XmlElement[] {
  if (segment === segments) return []
  return [
    element('body', { name: `torso_${segment}`, pos: [-1, 0, 0] }, [
      element('geom', { type: 'capsule', density: 100, fromto: [1, 0, 0, 0, 0, 0], size: [0.1] }),
      antLeg(
        segmentLeg(segment, 1, { body: 'front_right_leg', aux: 'aux_2', stub: [0, 0.2], limb: [-0.2, 0.2] }),
      ),
      antLeg(segmentLeg(segment, 2, { body: 'back_leg', aux: 'aux2', stub: [0, -0.2], limb: [-0.2, -0.2] })),
      ...laterSegments(segment + 1, segments),
    ]),
  ]
}

function segmentLeg(
  segment: number,
  leg: 1 | 2,
  { body, aux, stub, limb }: { body: string; aux: string; stub: Point; limb: Point },
): AntLeg {
  const [x, y] = limb
  return {
    body: `${body}_${segment}`,
    aux: `${aux}_${segment}`,
    hip: `hip${leg}_${segment}`,
    ankle: `ankle${leg}_${segment}`,
    stub,
    limb,
    axis: x > 0 === y > 0 ? [-1, 1] : [1, 1],
    range: x > 0 ? [30, 70] : [-70, -30],
  }
}
