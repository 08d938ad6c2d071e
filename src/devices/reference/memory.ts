import {
  isScratch,
  type ElementType,
  type HostArray,
  type Operand,
  type Scratch,
  type Tensor,
} from '../tensor.js'

/** Tensor with its elements in an array of this thread. */
export class ReferenceTensor implements Tensor {
  readonly type: ElementType
  readonly values: HostArray

  constructor(type: ElementType, values: HostArray) {
    this.type = type
    this.values = values
  }

  get length(): number {
    return this.values.length
  }
}

/** Element type of an array. */
export function typeOf(array: HostArray): ElementType {
  if (array instanceof Float32Array) return 'f32'
  if (array instanceof Float64Array) return 'f64'
  return array instanceof Int32Array ? 'i32' : 'u8'
}

/** Elements of a tensor of any type. @throws TypeError for a tensor of another device */
export function elements(tensor: Tensor): HostArray {
  if (!(tensor instanceof ReferenceTensor)) throw new TypeError('the tensor belongs to another device')
  return tensor.values
}

/** Elements of a tensor of one type. @throws TypeError for another type */
export function typed(tensor: Tensor, type: ElementType): HostArray {
  const values = elements(tensor)
  if (tensor.type !== type) throw new TypeError(`a tensor of ${tensor.type} where ${type} is expected`)
  return values
}

/** f32 elements of tensors of one length. @throws RangeError for different lengths, TypeError for other types */
export function vectors(...tensors: Tensor[]): Float32Array[] {
  const arrays = tensors.map((tensor) => typed(tensor, 'f32') as Float32Array)
  const length = arrays[0].length
  const other = arrays.find((array) => array.length !== length)
  if (other) throw new RangeError(`tensors of ${length} and ${other.length} elements`)
  return arrays
}

/**
 * Scratch matrices of one run. Programs are local to rows, and rows run one at a time, so one row of each matrix is
 * enough. A row that is read before it is written is full of NaN.
 */
export class ScratchRows {
  readonly #rows = new Map<Scratch, Float32Array>()

  of(scratch: Scratch): Float32Array {
    let row = this.#rows.get(scratch)
    if (!row) this.#rows.set(scratch, (row = new Float32Array(scratch.width).fill(NaN)))
    return row
  }

  forget(): void {
    for (const row of this.#rows.values()) row.fill(NaN)
  }
}

/** Row r of a matrix [rows, width] of f32. @throws RangeError if the matrix has no such row */
export function rowOf(operand: Operand, width: number, r: number, scratch: ScratchRows): Float32Array {
  const row = isScratch(operand)
    ? scratch.of(operand)
    : (typed(operand, 'f32') as Float32Array).subarray(r * width, (r + 1) * width)
  if (row.length === width) return row
  if (isScratch(operand))
    throw new RangeError(`a scratch matrix of width ${row.length} where ${width} is expected`)
  throw new RangeError(`row ${r} of a matrix [rows, ${width}] of ${operand.length} elements`)
}
