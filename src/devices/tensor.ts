/** Element types of device memory. */
export type ElementType = 'f32' | 'f64' | 'i32' | 'u8'

/** Values of a tensor on the host. */
export type HostArray = Float32Array | Float64Array | Int32Array | Uint8Array

/**
 * Range of elements in a device's memory. Only the device that made it knows its address. `Device.slice` returns parts of
 * it.
 */
export interface Tensor {
  readonly type: ElementType
  /** Number of elements. */
  readonly length: number
}

/**
 * Working matrix [rows, width] of one program, f32. Its contents are undefined before the first step that writes it and
 * after the program. `Device.compile` places it, and matrices that are never in use together may share memory.
 */
export interface Scratch {
  readonly scratch: true
  readonly width: number
}

/** New working matrix of `width` columns for the steps of one program. */
export function scratch(width: number): Scratch {
  return { scratch: true, width }
}

/** Matrix or column that a step reads or writes. */
export type Operand = Tensor | Scratch

export function isScratch(operand: Operand): operand is Scratch {
  return 'scratch' in operand
}

/** New array of zeros. */
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
