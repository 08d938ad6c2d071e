import { PhysicsError } from '../physics-error.js'
import type { RandomStream } from '../random.js'
import { World, type PhysicsModel } from '../mujoco/world.js'
import type { Task } from './tasks.js'

/** One world running a locomotion task, for a single controller of all actuators, in double precision. */
export class Locomotion {
  readonly task: Task
  readonly world: World
  /** [positions - 1 + velocities], as `observe` left it. */
  readonly observation: Float64Array
  /** Of the last step. */
  reward = 0
  /** dx/dt of the last step, in metres per second. */
  velocity = 0
  private readonly nq: number
  private readonly nv: number
  private readonly stepSeconds: number

  /** @param envId named in errors */
  constructor(task: Task, model: PhysicsModel, envId: string) {
    this.task = task
    this.world = new World(model, envId)
    this.nq = model.nq
    this.nv = model.nv
    this.stepSeconds = task.frames * task.timestep
    this.observation = new Float64Array(model.nq - 1 + model.nv)
  }

  /** Starts at a given state, with everything that follows from it computed. */
  start(qpos: ArrayLike<number>, qvel: ArrayLike<number>): void {
    this.world.reset()
    this.world.doubles().set(qpos, this.world.qpos)
    this.world.doubles().set(qvel, this.world.qvel)
    this.world.forward()
    this.reward = 0
    this.velocity = 0
    this.observe()
  }

  /** Starts at the initial state plus the task's noise. */
  startRandom(random: RandomStream): void {
    const { initialPositions, resetNoise } = this.task
    const uniform = () => resetNoise.scale * (2 * random.uniform() - 1)
    const qpos = initialPositions.map((q) => q + uniform())
    const velocity = resetNoise.velocity === 'normal' ? () => resetNoise.scale * random.normal() : uniform
    this.start(qpos, Array.from({ length: this.nv }, velocity))
  }

  /**
   * Applies the controls that the caller wrote at `world.ctrl` for one step, then `reward`, `velocity` and
   * `observation` are those of this step.
   * @returns whether the state has left the healthy range
   * @throws PhysicsError when the physics or an action is not finite
   */
  step(): boolean {
    const { task, world } = this
    const cost = this.controlCost()
    const before = world.doubles()[world.qpos]
    world.step(task.frames)
    this.velocity = (world.doubles()[world.qpos] - before) / this.stepSeconds
    const healthy = this.isHealthy()
    const bonus = healthy || task.paidWhenUnhealthy ? task.healthyReward : 0
    this.reward = task.forwardWeight * this.velocity + bonus - cost
    this.observe()
    return !healthy
  }

  /** Fills `observation` from the state. */
  observe(): void {
    const { nq, nv, observation, world } = this
    const { velocityClip } = this.task
    const memory = world.doubles()
    for (let i = 1; i < nq; i++) observation[i - 1] = memory[world.qpos + i]!
    for (let i = 0; i < nv; i++) {
      const x = memory[world.qvel + i]
      observation[nq - 1 + i] = Math.max(-velocityClip, Math.min(velocityClip, x))
    }
  }

  /** The weighted squared norm of the action as given: MuJoCo limits it afterwards, the cost does not. */
  private controlCost(): number {
    const { task, world } = this
    const memory = world.doubles()
    let sum = 0
    for (let i = 0; i < task.actuators.length; i++) {
      const a = memory[world.ctrl + i]
      sum += a * a
    }
    if (!Number.isFinite(sum)) this.refuseAction()
    return task.controlCost * sum
  }

  private refuseAction(): never {
    const { task, world } = this
    const i = task.actuators.findIndex((_, j) => !Number.isFinite(world.doubles()[world.ctrl + j]))
    const detail = `the action for ${task.actuators[i]} is ${world.doubles()[world.ctrl + i]}`
    throw new PhysicsError(world.envId, 'action', detail)
  }

  private isHealthy(): boolean {
    const { healthy } = this.task
    if (healthy === undefined) return true
    const memory = this.world.doubles()
    const { qpos, qvel } = this.world
    if (!isInside(memory[qpos + 1], healthy.z)) return false
    if (!isInside(memory[qpos + 2], healthy.angle)) return false
    if (healthy.state === undefined) return true
    for (let i = 2; i < this.nq; i++) if (!isInside(memory[qpos + i], healthy.state)) return false
    for (let i = 0; i < this.nv; i++) if (!isInside(memory[qvel + i], healthy.state)) return false
    return true
  }
}

/** Indexed rather than destructured: this runs for every state element of every step. */
function isInside(x: number, range: readonly [low: number, high: number]): boolean {
  return range[0] < x && x < range[1]
}
