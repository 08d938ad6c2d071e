import { HatrpoError } from '../../errors.js'
import { RUNNING, TERMINATED, TRUNCATED, type EnvSpec, type MultiAgentEnv } from '../contract.js'
import { PhysicsError } from '../physics-error.js'
import { RandomStream } from '../random.js'
import { ObservationReader } from '../mamujoco/elements.js'
import { integersOf } from '../mujoco/load.js'
import { normaliseQuaternion } from '../mujoco/quaternion.js'
import { EpisodeSaver } from '../mujoco/saved.js'
import { SceneReader } from '../mujoco/scene.js'
import { World, type PhysicsModel } from '../mujoco/world.js'
import type { Scene as PictureScene } from '../scene.js'
import type { TeamFunctions, TeamStart } from './definition.js'
import type { TeamPlan } from './plan.js'
import { DERIVED_ARRAYS } from './readings.js'
import { Scene, teamStart, Windows } from './scene.js'
import { thrownLine } from '../../text/thrown.js'

/** Purpose of the random stream that draws the state an episode starts from. */
const RESET_PURPOSE = 1

/** The largest action taken, MuJoCo's mjMAXVAL. */
const LARGEST = 1e10

/** Before the first reset, or after an error. */
const NOT_STARTED = -1

/** Between `submit` and `step`. */
const SUBMITTED = -2

/** MuJoCo's mjtJoint: joints whose position holds a quaternion, and where in it. */
const QUATERNION_AT: readonly (number | undefined)[] = [3, 0]

/** A team on a user's model: physics by MuJoCo, task by the author's functions. */
export class TeamEnv implements MultiAgentEnv {
  readonly spec: EnvSpec
  readonly observations: readonly Float32Array[]
  readonly state: Float32Array
  readonly actions: readonly Float32Array[]
  readonly rewards: Float32Array
  /** SHA-256 of the model's files. */
  readonly dataSha256: string
  readonly #plan: TeamPlan
  readonly #functions: TeamFunctions
  readonly #world: World
  readonly #scene: Scene
  readonly #start: TeamStart
  readonly #random = new RandomStream(0, RESET_PURPOSE)
  readonly #readers: readonly ObservationReader[]
  readonly #stateReader: ObservationReader
  readonly #quaternions: readonly number[]
  readonly #saver: EpisodeSaver
  /** Made on the first request for a picture. */
  #scenes: SceneReader | undefined
  #status = NOT_STARTED
  /** Why the submitted step cannot be made. */
  #unfit: PhysicsError | undefined
  #reward = 0

  /** @param sha256 of the model's files */
  constructor(plan: TeamPlan, functions: TeamFunctions, model: PhysicsModel, sha256: string) {
    const { spec } = plan
    this.spec = spec
    this.#plan = plan
    this.#functions = functions
    this.dataSha256 = sha256
    // The readings that the functions use are not known in advance.
    this.#world = new World(model, spec.id, DERIVED_ARRAYS)
    const windows = new Windows(this.#world, plan.names)
    this.#scene = new Scene(windows, spec.id, functions.keep ?? [], spec.stepSeconds!)
    this.#start = teamStart(windows, spec.id, this.#random)
    this.#readers = plan.observations.map((elements) => new ObservationReader(elements, this.#world))
    this.#stateReader = new ObservationReader(plan.state, this.#world)
    this.#quaternions = findQuaternions(model)
    this.observations = plan.observations.map((elements) => new Float32Array(elements.length))
    this.state = new Float32Array(plan.state.length)
    this.actions = plan.controls.map((controls) => new Float32Array(controls.length))
    this.rewards = new Float32Array(spec.agents.length)
    const { names: _, ...settings } = plan
    this.#saver = new EpisodeSaver(spec.id, this.#world, `${sha256} ${JSON.stringify(settings)}`)
  }

  /**
   * Calls the team's functions once, so that their mistakes are found before a run starts.
   * @throws HatrpoError for a reading that the model does not have, or a result of the wrong type
   */
  check(): void {
    this.reset(0)
    this.#judge()
    this.#isOver()
    this.#status = NOT_STARTED
  }

  reset(seed: number): void {
    this.#random.restart(seed, RESET_PURPOSE)
    this.#status = NOT_STARTED
    this.#world.reset(this.#plan.keyframe)
    this.#addNoise()
    this.#place()
    this.#world.forward()
    this.#status = RUNNING
    this.#scene.steps = 0
    this.#reward = 0
    this.#publish()
  }

  /**
   * Starts a step with the present actions. All started steps of a thread are computed together when the first of its
   * environments is stepped.
   * @throws HatrpoError outside an episode
   */
  submit(): void {
    if (this.#status === SUBMITTED) return
    if (this.#status !== RUNNING) {
      throw new HatrpoError(`${this.spec.id}: step() outside an episode: call reset(seed) first`)
    }
    this.#scene.beginStep()
    // A refused action is reported by `step`, like all other faults.
    this.#unfit = this.#writeControls()
    if (this.#unfit === undefined) this.#world.submit(this.#plan.frames)
    this.#status = SUBMITTED
  }

  /**
   * @throws PhysicsError when the physics or an action is not finite; then only `reset` and `loadState` are allowed
   * @throws HatrpoError when the episode has ended or none was started, and when a function of the team fails
   */
  step(): number {
    this.submit()
    this.#status = NOT_STARTED
    if (this.#unfit !== undefined) throw this.#unfit
    const scene = this.#scene
    this.#world.finish()
    scene.steps++
    this.#reward = this.#judge()
    const ended = this.#isOver()
    this.#status = ended ? TERMINATED : scene.steps >= this.spec.timeLimit ? TRUNCATED : RUNNING
    this.#publish()
    return this.#status
  }

  /** @throws HatrpoError between `submit` and `step`, where the state is neither the one nor the other */
  saveState(): Uint8Array {
    if (this.#status === SUBMITTED) {
      throw new HatrpoError(`${this.spec.id}: saveState() between submit() and step(): call step() first`)
    }
    return this.#saver.save({ status: this.#status, steps: this.#scene.steps, reward: this.#reward })
  }

  loadState(saved: Uint8Array): void {
    const { status, steps, reward } = this.#saver.load(saved)
    this.#status = status
    this.#scene.steps = steps
    this.#reward = reward
    this.#publish()
  }

  /** @throws HatrpoError for a geom that cannot be drawn */
  scene(): PictureScene {
    this.#scenes ??= new SceneReader(
      this.#world.model,
      this.#plan.controls.map((controls) => controls.map(({ actuator }) => actuator)),
    )
    return this.#scenes.readWorld(this.#world)
  }

  dispose(): void {
    this.#status = NOT_STARTED
    this.#scenes?.dispose()
    this.#world.dispose()
  }

  /** Gathers the agents' actions into MuJoCo's controls. @returns why one cannot be taken */
  #writeControls(): PhysicsError | undefined {
    const { controls } = this.#plan
    const memory = this.#world.doubles()
    for (let k = 0; k < controls.length; k++) {
      const own = controls[k]
      const action = this.actions[k]
      for (let j = 0; j < own.length; j++) {
        if (!(Math.abs(action[j]) <= LARGEST)) return this.#refuseAction(k, j)
        memory[this.#world.ctrl + own[j].actuator] = own[j].offset + own[j].gain * action[j]
      }
    }
    return undefined
  }

  #refuseAction(agent: number, j: number): PhysicsError {
    const { spec, controls, names } = this.#plan
    const actuator = names.list('actuator')[controls[agent][j].actuator]
    const detail = `the action of ${spec.agents[agent].id} for ${actuator} is ${this.actions[agent][j]}`
    return new PhysicsError(spec.id, 'action', detail)
  }

  #judge(): number {
    let reward: unknown
    try {
      reward = this.#functions.reward(this.#scene)
    } catch (error) {
      this.#blame('reward', error)
    }
    if (typeof reward === 'number') return reward
    throw new HatrpoError(`${this.spec.id}: reward returned ${describe(reward)}: it must return a number`)
  }

  #isOver(): boolean {
    if (this.#functions.terminated === undefined) return false
    let over: unknown
    try {
      over = this.#functions.terminated(this.#scene)
    } catch (error) {
      this.#blame('terminated', error)
    }
    if (typeof over === 'boolean') return over
    throw new HatrpoError(
      `${this.spec.id}: terminated returned ${describe(over)}: it must return true or false`,
    )
  }

  #place(): void {
    try {
      this.#functions.start?.(this.#start)
    } catch (error) {
      this.#blame('start', error)
    }
  }

  /** Says which of the author's functions threw. */
  #blame(name: keyof TeamFunctions, error: unknown): never {
    if (error instanceof HatrpoError) throw error
    const message = thrownLine(error)
    throw new HatrpoError(`${this.spec.id}: ${name} failed: ${message}`, { cause: error })
  }

  /** Moves the initial state by the reset noise; quaternions keep length 1. */
  #addNoise(): void {
    const { position, velocity } = this.#plan.resetNoise
    const world = this.#world
    const random = this.#random
    const memory = world.doubles()
    for (let i = 0; i < world.model.nq; i++) memory[world.qpos + i] += position * (2 * random.uniform() - 1)
    for (let i = 0; i < world.model.nv; i++) memory[world.qvel + i] += velocity * (2 * random.uniform() - 1)
    for (const at of this.#quaternions) normaliseQuaternion(memory, world.qpos + at)
  }

  /** Copies the state of the world to the views. */
  #publish(): void {
    const memory = this.#world.doubles()
    for (let k = 0; k < this.#readers.length; k++) this.#readers[k].read(memory, this.observations[k])
    this.#stateReader.read(memory, this.state)
    this.rewards.fill(this.#reward)
  }
}

/** Indices in qpos of the quaternions of free and ball joints. */
function findQuaternions(model: PhysicsModel): number[] {
  const addresses = integersOf(model.handle, 'jnt_qposadr')
  return Array.from(integersOf(model.handle, 'jnt_type')).flatMap((type, joint) => {
    const at = QUATERNION_AT[type]
    return at === undefined ? [] : [addresses[joint] + at]
  })
}

function describe(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return value instanceof Promise ? 'a promise' : value === null ? 'null' : typeof value
}
