import type { Device } from '../../devices/device.js'
import type { Tensor } from '../../devices/tensor.js'
import type { Network } from '../../nn/network.js'

/** Outputs of a network at the old distribution, for heads that are functions of these outputs alone. */
export class KeptOutputs {
  readonly #device: Device
  readonly #network: Network
  #outputs: Tensor | undefined

  constructor(device: Device, network: Network) {
    this.#device = device
    this.#network = network
  }

  /** f32 [rows, outputs], made when it is first kept or read. */
  get tensor(): Tensor {
    const { rows, spec } = this.#network
    return (this.#outputs ??= this.#device.tensor('f32', rows * spec.head.size))
  }

  /** Keeps the current outputs of the first `rows` rows. */
  keep(rows: number): void {
    const length = rows * this.#network.spec.head.size
    const [output, old] = [this.#network.output, this.tensor]
    this.#device.copy(this.#device.slice(output, 0, length), this.#device.slice(old, 0, length))
  }
}
