import { isScratch, type HostArray, type Operand, type Scratch, type Tensor } from '../tensor.js'
import { GradientParts } from './gradient.js'
import { TfjsTensor, Value } from './memory.js'
import type { TensorFlow, TfTensor } from './tensorflow.js'

/** One run of a program: the memory that its steps read and write. Returned tensors are valid within the step. */
export class Pass {
  readonly tf: TensorFlow
  readonly rows: number
  readonly gradient: GradientParts
  readonly sums: Record<string, number>
  readonly #owner: object
  readonly #scratch = new Map<Scratch, Value>()

  constructor(owner: object, tf: TensorFlow, rows: number, parameters: number, sums: readonly string[]) {
    this.#owner = owner
    this.tf = tf
    this.rows = rows
    this.gradient = new GradientParts(tf, parameters)
    this.sums = Object.fromEntries(sums.map((name) => [name, 0]))
  }

  /** Matrix [rows, width], or another shape with as many elements. @throws RangeError if it has fewer */
  matrix(operand: Operand, width: number, shape: readonly number[] = [this.rows, width]): TfTensor {
    if (isScratch(operand)) return this.tf.reshape(this.#written(operand, width).tensor, shape)
    const { storage, offset } = this.#place(operand, width)
    return this.tf.reshape(storage.tensor(offset, offset + this.rows * width), shape)
  }

  /** Writes the rows of a matrix [rows, width]. */
  put(operand: Operand, width: number, values: TfTensor | HostArray): void {
    if (!isScratch(operand)) return this.#place(operand, width).write(new Value(this.tf, values))
    expectWidth(operand, width)
    this.forget(operand)
    this.#scratch.set(operand, new Value(this.tf, values).retain())
  }

  /** Vector of `length` parameters, or another shape. @throws RangeError for another length */
  parameters(tensor: Tensor, length: number, shape: readonly number[] = [length]): TfTensor {
    const own = this.own(tensor, 'f32')
    if (own.length !== length) throw new RangeError(`${own.length} parameters where ${length} are expected`)
    return this.tf.reshape(own.tensor, shape)
  }

  /** Column [rows] of integers, on the host. @throws RangeError if it has fewer */
  integers(tensor: Tensor): HostArray {
    const own = this.own(tensor, 'i32')
    if (own.length < this.rows)
      throw new RangeError(`row ${own.length} of a column of ${own.length} elements`)
    return own.host
  }

  /** All elements of an operand, on the host. Read only. */
  elements(operand: Operand): HostArray {
    return isScratch(operand) ? this.#written(operand, operand.width).host : this.own(operand).host
  }

  /** Discards the contents of a scratch matrix. */
  forget(scratch: Scratch): void {
    this.#scratch.get(scratch)?.release()
    this.#scratch.delete(scratch)
  }

  close(): void {
    for (const scratch of this.#scratch.keys()) this.forget(scratch)
    this.gradient.close()
  }

  /** @throws TypeError for a tensor of another device or type */
  own(tensor: Tensor, type = tensor.type): TfjsTensor {
    if (!(tensor instanceof TfjsTensor) || tensor.owner !== this.#owner)
      throw new TypeError('the tensor belongs to another device')
    if (tensor.type !== type) throw new TypeError(`a tensor of ${tensor.type}, must be of ${type}`)
    return tensor
  }

  #place(tensor: Tensor, width: number): TfjsTensor {
    const own = this.own(tensor, 'f32')
    if (own.length < this.rows * width)
      throw new RangeError(`row ${this.rows - 1} of a matrix [rows, ${width}] of ${own.length} elements`)
    return own
  }

  /** A matrix that is read before it is written is full of NaN. */
  #written(scratch: Scratch, width: number): Value {
    expectWidth(scratch, width)
    const value = this.#scratch.get(scratch)
    if (value) return value
    this.put(scratch, width, new Float32Array(this.rows * width).fill(NaN))
    return this.#scratch.get(scratch)!
  }
}

function expectWidth(scratch: Scratch, width: number): void {
  if (scratch.width !== width)
    throw new RangeError(`a scratch matrix of width ${scratch.width} where ${width} is expected`)
}
