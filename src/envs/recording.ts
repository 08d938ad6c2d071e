import { HatrpoError } from '../errors.js'
import { RUNNING, type MultiAgentEnv } from './contract.js'

/** The views of an environment that a reader sees, and that the digest of a recording covers. */
export type EnvViews = Pick<
  MultiAgentEnv,
  'observations' | 'state' | 'rewards' | 'active' | 'availableActions'
>

/** Steps that the buffer of a new recording has room for; it doubles when it is full. */
const FIRST_STEPS = 64
const FORMAT = 1
const DIGEST_BYTES = 32

/**
 * An episode as its seed and its actions, which determine the state of a deterministic environment. Restores
 * environments that cannot save their state.
 *
 *     recording.start(seed); env.reset(seed)            // start of an episode
 *     recording.add(env.actions); env.step()            // every step
 *     const saved = recording.toBytes(env)              // at any time, also after the last step
 *     EpisodeRecording.fromBytes(saved).replay(other)   // restores another environment to the same bits
 *
 * Takes 4 bytes per action element and step; `add` allocates only when the buffer doubles.
 */
export class EpisodeRecording {
  /** Numbers of each agent's action. */
  readonly actionSizes: readonly number[]
  readonly #width: number
  #seed: number | undefined
  #steps = 0
  #actions: Float32Array
  /** Of the views after the last step, in a recording that was read. */
  #digest: Buffer | undefined

  /** @param actionSizes length of every agent's entry in `actions` */
  constructor(actionSizes: readonly number[]) {
    this.actionSizes = actionSizes
    this.#width = actionSizes.reduce((sum, size) => sum + size, 0)
    this.#actions = new Float32Array(FIRST_STEPS * this.#width)
  }

  /** The episode's seed; undefined before the first one. */
  get seed(): number | undefined {
    return this.#seed
  }

  get steps(): number {
    return this.#steps
  }

  /** All agents' actions of a step, one after another: a view that holds until the next `add`. */
  actionsOf(step: number): Float32Array {
    return this.#actions.subarray(step * this.#width, (step + 1) * this.#width)
  }

  /** Starts an episode and discards the previous one. */
  start(seed: number): void {
    this.#seed = seed
    this.#steps = 0
    this.#digest = undefined
  }

  /**
   * Records one step.
   * @param actions of all agents, as the environment is about to read them
   */
  add(actions: readonly Float32Array[]): void {
    const end = (this.#steps + 1) * this.#width
    if (end > this.#actions.length) {
      const grown = new Float32Array(2 * end)
      grown.set(this.#actions)
      this.#actions = grown
    }
    let at = this.#steps * this.#width
    for (let i = 0; i < this.actionSizes.length; i++) {
      this.#actions.set(actions[i], at)
      at += this.actionSizes[i]
    }
    this.#steps++
    this.#digest = undefined
  }

  /** Whether both have recorded the same actions, to the bit, from the same seed. */
  equals(other: EpisodeRecording): boolean {
    return (
      this.#seed === other.#seed &&
      this.#steps === other.#steps &&
      this.#width === other.#width &&
      bytesOf(this.#recorded()).equals(bytesOf(other.#recorded()))
    )
  }

  /**
   * The recording with a digest of the views, which `replay` compares.
   * @param views of the environment after the recorded steps
   * @throws HatrpoError before the first episode
   */
  toBytes(views: EnvViews): Uint8Array {
    if (this.#seed === undefined)
      throw new HatrpoError('an environment without an episode has no state to save: reset it first')
    const header = new DataView(new ArrayBuffer(20 + 4 * this.actionSizes.length))
    header.setUint32(0, FORMAT, true)
    header.setFloat64(4, this.#seed, true)
    header.setUint32(12, this.#steps, true)
    header.setUint32(16, this.actionSizes.length, true)
    this.actionSizes.forEach((size, i) => header.setUint32(20 + 4 * i, size, true))
    const parts = [bytesOf(header), digestOf(views, this.#steps > 0), bytesOf(this.#recorded())]
    return new Uint8Array(Buffer.concat(parts))
  }

  /** Reads a result of `toBytes`. @throws HatrpoError for other bytes */
  static fromBytes(saved: Uint8Array): EpisodeRecording {
    const bytes = Uint8Array.from(saved)
    const view = new DataView(bytes.buffer)
    if (bytes.length < 20 || view.getUint32(0, true) !== FORMAT) throw notRecording()
    const agents = view.getUint32(16, true)
    const digestAt = 20 + 4 * agents
    const actionsAt = digestAt + DIGEST_BYTES
    if (bytes.length < actionsAt) throw notRecording()
    const sizes = Array.from({ length: agents }, (_, i) => view.getUint32(20 + 4 * i, true))
    const recording = new EpisodeRecording(sizes)
    recording.start(view.getFloat64(4, true))
    recording.#steps = view.getUint32(12, true)
    const length = recording.#steps * recording.#width
    if (bytes.length !== actionsAt + 4 * length) throw notRecording()
    recording.#digest = Buffer.from(bytes.buffer, digestAt, DIGEST_BYTES)
    recording.#actions = new Float32Array(bytes.buffer, actionsAt, length)
    return recording
  }

  /**
   * Repeats the episode: resets an environment with its seed and steps it with the recorded actions.
   * @param env an environment whose views then have the values that they had at `toBytes`
   * @throws HatrpoError for an environment that does not fit, or whose views differ
   */
  replay(env: MultiAgentEnv): void {
    const { id } = env.spec
    if (this.#seed === undefined)
      throw new HatrpoError(`${id}: a recording without an episode cannot be replayed`)
    const sizes = env.actions.map((action) => action.length)
    if (String(sizes) !== String(this.actionSizes)) {
      throw new HatrpoError(
        `${id} takes actions of ${sizes.join(', ')} numbers and the saved episode has ${this.actionSizes.join(', ')}: ` +
          'it was saved by another environment',
      )
    }
    env.reset(this.#seed)
    for (let step = 0; step < this.#steps; step++) {
      let at = step * this.#width
      for (const action of env.actions) {
        action.set(this.#actions.subarray(at, at + action.length))
        at += action.length
      }
      const end = env.step()
      if (end !== RUNNING && step + 1 < this.#steps) {
        throw notDeterministic(id, this.#seed, this.#steps, `ended after ${step + 1}`)
      }
    }
    if (this.#digest && !this.#digest.equals(digestOf(env, this.#steps > 0))) {
      throw notDeterministic(id, this.#seed, this.#steps, 'gave different observations, state or rewards')
    }
  }

  #recorded(): Float32Array {
    return this.#actions.subarray(0, this.#steps * this.#width)
  }
}

function notRecording(): HatrpoError {
  return new HatrpoError("an environment's saved state is damaged: it is not a recorded episode")
}

function notDeterministic(id: string, seed: number, steps: number, what: string): HatrpoError {
  return new HatrpoError(
    `${id} is not deterministic under its seed: its episode from seed ${seed}, replayed for ${steps} steps, ${what}; ` +
      'reset(seed) must set everything that step() reads, or the environment needs saveState and loadState',
  )
}

/** SHA-256 of the views. Rewards are those of the last step: before the first they are left out. */
function digestOf(
  { observations, state, rewards, active, availableActions }: EnvViews,
  stepped: boolean,
): Buffer {
  // Not imported: pages import this file too, and do not come here.
  const hash = process.getBuiltinModule('node:crypto').createHash('sha256')
  const views = [...observations, state, ...(stepped ? [rewards] : []), active, ...(availableActions ?? [])]
  for (const view of views) if (view) hash.update(bytesOf(view))
  return hash.digest()
}

function bytesOf(view: ArrayBufferView): Buffer {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength)
}
