import { integersOf } from '../mujoco/load.js'
import type { PhysicsModel } from '../mujoco/world.js'
import { values, type ObservationElement } from '../mamujoco/elements.js'
import type { ModelNames } from './names.js'
import { findReading } from './readings.js'

/** MuJoCo's mjtTrn: targets of actuators. */
const SLIDER_CRANK = 2
const TENDON = 3
const SITE = 4
const BODY = 5
/** MuJoCo's mjtWrap: elements of a tendon's path. */
const WRAP_JOINT = 1
const WRAP_SITE = 3
/** MuJoCo's mjtJoint. */
const FREE = 0
/** Leading positions of a free joint that say where on the ground it is. */
const PLACE = 2
const WORLD = 0

/** The joints that one actuator moves. */
interface Drive {
  readonly joints: readonly number[]
  /** Tendons that run along sites rather than joints. */
  readonly tendons: readonly number[]
  readonly bodies: readonly number[]
}

/** Which joints the actuators of a model drive, and how they hang together. */
export class DrivenJoints {
  readonly #model: PhysicsModel
  readonly #names: ModelNames
  /** One per actuator. */
  readonly #drives: readonly Drive[]
  readonly #driven: ReadonlySet<number>

  constructor(model: PhysicsModel, names: ModelNames) {
    this.#model = model
    this.#names = names
    this.#drives = Array.from({ length: model.nu }, (_, actuator) => this.#drive(actuator))
    this.#driven = new Set(this.#drives.flatMap(({ joints }) => joints))
  }

  /** Positions, then velocities, of what these actuators drive. */
  own(actuators: readonly number[]): ObservationElement[] {
    const tendons = unique(actuators.flatMap((actuator) => this.#drives[actuator].tendons))
    return [
      ...this.#jointElements(this.#jointsOf(actuators)),
      ...tendons.flatMap((tendon) => values('ten_length', tendon, 1)),
      ...tendons.flatMap((tendon) => values('ten_velocity', tendon, 1)),
    ]
  }

  /** The same of joints that others drive and that share a link with a joint of these actuators. */
  neighbours(actuators: readonly number[]): ObservationElement[] {
    const own = this.#jointsOf(actuators)
    const links = new Set(own.flatMap((joint) => this.#linksOf(joint)))
    links.delete(WORLD)
    const near = [...this.#driven].filter(
      (joint) => !own.includes(joint) && this.#linksOf(joint).some((link) => links.has(link)),
    )
    return this.#jointElements(near.sort((a, b) => a - b))
  }

  /** The same of all joints that others drive. */
  others(actuators: readonly number[]): ObservationElement[] {
    const own = this.#jointsOf(actuators)
    const others = [...this.#driven].filter((joint) => !own.includes(joint))
    return this.#jointElements(others.sort((a, b) => a - b))
  }

  /** Positions, then velocities, of the joints that nothing drives: a free base, objects. */
  base(): ObservationElement[] {
    const joints = Array.from({ length: this.#names.list('joint').length }, (_, joint) => joint)
    return this.#jointElements(joints.filter((joint) => !this.#driven.has(joint)))
  }

  /** All positions, then all velocities. */
  all(): ObservationElement[] {
    return this.#jointElements(this.#names.list('joint').map((_, joint) => joint))
  }

  #jointsOf(actuators: readonly number[]): number[] {
    return unique(actuators.flatMap((actuator) => this.#drives[actuator].joints))
  }

  #jointElements(joints: readonly number[]): ObservationElement[] {
    const read = (field: 'qpos' | 'qvel') => (joint: number) => {
      const { array, index, count } = findReading(`${field}:#${joint}`, this.#model, this.#names, field)
      const skipped = field === 'qpos' && this.#carries(joint) ? PLACE : 0
      return values(array, index + skipped, count - skipped)
    }
    return [...joints.flatMap(read('qpos')), ...joints.flatMap(read('qvel'))]
  }

  /** Whether it is the free joint by which something driven moves about: where it is on the ground is not observed. */
  #carries(joint: number): boolean {
    const { handle } = this.#model
    if (integersOf(handle, 'jnt_type')[joint] !== FREE) return false
    const base = integersOf(handle, 'jnt_bodyid')[joint]
    return this.#drives.some(({ bodies }) => bodies.some((body) => this.#hangsOn(body, base)))
  }

  #hangsOn(body: number, base: number): boolean {
    const parents = integersOf(this.#model.handle, 'body_parentid')
    while (body !== base && body !== WORLD) body = parents[body]
    return body === base
  }

  /** The two links that a joint connects, each named by its body that is nearest to the world. */
  #linksOf(joint: number): number[] {
    const { handle } = this.#model
    const body = integersOf(handle, 'jnt_bodyid')[joint]
    return [body, this.#linkOf(integersOf(handle, 'body_parentid')[body])]
  }

  /** Bodies without a driven joint between them form one link; bodies fixed to the world do not. */
  #linkOf(body: number): number {
    const { handle } = this.#model
    const parents = integersOf(handle, 'body_parentid')
    const first = integersOf(handle, 'body_jntadr')
    const counts = integersOf(handle, 'body_jntnum')
    const isDriven = (b: number) =>
      Array.from({ length: counts[b] }).some((_, i) => this.#driven.has(first[b] + i))
    let moving = WORLD
    while (body !== WORLD) {
      if (counts[body] > 0) moving = body
      if (isDriven(body)) return body
      body = parents[body]
    }
    return moving
  }

  #drive(actuator: number): Drive {
    const { handle } = this.#model
    const type = integersOf(handle, 'actuator_trntype')[actuator]
    const target = integersOf(handle, 'actuator_trnid')[2 * actuator]
    const siteBody = (site: number) => integersOf(handle, 'site_bodyid')[site]
    const none = { joints: [], tendons: [] }
    if (type === BODY) return { ...none, bodies: [target] }
    if (type === SITE || type === SLIDER_CRANK) return { ...none, bodies: [siteBody(target)] }
    const jointBody = (joint: number) => integersOf(handle, 'jnt_bodyid')[joint]
    if (type !== TENDON) return { joints: [target], tendons: [], bodies: [jointBody(target)] }
    const joints = this.#wrapped(target, WRAP_JOINT)
    if (joints.length > 0) return { joints, tendons: [], bodies: joints.map(jointBody) }
    return { joints: [], tendons: [target], bodies: this.#wrapped(target, WRAP_SITE).map(siteBody) }
  }

  /** The joints or sites that a tendon runs along. */
  #wrapped(tendon: number, type: number): number[] {
    const { handle } = this.#model
    const first = integersOf(handle, 'tendon_adr')[tendon]
    const types = integersOf(handle, 'wrap_type')
    const ids = integersOf(handle, 'wrap_objid')
    const wraps = Array.from({ length: integersOf(handle, 'tendon_num')[tendon] }, (_, i) => first + i)
    return wraps.filter((wrap) => types[wrap] === type).map((wrap) => ids[wrap])
  }
}

function unique(numbers: readonly number[]): number[] {
  return [...new Set(numbers)]
}
