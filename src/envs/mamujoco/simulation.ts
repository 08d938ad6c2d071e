import { PhysicsError } from '../physics-error.js'
import type { RandomStream } from '../random.js'
import { doublesOf } from '../mujoco/load.js'
import { normaliseQuaternion } from '../mujoco/quaternion.js'
import { World, type PhysicsModel } from '../mujoco/world.js'
import { ObservationReader, type ObservationElement } from './elements.js'
import { derivedArrays, type Task } from './task.js'

/** The parts of a reward; costs are negative. The reward is their sum. */
export interface RewardTerms {
  progress: number
  healthy: number
  control: number
  contact: number
  near: number
  distance: number
}

/** One world running a task, for a single controller of all actuators, in double precision. */
export class TaskSimulation {
  readonly task: Task
  readonly world: World
  /** [task.observation], as `observe` left it. */
  readonly observation: Float64Array
  /** Of the last step. */
  readonly terms: RewardTerms = { progress: 0, healthy: 0, control: 0, contact: 0, near: 0, distance: 0 }
  /** Sum of `terms`. */
  reward = 0
  /** Whether the last step left the healthy range. */
  ended = false
  /** dx/dt of the last step, in metres per second; 0 in tasks that do not reward it. */
  velocity = 0
  /** Position of the robot along x in metres, set by `locate`. */
  #along = 0
  /** `along` before the step. */
  #before = 0
  readonly #reader: ObservationReader
  readonly #nq: number
  readonly #nv: number
  readonly #stepSeconds: number
  readonly #xpos: number
  readonly #xipos: number
  readonly #forces: number
  /** Mass of each body, and of all. */
  readonly #masses: Float64Array
  readonly #totalMass: number

  /**
   * @param envId named in errors
   * @param others elements that are read beside the task's own observation
   */
  constructor(task: Task, model: PhysicsModel, envId: string, others: readonly ObservationElement[] = []) {
    this.task = task
    this.world = new World(model, envId, derivedArrays(task, others))
    this.#nq = model.nq
    this.#nv = model.nv
    this.#stepSeconds = task.frames * task.timestep
    this.observation = new Float64Array(task.observation.length)
    this.#reader = new ObservationReader(task.observation, this.world)
    this.#xpos = this.world.position('xpos')
    this.#xipos = this.world.position('xipos')
    this.#forces = this.world.position('cfrc_ext')
    this.#masses = Float64Array.from(doublesOf(model.handle, 'body_mass'))
    this.#totalMass = this.#masses.reduce((sum, mass) => sum + mass, 0)
  }

  /** Starts at a given state, with everything that follows from it computed. */
  start(qpos: ArrayLike<number>, qvel: ArrayLike<number>): void {
    const { world, terms } = this
    world.reset()
    world.doubles().set(qpos, world.qpos)
    world.doubles().set(qvel, world.qvel)
    // As the published engine does before it computes anything from a state; newer MuJoCo waits for the first step.
    if (this.task.freeRoot) normaliseQuaternion(world.doubles(), world.qpos + 3)
    world.forward()
    terms.progress = terms.healthy = terms.control = terms.contact = terms.near = terms.distance = 0
    this.reward = 0
    this.velocity = 0
    this.ended = false
    this.observe()
  }

  /** Starts at the initial state plus the task's noise, quaternions included as in the originals. */
  startRandom(random: RandomStream): void {
    const { initialPositions, resetNoise, place } = this.task
    const { scale, velocityScale = scale } = resetNoise
    const uniform = () => 2 * random.uniform() - 1
    const velocity = resetNoise.velocity === 'normal' ? () => random.normal() : uniform
    const qpos = initialPositions.map((q) => q + scale * uniform())
    const qvel = Array.from({ length: this.#nv }, () => velocityScale * velocity())
    place?.(random, qpos, qvel)
    this.start(qpos, qvel)
  }

  /**
   * Applies the controls that the caller wrote at `world.ctrl` for one step, then `reward`, `terms`, `velocity` and
   * `observation` are those of this step.
   * @returns whether the state has left the healthy range
   * @throws PhysicsError when the physics or an action is not finite
   */
  step(): boolean {
    this.submit()
    return this.finish()
  }

  /** Starts a step with the controls at `world.ctrl`. @throws PhysicsError when an action is not finite */
  submit(): void {
    this.#chargeControl()
    this.#locate()
    this.#before = this.#along
    if (this.task.distancesBefore === true) this.#chargeDistances()
    this.world.submit(this.task.frames)
  }

  /** Finishes the step that `submit` started. @returns and @throws as `step` */
  finish(): boolean {
    const { task, world, terms } = this
    world.finish()
    this.#locate()
    this.velocity = (this.#along - this.#before) / this.#stepSeconds
    this.#rewardProgress()
    const healthy = this.#isHealthy()
    terms.healthy = healthy || task.paidWhenUnhealthy ? task.healthyReward : 0
    this.#chargeContact()
    if (task.distancesBefore !== true) this.#chargeDistances()
    this.reward = terms.progress + terms.healthy + terms.control + terms.contact + terms.near + terms.distance
    this.observe()
    this.ended = !healthy
    return this.ended
  }

  /** Fills `observation` from the state. */
  observe(): void {
    this.#reader.read(this.world.doubles(), this.observation)
  }

  // The functions below leave their results in fields: a number that a function returns may be an object on the heap.

  /** Measures `along` as the task does; 0 where it does not. */
  #locate(): void {
    const { task, world } = this
    const masses = this.#masses
    const memory = world.doubles()
    switch (task.progress?.of) {
      case 'positions': {
        const positions = task.progress.positions!
        let sum = 0
        for (let i = 0; i < positions.length; i++) sum += memory[world.qpos + positions[i]]
        this.#along = sum / positions.length
        break
      }
      case 'torso':
        this.#along = memory[this.#xpos + 3]
        break
      case 'mass': {
        let sum = 0
        for (let body = 0; body < masses.length; body++) sum += masses[body] * memory[this.#xipos + 3 * body]
        this.#along = sum / this.#totalMass
        break
      }
      default:
        this.#along = 0
    }
  }

  #rewardProgress(): void {
    const { task, world, terms } = this
    if (task.progress === undefined) terms.progress = 0
    else if (task.progress.of === 'height')
      terms.progress = (task.progress.weight * world.doubles()[world.qpos + 2]) / task.timestep
    else terms.progress = task.progress.weight * this.velocity
  }

  /** The weighted squared norm of the controls as given: MuJoCo limits them afterwards, the cost does not. */
  #chargeControl(): void {
    const { task, world, terms } = this
    const memory = world.doubles()
    let sum = 0
    for (let i = 0; i < task.actuators.length; i++) {
      const a = memory[world.ctrl + i]
      sum += a * a
    }
    if (!Number.isFinite(sum)) this.#refuseAction()
    terms.control = -(task.controlCost * sum)
  }

  #refuseAction(): never {
    const { task, world } = this
    const i = task.actuators.findIndex((_, j) => !Number.isFinite(world.doubles()[world.ctrl + j]))
    const detail = `the action for ${task.actuators[i]} is ${world.doubles()[world.ctrl + i]}`
    throw new PhysicsError(world.envId, 'action', detail)
  }

  #chargeContact(): void {
    const { terms } = this
    const masses = this.#masses
    const forces = this.#forces
    const { contactCost } = this.task
    if (contactCost === undefined) return
    const { weight, clip, largest } = contactCost
    const memory = this.world.doubles()
    let sum = 0
    for (let i = 0; i < 6 * masses.length; i++) {
      const force = Math.max(-clip, Math.min(clip, memory[forces + i]))
      sum += force * force
    }
    terms.contact = -Math.min(weight * sum, largest)
  }

  #chargeDistances(): void {
    const { terms } = this
    const xpos = this.#xpos
    const { distanceCosts } = this.task
    if (distanceCosts === undefined) return
    const memory = this.world.doubles()
    for (let i = 0; i < distanceCosts.length; i++) {
      const { name, weight, bodies } = distanceCosts[i]
      let sum = 0
      for (let j = 0; j < 3; j++) {
        const along = memory[xpos + 3 * bodies[1] + j] - memory[xpos + 3 * bodies[0] + j]
        sum += along * along
      }
      terms[name] = -weight * Math.sqrt(sum)
    }
  }

  #isHealthy(): boolean {
    const { healthy } = this.task
    if (healthy === undefined) return true
    const memory = this.world.doubles()
    const { qpos, qvel } = this.world
    const height = memory[qpos + healthy.height]
    if (!isInside(height, healthy.z)) {
      if (healthy.inclusive !== true || (height !== healthy.z[0] && height !== healthy.z[1])) return false
    }
    if (healthy.angle !== undefined && !isInside(memory[qpos + 2], healthy.angle)) return false
    if (healthy.state === undefined) return true
    for (let i = 2; i < this.#nq; i++) if (!isInside(memory[qpos + i], healthy.state)) return false
    for (let i = 0; i < this.#nv; i++) if (!isInside(memory[qvel + i], healthy.state)) return false
    return true
  }
}

/** Indexed rather than destructured: this runs for every state element of every step. */
function isInside(x: number, range: readonly [low: number, high: number]): boolean {
  return range[0] < x && x < range[1]
}
