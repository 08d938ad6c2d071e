import { HatrpoError } from '../../errors.js'
import { Arena, loadKernels, type Kernels } from '../../kernels/index.js'
import type { AdamOptions, Device, Program } from '../device.js'
import type { ProgramSpec } from '../steps.js'
import { BYTES, type ElementType, type Tensor } from '../tensor.js'
import { encodePrepared, encodeProgram, gradientStride, type EncodedProgram } from './encode.js'

/** Rows that one thread takes at a time. A constant: partial sums, and so results, depend on it. */
export const ROWS_PER_BLOCK = 128

const CONTROL_BYTES = 64

interface WasmProgram extends Program {
  readonly device: WasmDevice
  readonly address: number
  readonly sums: number
  readonly partialSums: number
}

/** What another thread needs to work in the same memory. */
export interface SharedKernels {
  readonly memory: WebAssembly.Memory
  readonly module: WebAssembly.Module
}

/**
 * The default device: SIMD kernels over one shared WebAssembly memory. A pass runs on the calling thread and on every
 * thread that is inside `help` at the time; results do not depend on how many those are.
 */
export class WasmDevice implements Device {
  readonly name = 'wasm'
  readonly kernels: Kernels
  readonly arena: Arena
  /** Address of the control block that helper threads wait on. */
  readonly control: number

  readonly #scratch: number
  #partialGradients = { address: 0, bytes: 0 }
  #overlaying = false

  /** @param kernels an instance whose memory this device owns; a fresh one by default */
  static async create(kernels?: Kernels): Promise<WasmDevice> {
    return new WasmDevice(kernels ?? (await loadKernels()))
  }

  private constructor(kernels: Kernels) {
    this.kernels = kernels
    this.arena = new Arena(kernels)
    this.control = this.#reserve(CONTROL_BYTES)
    this.#scratch = this.#reserve(64)
  }

  get shared(): SharedKernels {
    return { memory: this.kernels.memory, module: this.kernels.module }
  }

  tensor(type: ElementType, length: number): Tensor {
    return { type, address: this.#reserve(length * BYTES[type]), length }
  }

  overlay<T>(builders: readonly (() => T)[]): T[] {
    const start = this.arena.mark()
    let end = start
    this.#overlaying = true
    try {
      const results = builders.map((build) => {
        this.arena.release(start)
        const result = build()
        end = Math.max(end, this.arena.mark())
        return result
      })
      this.arena.alloc(end - this.arena.mark())
      return results
    } finally {
      this.#overlaying = false
    }
  }

  /** The tensor's own memory, as a view that stays valid. */
  f32(tensor: Tensor): Float32Array {
    this.#expect(tensor, 'f32')
    return this.arena.f32(tensor.address, tensor.length)
  }

  i32(tensor: Tensor): Int32Array {
    this.#expect(tensor, 'i32')
    return this.arena.i32(tensor.address, tensor.length)
  }

  write(tensor: Tensor, values: ArrayLike<number>): void {
    if (values.length !== tensor.length) {
      throw new RangeError(`${values.length} values for a tensor of ${tensor.length}`)
    }
    this.#view(tensor).set(values)
  }

  read(tensor: Tensor): Float32Array | Float64Array | Int32Array {
    return this.#view(tensor).slice()
  }

  compile(spec: ProgramSpec, maxRows: number): Program {
    if (this.#overlaying) throw new Error('compile() inside overlay(): a program must not share its memory')
    const blocks = Math.ceil(maxRows / ROWS_PER_BLOCK)
    const sums = spec.sums ?? 0
    const partialSums = this.#reserve(Math.max(1, blocks * sums) * 8)
    const gradientBytes = spec.gradient ? blocks * gradientStride(spec.gradient.length) * 4 : 0
    const { address, words } = encodeProgram(spec, {
      rowsPerBlock: ROWS_PER_BLOCK,
      reserve: (bytes) => this.#reserve(bytes),
      partialGradients: this.#gradientSpace(gradientBytes),
      partialSums,
    })
    this.arena.i32(address, words.length).set(words)
    const program: WasmProgram = {
      device: this,
      maxRows,
      address,
      sums,
      partialSums,
    }
    return program
  }

  /**
   * Passes without gradient or sums that share one preparation (packed weights, tables): `prepare` is run when
   * parameters have changed, a pass then any number of times, also by other threads (`addressOf`, `runAlone`).
   */
  compilePrepared(
    specs: readonly ProgramSpec[],
    rows: readonly number[],
  ): { prepare: Program; passes: Program[] } {
    const reserve = (bytes: number) => this.#reserve(bytes)
    const { preparation, passes } = encodePrepared(specs, rows, ROWS_PER_BLOCK, reserve)
    const place = ({ address, words }: EncodedProgram, maxRows: number): WasmProgram => {
      this.arena.i32(address, words.length).set(words)
      return { device: this, maxRows, address, sums: 0, partialSums: 0 }
    }
    return { prepare: place(preparation, 1), passes: passes.map((pass, i) => place(pass, rows[i])) }
  }

  run(program: Program, rows: number, scale = 1): Float64Array {
    const { address, maxRows, sums, partialSums } = this.#own(program)
    if (!(Number.isInteger(rows) && rows >= 1 && rows <= maxRows))
      throw new RangeError(`${rows} rows for a program of up to ${maxRows}`)
    this.arena.i32(address, 1)[0] = rows
    this.arena.f64(address + 32, 1)[0] = scale
    if (this.kernels.exports.runShared(this.control, address) !== 0) {
      throw new HatrpoError('a worker thread stopped answering in the middle of an update')
    }
    const total = new Float64Array(sums)
    const partial = this.arena.f64(partialSums, Math.ceil(rows / ROWS_PER_BLOCK) * sums)
    for (let i = 0; i < partial.length; i++) total[i % sums] += partial[i]
    return total
  }

  /** The address of a compiled program, for threads that run it by themselves (`runAlone`). */
  addressOf(program: Program): number {
    return this.#own(program).address
  }

  dot(x: Tensor, y: Tensor): number {
    this.#sameLength(x, y)
    return this.kernels.exports.dot(x.address, y.address, x.length)
  }

  axpy(alpha: number, x: Tensor, y: Tensor): void {
    this.#sameLength(x, y)
    this.kernels.exports.axpy(alpha, x.address, y.address, x.length)
  }

  xpby(x: Tensor, beta: number, y: Tensor): void {
    this.#sameLength(x, y)
    this.kernels.exports.scaleAdd(beta, y.address, x.address, y.address, x.length)
  }

  scale(alpha: number, x: Tensor): void {
    this.kernels.exports.scale(alpha, x.address, x.length)
  }

  copy(from: Tensor, to: Tensor): void {
    this.#sameLength(from, to)
    this.kernels.exports.copy(from.address, to.address, from.length)
  }

  fill(x: Tensor, value: number): void {
    this.kernels.exports.fill(x.address, value, x.length)
  }

  multiply(x: Tensor, y: Tensor): void {
    this.#sameLength(x, y)
    this.kernels.exports.multiplyRows(x.address, y.address, y.address, x.length, 0, 1)
  }

  multiplyByRatio(x: Tensor, newLogProb: Tensor, oldLogProb: Tensor, weight: Tensor | null): void {
    this.#sameLength(newLogProb, oldLogProb)
    this.#sameLength(x, newLogProb)
    this.kernels.exports.ratioProduct(
      x.address,
      newLogProb.address,
      oldLogProb.address,
      x.length,
      weight?.address ?? 0,
    )
  }

  standardise(x: Tensor, weight: Tensor, eps: number): void {
    this.#sameLength(x, weight)
    this.kernels.exports.standardise(x.address, weight.address, x.length, eps, this.#scratch)
  }

  adam(parameters: Tensor, gradient: Tensor, m: Tensor, v: Tensor, options: AdamOptions): void {
    this.#sameLength(parameters, gradient)
    const { gradScale, lr, beta1, beta2, eps, power1, power2 } = options
    this.kernels.exports.adamStep(
      parameters.address,
      gradient.address,
      m.address,
      v.address,
      parameters.length,
      gradScale,
      lr,
      beta1,
      beta2,
      eps,
      power1,
      power2,
    )
  }

  gaussianEntropy(table: Tensor, size: number): number {
    this.#expect(table, 'f64')
    if (table.length !== 4 * size) throw new RangeError(`a table of ${table.length} for ${size} dimensions`)
    return this.kernels.exports.gaussianEntropy(table.address, size)
  }

  allFinite(x: Tensor): boolean {
    return this.kernels.exports.allFinite(x.address, x.length) === 1
  }

  #reserve(bytes: number): number {
    const address = this.arena.alloc(bytes)
    this.arena.u8(address, bytes).fill(0)
    return address
  }

  // Programs run one at a time, so their blocks' partial gradients share one place.
  #gradientSpace(bytes: number): number {
    if (bytes > this.#partialGradients.bytes) {
      this.#partialGradients = { address: this.#reserve(bytes), bytes }
    }
    return this.#partialGradients.address
  }

  #own(program: Program): WasmProgram {
    const own = program as WasmProgram
    if (own.device !== this) throw new TypeError('the program was compiled by another device')
    return own
  }

  #view(tensor: Tensor): Float32Array | Float64Array | Int32Array {
    const { type, address, length } = tensor
    if (type === 'f32') return this.arena.f32(address, length)
    return type === 'f64' ? this.arena.f64(address, length) : this.arena.i32(address, length)
  }

  #expect(tensor: Tensor, type: ElementType): void {
    if (tensor.type !== type) throw new TypeError(`a tensor of ${tensor.type} where ${type} was meant`)
  }

  #sameLength(x: Tensor, y: Tensor): void {
    if (x.length !== y.length) throw new RangeError(`tensors of ${x.length} and ${y.length} elements`)
    this.#expect(x, 'f32')
    this.#expect(y, 'f32')
  }
}
