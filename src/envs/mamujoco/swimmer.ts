import { element, toXml, type XmlElement } from './mjcf.js'

/** A link of the swimmer: its body's name and its hinge's. */
interface Link {
  body: string
  hinge: string
  /** Direction of the hinge along the vertical. */
  axis: 1 | -1
}

const RADIUS = 0.1

/** Each link, a metre long, hangs on the end of the one before. */
function chain(links: readonly Link[], at: number): XmlElement[] {
  const [link, ...rest] = links
  if (link === undefined) return []
  return [
    element('body', { name: link.body, pos: [at, 0, 0] }, [
      element('geom', { type: 'capsule', density: 1000, fromto: [0, 0, 0, -1, 0, 0], size: [RADIUS] }),
      element('joint', {
        name: link.hinge,
        axis: [0, 0, link.axis],
        limited: true,
        range: [-100, 100],
      }),
      ...chain(rest, -1),
    ]),
  ]
}

/** A torso that slides and turns in the plane of a thick liquid, and links that hang on it. @param timestep seconds */
function swimmerDocument(turn: string, links: readonly Link[], timestep: number): string {
  const torso = element('body', { name: 'torso' }, [
    element('geom', { type: 'capsule', density: 1000, fromto: [1.5, 0, 0, 0.5, 0, 0], size: [RADIUS] }),
    element('joint', { name: 'slider1', type: 'slide', axis: [1, 0, 0] }),
    element('joint', { name: 'slider2', type: 'slide', axis: [0, 1, 0] }),
    element('joint', { name: turn, type: 'hinge', axis: [0, 0, 1] }),
    ...chain(links, 0.5),
  ])
  return toXml(
    element('mujoco', { model: 'swimmer' }, [
      element('compiler', { angle: 'degree', inertiafromgeom: true }),
      element('option', { timestep, integrator: 'RK4', density: 4000, viscosity: 0.1 }),
      // MuJoCo's default is 13 MiB. For up to 100 links with every hinge at its limit, this is at least twice the used
      // memory.
      element('size', { memory: `${128 + 8 * links.length}K` }),
      element('default', {}, [
        element('geom', { condim: 1, contype: 0, conaffinity: 0 }),
        element('joint', { armature: 0.1 }),
        element('motor', { ctrllimited: true, ctrlrange: [-1, 1], gear: [150] }),
      ]),
      element('worldbody', {}, [
        element('geom', { name: 'floor', type: 'plane', pos: [0, 0, -0.1], size: [40, 40, 0.1], condim: 3 }),
        torso,
      ]),
      element(
        'actuator',
        {},
        links.map(({ hinge }) => element('motor', { joint: hinge })),
      ),
    ]),
  )
}

/** The three-link swimmer of R. Coulom (2002) as Gymnasium runs it. */
export function swimmerXml(): string {
  const links: Link[] = [
    { body: 'mid', hinge: 'motor1_rot', axis: 1 },
    { body: 'back', hinge: 'motor2_rot', axis: 1 },
  ]
  return swimmerDocument('free_body_rot', links, 0.01)
}

/**
 * A swimmer of a torso and `segments` links, at least 2 (the many-agent swimmer of C. Schroeder de Witt et al. 2020, as
 * Gymnasium-Robotics generates it). Hinges turn by turns one way and the other; the first and the last turn as the torso.
 * @param timestep seconds
 */
export function manySegmentSwimmerXml(segments: number, timestep: number): string {
  const links = Array.from({ length: segments }, (_, i): Link => {
    const last = i === segments - 1
    return {
      body: last ? 'back' : `mid${i}`,
      hinge: `rot${i}`,
      axis: last || i === 0 || i % 2 === 1 ? 1 : -1,
    }
  })
  return swimmerDocument('rot', links, timestep)
}
