import type { EnvSpec } from '../contract.js'
import { maskSize } from '../shape.js'

/**
 * The views of one environment over the bytes that Python sends: every agent's observation, the state where it is the
 * environment's own, rewards, active, masks.
 */
export class Views {
  readonly observations: readonly Float32Array[]
  readonly state: Float32Array
  readonly rewards: Float32Array
  readonly active: Uint8Array
  readonly availableActions: readonly Uint8Array[]
  readonly #bytes: Uint8Array
  readonly #ownState: boolean

  /**
   * @param ownState whether Python provides the state; otherwise the state is the concatenation of the observations
   *   @param masked whether Python provides masks
   */
  constructor({ agents, stateSize }: EnvSpec, ownState: boolean, masked: boolean) {
    const sizes = agents.map(({ observation }) => observation.size)
    const choices = agents.map(({ action }) => (masked ? maskSize(action) : 0))
    const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
    const numbers = sum(sizes) + (ownState ? stateSize : 0) + agents.length
    const buffer = new ArrayBuffer(4 * numbers + agents.length + sum(choices))
    let at = 0
    const f32 = (length: number) => new Float32Array(buffer, (at += 4 * length) - 4 * length, length)
    const u8 = (length: number) => new Uint8Array(buffer, (at += length) - length, length)
    this.observations = sizes.map(f32)
    this.state = ownState ? f32(stateSize) : new Float32Array(stateSize)
    this.rewards = f32(agents.length)
    this.active = u8(agents.length)
    this.availableActions = choices.map(u8)
    this.#bytes = new Uint8Array(buffer)
    this.#ownState = ownState
  }

  /** Bytes that Python sends. */
  get length(): number {
    return this.#bytes.length
  }

  publish(bytes: Uint8Array): void {
    this.#bytes.set(bytes)
    if (this.#ownState) return
    let at = 0
    for (const observation of this.observations) {
      this.state.set(observation, at)
      at += observation.length
    }
  }

  equals(bytes: Uint8Array): boolean {
    return Buffer.compare(this.#bytes, bytes) === 0
  }
}
