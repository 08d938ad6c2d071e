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
import { conjugateGradient } from '../solve.js'
import { expectRows, type ProgramSpec } from '../steps.js'
import { allocate, type ElementType, type HostArray, type Tensor } from '../tensor.js'
import { adamStep } from './adam.js'
import { generalisedAdvantages } from './gae.js'
import { elements, ReferenceTensor, typed, typeOf, vectors } from './memory.js'
import { ReferenceProgram } from './program.js'
import { counted, dot, moments, sum } from './vectors.js'

/**
 * Reference for all devices: plain loops over arrays of this thread, with f32 storage and f64 arithmetic. Results equal
 * those of exact arithmetic to the accuracy of f32. Elementary functions are the engine's, so bits are reproducible on
 * one engine only.
 */
export class ReferenceDevice implements Device {
  readonly name = 'reference'
  #overlaying = false

  close(): void {
    refuseUse(this)
  }

  // Memory.

  tensor(type: ElementType, length: number): Tensor {
    return new ReferenceTensor(type, allocate(type, length))
  }

  slice(tensor: Tensor, start: number, length: number): Tensor {
    const isInside = Number.isInteger(start) && Number.isInteger(length) && start >= 0 && length >= 0
    if (!isInside || start + length > tensor.length)
      throw new RangeError(`${length} elements from ${start} on, of a tensor of ${tensor.length}`)
    return new ReferenceTensor(tensor.type, elements(tensor).subarray(start, start + length))
  }

  overlay<T>(builders: readonly (() => T)[]): T[] {
    this.#overlaying = true
    try {
      return builders.map((build) => build())
    } finally {
      this.#overlaying = false
    }
  }

  write(tensor: Tensor, values: ArrayLike<number>): void {
    if (values.length !== tensor.length)
      throw new RangeError(`${values.length} values for a tensor of ${tensor.length}`)
    elements(tensor).set(values)
  }

  read(tensor: Tensor): HostArray {
    return elements(tensor).slice()
  }

  mirror(array: HostArray): Mirror {
    const tensor = this.tensor(typeOf(array), array.length)
    const upload = () => this.write(tensor, array)
    upload()
    return { tensor, upload, download: () => array.set(elements(tensor)) }
  }

  // Programs.

  compile(spec: ProgramSpec, maxRows: number): Program {
    if (this.#overlaying) throw new Error('compile() inside overlay(): a program must not share its memory')
    return new ReferenceProgram(this, spec, maxRows)
  }

  run(program: Program, rows: number, scale = 1): Sums {
    if (!(program instanceof ReferenceProgram) || program.owner !== this)
      throw new TypeError('the program was compiled by another device')
    expectRows(rows, program)
    return program.run(rows, scale)
  }

  solve(system: LinearSystem, options: SolveOptions): SolveResult {
    return conjugateGradient(this, system, options)
  }

  // Vectors.

  dot(x: Tensor, y: Tensor): number {
    const [a, b] = vectors(x, y)
    return dot(a, b)
  }

  axpy(alpha: number, x: Tensor, y: Tensor): void {
    combine(y, [x], (yi, xi) => yi + alpha * xi)
  }

  xpby(x: Tensor, beta: number, y: Tensor): void {
    combine(y, [x], (yi, xi) => xi + beta * yi)
  }

  scale(alpha: number, x: Tensor): void {
    combine(x, [], (xi) => alpha * xi)
  }

  copy(from: Tensor, to: Tensor): void {
    if (from.length !== to.length) throw new RangeError(`tensors of ${from.length} and ${to.length} elements`)
    typed(to, from.type).set(elements(from))
  }

  fill(x: Tensor, value: number): void {
    combine(x, [], () => value)
  }

  multiply(x: Tensor, y: Tensor): void {
    combine(y, [x], (yi, xi) => yi * xi)
  }

  multiplyByRatio(x: Tensor, newLogProb: Tensor, oldLogProb: Tensor, weight: Tensor | null): void {
    const ratio = (xi: number, now: number, old: number) => xi * Math.exp(now - old)
    if (weight === null) combine(x, [newLogProb, oldLogProb], ratio)
    else
      combine(x, [newLogProb, oldLogProb, weight], (xi, now, old, w) => (w === 0 ? xi : ratio(xi, now, old)))
  }

  pick(x: Tensor, index: Tensor, out: Tensor): void {
    const [source, target] = [typed(x, 'f32'), typed(out, 'f32')]
    const indices = typed(index, 'i32')
    if (indices.length !== target.length)
      throw new RangeError(`${indices.length} indices for a tensor of ${target.length} elements`)
    const outside = indices.find((i) => i < 0 || i >= source.length)
    if (outside !== undefined) throw new RangeError(`element ${outside} of a tensor of ${source.length}`)
    target.set(Array.from(indices, (i) => source[i]))
  }

  replace(x: Tensor, y: Tensor, weight: Tensor): void {
    combine(x, [y, weight], (xi, yi, w) => (w === 0 ? yi : xi))
  }

  normalise(x: Tensor, mean: number, deviation: number, out: Tensor): void {
    combine(out, [x], (_, xi) => (xi - mean) / deviation)
  }

  denormalise(x: Tensor, mean: number, deviation: number, out: Tensor): void {
    combine(out, [x], (_, xi) => xi * deviation + mean)
  }

  standardise(x: Tensor, weight: Tensor, eps: number): void {
    const [values, weights] = vectors(x, weight)
    const valid = counted(values, weights)
    if (valid.length === 0) return
    const { mean, variance } = moments(valid)
    this.normalise(x, mean, Math.sqrt(variance) + eps, x)
  }

  // Statistics.

  sum(x: Tensor): number {
    return sum(vectors(x)[0])
  }

  moments(x: Tensor, weight: Tensor): { count: number; sum: number; squares: number } {
    const [values, weights] = vectors(x, weight)
    const valid = counted(values, weights)
    return { count: valid.length, sum: sum(valid), squares: dot(valid, valid) }
  }

  spread(x: Tensor, weight: Tensor, minus?: Tensor): Spread {
    const [values, weights, less] = vectors(x, weight, ...(minus ? [minus] : []))
    const differences = Float64Array.from(values, (v, i) => v - (less?.[i] ?? 0))
    const valid = counted(differences, weights)
    const min = valid.reduce((least, v) => Math.min(least, v), Infinity)
    const max = valid.reduce((most, v) => Math.max(most, v), -Infinity)
    return { count: valid.length, min, max, ...moments(valid) }
  }

  allFinite(x: Tensor): boolean {
    return vectors(x)[0].every(Number.isFinite)
  }

  // Learning.

  adam(parameters: Tensor, gradient: Tensor, m: Tensor, v: Tensor, options: AdamOptions): void {
    const [theta, g, first, second] = vectors(parameters, gradient, m, v)
    adamStep(theta, g, first, second, options)
  }

  gae(input: GaeInput, options: GaeOptions, advantages: Tensor, returns: Tensor): void {
    const { steps, envs, ends } = input
    const columns = vectors(input.rewards, input.values, input.nextValues, advantages, returns)
    const [rewards, values, nextValues, outAdvantages, outReturns] = columns
    const endings = typed(ends, 'u8')
    for (const { length } of [rewards, endings])
      if (length !== steps * envs)
        throw new RangeError(`${length} elements for ${steps} steps of ${envs} environments`)
    const rollout = { steps, envs, rewards, values, nextValues, ends: endings }
    const result = generalisedAdvantages(rollout, options)
    outAdvantages.set(result.advantages)
    outReturns.set(result.returns)
  }
}

/** out[i] = f(out[i], inputs[0][i], inputs[1][i], ...), rounded once. */
function combine(out: Tensor, inputs: readonly Tensor[], f: (...values: number[]) => number): void {
  const [target, ...sources] = vectors(out, ...inputs)
  for (let i = 0; i < target.length; i++) target[i] = f(target[i], ...sources.map((source) => source[i]))
}
