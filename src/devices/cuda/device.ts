import { TRUNCATION_MODES } from '../../kernels/index.js'
import type {
  AdamOptions,
  Device,
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
import { expectRows, type ProgramSpec } from '../steps.js'
import type { ElementType, HostArray, Tensor } from '../tensor.js'
import { ScratchPool } from '../operations/scratch.js'
import { refuseUse } from '../closing.js'
import { BYTES, copyingMirror } from '../elements.js'
import { Driver, real, type KernelArgument } from './driver.js'
import { BLOCKS } from './layout.js'
import { Memory, type CudaTensor } from './memory.js'
import { CudaProgram, spread, type SharedSpace } from './program.js'
import { Recorder } from './recorder.js'
import { Solver } from './solver.js'

/** Maximum number of values of one statistic. */
const NUMBERS = 4

const ARRAYS = { f32: Float32Array, f64: Float64Array, i32: Int32Array, u8: Uint8Array } as const

const bytesOf = ({ buffer, byteOffset, byteLength }: HostArray) =>
  new Uint8Array(buffer, byteOffset, byteLength)

interface CudaOptions {
  readonly driver?: Driver
  /** Whether matrix products run on tensor cores, with factors rounded to TF32. */
  readonly tf32?: boolean
}

/**
 * One NVIDIA GPU. Storage is f32. Matrix products are f32 or, on tensor cores, TF32. Sums over rows and vectors, heads and
 * losses are f64. Sums have a fixed order, so the same GPU gives the same bits each time. Calls that return no result are
 * asynchronous.
 */
export class CudaDevice implements Device {
  readonly name: string
  readonly #tf32: boolean
  readonly #driver: Driver
  readonly #memory: Memory
  readonly #space: SharedSpace
  readonly #recorder: Recorder
  readonly #solver: Solver
  /** Address of a statistic's results for each block, and of a flag. */
  readonly #results: number
  #partialGradients = { address: 0, bytes: 0 }

  /** @throws HatrpoError if the machine has no usable GPU */
  constructor({ driver = new Driver(), tf32 = false }: CudaOptions = {}) {
    this.name = tf32 ? 'cuda:tf32' : 'cuda'
    this.#tf32 = tf32
    this.#driver = driver
    this.#memory = new Memory(driver)
    this.#space = {
      scratch: new ScratchPool((bytes) => this.#memory.reserve(bytes)),
      partialGradients: (bytes) => this.#gradientSpace(bytes),
    }
    this.#recorder = new Recorder(driver)
    this.#solver = new Solver(driver, this.#memory, this.#recorder)
    this.#results = this.#memory.reserve(8 * NUMBERS * BLOCKS.vectors)
  }

  /** Name of the GPU. */
  get gpu(): string {
    return this.#driver.gpu
  }

  close(): void {
    refuseUse(this)
    this.#recorder.close()
    this.#memory.close()
    this.#driver.close()
  }

  // Memory.

  tensor(type: ElementType, length: number): Tensor {
    return this.#memory.tensor(type, length)
  }

  slice(tensor: Tensor, start: number, length: number): Tensor {
    const own = this.#memory.own(tensor)
    const whole = [start, length].every((n) => Number.isInteger(n) && n >= 0)
    if (!whole || start + length > tensor.length)
      throw new RangeError(`elements ${start} .. ${start + length - 1} of a tensor of ${tensor.length}`)
    const part: CudaTensor = { ...own, length, offset: own.offset + start * BYTES[own.type] }
    return part
  }

  overlay<T>(builders: readonly (() => T)[]): T[] {
    return this.#memory.overlay(builders)
  }

  write(tensor: Tensor, values: ArrayLike<number>): void {
    if (values.length !== tensor.length)
      throw new RangeError(`${values.length} values for a tensor of ${tensor.length}`)
    const array = values instanceof ARRAYS[tensor.type] ? values : ARRAYS[tensor.type].from(values)
    this.#driver.upload(bytesOf(array), this.#memory.addressOf(tensor))
  }

  read(tensor: Tensor): HostArray {
    const array = new ARRAYS[tensor.type](tensor.length)
    this.#driver.download(this.#memory.addressOf(tensor), bytesOf(array))
    return array
  }

  mirror(array: HostArray): Mirror {
    return copyingMirror(this, array)
  }

  // Programs.

  compile(spec: ProgramSpec, maxRows: number): Program {
    if (this.#memory.isOverlaying)
      throw new Error('compile() inside overlay(): a program must not share its memory')
    return new CudaProgram(this.#driver, this.#memory, this.#space, spec, maxRows)
  }

  run(program: Program, rows: number, scale = 1): Sums {
    const own = this.#own(program)
    expectRows(rows, own)
    return own.run(this.#recorder, rows, scale, this.#tf32)
  }

  solve(system: LinearSystem, options: SolveOptions): SolveResult {
    expectRows(system.rows, this.#own(system.program))
    return this.#solver.solve(system, options, (program) => this.#own(program))
  }

  // Vectors.

  dot(x: Tensor, y: Tensor): number {
    const [total] = this.#statistic('dot', 1, this.#memory.vectors(x, y), x.length)
    return total
  }

  axpy(alpha: number, x: Tensor, y: Tensor): void {
    this.#elements('axpy', this.#memory.vectors(x, y), x.length, alpha)
  }

  xpby(x: Tensor, beta: number, y: Tensor): void {
    this.#elements('xpby', this.#memory.vectors(x, y), x.length, beta)
  }

  scale(alpha: number, x: Tensor): void {
    this.#elements('scale', this.#memory.vectors(x), x.length, alpha)
  }

  copy(from: Tensor, to: Tensor): void {
    if (from.length !== to.length) throw new RangeError(`tensors of ${from.length} and ${to.length} elements`)
    const [source, target] = [this.#memory.addressOf(from), this.#memory.typed(to, from.type)]
    this.#driver.copy(source, target, from.length * BYTES[from.type])
  }

  fill(x: Tensor, value: number): void {
    this.#elements('fill', this.#memory.vectors(x), x.length, value)
  }

  multiply(x: Tensor, y: Tensor): void {
    this.#elements('multiplyVectors', this.#memory.vectors(x, y), x.length)
  }

  multiplyByRatio(x: Tensor, newLogProb: Tensor, oldLogProb: Tensor, weight: Tensor | null): void {
    const [a, now, old, w = 0] = this.#memory.vectors(x, newLogProb, oldLogProb, ...(weight ? [weight] : []))
    this.#elements('multiplyByRatio', [a, now, old, w], x.length)
  }

  pick(x: Tensor, index: Tensor, out: Tensor): void {
    const [source, indices, target] = [x, index, out].map((tensor, i) =>
      this.#memory.typed(tensor, i === 1 ? 'i32' : 'f32'),
    )
    if (index.length !== out.length)
      throw new RangeError(`tensors of ${index.length} and ${out.length} elements`)
    const values = [source, x.length, indices, target, out.length, this.#results]
    const isOutside = this.#requested('pick', values, 4, () => {
      this.#driver.clear(this.#results, 4)
      this.#driver.launch('pick', spread(out.length), values)
    })
    if (isOutside.some((byte) => byte !== 0))
      throw new RangeError(`pick: an index is not in 0 .. ${x.length - 1}`)
  }

  replace(x: Tensor, y: Tensor, weight: Tensor): void {
    this.#elements('replace', this.#memory.vectors(x, y, weight), x.length)
  }

  normalise(x: Tensor, mean: number, deviation: number, out: Tensor): void {
    this.#elements('normalise', this.#memory.vectors(x, out), x.length, mean, deviation)
  }

  denormalise(x: Tensor, mean: number, deviation: number, out: Tensor): void {
    this.#elements('denormalise', this.#memory.vectors(x, out), x.length, mean, deviation)
  }

  standardise(x: Tensor, weight: Tensor, eps: number): void {
    const { count, mean, variance } = this.#moments(this.#memory.vectors(x, weight), x.length)
    if (count > 0) this.normalise(x, mean, Math.sqrt(variance) + eps, x)
  }

  // Statistics.

  sum(x: Tensor): number {
    const [total] = this.#statistic('sum', 1, this.#memory.vectors(x), x.length)
    return total
  }

  moments(x: Tensor, weight: Tensor): { count: number; sum: number; squares: number } {
    const [a, w] = this.#memory.vectors(x, weight)
    const [count, sum, squares] = this.#statistic('moments', 3, [a, w, 0], x.length, real(0))
    return { count, sum, squares }
  }

  spread(x: Tensor, weight: Tensor, minus?: Tensor): Spread {
    const vectors = this.#memory.vectors(x, weight, ...(minus ? [minus] : []))
    const [a, w, m = 0] = vectors
    const extremes = this.#partial('extremes', 2, [a, w, m], x.length)
    const [min, max] = [
      extremes.reduce((least, v, i) => (i % 2 === 0 ? Math.min(least, v) : least), Infinity),
      extremes.reduce((most, v, i) => (i % 2 === 1 ? Math.max(most, v) : most), -Infinity),
    ]
    return { min, max, ...this.#moments(vectors, x.length) }
  }

  allFinite(x: Tensor): boolean {
    return this.#statistic('countNotFinite', 1, this.#memory.vectors(x), x.length)[0] === 0
  }

  // Learning.

  adam(parameters: Tensor, gradient: Tensor, m: Tensor, v: Tensor, options: AdamOptions): void {
    const vectors = this.#memory.vectors(parameters, gradient, m, v)
    const { lr, beta1, beta2, eps, power1, power2, gradScale } = options
    const numbers = [gradScale, beta1, beta2, eps, lr / (1 - power1), Math.sqrt(1 - power2)]
    this.#elements('adam', vectors, parameters.length, ...numbers)
  }

  gae(input: GaeInput, options: GaeOptions, advantages: Tensor, returns: Tensor): void {
    const { steps, envs, rewards, values, nextValues, ends } = input
    const [r, v, next, a, sums] = this.#memory.vectors(rewards, values, nextValues, advantages, returns)
    const end = this.#memory.typed(ends, 'u8')
    for (const { length } of [rewards, ends])
      if (length !== steps * envs)
        throw new RangeError(`tensors of ${length} elements for ${steps} steps of ${envs} environments`)
    const { gamma, lambda, truncation } = options
    const numbers = [real(gamma), real(lambda), TRUNCATION_MODES.indexOf(truncation)]
    this.#driver.launch('gae', spread(envs), [r, v, next, end, a, sums, steps, envs, ...numbers])
  }

  #own(program: unknown): CudaProgram {
    if (!(program instanceof CudaProgram) || program.owner !== this.#memory)
      throw new TypeError('the program was compiled by another device')
    return program
  }

  /** Memory for partial gradients. Memory from earlier calls remains valid, because recorded launches may use it. */
  #gradientSpace(bytes: number): number {
    if (bytes > this.#partialGradients.bytes)
      this.#partialGradients = { address: this.#memory.reserve(bytes), bytes }
    return this.#partialGradients.address
  }

  /** Launches an element-wise operation on vectors. */
  #elements(kernel: string, vectors: readonly number[], length: number, ...numbers: number[]): void {
    this.#driver.launch(kernel, spread(length), [...vectors, length, ...numbers.map(real)])
  }

  /** Partial results of a statistic: `count` numbers for each block. */
  #partial(
    kernel: string,
    count: number,
    vectors: readonly number[],
    length: number,
    ...values: KernelArgument[]
  ): Float64Array {
    const blocks = Math.max(1, Math.min(BLOCKS.vectors, Math.ceil(length / 1024)))
    const all = [...vectors, length, this.#results, ...values]
    const bytes = this.#requested(kernel, all, 8 * count * blocks, () =>
      this.#driver.launch(kernel, blocks, all),
    )
    return new Float64Array(bytes.buffer)
  }

  /** Sums over the blocks, ascending. */
  #statistic(
    kernel: string,
    count: number,
    vectors: readonly number[],
    length: number,
    ...values: KernelArgument[]
  ): Float64Array {
    const totals = new Float64Array(count)
    this.#partial(kernel, count, vectors, length, ...values).forEach(
      (value, i) => (totals[i % count] += value),
    )
    return totals
  }

  /** Number, mean and variance, in two passes. */
  #moments([x, weight, minus = 0]: readonly number[], length: number) {
    const of = (shift: number) => this.#statistic('moments', 3, [x, weight, minus], length, real(shift))
    const [count, sum] = of(0)
    const mean = sum / count
    const [, , squares] = of(mean)
    return { count, mean, variance: squares / count }
  }

  /** Contents of the memory for results after launches. See `Recorder.play`. */
  #requested(name: string, values: readonly KernelArgument[], bytes: number, launch: () => void): Uint8Array {
    this.#recorder.play(name, values, () => {
      launch()
      this.#driver.request(this.#results, bytes)
    })
    return this.#driver.receive(bytes).slice()
  }
}
