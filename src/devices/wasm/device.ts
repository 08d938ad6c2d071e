import { HatrpoError } from '../../errors.js'
import { Arena, CONTROL, HEADER, loadKernels, TRUNCATION_MODES, type Kernels } from '../../kernels/index.js'
import type {
  AdamOptions,
  GaeInput,
  GaeOptions,
  LinearSystem,
  Mirror,
  Program,
  SolveOptions,
  SolveResult,
  Spread,
  Sums,
} from '../device.js'
import { refuseUse } from '../closing.js'
import { BYTES, copyingMirror, elementType, lengthError } from '../elements.js'
import type { HostDevice, SharedKernels } from '../host.js'
import { chunkOf, expectRows, sumNames, type ProgramSpec } from '../steps.js'
import type { ElementType, HostArray, Tensor } from '../tensor.js'
import {
  blockRows,
  encodePrepared,
  encodeProgram,
  gradientStride,
  type EncodedProgram,
  type ProgramMemory,
} from './program.js'
import { ScratchPool } from '../operations/scratch.js'
import { SolveSpace } from './solve-space.js'
import type { WasmProgram, WasmTensor } from './tensor.js'

/** Maximum number of values of one statistic. */
const RESULTS = 4

/**
 * Default device: SIMD kernels over one shared WebAssembly memory. A pass runs on the calling thread and on every thread
 * that is inside `help` at the time. Results do not depend on their number.
 */
export class WasmDevice implements HostDevice {
  readonly name = 'wasm'
  readonly kernels: Kernels
  readonly measuring: boolean
  readonly arena: Arena
  readonly control: number

  readonly #memory: ProgramMemory
  readonly #pool: ScratchPool
  /** Memory for f64 results of kernels. */
  readonly #results: Float64Array
  #partialGradients = { address: 0, bytes: 0 }
  readonly #solveSpace: SolveSpace
  #overlaying = false

  /** @param kernels instance whose memory this device owns; a new instance by default */
  static async create(kernels?: Kernels, measuring = false): Promise<WasmDevice> {
    return new WasmDevice(kernels ?? (await loadKernels()), measuring)
  }

  /** Use `create`. */
  constructor(kernels: Kernels, measuring = false) {
    this.kernels = kernels
    this.measuring = measuring
    this.arena = new Arena(kernels)
    const reserve = (bytes: number) => this.arena.allocZeroed(bytes)
    this.control = reserve(CONTROL.bytes)
    this.#results = this.arena.f64(reserve(8 * RESULTS), RESULTS)
    this.#pool = new ScratchPool(reserve)
    this.#solveSpace = new SolveSpace(this.arena, reserve)
    this.#memory = {
      reserve,
      addressOf: (tensor) => this.addressOf(tensor),
    }
  }

  /** The engine frees the memory after the last array, thread or program that refers to it. */
  close(): void {
    refuseUse(this)
  }

  get shared(): SharedKernels {
    return { memory: this.kernels.memory, module: this.kernels.module }
  }

  tensor(type: ElementType, length: number): Tensor {
    const bytes = length * BYTES[type]
    // Overlaid memory is not zeroed, because other users overwrite it anyway.
    const address = this.#overlaying ? this.arena.alloc(bytes) : this.arena.allocZeroed(bytes)
    return this.#tensorAt(type, address, length)
  }

  slice(tensor: Tensor, start: number, length: number): Tensor {
    const address = this.addressOf(tensor)
    const whole = [start, length].every((n) => Number.isInteger(n) && n >= 0)
    if (!whole || start + length > tensor.length)
      throw new RangeError(`elements ${start} .. ${start + length - 1} of a tensor of ${tensor.length}`)
    return this.#tensorAt(tensor.type, address + start * BYTES[tensor.type], length)
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

  addressOf(tensor: Tensor): number {
    const own = tensor as WasmTensor
    if (own.device !== this) throw new TypeError('the tensor belongs to another device')
    return own.address
  }

  view(tensor: Tensor): HostArray {
    const [address, { length }] = [this.addressOf(tensor), tensor]
    switch (tensor.type) {
      case 'f32':
        return this.arena.f32(address, length)
      case 'f64':
        return this.arena.f64(address, length)
      case 'i32':
        return this.arena.i32(address, length)
      case 'u8':
        return this.arena.u8(address, length)
    }
  }

  f32(tensor: Tensor): Float32Array {
    return this.arena.f32(this.#expect(tensor, 'f32'), tensor.length)
  }

  i32(tensor: Tensor): Int32Array {
    return this.arena.i32(this.#expect(tensor, 'i32'), tensor.length)
  }

  write(tensor: Tensor, values: ArrayLike<number>): void {
    if (values.length !== tensor.length)
      throw new RangeError(`${values.length} values for a tensor of ${tensor.length}`)
    this.view(tensor).set(values)
  }

  read(tensor: Tensor): HostArray {
    return this.view(tensor).slice()
  }

  mirror(array: HostArray): Mirror {
    if (!this.arena.owns(array)) return copyingMirror(this, array)
    const tensor = this.#tensorAt(elementType(array), array.byteOffset, array.length)
    const nothing = () => undefined
    return { tensor, upload: nothing, download: nothing }
  }

  compile(spec: ProgramSpec, maxRows: number): Program {
    this.#expectNoOverlay()
    const chunk = chunkOf(spec)
    const blocks = Math.ceil(maxRows / blockRows(chunk))
    const sums = sumNames(spec)
    const partials = blocks * sums.length
    const partialSums = this.arena.f64(this.arena.allocZeroed(Math.max(1, partials) * 8), partials)
    const gradientBytes = spec.gradient ? blocks * gradientStride(spec.gradient.length) * 4 : 0
    const encoded = encodeProgram(spec, maxRows, this.#memory, {
      pool: this.#pool,
      partialGradients: this.#gradientSpace(gradientBytes),
      partialSums: partialSums.byteOffset,
    })
    return this.#place(encoded, maxRows, chunk, sums, partialSums)
  }

  compilePrepared(
    specs: readonly ProgramSpec[],
    rows: readonly number[],
  ): { prepare: Program; passes: Program[] } {
    this.#expectNoOverlay()
    const { preparation, passes } = encodePrepared(specs, rows, this.#memory)
    return {
      prepare: this.#place(preparation, 1),
      passes: passes.map((pass, i) => this.#place(pass, rows[i], chunkOf(specs[i]))),
    }
  }

  entryOf(program: Program): number {
    return this.#own(program).address
  }

  run(program: Program, rows: number, scale = 1): Sums {
    const { address, chunk, sums, partialSums } = this.#prepare(program, rows, scale)
    this.#expectAnswered(this.kernels.exports.runShared(this.control, address) === 0)
    const blocks = Math.ceil(rows / blockRows(chunk))
    const total: Record<string, number> = {}
    sums.forEach((name, i) => {
      let sum = 0
      for (let b = 0; b < blocks; b++) sum += partialSums[b * sums.length + i]
      total[name] = sum
    })
    return total
  }

  solve(system: LinearSystem, { iterations, tolerance }: SolveOptions): SolveResult {
    const { direction, product, residual, b, x, preconditioner } = system
    const passes = preconditioner?.passes.map((pass) => this.#prepare(pass.program, pass.rows, 1).address)
    const { address } = this.#prepare(system.program, system.rows, system.scale)
    const image = preconditioner?.image ?? residual
    const [d, p, r, bs, xs, m] = this.#vectors(direction, product, residual, b, x, image)
    const { list, out } = this.#solveSpace.of(passes ?? [], iterations)
    const limits = [passes?.length ?? 0, iterations, tolerance, out.byteOffset] as const
    const { solve } = this.kernels.exports
    const count = solve(this.control, address, b.length, system.damping, d, p, r, bs, xs, m, list, ...limits)
    this.#expectAnswered(count >= 0)
    return { residuals: [...out.subarray(0, count)], curvature: out[count] }
  }

  dot(x: Tensor, y: Tensor): number {
    const [a, b] = this.#vectors(x, y)
    return this.kernels.exports.dot(a, b, x.length)
  }

  axpy(alpha: number, x: Tensor, y: Tensor): void {
    const [a, b] = this.#vectors(x, y)
    this.kernels.exports.axpy(alpha, a, b, x.length)
  }

  xpby(x: Tensor, beta: number, y: Tensor): void {
    const [a, b] = this.#vectors(x, y)
    this.kernels.exports.scaleAdd(beta, b, a, b, x.length)
  }

  scale(alpha: number, x: Tensor): void {
    const [a] = this.#vectors(x)
    this.kernels.exports.scale(alpha, a, x.length)
  }

  copy(from: Tensor, to: Tensor): void {
    if (from.length !== to.length) throw lengthError(from, to)
    const [source, target] = [this.addressOf(from), this.#expect(to, from.type)]
    this.kernels.exports.copy(source, target, from.length * BYTES[from.type])
  }

  fill(x: Tensor, value: number): void {
    const [a] = this.#vectors(x)
    this.kernels.exports.fill(a, value, x.length)
  }

  multiply(x: Tensor, y: Tensor): void {
    const [a, b] = this.#vectors(x, y)
    this.kernels.exports.multiplyRows(a, b, b, x.length, 1, 0, 1)
  }

  multiplyByRatio(x: Tensor, newLogProb: Tensor, oldLogProb: Tensor, weight: Tensor | null): void {
    const [a, now, old, w = 0] = this.#vectors(x, newLogProb, oldLogProb, ...(weight ? [weight] : []))
    this.kernels.exports.ratioProduct(a, now, old, x.length, w)
  }

  pick(x: Tensor, index: Tensor, out: Tensor): void {
    const [[a], [to]] = [this.#vectors(x), this.#vectors(out)]
    const indices = this.#expect(index, 'i32')
    if (index.length !== out.length) throw lengthError(index, out)
    if (this.kernels.exports.pick(a, x.length, indices, to, out.length) !== 0)
      throw new RangeError(`pick: an index is not in 0 .. ${x.length - 1}`)
  }

  replace(x: Tensor, y: Tensor, weight: Tensor): void {
    const [a, b, w] = this.#vectors(x, y, weight)
    this.kernels.exports.replace(a, b, w, x.length)
  }

  normalise(x: Tensor, mean: number, deviation: number, out: Tensor): void {
    const [a, to] = this.#vectors(x, out)
    this.kernels.exports.normalise(a, mean, deviation, to, x.length)
  }

  denormalise(x: Tensor, mean: number, deviation: number, out: Tensor): void {
    const [a, to] = this.#vectors(x, out)
    this.kernels.exports.denormalise(a, mean, deviation, to, x.length)
  }

  standardise(x: Tensor, weight: Tensor, eps: number): void {
    const [a, w] = this.#vectors(x, weight)
    this.kernels.exports.standardise(a, w, x.length, eps, this.#results.byteOffset)
  }

  sum(x: Tensor): number {
    const [a] = this.#vectors(x)
    return this.kernels.exports.sum(a, x.length)
  }

  moments(x: Tensor, weight: Tensor): { count: number; sum: number; squares: number } {
    const [a, w] = this.#vectors(x, weight)
    const count = this.kernels.exports.moments(a, w, x.length, this.#results.byteOffset)
    const [sum, squares] = this.#results
    return { count, sum, squares }
  }

  spread(x: Tensor, weight: Tensor, minus?: Tensor): Spread {
    const [a, w, m = 0] = this.#vectors(x, weight, ...(minus ? [minus] : []))
    const count = this.kernels.exports.spread(a, w, m, x.length, this.#results.byteOffset)
    const [min, max, mean, variance] = this.#results
    return { count, min, max, mean, variance }
  }

  allFinite(x: Tensor): boolean {
    const [a] = this.#vectors(x)
    return this.kernels.exports.allFinite(a, x.length) === 1
  }

  adam(parameters: Tensor, gradient: Tensor, m: Tensor, v: Tensor, options: AdamOptions): void {
    const [p, g, first, second] = this.#vectors(parameters, gradient, m, v)
    const { gradScale, lr, beta1, beta2, eps, power1, power2 } = options
    const { adamStep } = this.kernels.exports
    adamStep(p, g, first, second, parameters.length, gradScale, lr, beta1, beta2, eps, power1, power2)
  }

  gae(input: GaeInput, options: GaeOptions, advantages: Tensor, returns: Tensor): void {
    const { steps, envs, rewards, values, nextValues, ends } = input
    const { gamma, lambda, truncation } = options
    const [r, v, next, a, sums] = this.#vectors(rewards, values, nextValues, advantages, returns)
    const end = this.#expect(ends, 'u8')
    if (ends.length !== rewards.length) throw lengthError(ends, rewards)
    if (steps * envs !== rewards.length)
      throw new RangeError(`tensors of ${rewards.length} elements for ${steps} steps of ${envs} environments`)
    const mode = TRUNCATION_MODES.indexOf(truncation)
    this.kernels.exports.gae(r, v, next, end, steps, envs, gamma, lambda, mode, a, sums)
  }

  #tensorAt(type: ElementType, address: number, length: number): WasmTensor {
    return { type, length, device: this, address }
  }

  /** Memory for partial gradients, shared by all programs because they run one at a time. */
  #gradientSpace(bytes: number): number {
    if (bytes > this.#partialGradients.bytes)
      this.#partialGradients = { address: this.arena.allocZeroed(bytes), bytes }
    return this.#partialGradients.address
  }

  #place(
    { address, words }: EncodedProgram,
    maxRows: number,
    chunk = 1,
    sums: readonly string[] = [],
    partialSums: Float64Array = new Float64Array(0),
  ): WasmProgram {
    this.arena.i32(address, words.length).set(words)
    const rows = this.arena.i32(address + HEADER.rows, 1)
    const scale = this.arena.f64(address + HEADER.scale, 1)
    return { device: this, maxRows, chunk, address, rows, scale, sums, partialSums }
  }

  #own(program: Program): WasmProgram {
    const own = program as WasmProgram
    if (own.device !== this) throw new TypeError('the program was compiled by another device')
    return own
  }

  /** Writes the number of rows and the factor of a run into the header of its program. */
  #prepare(program: Program, rows: number, scale: number): WasmProgram {
    const own = this.#own(program)
    expectRows(rows, own)
    own.rows[0] = rows
    own.scale[0] = scale
    return own
  }

  #expectAnswered(answered: boolean): void {
    if (!answered) throw new HatrpoError('a worker thread stopped responding during an update')
  }

  #expectNoOverlay(): void {
    if (this.#overlaying) throw new Error('compile() inside overlay(): a program must not share its memory')
  }

  /** Address of a tensor of one type. */
  #expect(tensor: Tensor, type: ElementType): number {
    if (tensor.type !== type) throw new TypeError(`a tensor of ${tensor.type}, must be of ${type}`)
    return this.addressOf(tensor)
  }

  /** Addresses of f32 tensors of one length. */
  #vectors(...tensors: readonly [Tensor, ...Tensor[]]): number[] {
    return tensors.map((tensor) => {
      if (tensor.length !== tensors[0].length) throw lengthError(tensors[0], tensor)
      return this.#expect(tensor, 'f32')
    })
  }
}
