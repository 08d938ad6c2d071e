import { element, floor, planarRoot, toXml, type XmlElement } from './mjcf.js'

/** A limb: a hinge at its upper end, a capsule, and the limb that hangs on it. Lengths in metres, angles in radians. */
interface Limb {
  name: string
  /** Position on its parent: x, z. */
  at: readonly [number, number]
  range: readonly [number, number]
  stiffness: number
  damping: number
  capsule: { at: readonly [number, number]; tilt: number; halfLength: number }
  next?: Limb
}

const RADIUS = 0.046

const BACK_LEG: Limb = {
  name: 'bthigh',
  at: [-0.5, 0],
  range: [-0.52, 1.05],
  stiffness: 240,
  damping: 6,
  capsule: { at: [0.1, -0.13], tilt: -3.8, halfLength: 0.145 },
  next: {
    name: 'bshin',
    at: [0.16, -0.25],
    range: [-0.785, 0.785],
    stiffness: 180,
    damping: 4.5,
    capsule: { at: [-0.14, -0.07], tilt: -2.03, halfLength: 0.15 },
    next: {
      name: 'bfoot',
      at: [-0.28, -0.14],
      range: [-0.4, 0.785],
      stiffness: 120,
      damping: 3,
      capsule: { at: [0.03, -0.097], tilt: -0.27, halfLength: 0.094 },
    },
  },
}

const FRONT_LEG: Limb = {
  name: 'fthigh',
  at: [0.5, 0],
  range: [-1, 0.7],
  stiffness: 180,
  damping: 4.5,
  capsule: { at: [-0.07, -0.12], tilt: 0.52, halfLength: 0.133 },
  next: {
    name: 'fshin',
    at: [-0.14, -0.24],
    range: [-1.2, 0.87],
    stiffness: 120,
    damping: 3,
    capsule: { at: [0.065, -0.09], tilt: -0.6, halfLength: 0.106 },
    next: {
      name: 'ffoot',
      at: [0.13, -0.18],
      range: [-0.5, 0.5],
      stiffness: 60,
      damping: 1.5,
      capsule: { at: [0.045, -0.07], tilt: -0.6, halfLength: 0.07 },
    },
  },
}

/** Gear of each motor, in newton metres per unit of action, in the order of the actions. */
const MOTORS = { bthigh: 120, bshin: 90, bfoot: 60, fthigh: 120, fshin: 60, ffoot: 30 }

function limb({ name, at, range, stiffness, damping, capsule, next }: Limb, suffix: string): XmlElement {
  return element('body', { name: name + suffix, pos: [at[0], 0, at[1]] }, [
    element('joint', { name: name + suffix, axis: [0, 1, 0], range, stiffness, damping }),
    element('geom', {
      name: name + suffix,
      pos: [capsule.at[0], 0, capsule.at[1]],
      axisangle: [0, 1, 0, capsule.tilt],
      size: [RADIUS, capsule.halfLength],
    }),
    ...(next === undefined ? [] : [limb(next, suffix)]),
  ])
}

/** One cheetah, `y` metres to the side, with what else hangs on its torso. */
function cheetah(suffix: string, y: number, attached: readonly XmlElement[] = []): XmlElement {
  return element('body', { name: `torso${suffix}`, pos: [0, y, 0.7] }, [
    ...attached,
    ...planarRoot({ suffix }),
    element('geom', { name: `torso${suffix}`, fromto: [-0.5, 0, 0, 0.5, 0, 0], size: [RADIUS] }),
    element('geom', {
      name: `head${suffix}`,
      pos: [0.6, 0, 0.1],
      axisangle: [0, 1, 0, 0.87],
      size: [RADIUS, 0.15],
    }),
    limb(BACK_LEG, suffix),
    limb(FRONT_LEG, suffix),
  ])
}

/** The document around one or more cheetahs, which the ends of their names distinguish; together they weigh 14 kg. */
function document(
  suffixes: readonly string[],
  bodies: readonly XmlElement[],
  others: readonly XmlElement[] = [],
): string {
  return toXml(
    element('mujoco', { model: 'half-cheetah' }, [
      element('compiler', { angle: 'radian', inertiafromgeom: true, settotalmass: 14 }),
      element('option', { timestep: 0.01 }),
      element('size', { memory: '128K' }),
      element('default', {}, [
        element('joint', {
          armature: 0.1,
          limited: true,
          solimplimit: [0, 0.8, 0.03],
          solreflimit: [0.02, 1],
        }),
        element('geom', {
          type: 'capsule',
          contype: 1,
          conaffinity: 0,
          friction: [0.4, 0.1, 0.1],
          solimp: [0, 0.8, 0.01],
          solref: [0.02, 1],
        }),
        element('motor', { ctrllimited: true, ctrlrange: [-1, 1] }),
      ]),
      element('worldbody', {}, [floor([40, 40, 40]), ...bodies]),
      ...others,
      element(
        'actuator',
        {},
        suffixes.flatMap((suffix) =>
          Object.entries(MOTORS).map(([name, gear]) =>
            element('motor', { name: name + suffix, joint: name + suffix, gear: [gear] }),
          ),
        ),
      ),
    ]),
  )
}

/** The half-cheetah of P. Wawrzynski (2009) as Gymnasium's HalfCheetah runs it: a planar body on two three-joint legs. */
export function halfCheetahXml(): string {
  return document([''], [cheetah('', 0)])
}

/** Two half-cheetahs side by side, their torsos joined by an elastic tendon, as Gymnasium-Robotics has them. */
export function coupledHalfCheetahXml(): string {
  const site = (name: string) => element('site', { name, size: [0.1] })
  const tendon = element('tendon', {}, [
    element('spatial', { name: 'tendon0', width: 0.05, limited: true, range: [1.5, 3.5], stiffness: 0.1 }, [
      element('site', { site: 't0' }),
      element('site', { site: 't1' }),
    ]),
  ])
  return document(['0', '1'], [cheetah('0', -1, [site('t0')]), cheetah('1', 1, [site('t1')])], [tendon])
}
