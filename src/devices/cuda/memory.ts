import { BYTES } from '../elements.js'
import type { ElementType, Tensor } from '../tensor.js'
import type { Driver } from './driver.js'

/** Memory of the GPU. Its address is known after allocation. */
interface Block {
  address: number
}

/** Tensor with its location in the memory of a device. */
export interface CudaTensor extends Tensor {
  readonly owner: Memory
  readonly block: Block
  readonly offset: number
}

/** Minimum number of bytes of an allocation from the driver. */
const CHUNK = 4 * 0x100000
/** Alignment of tensors, in bytes. */
const ALIGNMENT = 256

const aligned = (bytes: number) => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT

/** Memory of a GPU, allocated in parts and freed as a whole. */
export class Memory {
  readonly #driver: Driver
  readonly #addresses: number[] = []
  #chunk = { address: 0, used: 0, bytes: 0 }
  /** Memory shared by overlaid builders, while one of them runs. */
  #overlaid: { readonly block: Block; used: number } | null = null

  constructor(driver: Driver) {
    this.#driver = driver
  }

  get isOverlaying(): boolean {
    return this.#overlaid !== null
  }

  /** Address of new memory with undefined contents. */
  reserve(bytes: number): number {
    const size = aligned(Math.max(1, bytes))
    if (this.#chunk.used + size > this.#chunk.bytes) {
      const whole = Math.max(size, CHUNK)
      this.#chunk = { address: this.#driver.alloc(whole), used: 0, bytes: whole }
      this.#addresses.push(this.#chunk.address)
    }
    const address = this.#chunk.address + this.#chunk.used
    this.#chunk.used += size
    return address
  }

  /** Frees all of it. */
  close(): void {
    for (const address of this.#addresses.splice(0)) this.#driver.free(address)
  }

  tensor(type: ElementType, length: number): CudaTensor {
    const bytes = length * BYTES[type]
    const overlaid = this.#overlaid
    if (overlaid) {
      const offset = overlaid.used
      overlaid.used += aligned(bytes)
      return { type, length, owner: this, block: overlaid.block, offset }
    }
    const block = { address: this.reserve(bytes) }
    this.#driver.clear(block.address, bytes)
    return { type, length, owner: this, block, offset: 0 }
  }

  /** See `Device.overlay`. */
  overlay<T>(builders: readonly (() => T)[]): T[] {
    const block = { address: 0 }
    let most = 0
    try {
      const results = builders.map((build) => {
        this.#overlaid = { block, used: 0 }
        const result = build()
        most = Math.max(most, this.#overlaid.used)
        return result
      })
      block.address = this.reserve(most)
      return results
    } finally {
      this.#overlaid = null
    }
  }

  /** @throws TypeError for a tensor of another device */
  own(tensor: Tensor): CudaTensor {
    const own = tensor as CudaTensor
    if (own.owner !== this) throw new TypeError('the tensor belongs to another device')
    return own
  }

  addressOf(tensor: Tensor): number {
    const { block, offset } = this.own(tensor)
    return block.address + offset
  }

  /** Address of a tensor of one type. @throws TypeError for another type */
  typed(tensor: Tensor, type: ElementType): number {
    if (tensor.type !== type) throw new TypeError(`a tensor of ${tensor.type}, must be of ${type}`)
    return this.addressOf(tensor)
  }

  /** Addresses of f32 tensors of one length. @throws RangeError for different lengths, TypeError for other types */
  vectors(...tensors: readonly [Tensor, ...Tensor[]]): number[] {
    return tensors.map((tensor) => {
      if (tensor.length !== tensors[0].length)
        throw new RangeError(`tensors of ${tensors[0].length} and ${tensor.length} elements`)
      return this.typed(tensor, 'f32')
    })
  }
}
