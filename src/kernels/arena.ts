import { HatrpoError } from '../errors.js'
import type { Kernels } from './load.js'

/** Alignment of every allocation: one cache line, so that threads never share a line by accident. */
const ALIGNMENT = 64
const PAGE_BYTES = 65536
/** Bytes by which the memory grows at least: each growth is made known to all threads, and unused pages cost nothing. */
const GROWTH_BYTES = 16 * 1024 * 1024

/** The memory of the kernels cannot grow as far as an allocation needs. */
export class OutOfMemoryError extends HatrpoError {}

/**
 * Bump allocation in the memory of the kernels. `alloc` takes the next bytes; `release` frees everything allocated since a
 * mark. The memory grows as needed. Allocated bytes keep their earlier contents, so callers initialise them or ask for zeros.
 *
 * One thread owns the arena and passes addresses to others. Views made before a growth remain valid, because a shared
 * memory does not move.
 */
export class Arena {
  readonly memory: WebAssembly.Memory
  readonly #base: number
  #top: number
  /** Address up to which memory may have been written to. */
  #touched: number
  /** Buffers of existing views. A shared memory has another buffer object after each growth. */
  readonly #buffers = new WeakSet<ArrayBufferLike>()

  constructor(kernels: Pick<Kernels, 'memory' | 'exports'>) {
    this.memory = kernels.memory
    this.#base = alignUp(kernels.exports.heapBase())
    this.#top = this.#base
    this.#touched = this.memory.buffer.byteLength
  }

  /** Number of bytes in use. */
  get used(): number {
    return this.#top - this.#base
  }

  /** Allocates `bytes` bytes. Returns their address, a multiple of 64. */
  alloc(bytes: number): number {
    if (!Number.isInteger(bytes) || bytes < 0) {
      throw new HatrpoError(`bytes ${bytes}: must be an integer of at least 0`)
    }
    const address = this.#top
    const top = alignUp(address + bytes)
    // Vector loads may extend past the end of an array, so memory is reserved after the last one.
    this.#growTo(top + ALIGNMENT)
    this.#top = top
    this.#touched = Math.max(this.#touched, top)
    return address
  }

  /** The same with bytes of 0. Unused memory is already 0 and is not written: it takes no pages until it is used. */
  allocZeroed(bytes: number): number {
    const used = this.#touched
    const address = this.alloc(bytes)
    const dirty = Math.min(address + bytes, used) - address
    if (dirty > 0) this.u8(address, dirty).fill(0)
    return address
  }

  /** Current end of the arena, for `release`. */
  mark(): number {
    return this.#top
  }

  /** Frees everything allocated since `mark` was taken. */
  release(mark: number): void {
    if (!(mark >= this.#base && mark <= this.#top && mark % ALIGNMENT === 0)) {
      throw new HatrpoError(`mark ${mark}: must come from mark() and not have been released`)
    }
    this.#top = mark
  }

  /** View of n f32 at an address. */
  f32(address: number, n: number): Float32Array {
    return new Float32Array(this.#buffer, address, n)
  }

  /** View of n f64 at an address. */
  f64(address: number, n: number): Float64Array {
    return new Float64Array(this.#buffer, address, n)
  }

  /** View of n i32 at an address. */
  i32(address: number, n: number): Int32Array {
    return new Int32Array(this.#buffer, address, n)
  }

  /** View of n bytes at an address. */
  u8(address: number, n: number): Uint8Array {
    return new Uint8Array(this.#buffer, address, n)
  }

  /** Whether an array is a view of this memory. */
  owns(array: ArrayBufferView): boolean {
    return this.#buffers.has(array.buffer)
  }

  /** Current buffer of the memory. */
  get #buffer(): ArrayBufferLike {
    const { buffer } = this.memory
    this.#buffers.add(buffer)
    return buffer
  }

  /** Grows the memory to at least `bytes` bytes. */
  #growTo(bytes: number): void {
    const missing = bytes - this.memory.buffer.byteLength
    if (missing <= 0) return
    const [needed, ample] = [missing, Math.max(missing, GROWTH_BYTES)].map((n) => Math.ceil(n / PAGE_BYTES))
    try {
      this.memory.grow(ample)
      return
    } catch {
      // Not so much is left.
    }
    try {
      this.memory.grow(needed)
    } catch (cause) {
      throw new OutOfMemoryError(
        `kernel memory of ${bytes} bytes: beyond what this machine or the memory's maximum allows`,
        { cause },
      )
    }
  }
}

/** Smallest multiple of ALIGNMENT that is not below an address. */
function alignUp(address: number): number {
  return Math.ceil(address / ALIGNMENT) * ALIGNMENT
}
