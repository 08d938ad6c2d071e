import type { ActionSpace, Box, EnvSpec, MultiAgentEnv } from '../contract.js'
import { RandomStream } from '../random.js'

/** Purpose of the random streams that draw actions; the episode's number is added. */
const ACTIONS_PURPOSE = 0x636b0000

/** Draws random actions, the same for the same seed and episode. */
export class ActionSampler {
  readonly #seed: number
  readonly #random: RandomStream

  constructor(seed: number) {
    this.#seed = seed
    this.#random = new RandomStream(seed, ACTIONS_PURPOSE)
  }

  /** Starts the actions of an episode. */
  restart(episode: number): void {
    this.#random.restart(this.#seed, ACTIONS_PURPOSE + episode)
  }

  /** Continues from the state of another sampler. */
  copy(other: ActionSampler): void {
    const words = new Uint32Array(RandomStream.SAVED_WORDS)
    other.#random.save(words)
    this.#random.load(words)
  }

  /** Fills every agent's action: uniform between bounds, normal without bounds, uniform over the available choices. */
  fill(env: MultiAgentEnv): void {
    env.spec.agents.forEach(({ action }, i) => this.#draw(action, env.actions[i], env.availableActions?.[i]))
  }

  /** Fills box actions with numbers up to the width of the space beyond its bounds, as policies may draw. */
  fillBeyond(env: MultiAgentEnv): void {
    this.fill(env)
    env.spec.agents.forEach(({ action }, i) => {
      if (action.kind !== 'box') return
      for (let j = 0; j < action.size; j++) {
        const width = action.high[j] - action.low[j]
        if (Number.isFinite(width))
          env.actions[i][j] = action.low[j] - width + 3 * width * this.#random.uniform()
      }
    })
  }

  #draw(space: ActionSpace, out: Float32Array, mask: Uint8Array | undefined): void {
    if (space.kind === 'box') {
      for (let j = 0; j < space.size; j++) out[j] = this.#drawNumber(space, j)
      return
    }
    let first = 0
    const sizes = choices(space)
    for (let c = 0; c < sizes.length; c++) {
      out[c] = this.#choose(sizes[c], mask, first)
      first += sizes[c]
    }
  }

  #drawNumber({ low, high }: Box, j: number): number {
    const bounded = [Number.isFinite(low[j]), Number.isFinite(high[j])]
    if (bounded[0] && bounded[1]) return low[j] + (high[j] - low[j]) * this.#random.uniform()
    if (bounded[0]) return low[j] + Math.abs(this.#random.normal())
    if (bounded[1]) return high[j] - Math.abs(this.#random.normal())
    return this.#random.normal()
  }

  /** One of n choices whose mask begins at `first`; any where none is available. */
  #choose(n: number, mask: Uint8Array | undefined, first: number): number {
    const available: number[] = []
    for (let k = 0; k < n; k++) if (mask === undefined || mask[first + k] !== 0) available.push(k)
    const pick = Math.floor(this.#random.uniform() * (available.length || n))
    return available.length > 0 ? available[pick] : pick
  }
}

/** Number of choices in each part of a discrete action; empty for a continuous one. */
export function choices(space: ActionSpace): readonly number[] {
  if (space.kind === 'discrete') return [space.n]
  return space.kind === 'multiDiscrete' ? space.sizes : []
}

/** Whether an agent has a continuous action with bounds to go beyond. */
export function hasBounds(spec: EnvSpec): boolean {
  return spec.agents.some(
    ({ action }) =>
      action.kind === 'box' &&
      action.low.some((low, j) => Number.isFinite(low) && Number.isFinite(action.high[j])),
  )
}
