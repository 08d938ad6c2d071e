/** Element types of device memory. */
export type ElementType = 'f32' | 'f64' | 'i32'

export const BYTES: Readonly<Record<ElementType, number>> = { f32: 4, f64: 8, i32: 4 }

/** A run of elements in a device's memory. */
export interface Tensor {
  readonly type: ElementType
  /** Byte address in the device's memory. */
  readonly address: number
  /** Number of elements. */
  readonly length: number
}

/** `length` elements of a tensor from element `start` on, sharing its memory. */
export function slice(tensor: Tensor, start: number, length: number): Tensor {
  if (start < 0 || length < 0 || start + length > tensor.length) {
    throw new RangeError(`slice ${start}+${length} of a tensor of ${tensor.length}`)
  }
  return { type: tensor.type, address: tensor.address + start * BYTES[tensor.type], length }
}
