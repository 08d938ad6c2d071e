import type { Device } from '../devices/device.js'
import type { Tensor } from '../devices/tensor.js'
import type { NetworkInput } from '../nn/network.js'
import type { ActionSamples } from './heads/head.js'
import { MiniBatches, type Shuffle } from './minibatches.js'

/** Columns that an actor's batch is made of. */
export interface PolicyColumns {
  /** [rows, observation], raw. */
  readonly observations: Tensor
  /** [rows, action] */
  readonly actions: Tensor
  /** [rows], log pi_old(a | o) as sampled. */
  readonly logProb: Tensor
  /** [rows], 1 for rows that count, 0 for others; without it every row counts. */
  readonly weight?: Tensor
  /** [rows], M; the batch's own memory by default. */
  readonly factor?: Tensor
  /** i32 [rows]: agent of each row, for a policy that agents share. */
  readonly agentIds?: Tensor
  /** u8 [rows, choices], 0 for choices that were not available; without it all were. */
  readonly availableActions?: Tensor
  /** [rows, state width]: states before the rows, for a recurrent policy; those of chunks' first rows are read. */
  readonly hidden?: Tensor
  /** [rows], 1 where an episode starts, for a recurrent policy. */
  readonly episodeStarts?: Tensor
}

/** Rows that a policy sees. */
export interface PolicyInput extends NetworkInput {
  /** u8 [rows, choices], 0 for choices that are not available; without it all are. */
  readonly available?: Tensor | undefined
}

/** Rows that an actor's update reads, one per sample, on a device. */
export class PolicyBatch implements ActionSamples {
  readonly maxRows: number
  readonly input: PolicyInput
  readonly actions: Tensor
  readonly logProb: Tensor
  /** [rows], log pi_new(a | o) after the update. */
  readonly newLogProb: Tensor
  /** [rows], M: the advantage times the ratios of the agents that already moved (Eq. 10). */
  readonly factor: Tensor
  readonly weight: Tensor
  readonly #device: Device
  readonly #columns: PolicyColumns

  /** Takes the given tensors as its own. */
  constructor(device: Device, maxRows: number, columns: PolicyColumns) {
    this.#device = device
    this.maxRows = maxRows
    const { observations: raw, agentIds, availableActions: available } = columns
    const { hidden: states, episodeStarts: starts = null } = columns
    this.input = { raw, agentIds, available, sequence: states && { states, starts } }
    this.actions = columns.actions
    this.logProb = columns.logProb
    this.newLogProb = device.tensor('f32', maxRows)
    this.factor = columns.factor ?? device.tensor('f32', maxRows)
    this.weight = columns.weight ?? device.tensor('f32', maxRows)
    if (!columns.weight) device.fill(this.weight, 1)
    this.#columns = { ...columns, factor: this.factor, weight: this.weight }
  }

  /**
   * Batch of random parts of this one, and what fills it; `newLogProb` is not carried back.
   * @param chunk number of consecutive rows that stay together
   */
  split(count: number, shuffle: Shuffle, chunk: number): { batch: PolicyBatch; miniBatches: MiniBatches } {
    const columns = this.#columns as Record<keyof PolicyColumns, Tensor>
    const miniBatches = new MiniBatches(this.#device, this.maxRows, count, columns, shuffle, chunk)
    return { batch: new PolicyBatch(this.#device, miniBatches.maxRows, miniBatches.columns), miniBatches }
  }

  /** Number of rows among the first `rows` that count. */
  validRows(rows: number): number {
    return this.#device.sum(this.#device.slice(this.weight, 0, rows))
  }
}
