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
import { refuseUse } from '../closing.js'
import { adamStep } from '../reference/adam.js'
import { generalisedAdvantages } from '../reference/gae.js'
import { typeOf } from '../reference/memory.js'
import { dot, sum } from '../reference/vectors.js'
import { conjugateGradient } from '../solve.js'
import { expectRows, type ProgramSpec } from '../steps.js'
import { allocate, type ElementType, type HostArray, type Tensor } from '../tensor.js'
import { Storage, TfjsTensor, Value } from './memory.js'
import { TfjsProgram } from './program.js'
import type { TensorFlow } from './tensorflow.js'
import { combined, moments, spread } from './vectors.js'

/**
 * Passes over rows as forward operations of TensorFlow.js, on one of its backends. Activations and weights remain in the
 * backend's memory. TensorFlow.js has no f64, so the f64 parts of the contract are computed on the host: vectors of
 * parameters, and the few columns of distributions and losses.
 */
export class TfjsDevice implements Device {
  readonly name: string
  readonly #tf: TensorFlow
  readonly #storages: Storage[] = []
  #overlaying = false

  /** @param backend name of the active backend */
  constructor(tf: TensorFlow, backend: string) {
    this.name = `tfjs:${backend}`
    this.#tf = tf
  }

  close(): void {
    refuseUse(this)
    for (const storage of this.#storages.splice(0)) storage.clear()
  }

  // Memory.

  tensor(type: ElementType, length: number): Tensor {
    const storage = new Storage(this.#tf, type, length)
    this.#storages.push(storage)
    return new TfjsTensor(this, storage, 0, length)
  }

  slice(tensor: Tensor, start: number, length: number): Tensor {
    const { storage, offset } = this.#own(tensor)
    const whole = [start, length].every((n) => Number.isInteger(n) && n >= 0)
    if (!whole || start + length > tensor.length)
      throw new RangeError(`${length} elements from ${start} on, of a tensor of ${tensor.length}`)
    return new TfjsTensor(this, storage, offset + start, length)
  }

  /** Runs the builders. They share no memory, because only written values take any. */
  overlay<T>(builders: readonly (() => T)[]): T[] {
    this.#overlaying = true
    try {
      return builders.map((build) => build())
    } finally {
      this.#overlaying = false
    }
  }

  write(tensor: Tensor, values: ArrayLike<number>): void {
    const own = this.#own(tensor)
    if (values.length !== tensor.length)
      throw new RangeError(`${values.length} values for a tensor of ${tensor.length}`)
    const elements = allocate(tensor.type, tensor.length)
    elements.set(values)
    this.#put(own, elements)
  }

  read(tensor: Tensor): HostArray {
    return this.#own(tensor).host.slice()
  }

  mirror(array: HostArray): Mirror {
    const tensor = this.tensor(typeOf(array), array.length)
    const upload = () => this.write(tensor, array)
    upload()
    return { tensor, upload, download: () => array.set(this.#own(tensor).host) }
  }

  // Programs.

  compile(spec: ProgramSpec, maxRows: number): Program {
    if (this.#overlaying) throw new Error('compile() inside overlay(): a program must not share its memory')
    return new TfjsProgram(this, this.#tf, spec, maxRows)
  }

  run(program: Program, rows: number, scale = 1): Sums {
    if (!(program instanceof TfjsProgram) || program.owner !== this)
      throw new TypeError('the program was compiled by another device')
    expectRows(rows, program)
    return program.run(rows, scale)
  }

  solve(system: LinearSystem, options: SolveOptions): SolveResult {
    return conjugateGradient(this, system, options)
  }

  // Vectors.

  dot(x: Tensor, y: Tensor): number {
    const [a, b] = this.#vectors(x, y)
    return dot(a, b)
  }

  axpy(alpha: number, x: Tensor, y: Tensor): void {
    this.#combine(y, y, x, (yi, xi) => yi + alpha * xi)
  }

  xpby(x: Tensor, beta: number, y: Tensor): void {
    this.#combine(y, y, x, (yi, xi) => xi + beta * yi)
  }

  scale(alpha: number, x: Tensor): void {
    this.#combine(x, x, null, (xi) => alpha * xi)
  }

  copy(from: Tensor, to: Tensor): void {
    if (from.length !== to.length) throw new RangeError(`tensors of ${from.length} and ${to.length} elements`)
    if (from.type !== to.type) throw new TypeError(`tensors of ${from.type} and ${to.type}`)
    this.#own(to).copy(this.#own(from))
  }

  fill(x: Tensor, value: number): void {
    const [own] = this.#matching(x)
    this.#put(own, new Float32Array(x.length).fill(value))
  }

  multiply(x: Tensor, y: Tensor): void {
    this.#combine(y, y, x, (yi, xi) => yi * xi)
  }

  multiplyByRatio(x: Tensor, newLogProb: Tensor, oldLogProb: Tensor, weight: Tensor | null): void {
    const own = this.#matching(x, newLogProb, oldLogProb, ...(weight ? [weight] : []))
    const tf = this.#tf
    const product = tf.tidy(() => {
      const [a, now, old, weights] = own.map(({ tensor }) => tensor)
      const moved = tf.mul(a, tf.exp(tf.sub(now, old)))
      return new Value(tf, weight ? tf.where(tf.notEqual(weights, 0), moved, a) : moved)
    })
    own[0].write(product)
  }

  pick(x: Tensor, index: Tensor, out: Tensor): void {
    const [[source], [target]] = [this.#vectors(x), this.#matching(out)]
    const indices = this.#typed(index, 'i32').host
    if (indices.length !== target.length)
      throw new RangeError(`${indices.length} indices for a tensor of ${target.length} elements`)
    const outside = indices.find((i) => i < 0 || i >= source.length)
    if (outside !== undefined) throw new RangeError(`element ${outside} of a tensor of ${source.length}`)
    this.#put(
      target,
      combined(indices, null, (i) => source[i]),
    )
  }

  replace(x: Tensor, y: Tensor, weight: Tensor): void {
    const [values, others, weights] = this.#vectors(x, y, weight)
    this.#put(
      this.#own(x),
      values.map((v, i) => (weights[i] === 0 ? others[i] : v)),
    )
  }

  normalise(x: Tensor, mean: number, deviation: number, out: Tensor): void {
    this.#combine(out, x, null, (xi) => (xi - mean) / deviation)
  }

  denormalise(x: Tensor, mean: number, deviation: number, out: Tensor): void {
    this.#combine(out, x, null, (xi) => xi * deviation + mean)
  }

  standardise(x: Tensor, weight: Tensor, eps: number): void {
    const { count, mean, variance } = this.spread(x, weight)
    if (count > 0) this.normalise(x, mean, Math.sqrt(variance) + eps, x)
  }

  // Statistics.

  sum(x: Tensor): number {
    return sum(this.#vectors(x)[0])
  }

  moments(x: Tensor, weight: Tensor): { count: number; sum: number; squares: number } {
    const [values, weights] = this.#vectors(x, weight)
    return moments(values, weights)
  }

  spread(x: Tensor, weight: Tensor, minus?: Tensor): Spread {
    const [values, weights, less] = this.#vectors(x, weight, ...(minus ? [minus] : []))
    return spread(values, weights, less ?? null)
  }

  allFinite(x: Tensor): boolean {
    return this.#vectors(x)[0].every(Number.isFinite)
  }

  // Learning.

  adam(parameters: Tensor, gradient: Tensor, m: Tensor, v: Tensor, options: AdamOptions): void {
    const [, g] = this.#vectors(parameters, gradient, m, v)
    const changed = [parameters, m, v].map((tensor) => this.#own(tensor))
    const [theta, first, second] = changed.map(({ host }) => host.slice() as Float32Array)
    adamStep(theta, g, first, second, options)
    ;[theta, first, second].forEach((values, i) => this.#put(changed[i], values))
  }

  gae(input: GaeInput, options: GaeOptions, advantages: Tensor, returns: Tensor): void {
    const { steps, envs } = input
    const { rewards: r, values: v, nextValues: next } = input
    this.#matching(r, v, next, advantages, returns)
    const [rewards, values, nextValues] = this.#vectors(r, v, next)
    const ends = this.#typed(input.ends, 'u8').host
    for (const { length } of [rewards, ends])
      if (length !== steps * envs)
        throw new RangeError(`${length} elements for ${steps} steps of ${envs} environments`)
    const result = generalisedAdvantages({ steps, envs, rewards, values, nextValues, ends }, options)
    this.#put(this.#own(advantages), Float32Array.from(result.advantages))
    this.#put(this.#own(returns), Float32Array.from(result.returns))
  }

  /** Replaces the elements of a tensor. The array must not change afterwards. */
  #put(tensor: TfjsTensor, elements: HostArray): void {
    tensor.write(new Value(this.#tf, elements))
  }

  /** out[i] = f(x[i], y[i]) */
  #combine(out: Tensor, x: Tensor, y: Tensor | null, f: (x: number, y: number) => number): void {
    const [target, a, b] = this.#matching(out, x, ...(y ? [y] : []))
    this.#put(target, combined(a.host, b?.host ?? null, f))
  }

  #own(tensor: Tensor): TfjsTensor {
    if (!(tensor instanceof TfjsTensor) || tensor.owner !== this)
      throw new TypeError('the tensor belongs to another device')
    return tensor
  }

  #typed(tensor: Tensor, type: ElementType): TfjsTensor {
    if (tensor.type !== type) throw new TypeError(`a tensor of ${tensor.type}, must be of ${type}`)
    return this.#own(tensor)
  }

  /** f32 tensors of one length. */
  #matching(...tensors: Tensor[]): TfjsTensor[] {
    const other = tensors.find(({ length }) => length !== tensors[0].length)
    if (other) throw new RangeError(`tensors of ${tensors[0].length} and ${other.length} elements`)
    return tensors.map((tensor) => this.#typed(tensor, 'f32'))
  }

  /** Elements of f32 tensors of one length, on the host. Read only. */
  #vectors(...tensors: Tensor[]): Float32Array[] {
    return this.#matching(...tensors).map(({ host }) => host as Float32Array)
  }
}
