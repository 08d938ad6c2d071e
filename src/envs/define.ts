import { HatrpoError } from '../errors.js'
import { RUNNING, TRUNCATED, type EnvSpec, type MultiAgentEnv } from './contract.js'
import { RandomStream } from './random.js'
import type { Scene } from './scene.js'
import { actionSize, maskSize } from './shape.js'

/** Purpose of the random stream of an episode. */
const EPISODE_PURPOSE = 2
/** Before the first reset, or after an error. */
const NOT_STARTED = -1

/** Array of an environment's memory. */
export type NumberArray = Float64Array | Float32Array | Int32Array | Uint32Array | Uint8Array

/** Arrays by name. */
export type EnvMemory = Readonly<Record<string, NumberArray>>

/** Arguments of a definition's functions: arrays of one environment, always the same objects. */
export interface EnvParts<Memory extends EnvMemory> {
  readonly spec: EnvSpec
  /** Result of the definition's `memory()`; all 0 when an episode starts. */
  readonly memory: Memory
  /** Random numbers of the episode, from its seed. */
  readonly random: RandomStream
  /** Steps taken in the episode. */
  readonly steps: number
  /** One per agent, as the caller filled them: not clipped to their space. */
  readonly actions: readonly Float32Array[]
  /** [agents], for `step` to fill; all 0 before. */
  readonly rewards: Float32Array
  /** One per agent, for `observe` to fill. */
  readonly observations: readonly Float32Array[]
  /** [stateSize], for `observe` to fill. */
  readonly state: Float32Array
  /** One per agent, an entry per choice of a discrete action; all 1 before `observe`, which may write 0. */
  readonly availableActions: readonly Uint8Array[]
  /** [agents], all 1 before `observe`, which writes 0 for an agent that has left. */
  readonly active: Uint8Array
}

/** Definition of an environment, without the parts that all environments have in common. */
export interface EnvDefinition<Memory extends EnvMemory> {
  readonly spec: EnvSpec
  /** Whether every episode is the same, given the same actions; `random` is then not used. */
  readonly startsAlike?: boolean
  /**
   * Makes the arrays that hold the state of an episode. Called once per environment. Only these arrays and `random` are
   * kept between steps, and they are saved and restored without conversion.
   */
  memory(): Memory
  /** Starts an episode: fills the memory. */
  reset(env: EnvParts<Memory>): void
  /**
   * Advances the memory by one step, and fills the rewards. `defineEnv` handles the time limit.
   * @returns RUNNING or TERMINATED
   */
  step(env: EnvParts<Memory>): number
  /** Fills observations, state, availableActions and active, using only the memory. */
  observe(env: EnvParts<Memory>): void
  /** Present state as solids in space, for pictures, using only the memory. */
  scene?(env: EnvParts<Memory>): Scene
}

/** Options from the command's `--set env.key=value`. */
export type EnvOptions = Readonly<Record<string, string | number | boolean>>

/**
 * Turns a definition into a function that makes environments, the default export of an environment module.
 *
 * It allocates the views, counts steps up to the time limit, refuses steps outside an episode, keeps the random stream,
 * and saves and restores the state. A step allocates nothing.
 * @param definition a definition, or a function that makes one from options
 */
export function defineEnv<Memory extends EnvMemory>(
  definition: EnvDefinition<Memory> | ((options: EnvOptions) => EnvDefinition<Memory>),
): (options?: EnvOptions) => MultiAgentEnv {
  return (options = {}) => {
    const made = typeof definition === 'function' ? definition(options) : definition
    return made.startsAlike ? new FixedEnv(made) : new DefinedEnv(made)
  }
}

class DefinedEnv<Memory extends EnvMemory> implements MultiAgentEnv, EnvParts<Memory> {
  readonly spec: EnvSpec
  readonly memory: Memory
  readonly random = new RandomStream(0, EPISODE_PURPOSE)
  readonly observations: readonly Float32Array[]
  readonly state: Float32Array
  readonly actions: readonly Float32Array[]
  readonly rewards: Float32Array
  readonly availableActions: readonly Uint8Array[]
  readonly active: Uint8Array
  /** Only where the definition has it. */
  readonly scene?: () => Scene
  readonly #definition: EnvDefinition<Memory>
  readonly #randomWords = new Uint32Array(RandomStream.SAVED_WORDS)
  /** Status, and steps taken. */
  readonly #progress = Float64Array.of(NOT_STARTED, 0)
  /** The bytes of everything that is saved, in the order in which it is. */
  readonly #saved: readonly Uint8Array[]
  readonly #savedSize: number

  constructor(definition: EnvDefinition<Memory>) {
    const { spec } = definition
    this.#definition = definition
    this.spec = spec
    this.memory = definition.memory()
    this.observations = spec.agents.map(({ observation }) => new Float32Array(observation.size))
    this.state = new Float32Array(spec.stateSize)
    this.actions = spec.agents.map(({ action }) => new Float32Array(actionSize(action)))
    this.rewards = new Float32Array(spec.agents.length)
    this.availableActions = spec.agents.map(({ action }) => new Uint8Array(maskSize(action)))
    this.active = new Uint8Array(spec.agents.length)
    if (definition.scene) this.scene = () => definition.scene!(this)
    const arrays = [this.#progress, this.#randomWords, this.rewards, ...Object.values(this.memory)]
    this.#saved = arrays.map(
      ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength),
    )
    this.#savedSize = this.#saved.reduce((size, bytes) => size + bytes.length, 0)
  }

  get steps(): number {
    return this.#progress[1]
  }

  reset(seed: number): void {
    this.random.restart(seed, EPISODE_PURPOSE)
    for (const name in this.memory) this.memory[name].fill(0)
    this.rewards.fill(0)
    this.#progress[0] = NOT_STARTED
    this.#progress[1] = 0
    this.#definition.reset(this)
    this.#progress[0] = RUNNING
    this.#publish()
  }

  /** @throws HatrpoError outside an episode */
  step(): number {
    if (this.#progress[0] !== RUNNING) {
      throw new HatrpoError(`${this.spec.id}: step() outside an episode: call reset(seed) first`)
    }
    this.#progress[0] = NOT_STARTED
    this.rewards.fill(0)
    const end = this.#definition.step(this)
    this.#progress[1]++
    const status = end === RUNNING && this.#progress[1] >= this.spec.timeLimit ? TRUNCATED : end
    this.#progress[0] = status
    this.#publish()
    return status
  }

  saveState(): Uint8Array {
    this.random.save(this.#randomWords)
    const saved = new Uint8Array(this.#savedSize)
    let at = 0
    for (const bytes of this.#saved) {
      saved.set(bytes, at)
      at += bytes.length
    }
    return saved
  }

  loadState(saved: Uint8Array): void {
    if (saved.length !== this.#savedSize) {
      throw new HatrpoError(
        `${this.spec.id}: saved state has ${saved.length} bytes, must have ${this.#savedSize}`,
      )
    }
    let at = 0
    for (const bytes of this.#saved) {
      bytes.set(saved.subarray(at, at + bytes.length))
      at += bytes.length
    }
    this.random.load(this.#randomWords)
    this.#publish()
  }

  #publish(): void {
    for (const mask of this.availableActions) mask.fill(1)
    this.active.fill(1)
    this.#definition.observe(this)
  }
}

/** An environment whose episodes depend on no seed: its `reset` takes none, as `check-env` asks. */
class FixedEnv<Memory extends EnvMemory> extends DefinedEnv<Memory> {
  override reset(): void {
    super.reset(0)
  }
}
