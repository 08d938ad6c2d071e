import type { Device } from '../../devices/device.js'
import type { HostDevice } from '../../devices/host.js'
import type { Tensor } from '../../devices/tensor.js'
import { TERMINATED, TRUNCATED } from '../../envs/contract.js'
import { PURPOSE, splitSeed } from '../../kernels/index.js'
import type { RolloutLayout } from '../../rollout/index.js'
import { nextRows } from '../advantages.js'
import type { BlockLayout, Part } from './block.js'

export interface ReplayOptions {
  readonly seed: number
  readonly gamma: number
  readonly nStep: number
  readonly batchSize: number
  /** Whether a time limit counts as an end, after which the value is 0. */
  readonly limitsEnd: boolean
}

/** Transitions that were drawn: rows of the replay's matrices, and what their targets are made of. */
export interface Draw {
  /** i32 [batch]: row of the first state, and of the state that the rewards lead to. */
  readonly first: Int32Array
  readonly last: Int32Array
  /** f64 [batch] per agent: sum over k of gamma^k r_k; and 1 where the agent took part. */
  readonly returns: readonly Float64Array[]
  readonly weights: readonly Float64Array[]
  /** f64 [batch]: 0 where the step broke. */
  readonly valid: Float64Array
  /** f64 [batch]: gamma^k of the last state, 0 beyond the end of an episode. */
  readonly discounts: Float64Array
}

/** Outcomes of a rollout, by the same rows as in its block. */
interface Outcomes {
  /** The part of the block from `BlockLayout.outcome` on. */
  readonly values: Float32Array
  /** Row within the block of the state that each step led to. */
  readonly next: Int32Array
}

/**
 * Replay buffer of the latest rollouts, from which transitions are drawn. Inputs of networks are in the memory of the
 * learner's device. The block of a rollout has a number, counted from 0; the draws depend only on these numbers.
 */
export class Replay {
  /** f32 [slots rows of a block, width]: what critics see, all agents' actions included. */
  readonly joint: Tensor
  /** The same of each agent's observations; null where all agents observe the state. */
  readonly observations: readonly Tensor[] | null
  readonly slots: number
  readonly #device: Device
  readonly #host: HostDevice
  readonly #block: BlockLayout
  readonly #rollout: RolloutLayout
  readonly #options: ReplayOptions
  readonly #outcomes: Outcomes[] = []
  readonly #draw: Draw
  #count = 0

  /** @param slots number of blocks that are kept */
  constructor(
    device: Device,
    host: HostDevice,
    block: BlockLayout,
    rollout: RolloutLayout,
    slots: number,
    options: ReplayOptions,
  ) {
    const matrix = ({ rows, width }: Part) => device.tensor('f32', slots * rows * width)
    const { batchSize } = options
    const floats = () => new Float64Array(batchSize)
    this.#device = device
    this.#host = host
    this.#block = block
    this.#rollout = rollout
    this.#options = options
    this.slots = slots
    this.joint = matrix(block.joint)
    this.observations = block.observations?.map(matrix) ?? null
    this.#draw = {
      first: new Int32Array(batchSize),
      last: new Int32Array(batchSize),
      returns: block.rewards.map(floats),
      weights: block.weights.map(floats),
      valid: floats(),
      discounts: floats(),
    }
  }

  /** Number of blocks so far, including removed ones. */
  get count(): number {
    return this.#count
  }

  /** Number of the oldest block that is kept. */
  get oldest(): number {
    return Math.max(0, this.#count - this.slots)
  }

  /** Transitions that are kept. */
  get size(): number {
    return (this.#count - this.oldest) * this.#block.steps
  }

  /** Adds the next block in place of the oldest one. @param values the block, parts of which the buffer keeps */
  add(values: Float32Array): void {
    const slot = this.#count % this.slots
    const fill = (to: Tensor, { start, rows, width }: Part) => {
      const length = rows * width
      this.#device.write(
        this.#device.slice(to, slot * length, length),
        values.subarray(start, start + length),
      )
    }
    fill(this.joint, this.#block.joint)
    this.#block.observations?.forEach((part, agent) => fill(this.observations![agent], part))
    const ends = Uint8Array.from(this.#part(values, this.#block.ends))
    const outcomes = { values: values.slice(this.#block.outcome), next: nextRows(ends, this.#rollout) }
    this.#outcomes[slot] = outcomes
    this.#count++
  }

  /** Continues after removed blocks. */
  skipTo(count: number): void {
    this.#count = count
  }

  /**
   * Draws transitions, each of those kept with the same chance.
   * @param step number of the draw, which keys its random numbers
   * @returns arrays that the next draw overwrites
   */
  draw(step: number): Draw {
    const { random32 } = this.#host.kernels.exports
    const { steps } = this.#block
    const [low, high] = splitSeed(this.#options.seed)
    const { size, oldest } = this
    for (let b = 0; b < this.#options.batchSize; b++) {
      const word = random32(low, high, PURPOSE.replay, 0, step, b) >>> 0
      const row = Math.floor((word * size) / 0x100000000)
      this.#follow(b, oldest + Math.floor(row / steps), row % steps)
    }
    return this.#draw
  }

  /** Follows the episode from a row for the target's steps, or to its end, or to the latest state there is. */
  #follow(b: number, block: number, row: number): void {
    const { first, last, returns, weights, valid, discounts } = this.#draw
    const { rewards, weights: takingPart } = this.#block
    const { gamma, nStep, limitsEnd } = this.#options
    let slot = block % this.slots
    let outcomes = this.#outcomes[slot]
    let discount = 1
    first[b] = last[b] = slot * this.#block.rows + row
    discounts[b] = 0
    takingPart.forEach((part, agent) => (weights[agent][b] = this.#outcome(outcomes, part, row)))
    for (const sums of returns) sums[b] = 0
    valid[b] = this.#outcome(outcomes, this.#block.valid, row)
    if (valid[b] === 0) return
    for (let k = 1; ; k++) {
      for (let agent = 0; agent < rewards.length; agent++)
        returns[agent][b] += discount * this.#outcome(outcomes, rewards[agent], row)
      discount *= gamma
      last[b] = slot * this.#block.rows + outcomes.next[row]
      const end = this.#outcome(outcomes, this.#block.ends, row)
      const over = end === TERMINATED || (end === TRUNCATED && limitsEnd)
      discounts[b] = over ? 0 : discount
      if (over || end === TRUNCATED || k === nStep) return
      row += this.#rollout.envs
      if (row >= this.#block.steps) {
        if (++block === this.#count) return
        slot = block % this.slots
        outcomes = this.#outcomes[slot]
        row -= this.#block.steps
      }
      // The state before a step that broke still has a value.
      if (this.#outcome(outcomes, this.#block.valid, row) === 0) return
    }
  }

  #outcome({ values }: Outcomes, { start }: Part, row: number): number {
    return values[start - this.#block.outcome + row]
  }

  #part(values: Float32Array, { start, rows, width }: Part): Float32Array {
    return values.subarray(start, start + rows * width)
  }
}
