import type { Device, Program } from '../devices/device.js'
import type { RowStep } from '../devices/steps.js'
import type { Tensor } from '../devices/tensor.js'

/** Writes a permutation of 0 .. out.length - 1. Called once for every pass over the batch. */
export type Shuffle = (out: Int32Array) => void

/**
 * Deals the rows of a batch to mini-batches in random order: each row to one of them, sizes differing by at most one; or
 * chunks of consecutive rows in the same way.
 */
export class MiniBatches<Name extends string = string> {
  readonly maxRows: number
  /** Columns of the mini-batch that `forEach` has filled, by the batch's names. */
  readonly columns: Readonly<Record<Name, Tensor>>
  readonly #device: Device
  readonly #chunk: number
  readonly #count: number
  readonly #shuffle: Shuffle
  readonly #order: Int32Array
  readonly #index: Tensor
  readonly #gather: Program

  /**
   * @param columns of the whole batch, [rows, width] each
   * @param chunk number of consecutive rows that stay together
   */
  constructor(
    device: Device,
    rows: number,
    count: number,
    columns: Readonly<Record<Name, Tensor>>,
    shuffle: Shuffle,
    chunk = 1,
  ) {
    this.maxRows = chunk * Math.ceil(rows / chunk / count)
    this.#device = device
    this.#chunk = chunk
    this.#count = count
    this.#shuffle = shuffle
    this.#order = new Int32Array(rows / chunk)
    this.#index = device.tensor('i32', this.maxRows)
    const parts = {} as Record<Name, Tensor>
    const steps = (Object.keys(columns) as Name[]).map((name): RowStep => {
      const source = columns[name]
      const width = source.length / rows
      parts[name] = device.tensor(source.type, this.maxRows * width)
      return { op: 'gather', source, index: this.#index, width, out: parts[name] }
    })
    this.columns = parts
    this.#gather = device.compile({ rows: steps }, this.maxRows)
  }

  /** Fills the columns with each mini-batch in turn and calls `use` with its number of rows. */
  forEach(use: (rows: number) => void): void {
    const [chunk, { length: units }] = [this.#chunk, this.#order]
    this.#shuffle(this.#order)
    const index = new Int32Array(this.maxRows)
    for (let i = 0; i < this.#count; i++) {
      const from = Math.floor((i * units) / this.#count)
      const to = Math.floor(((i + 1) * units) / this.#count)
      const rows = chunk * (to - from)
      index.fill(0)
      for (let r = 0; r < rows; r++)
        index[r] = chunk * this.#order[from + Math.floor(r / chunk)] + (r % chunk)
      this.#device.write(this.#index, index)
      this.#device.run(this.#gather, rows)
      use(rows)
    }
  }
}
