import { HatrpoError } from '../../errors.js'
import type { EnvSpec } from '../contract.js'
import { actionSize } from '../shape.js'

/** Turns the agents' actions into the numbers that Python takes: limited to their bounds, which a policy's are not. */
export class ActionWriter {
  /** Numbers of all agents together. */
  readonly size: number
  readonly #spec: EnvSpec
  readonly #low: Float64Array
  readonly #high: Float64Array

  constructor(spec: EnvSpec) {
    const low: number[] = []
    const high: number[] = []
    for (const { action } of spec.agents) {
      if (action.kind === 'box') {
        low.push(...action.low)
        high.push(...action.high)
      } else {
        const sizes = action.kind === 'discrete' ? [action.n] : action.sizes
        low.push(...sizes.map(() => 0))
        high.push(...sizes.map((n) => n - 1))
      }
    }
    this.size = low.length
    this.#spec = spec
    this.#low = Float64Array.from(low)
    this.#high = Float64Array.from(high)
  }

  /**
   * @param actions of all agents, one after another
   * @throws HatrpoError for a choice that there is not
   */
  write(actions: Float32Array, out: Float64Array): void {
    let at = 0
    for (const { id, action } of this.#spec.agents) {
      for (const end = at + actionSize(action); at < end; at++) {
        const value = actions[at]
        const [low, high] = [this.#low[at], this.#high[at]]
        if (action.kind !== 'box' && !(Number.isInteger(value) && value >= 0 && value <= high)) {
          throw new HatrpoError(
            `${this.#spec.id}: ${id} chose ${value}: it must be a whole number from 0 to ${high}`,
          )
        }
        out[at] = Math.min(Math.max(value, low), high)
      }
    }
  }
}
