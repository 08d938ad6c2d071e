import type { Device, Program } from '../devices/device.js'
import type { RowStep } from '../devices/steps.js'
import type { Tensor } from '../devices/tensor.js'

/** Writes a permutation of 0 .. out.length - 1. Called once for every pass over the batch. */
export type Shuffle = (out: Int32Array) => void

/** A column of a batch and the place its mini-batches go to. */
export interface Column {
  readonly source: Tensor
  readonly target: Tensor
  /** Elements a row has. */
  readonly width: number
}

/**
 * Deals the rows of a batch to mini-batches in random order: each row to one of them, sizes differing by at most one.
 */
export class MiniBatches {
  readonly maxRows: number
  readonly #device: Device
  readonly #rows: number
  readonly #count: number
  readonly #shuffle: Shuffle
  readonly #order: Int32Array
  readonly #index: Tensor
  readonly #gather: Program

  constructor(device: Device, rows: number, count: number, columns: readonly Column[], shuffle: Shuffle) {
    this.maxRows = Math.ceil(rows / count)
    this.#device = device
    this.#rows = rows
    this.#count = count
    this.#shuffle = shuffle
    this.#order = new Int32Array(rows)
    this.#index = device.tensor('i32', this.maxRows)
    const steps = columns.map(({ source, target, width }): RowStep => ({
      op: 'gather',
      source,
      index: this.#index,
      width,
      out: target,
    }))
    this.#gather = device.compile({ rows: steps }, this.maxRows)
  }

  /** Fills the targets with each mini-batch in turn and calls `use` with its number of rows. */
  forEach(use: (rows: number) => void): void {
    this.#shuffle(this.#order)
    const index = new Int32Array(this.maxRows)
    for (let i = 0; i < this.#count; i++) {
      const from = Math.floor((i * this.#rows) / this.#count)
      const to = Math.floor(((i + 1) * this.#rows) / this.#count)
      index.fill(0)
      index.set(this.#order.subarray(from, to))
      this.#device.write(this.#index, index)
      this.#device.run(this.#gather, to - from)
      use(to - from)
    }
  }
}
