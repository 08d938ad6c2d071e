import type { Device, Program } from '../devices/device.js'
import type { Tensor } from '../devices/tensor.js'
import { TRUNCATED } from '../envs/contract.js'
import type { Sequence } from '../nn/recurrent.js'
import type { RolloutLayout } from '../rollout/index.js'

/** Parts of a rollout's layout that states are found by. */
type Layout = Pick<RolloutLayout, 'steps' | 'envs' | 'truncations'>

/**
 * States of a recurrent critic over a rollout whose rows are by environment. The critic passes over each environment's
 * steps with the parameters it has after the rollout, from the state in which its pass over the rollout before ended.
 */
export class CriticMemory {
  /** f32 [E, width], with which the next rollout begins; belongs to checkpoints. */
  readonly carried: Tensor
  /** f32 [rows, width], the state before each row once the rollout is valued. */
  readonly states: Tensor
  /** f32 [rows], 1 where an episode starts. */
  readonly starts: Tensor
  /** For the pass over the rollout, and for the one over its final states. */
  readonly rollout: Sequence
  readonly finals: Sequence

  readonly #device: Device
  readonly #layout: Layout
  readonly #finalIndex: Tensor
  readonly #before: Program
  readonly #final: Program
  readonly #last: Program
  readonly #ended: Tensor

  /**
   * @param width of a state
   * @param starts f32 [rows]
   * @param finalRows number of final states
   */
  constructor(device: Device, layout: Layout, width: number, starts: Tensor, finalRows: number) {
    const { steps, envs } = layout
    const rows = steps * envs
    // The state after each row, then the states with which environments begin.
    const history = device.tensor('f32', (rows + envs) * width)
    const matrix = (count: number) => device.tensor('f32', count * width)
    const index = (length: number, of: (i: number) => number) => {
      const tensor = device.tensor('i32', length)
      device.write(
        tensor,
        Int32Array.from({ length }, (_, i) => of(i)),
      )
      return tensor
    }
    const gather = (from: Tensor, out: Tensor, count: number) =>
      device.compile({ rows: [{ op: 'gather', source: history, index: from, width, out }] }, count)
    const before = index(rows, (row) => (row % steps === 0 ? rows + row / steps : row - 1))
    const finalStates = matrix(finalRows)
    this.#device = device
    this.#layout = layout
    this.carried = device.slice(history, rows * width, envs * width)
    this.states = matrix(rows)
    this.starts = starts
    this.rollout = { chunk: steps, states: this.states, starts, next: device.slice(history, 0, rows * width) }
    this.finals = { chunk: 1, states: finalStates, starts: null }
    this.#ended = matrix(envs)
    this.#finalIndex = device.tensor('i32', finalRows)
    this.#before = gather(before, this.states, rows)
    this.#final = gather(this.#finalIndex, finalStates, finalRows)
    this.#last = gather(
      index(envs, (e) => e * steps + steps - 1),
      this.#ended,
      envs,
    )
  }

  /** Prepares the pass over the rollout. */
  begin(): void {
    this.#device.run(this.#before, this.#before.maxRows)
  }

  /** Takes in the states that the pass over the rollout has left. @param ends of the rollout */
  finish(ends: Uint8Array): void {
    const device = this.#device
    device.run(this.#before, this.#before.maxRows)
    device.write(this.#finalIndex, finalRows(ends, this.#layout))
    device.run(this.#final, this.#final.maxRows)
    device.run(this.#last, this.#last.maxRows)
    device.copy(this.#ended, this.carried)
  }
}

/** Row after which each final state comes, row 0 for places without one; rows are by environment. */
function finalRows(ends: Uint8Array, { steps, envs, truncations }: Layout): Int32Array {
  const rows = new Int32Array(envs * (1 + truncations))
  for (let e = 0; e < envs; e++) {
    rows[e] = (e + 1) * steps - 1
    let seen = 0
    for (let row = e * steps; row < (e + 1) * steps; row++) {
      if (ends[row] === TRUNCATED) rows[envs + e * truncations + seen++] = row
    }
  }
  return rows
}
