import type { Device } from '../device.js'
import type { Tensor } from '../tensor.js'

/** Tensor with its address in the memory of the device. */
export interface WasmTensor extends Tensor {
  readonly device: Device
  readonly address: number
}
