import { HatrpoError } from '../../errors.js'
import type { World } from './world.js'

/** State of an episode besides its world. */
export interface EpisodeState {
  readonly status: number
  /** Made so far. */
  readonly steps: number
  /** Of the last step. */
  readonly reward: number
}

/** Numbers that a saved state begins with: the fingerprint, then the episode's. */
const HEADER = 4

/** Saves and restores the episodes of one environment. */
export class EpisodeSaver {
  readonly #envId: string
  readonly #world: World
  readonly #fingerprint: number

  /** @param identity text that differs for any environment to which a saved state would mean something else */
  constructor(envId: string, world: World, identity: string) {
    this.#envId = envId
    this.#world = world
    this.#fingerprint = fingerprint(identity)
  }

  save({ status, steps, reward }: EpisodeState): Uint8Array {
    const saved = new Float64Array(HEADER + this.#world.savedSize)
    saved.set([this.#fingerprint, status, steps, reward])
    this.#world.save(saved.subarray(HEADER))
    return new Uint8Array(saved.buffer)
  }

  /**
   * Restores the world.
   * @returns where the episode stood
   * @throws HatrpoError when the bytes are not such a state
   */
  load(saved: Uint8Array): EpisodeState {
    const expected = (HEADER + this.#world.savedSize) * Float64Array.BYTES_PER_ELEMENT
    if (saved.byteLength !== expected) {
      throw new HatrpoError(
        `${this.#envId}: saved state has ${saved.byteLength} bytes, must have ${expected}`,
      )
    }
    const numbers = new Float64Array(Uint8Array.from(saved).buffer)
    if (numbers[0] !== this.#fingerprint) {
      throw new HatrpoError(`${this.#envId}: the saved state is another environment's, or has other options`)
    }
    this.#world.load(numbers.subarray(HEADER))
    return { status: numbers[1], steps: numbers[2], reward: numbers[3] }
  }
}

/** FNV-1a, 32 bits. */
function fingerprint(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
