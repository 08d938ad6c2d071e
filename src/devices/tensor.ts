/** Element types of device memory. */
export type ElementType = 'f32' | 'f64' | 'i32' | 'u8'

/** Values of a tensor on the host. */
export type HostArray = Float32Array | Float64Array | Int32Array | Uint8Array

/**
 * Range of elements in a device's memory. Its address is known only to the device that made it; `Device.slice` returns
 * parts of it.
 */
export interface Tensor {
  readonly type: ElementType
  /** Number of elements. */
  readonly length: number
}

/**
 * Working matrix [rows, width] of one program, f32. It has no contents before the step that first writes it and none
 * after the program: `Device.compile` decides where it lies, and lets matrices share memory that are never in use
 * together.
 */
export interface Scratch {
  readonly scratch: true
  readonly width: number
}

/** Working matrix of `width` columns, to be used in the steps of one program. */
export function scratch(width: number): Scratch {
  return { scratch: true, width }
}

/** Matrix or column that a step reads or writes. */
export type Operand = Tensor | Scratch

export function isScratch(operand: Operand): operand is Scratch {
  return 'scratch' in operand
}

/** New zeros of a type. */
export function allocate(type: ElementType, length: number): HostArray {
  switch (type) {
    case 'f32':
      return new Float32Array(length)
    case 'f64':
      return new Float64Array(length)
    case 'i32':
      return new Int32Array(length)
    case 'u8':
      return new Uint8Array(length)
  }
}
