import { HatrpoError } from '../../errors.js'
import { PhysicsError } from '../physics-error.js'
import { RUNNING, TERMINATED, TRUNCATED, type EnvSpec, type MultiAgentEnv } from '../contract.js'
import { RandomStream } from '../random.js'
import { EpisodeSaver } from '../mujoco/saved.js'
import { SceneReader } from '../mujoco/scene.js'
import type { PhysicsModel } from '../mujoco/world.js'
import type { Scene } from '../scene.js'
import { ObservationReader, type ObservationElement } from './elements.js'
import { TaskSimulation } from './simulation.js'
import type { Task } from './task.js'

/** Purpose of the random stream that draws the state an episode starts from. */
const RESET_PURPOSE = 1

/** The largest action taken, MuJoCo's mjMAXVAL. */
const LARGEST = 1e10

/** Before the first reset, or after an error. */
const NOT_STARTED = -1

/** Between `submit` and `step`. */
const SUBMITTED = -2

/** Actuators and observation of one agent. */
export interface AgentPart {
  /** Actuators, in the order of its action. */
  readonly actuators: readonly number[]
  /** Its observation; undefined for all that the task observes. */
  readonly elements?: readonly ObservationElement[]
}

/** A task whose actuators are divided among agents, each of which sees the whole state or the part around its own joints. */
export class MamujocoEnv implements MultiAgentEnv {
  readonly spec: EnvSpec
  readonly observations: readonly Float32Array[]
  readonly state: Float32Array
  readonly actions: readonly Float32Array[]
  readonly rewards: Float32Array
  readonly #simulation: TaskSimulation
  readonly #parts: readonly AgentPart[]
  /** One per agent that sees only a part. */
  readonly #readers: readonly (ObservationReader | undefined)[]
  /** Control per unit of action. */
  readonly #scale: number
  readonly #random = new RandomStream(0, RESET_PURPOSE)
  readonly #saver: EpisodeSaver
  /** Made on the first request for a picture. */
  #scenes: SceneReader | undefined
  #status = NOT_STARTED
  /** Why the submitted step cannot be made. */
  #unfit: PhysicsError | undefined
  #steps = 0

  /** @param scale control per unit of action */
  constructor(spec: EnvSpec, task: Task, parts: readonly AgentPart[], scale: number, model: PhysicsModel) {
    this.spec = spec
    this.#parts = parts
    this.#scale = scale
    const local = parts.flatMap(({ elements }) => elements ?? [])
    this.#simulation = new TaskSimulation(task, model, spec.id, local)
    this.#readers = parts.map(
      ({ elements }) => elements && new ObservationReader(elements, this.#simulation.world),
    )
    this.observations = spec.agents.map(({ observation }) => new Float32Array(observation.size))
    this.state = new Float32Array(spec.stateSize)
    this.actions = parts.map(({ actuators }) => new Float32Array(actuators.length))
    this.rewards = new Float32Array(spec.agents.length)
    const { xml: _, ...settings } = task
    const identity = `${spec.id} ${scale} ${JSON.stringify([settings, parts])}`
    this.#saver = new EpisodeSaver(spec.id, this.#simulation.world, identity)
  }

  reset(seed: number): void {
    this.#random.restart(seed, RESET_PURPOSE)
    this.#simulation.startRandom(this.#random)
    this.#status = RUNNING
    this.#steps = 0
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
    // A refused action is reported by `step`, like all other faults.
    this.#unfit = this.#writeControls()
    if (this.#unfit === undefined) this.#simulation.submit()
    this.#status = SUBMITTED
  }

  /**
   * @throws PhysicsError when the physics or an action is not finite; then only `reset` and `loadState` are allowed
   * @throws HatrpoError when the episode has ended, or none was started
   */
  step(): number {
    this.submit()
    this.#status = NOT_STARTED
    if (this.#unfit !== undefined) throw this.#unfit
    const ended = this.#simulation.finish()
    this.#steps++
    this.#status = ended ? TERMINATED : this.#steps >= this.spec.timeLimit ? TRUNCATED : RUNNING
    this.#publish()
    return this.#status
  }

  /** @throws HatrpoError between `submit` and `step`, where the state is neither the one nor the other */
  saveState(): Uint8Array {
    if (this.#status === SUBMITTED) {
      throw new HatrpoError(`${this.spec.id}: saveState() between submit() and step(): call step() first`)
    }
    return this.#saver.save({ status: this.#status, steps: this.#steps, reward: this.#simulation.reward })
  }

  loadState(saved: Uint8Array): void {
    const { status, steps, reward } = this.#saver.load(saved)
    this.#status = status
    this.#steps = steps
    this.#simulation.reward = reward
    this.#simulation.observe()
    this.#publish()
  }

  /** @throws HatrpoError for a geom that cannot be drawn */
  scene(): Scene {
    const { world } = this.#simulation
    this.#scenes ??= new SceneReader(
      world.model,
      this.#parts.map(({ actuators }) => actuators),
    )
    return this.#scenes.readWorld(world)
  }

  dispose(): void {
    this.#status = NOT_STARTED
    this.#scenes?.dispose()
    this.#simulation.world.dispose()
  }

  /** Gathers the agents' actions into MuJoCo's controls. @returns the fault of an invalid action, or undefined */
  #writeControls(): PhysicsError | undefined {
    const { world } = this.#simulation
    const memory = world.doubles()
    for (let k = 0; k < this.#parts.length; k++) {
      const { actuators } = this.#parts[k]
      const action = this.actions[k]
      for (let j = 0; j < actuators.length; j++) {
        if (!(Math.abs(action[j]) <= LARGEST)) return this.#describeAction(k, j)
        memory[world.ctrl + actuators[j]] = this.#scale * action[j]
      }
    }
    return undefined
  }

  #describeAction(agent: number, j: number): PhysicsError {
    const actuator = this.#simulation.task.actuators[this.#parts[agent].actuators[j]]
    const { id, agents } = this.spec
    const detail = `the action of ${agents[agent].id} for ${actuator} is ${this.actions[agent][j]}`
    return new PhysicsError(id, 'action', detail)
  }

  /**
   * Copies the results of the task to the views. Loops are used for few numbers and for conversions: after a step of
   * physics, the engine's `set` and `fill` are not in the caches and would take most of the time.
   */
  #publish(): void {
    const { state, observations, rewards } = this
    const readers = this.#readers
    const { observation, reward, world } = this.#simulation
    for (let i = 0; i < state.length; i++) state[i] = observation[i]
    const memory = world.doubles()
    for (let k = 0; k < observations.length; k++) {
      const reader = readers[k]
      if (reader === undefined) observations[k].set(state)
      else reader.read(memory, observations[k])
      rewards[k] = reward
    }
  }
}
