import { HatrpoError } from '../errors.js'
import type { Kernels } from './load.js'

/** Every allocation starts at a multiple of this: a cache line, so that threads never share one by accident. */
const ALIGNMENT = 64
const PAGE_BYTES = 65536

/**
 * Bump allocation over the kernels' memory: `alloc` takes the next bytes, `release` gives back everything since a mark.
 * The memory grows when it must. Contents are what was there before, so callers initialise what they allocate.
 *
 * One thread owns the arena; others are handed addresses. Views made before a growth stay valid: the memory is shared
 * and keeps its place.
 */
export class Arena {
  readonly memory: WebAssembly.Memory
  readonly #base: number
  #top: number
  /** Buffers that views were made of: each growth of a shared memory gives it another object. */
  readonly #buffers = new WeakSet<ArrayBufferLike>()

  constructor(kernels: Pick<Kernels, 'memory' | 'exports'>) {
    this.memory = kernels.memory
    this.#base = alignUp(kernels.exports.heapBase())
    this.#top = this.#base
  }

  /** Bytes taken at present. */
  get used(): number {
    return this.#top - this.#base
  }

  /** The address of `bytes` fresh bytes, a multiple of 64. */
  alloc(bytes: number): number {
    if (!Number.isInteger(bytes) || bytes < 0) {
      throw new HatrpoError(`bytes ${bytes}: must be an integer of at least 0`)
    }
    const address = this.#top
    const top = alignUp(address + bytes)
    // Vector loads may run past an array's end, so there is always something behind the last one.
    this.#growTo(top + ALIGNMENT)
    this.#top = top
    return address
  }

  /** Where the arena stands, for `release`. */
  mark(): number {
    return this.#top
  }

  /** Gives back everything allocated since `mark` was taken. */
  release(mark: number): void {
    if (!(mark >= this.#base && mark <= this.#top && mark % ALIGNMENT === 0)) {
      throw new HatrpoError(`mark ${mark}: must come from mark() and not be released already`)
    }
    this.#top = mark
  }

  /** n f32 at an address, as a view. */
  f32(address: number, n: number): Float32Array {
    return new Float32Array(this.#buffer, address, n)
  }

  /** n f64 at an address, as a view. */
  f64(address: number, n: number): Float64Array {
    return new Float64Array(this.#buffer, address, n)
  }

  /** n i32 at an address, as a view. */
  i32(address: number, n: number): Int32Array {
    return new Int32Array(this.#buffer, address, n)
  }

  /** n bytes at an address, as a view. */
  u8(address: number, n: number): Uint8Array {
    return new Uint8Array(this.#buffer, address, n)
  }

  /** Whether an array is a view of this memory. */
  owns(array: ArrayBufferView): boolean {
    return this.#buffers.has(array.buffer)
  }

  /** Buffer of the memory as it is now. */
  get #buffer(): ArrayBufferLike {
    const { buffer } = this.memory
    this.#buffers.add(buffer)
    return buffer
  }

  /** Makes the memory at least `bytes` long. */
  #growTo(bytes: number): void {
    const missing = bytes - this.memory.buffer.byteLength
    if (missing <= 0) return
    try {
      this.memory.grow(Math.ceil(missing / PAGE_BYTES))
    } catch (cause) {
      throw new HatrpoError(
        `kernel memory of ${bytes} bytes: beyond what this machine or the memory's maximum allows`,
        { cause },
      )
    }
  }
}

/** The next multiple of ALIGNMENT. */
function alignUp(address: number): number {
  return Math.ceil(address / ALIGNMENT) * ALIGNMENT
}
