import type { MjData, MjModel } from '@mujoco/mujoco'
import { HatrpoError } from '../../errors.js'
import type { Point, Scene, Shape, Solid } from '../scene.js'
import { doublesOf, integersOf, type Mujoco } from './load.js'
import type { PhysicsModel, World } from './world.js'

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
 * For each body, the agents that drive its joints, in the order of the joints. A body without joints moves with its
 * parent and has the parent's agents.
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

function meshOf(model: MjModel, geom: number): Shape {
  const mesh = integersOf(model, 'geom_dataid')[geom]
  const vertexAt = integersOf(model, 'mesh_vertadr')[mesh]
  const faceAt = integersOf(model, 'mesh_faceadr')[mesh]
  const vertices = model.mesh_vert as ArrayLike<number> & { slice(from: number, to: number): Float32Array }
  return {
    kind: 'mesh',
    vertices: vertices.slice(3 * vertexAt, 3 * (vertexAt + integersOf(model, 'mesh_vertnum')[mesh])),
    faces: integersOf(model, 'mesh_face').slice(
      3 * faceAt,
      3 * (faceAt + integersOf(model, 'mesh_facenum')[mesh]),
    ),
  }
}

/** The shape of a geom that is not the ground. @throws HatrpoError for a kind that cannot be drawn */
function shapeOf(model: MjModel, geom: number, name: string): Shape {
  const [x, y, z] = doublesOf(model, 'geom_size').slice(3 * geom, 3 * geom + 3)
  switch (integersOf(model, 'geom_type')[geom]) {
    case GEOM.sphere:
      return { kind: 'capsule', radius: x, half: 0 }
    case GEOM.capsule:
      return { kind: 'capsule', radius: x, half: y }
    case GEOM.ellipsoid:
      return { kind: 'ellipsoid', axes: [x, y, z] }
    case GEOM.cylinder:
      return { kind: 'cylinder', radius: x, half: y }
    case GEOM.box:
      return { kind: 'box', half: [x, y, z] }
    case GEOM.mesh:
      return meshOf(model, geom)
    case GEOM.plane:
      if (x > 0 && y > 0) return { kind: 'box', half: [x, y, WALL] }
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
  const point = (i: number): Point => [points[3 * i], points[3 * i + 1], points[3 * i + 2]]
  return Array.from({ length: model.ntendon }, (_, t) =>
    Array.from({ length: Math.max(0, count[t] - 1) }, (__, i): Solid => {
      const [from, to] = [point(first[t] + i), point(first[t] + i + 1)]
      return { name: `tendon ${t}`, agents: [], role: 'robot', ...along(from, to, TENDON_RADIUS) }
    }),
  ).flat()
}

/** A capsule between two points. */
function along(from: Point, to: Point, radius: number): Pick<Solid, 'shape' | 'position' | 'rotation'> {
  const d = [to[0] - from[0], to[1] - from[1], to[2] - from[2]]
  const size = length(d)
  const z = size > 0 ? d.map((x) => x / size) : [0, 0, 1]
  const across = Math.abs(z[2]) < 0.9 ? [-z[1], z[0], 0] : [0, -z[2], z[1]]
  const norm = length(across)
  const x = across.map((a) => a / norm)
  const y = [z[1] * x[2] - z[2] * x[1], z[2] * x[0] - z[0] * x[2], z[0] * x[1] - z[1] * x[0]]
  return {
    shape: { kind: 'capsule', radius, half: size / 2 },
    position: [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2, (from[2] + to[2]) / 2],
    rotation: [0, 1, 2].flatMap((row) => [x[row], y[row], z[row]]),
  }
}

function length([x, y, z]: readonly number[]): number {
  return Math.sqrt(x * x + y * y + z * z)
}

/** Constant properties of a geom. */
type FixedSolid = Omit<Solid, 'position' | 'rotation'> & { readonly geom: number; readonly body: number }

/** Reads scenes of one model. */
export class SceneReader {
  readonly #model: PhysicsModel
  readonly #agents: readonly (readonly number[])[]
  #fixed: readonly FixedSolid[] | undefined
  /** A separate world, because arrays computed for a picture must not change those that rewards read. */
  #data: MjData | undefined

  /** @param parts per agent: its actuators */
  constructor(model: PhysicsModel, parts: readonly (readonly number[])[]) {
    this.#model = model
    this.#agents = bodyAgents(model.handle, parts)
  }

  /**
   * Visible parts of a world in its present state.
   * @throws HatrpoError for a geom that cannot be drawn
   */
  readWorld(world: World): Scene {
    const { mujoco, handle } = this.#model
    const data = (this.#data ??= new mujoco.api.MjData(handle))
    for (const name of ['qpos', 'mocap_pos', 'mocap_quat'] as const)
      doublesOf(data, name).set(doublesOf(world.handle, name))
    mujoco.api.mj_kinematics(handle, data)
    mujoco.api.mj_comPos(handle, data)
    mujoco.api.mj_tendon(handle, data)
    return this.read(data)
  }

  /**
   * Visible parts of a world.
   * @param data after mj_forward
   * @throws HatrpoError for a geom that cannot be drawn
   */
  read(data: MjData): Scene {
    const model = this.#model.handle
    const positions = doublesOf(data, 'geom_xpos')
    const rotations = doublesOf(data, 'geom_xmat')
    const bodyPositions = doublesOf(data, 'xpos')
    const floor = groundOf(model, rotations)
    this.#fixed ??= this.#fix(floor)
    const solids = this.#fixed.map(({ geom, body, name, shape, agents, role }): Solid => {
      const rotation = Array.from(rotations.subarray(9 * geom, 9 * geom + 9))
      const position: Point = [positions[3 * geom], positions[3 * geom + 1], positions[3 * geom + 2]]
      // Bands begin at the end that is nearer to the body's origin.
      const towards = position.reduce(
        (sum, x, i) => sum + (x - bodyPositions[3 * body + i]) * rotation[3 * i + 2],
        0,
      )
      return { name, shape, position, rotation, agents: towards < 0 ? agents.toReversed() : agents, role }
    })
    return {
      solids: [...solids, ...tendons(model, data)],
      ...(floor < 0 ? {} : { ground: positions[3 * floor + 2] }),
      liquid: model.opt.density > 100,
    }
  }

  dispose(): void {
    this.#data?.delete()
    this.#data = undefined
  }

  /** @param floor the geom that is the ground */
  #fix(floor: number): FixedSolid[] {
    const { handle: model, mujoco } = this.#model
    const agents = this.#agents
    const bodies = integersOf(model, 'geom_bodyid')
    const roots = integersOf(model, 'body_rootid')
    const driven = new Set(agents.flatMap((drivers, body) => (drivers.length > 0 ? [roots[body]] : [])))
    const geoms = Array.from({ length: model.ngeom }, (_, geom) => geom).filter((geom) => geom !== floor)
    return geoms.map((geom) => {
      const body = bodies[geom]
      const name = mujoco.api.mj_id2name(model, OBJECT.geom, geom)
      const role = body === 0 ? 'world' : driven.has(roots[body]) ? 'robot' : 'thing'
      return { geom, body, name, shape: shapeOf(model, geom, name), agents: agents[body], role }
    })
  }
}

/** The first level plane, which is the ground; -1 without one. */
function groundOf(model: MjModel, rotations: Float64Array): number {
  const types = integersOf(model, 'geom_type')
  return types.findIndex((type, geom) => type === GEOM.plane && rotations[9 * geom + 8] > UPRIGHT)
}
