import type { Device, Program } from '../device.js'
import type { Tensor } from '../tensor.js'

/** Tensor with its address in the memory of the device. */
export interface WasmTensor extends Tensor {
  readonly device: Device
  readonly address: number
}

/** Program with its address in the memory of the device. */
export interface WasmProgram extends Program {
  readonly device: Device
  readonly address: number
  /** Number of consecutive rows that belong together. */
  readonly chunk: number
  /** Number of rows and factor of the gradient in the header. */
  readonly rows: Int32Array
  readonly scale: Float64Array
  /** Names of the sums, and their values for each block. */
  readonly sums: readonly string[]
  readonly partialSums: Float64Array
}
