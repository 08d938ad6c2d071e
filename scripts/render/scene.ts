import type { MjData, MjModel } from '@mujoco/mujoco'
import { HatrpoError } from '../../src/errors.js'
import { doublesOf, integersOf, type Mujoco } from '../../src/envs/mujoco/load.js'
import { Box, Capsule, Cylinder, Ellipsoid, Mesh, type Shape } from './shapes.js'
import { subtract, type Vector } from './vector.js'

/** A shape somewhere in the world. */
export interface Solid {
  readonly name: string
  readonly shape: Shape
  readonly position: Vector
  /** Row by row; its columns are the shape's axes in the world. */
  readonly rotation: readonly number[]
  /** Agents that drive it, in bands along its z axis; empty where none does. */
  readonly agents: readonly number[]
  /**
   * Whether it is part of a robot that agents drive, of a thing that moves without them, or of the world, which the
   * camera need not show in full.
   */
  readonly role: 'robot' | 'thing' | 'world'
}

/** A model in one state, with nothing left of MuJoCo: plain numbers. */
export interface Scene {
  readonly solids: readonly Solid[]
  /** Height of the ground; undefined: there is none. */
  readonly ground?: number
  /** Whether the robot is in a liquid. */
  readonly liquid: boolean
}

/** MuJoCo's mjtGeom, mjtTrn and mjtObj. */
const GEOM = { plane: 0, heightField: 1, sphere: 2, capsule: 3, ellipsoid: 4, cylinder: 5, box: 6, mesh: 7 }
const JOINT_TRANSMISSION = 0
const OBJECT = { geom: 5, joint: 3, actuator: 19 }

const UPRIGHT = 0.999
/** Half the thickness of a wall, in metres. */
const WALL = 1e-3
const TENDON_RADIUS = 0.02

/**
 * The name of each actuator: that of the joint it drives, else its own.
 * @returns [actuators]
 */
export function actuatorNames(mujoco: Mujoco, model: MjModel): string[] {
  const types = integersOf(model, 'actuator_trntype')
  const targets = integersOf(model, 'actuator_trnid')
  return Array.from({ length: model.nu }, (_, i) =>
    types[i] === JOINT_TRANSMISSION
      ? mujoco.api.mj_id2name(model, OBJECT.joint, targets[2 * i])
      : mujoco.api.mj_id2name(model, OBJECT.actuator, i),
  )
}

/**
 * For each body the agents that drive its joints, in the order of the joints. A body without joints of its own moves
 * with its parent, and belongs to whoever drives that.
 * @param parts per agent: its actuators
 */
function bodyAgents(model: MjModel, parts: readonly (readonly number[])[]): number[][] {
  const types = integersOf(model, 'actuator_trntype')
  const targets = integersOf(model, 'actuator_trnid')
  const ofJoint = new Map<number, number>()
  parts.forEach((actuators, agent) => {
    for (const i of actuators) if (types[i] === JOINT_TRANSMISSION) ofJoint.set(targets[2 * i], agent)
  })
  const parents = integersOf(model, 'body_parentid')
  const firstJoint = integersOf(model, 'body_jntadr')
  const jointCount = integersOf(model, 'body_jntnum')
  const agents: number[][] = []
  for (let body = 0; body < model.nbody; body++) {
    const joints = Array.from({ length: jointCount[body] }, (_, i) => firstJoint[body] + i)
    const drivers = joints.flatMap((joint) => ofJoint.get(joint) ?? [])
    agents.push(joints.length === 0 && body > 0 ? agents[parents[body]] : [...new Set(drivers)])
  }
  return agents
}

function meshOf(model: MjModel, geom: number): Mesh {
  const mesh = integersOf(model, 'geom_dataid')[geom]
  const vertexAt = integersOf(model, 'mesh_vertadr')[mesh]
  const faceAt = integersOf(model, 'mesh_faceadr')[mesh]
  const vertices = model.mesh_vert as ArrayLike<number> & { slice(from: number, to: number): Float32Array }
  return new Mesh(
    vertices.slice(3 * vertexAt, 3 * (vertexAt + integersOf(model, 'mesh_vertnum')[mesh])),
    integersOf(model, 'mesh_face').slice(3 * faceAt, 3 * (faceAt + integersOf(model, 'mesh_facenum')[mesh])),
  )
}

/** The shape of a geom that is not the ground. @throws HatrpoError for a kind that cannot be drawn */
function shapeOf(model: MjModel, geom: number, name: string): Shape {
  const [x, y, z] = doublesOf(model, 'geom_size').slice(3 * geom, 3 * geom + 3)
  switch (integersOf(model, 'geom_type')[geom]) {
    case GEOM.sphere:
      return new Capsule(x, 0)
    case GEOM.capsule:
      return new Capsule(x, y)
    case GEOM.ellipsoid:
      return new Ellipsoid([x, y, z])
    case GEOM.cylinder:
      return new Cylinder(x, y)
    case GEOM.box:
      return new Box([x, y, z])
    case GEOM.mesh:
      return meshOf(model, geom)
    case GEOM.plane:
      if (x > 0 && y > 0) return new Box([x, y, WALL])
      throw new HatrpoError(`geom ${name}: an endless plane must be level to be drawn`)
    default:
      throw new HatrpoError(
        `geom ${name}: must be a plane, sphere, capsule, ellipsoid, cylinder, box or mesh to be drawn`,
      )
  }
}

/** The segments of spatial tendons, as thin capsules. */
function tendons(model: MjModel, data: MjData): Solid[] {
  const first = integersOf(data, 'ten_wrapadr')
  const count = integersOf(data, 'ten_wrapnum')
  const points = doublesOf(data, 'wrap_xpos')
  const point = (i: number): Vector => [points[3 * i], points[3 * i + 1], points[3 * i + 2]]
  return Array.from({ length: model.ntendon }, (_, t) =>
    Array.from({ length: Math.max(0, count[t] - 1) }, (__, i): Solid => {
      const [from, to] = [point(first[t] + i), point(first[t] + i + 1)]
      return { name: `tendon ${t}`, agents: [], role: 'robot', ...along(from, to, TENDON_RADIUS) }
    }),
  ).flat()
}

/** A capsule between two points. */
function along(from: Vector, to: Vector, radius: number): Pick<Solid, 'shape' | 'position' | 'rotation'> {
  const d = subtract(to, from)
  const size = Math.hypot(...d)
  const z: Vector = [d[0] / size, d[1] / size, d[2] / size]
  const across = Math.abs(z[2]) < 0.9 ? [-z[1], z[0], 0] : [0, -z[2], z[1]]
  const norm = Math.hypot(...across)
  const x = across.map((a) => a / norm)
  const y = [z[1] * x[2] - z[2] * x[1], z[2] * x[0] - z[0] * x[2], z[0] * x[1] - z[1] * x[0]]
  return {
    shape: new Capsule(radius, size / 2),
    position: [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2, (from[2] + to[2]) / 2],
    rotation: [0, 1, 2].flatMap((row) => [x[row], y[row], z[row]]),
  }
}

/**
 * Visible parts of a world.
 * @param data after mj_forward
 * @param parts per agent: its actuators
 * @throws HatrpoError for a geom that cannot be drawn
 */
export function readScene(
  mujoco: Mujoco,
  model: MjModel,
  data: MjData,
  parts: readonly (readonly number[])[],
): Scene {
  const agents = bodyAgents(model, parts)
  const positions = doublesOf(data, 'geom_xpos')
  const rotations = doublesOf(data, 'geom_xmat')
  const bodies = integersOf(model, 'geom_bodyid')
  const bodyPositions = doublesOf(data, 'xpos')
  const types = integersOf(model, 'geom_type')
  const roots = integersOf(model, 'body_rootid')
  const driven = new Set(agents.flatMap((drivers, body) => (drivers.length > 0 ? [roots[body]] : [])))
  const solids: Solid[] = []
  let ground: number | undefined
  for (let geom = 0; geom < model.ngeom; geom++) {
    const body = bodies[geom]
    const name = mujoco.api.mj_id2name(model, OBJECT.geom, geom)
    const rotation = Array.from(rotations.slice(9 * geom, 9 * geom + 9))
    const position = [0, 1, 2].map((i) => positions[3 * geom + i]) as unknown as Vector
    if (types[geom] === GEOM.plane && rotation[8] > UPRIGHT && ground === undefined) {
      ground = position[2]
      continue
    }
    // Bands begin at the end that is nearer to the body's origin.
    const axis: Vector = [rotation[2], rotation[5], rotation[8]]
    const towards = [0, 1, 2].reduce(
      (sum, i) => sum + (position[i] - bodyPositions[3 * body + i]) * axis[i],
      0,
    )
    solids.push({
      name,
      shape: shapeOf(model, geom, name),
      position,
      rotation,
      agents: towards < 0 ? agents[body].toReversed() : agents[body],
      role: body === 0 ? 'world' : driven.has(roots[body]) ? 'robot' : 'thing',
    })
  }
  solids.push(...tendons(model, data))
  return { solids, ...(ground === undefined ? {} : { ground }), liquid: model.opt.density > 100 }
}

/** Solids that the camera shows: those that are not part of the world, or all where there are no others. */
export function shownSolids({ solids }: Scene): readonly Solid[] {
  const moving = solids.filter(({ role }) => role !== 'world')
  return moving.length > 0 ? moving : solids
}

/** The height of the lowest point of what the camera shows. */
export function lowestPoint(scene: Scene): number {
  const heights = shownSolids(scene).flatMap(({ shape, position, rotation }) =>
    shape.hull.map(
      ({ at, radius }) =>
        position[2] + rotation[6] * at[0] + rotation[7] * at[1] + rotation[8] * at[2] - radius,
    ),
  )
  return Math.min(...heights)
}
