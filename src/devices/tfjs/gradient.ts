import { Value } from './memory.js'
import type { TensorFlow, TfTensor } from './tensorflow.js'

/** Entries `from` .. `to` - 1 of a gradient, from one or more steps. */
interface Part {
  readonly from: number
  readonly to: number
  readonly value: Value
}

/** Gradient of a run, accumulated by its steps. */
export class GradientParts {
  readonly #tf: TensorFlow
  readonly #length: number
  readonly #parts: Part[] = []
  /** Sums of host steps in f64, by their first entry. */
  readonly #sums = new Map<number, Float64Array>()

  constructor(tf: TensorFlow, length: number) {
    this.#tf = tf
    this.#length = length
  }

  /** Adds values to the entries from `from` on. @throws RangeError beyond the end */
  add(from: number, values: TfTensor): void {
    const to = this.#end(from, values.size)
    this.#parts.push({ from, to, value: new Value(this.#tf, values).retain() })
  }

  /** Adds the values of one row. Rows are summed in f64. */
  addRow(from: number, values: ArrayLike<number>): void {
    this.#end(from, values.length)
    let sums = this.#sums.get(from)
    if (!sums || sums.length < values.length) {
      const longer = new Float64Array(values.length)
      if (sums) longer.set(sums)
      this.#sums.set(from, (sums = longer))
    }
    for (let i = 0; i < values.length; i++) sums[i] += values[i]
  }

  /** scale * (sum of the parts), or 0 without parts. Valid within the current `tidy`. */
  total(scale: number): TfTensor {
    const tf = this.#tf
    for (const [from, sums] of this.#sums) this.add(from, tf.tensor1d(Float32Array.from(sums), 'float32'))
    this.#sums.clear()
    const cuts = new Set([0, this.#length, ...this.#parts.flatMap(({ from, to }) => [from, to])])
    const ends = Array.from(cuts).sort((a, b) => a - b)
    const pieces = ends.slice(1).map((to, i) => this.#piece(ends[i], to))
    return tf.mul(tf.concat(pieces, 0), scale)
  }

  close(): void {
    for (const { value } of this.#parts) value.release()
    this.#parts.length = 0
  }

  /** Sum of entries `from` .. `to` - 1. Each part contains all or none of them. */
  #piece(from: number, to: number): TfTensor {
    const tf = this.#tf
    const parts = this.#parts
      .filter((part) => part.from <= from && to <= part.to)
      .map(({ from: first, value }) =>
        value.length === to - from ? value.tensor : tf.slice(value.tensor, [from - first], [to - from]),
      )
    return parts.length > 0 ? parts.reduce((total, part) => tf.add(total, part)) : tf.zeros([to - from])
  }

  #end(from: number, length: number): number {
    const to = from + length
    if (to > this.#length)
      throw new RangeError(`gradients ${from} .. ${to - 1} of ${this.#length} parameters`)
    return to
  }
}
