import type { RandomStream } from '../random.js'
import { element, toXml } from './mjcf.js'

const WALLS = [
  [-0.3, -0.3, 0.3, -0.3],
  [0.3, -0.3, 0.3, 0.3],
  [-0.3, 0.3, 0.3, 0.3],
  [-0.3, -0.3, -0.3, 0.3],
]

/** Reach of the targets, in metres. */
const REACH = 0.2

/** The two-joint arm of Gymnasium's Reacher, in a walled square with a target that slides nowhere by itself. */
export function reacherXml(): string {
  const motor = (joint: string) =>
    element('motor', { joint, gear: [200], ctrllimited: true, ctrlrange: [-1, 1] })
  const link = () => element('geom', { type: 'capsule', fromto: [0, 0, 0, 0.1, 0, 0], size: [0.01] })
  const slide = (axis: 'x' | 'y', ref: number) =>
    element('joint', {
      name: `target_${axis}`,
      type: 'slide',
      axis: axis === 'x' ? [1, 0, 0] : [0, 1, 0],
      range: [-0.27, 0.27],
      ref,
      armature: 0,
      damping: 0,
      stiffness: 0,
    })
  const hinge = { axis: [0, 0, 1] }
  const none = { contype: 0, conaffinity: 0 }
  return toXml(
    element('mujoco', { model: 'reacher' }, [
      element('compiler', { angle: 'radian', inertiafromgeom: true }),
      element('option', { timestep: 0.01, integrator: 'RK4' }),
      element('size', { memory: '128K' }),
      element('default', {}, [
        element('joint', { armature: 1, damping: 1, limited: true }),
        element('geom', { contype: 0, friction: [1, 0.1, 0.1] }),
      ]),
      element('worldbody', {}, [
        element('geom', { name: 'ground', type: 'plane', size: [1, 1, 10], ...none }),
        ...WALLS.map(([x1, y1, x2, y2]) =>
          element('geom', { type: 'capsule', fromto: [x1, y1, 0.01, x2, y2, 0.01], size: [0.02], ...none }),
        ),
        element('geom', {
          name: 'root',
          type: 'cylinder',
          fromto: [0, 0, 0, 0, 0, 0.02],
          size: [0.011],
          ...none,
        }),
        element('body', { name: 'body0', pos: [0, 0, 0.01] }, [
          link(),
          element('joint', { name: 'joint0', limited: false, ...hinge }),
          element('body', { name: 'body1', pos: [0.1, 0, 0] }, [
            element('joint', { name: 'joint1', range: [-3, 3], ...hinge }),
            link(),
            element('body', { name: 'fingertip', pos: [0.11, 0, 0] }, [
              element('geom', { name: 'fingertip', type: 'sphere', size: [0.01] }),
            ]),
          ]),
        ]),
        element('body', { name: 'target', pos: [0.1, -0.1, 0.01] }, [
          slide('x', 0.1),
          slide('y', -0.1),
          element('geom', { name: 'target', type: 'sphere', size: [0.009], ...none }),
        ]),
      ]),
      element('actuator', {}, [motor('joint0'), motor('joint1')]),
    ]),
  )
}

/** Puts the target, at rest, anywhere within reach. */
export function placeTarget(random: RandomStream, qpos: number[], qvel: number[]): void {
  const within = () => REACH * (2 * random.uniform() - 1)
  do {
    qpos[2] = within()
    qpos[3] = within()
  } while (Math.sqrt(qpos[2] * qpos[2] + qpos[3] * qpos[3]) >= REACH)
  qvel.fill(0, 2)
}
