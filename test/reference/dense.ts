/** Plain f64 code that the dense kernels and the learners are held against. Nothing in it is shared with them. */
import type { Activation } from '../../src/devices/steps.js'
import type { NetworkSpec } from '../../src/nn/spec.js'
import { generator } from '../kernels/harness.js'
import { erf } from '../kernels/reference.js'

/** Unit roundoff of f32: a rounded result is within U of the exact one, relatively. */
export const U = 2 ** -24

/** Bound on the relative error of an f32 sum of n rounded products, in any order (Higham 2002, section 3.1). */
export const gamma = (n: number): number => ((n + 1) * U) / (1 - (n + 1) * U)

/** n normal numbers (Box and Muller), rounded to f32. */
export function normals(n: number, seed: number, scale = 1): Float32Array {
  const random = generator(seed)
  return Float32Array.from({ length: n }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - random()))
    return scale * radius * Math.cos(2 * Math.PI * random())
  })
}

export const sum = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((total, v) => total + v, 0)

export const dot = (x: ArrayLike<number>, y: ArrayLike<number>): number =>
  Array.from(x).reduce((total, v, i) => total + v * y[i], 0)

export const largest = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((most, v) => Math.max(most, Math.abs(v)), 0)

/** Rows of a row-major matrix. */
export function rowsOf(matrix: ArrayLike<number>, width: number): number[][] {
  const flat = Array.from(matrix)
  return Array.from({ length: flat.length / width }, (_, r) => flat.slice(r * width, (r + 1) * width))
}

const SELU_ALPHA = 1.6732632423543772
const SELU_SCALE = 1.0507009873554805
const sigmoid = (z: number) => 1 / (1 + Math.exp(-z))
const normalCdf = (z: number) => 0.5 * (1 + erf(z / Math.SQRT2))

export const ACTIVATE: Readonly<Record<Activation, (z: number) => number>> = {
  relu: (z) => Math.max(z, 0),
  tanh: Math.tanh,
  elu: (z) => (z > 0 ? z : Math.expm1(z)),
  gelu: (z) => z * normalCdf(z),
  silu: (z) => z * sigmoid(z),
  leakyRelu: (z) => (z > 0 ? z : 0.01 * z),
  selu: (z) => SELU_SCALE * (z > 0 ? z : SELU_ALPHA * Math.expm1(z)),
  sigmoid,
}

/** Population mean and variance. */
export function moments(x: ArrayLike<number>): { mean: number; variance: number } {
  const mean = sum(x) / x.length
  return { mean, variance: sum(Array.from(x, (v) => (v - mean) * (v - mean))) / x.length }
}

export function layerNorm(x: ArrayLike<number>, gain: ArrayLike<number>, bias: ArrayLike<number>): number[] {
  const { mean, variance } = moments(x)
  return Array.from(x, (v, i) => (gain[i] * (v - mean)) / Math.sqrt(variance + 1e-5) + bias[i])
}

/** weight x + bias with weight [bias.length, x.length]. */
export function linear(x: ArrayLike<number>, weight: ArrayLike<number>, bias: ArrayLike<number>): number[] {
  return Array.from(bias, (b, j) => {
    let total = 0
    for (let i = 0; i < x.length; i++) total += x[i] * weight[j * x.length + i]
    return total + b
  })
}

export function inputStage(spec: NetworkSpec['input'], raw: ArrayLike<number>): number[] {
  const { agentId } = spec
  const row = Array.from(raw)
  for (let i = 0; agentId && i < agentId.count; i++) row.push(i === agentId.index ? 1 : 0)
  if (!spec.standardise) return row
  const { mean, variance } = moments(row)
  return row.map((v) => (variance > 0 ? (v - mean) / Math.sqrt(variance) : 0))
}

/** Reads a flat parameter vector from its front to its back. */
function reader(parameters: ArrayLike<number>): (n: number) => number[] {
  const flat = Array.from(parameters)
  let at = 0
  return (n) => flat.slice(at, (at += n))
}

export interface ForwardResult {
  readonly output: number[]
  readonly logStd: number[]
}

/** A network's output for one raw row, from the flat parameters in the documented order. */
export function forward(
  spec: NetworkSpec,
  parameters: ArrayLike<number>,
  raw: ArrayLike<number>,
): ForwardResult {
  const take = reader(parameters)
  let x = inputStage(spec.input, raw)
  if (spec.input.layerNorm) x = layerNorm(x, take(x.length), take(x.length))
  for (const units of spec.hidden) {
    const weight = take(units * x.length)
    const z = linear(x, weight, take(units))
    x = layerNorm(z.map(ACTIVATE[spec.activation]), take(units), take(units))
  }
  const logStd = spec.head.kind === 'gaussian' ? take(spec.head.size) : []
  const weight = take(spec.head.size * x.length)
  return { output: linear(x, weight, take(spec.head.size)), logStd }
}

export const deviation = (logStd: number, x: number, y: number): number => y * sigmoid(logStd / x)

/** log N(action; mean, diag(sigma^2)). */
export function logProb(
  action: ArrayLike<number>,
  mean: ArrayLike<number>,
  sigma: ArrayLike<number>,
): number {
  return sum(
    Array.from(sigma, (s, j) => {
      const z = (action[j] - mean[j]) / s
      return -0.5 * z * z - Math.log(s) - 0.5 * Math.log(2 * Math.PI)
    }),
  )
}

/** KL(N(mean0, sigma0^2) || N(mean1, sigma1^2)) of diagonal Gaussians. */
export function gaussianKl(
  mean0: ArrayLike<number>,
  sigma0: ArrayLike<number>,
  mean1: ArrayLike<number>,
  sigma1: ArrayLike<number>,
): number {
  return sum(
    Array.from(sigma0, (s, j) => {
      const d = mean0[j] - mean1[j]
      const variance = sigma1[j] * sigma1[j]
      return Math.log(sigma1[j] / s) + (s * s + d * d) / (2 * variance) - 0.5
    }),
  )
}

/** What one sample adds to the surrogate: ratio M, or with a clip range the clipped one. */
export function surrogate(ratio: number, m: number, clip: number | null): number {
  if (clip === null) return ratio * m
  return Math.min(ratio * m, Math.min(Math.max(ratio, 1 - clip), 1 + clip) * m)
}

export const huber = (error: number, delta: number): number =>
  Math.abs(error) <= delta ? 0.5 * error * error : delta * (Math.abs(error) - 0.5 * delta)

/** max(huber, huber of the value clipped around the old one). */
export function valueLoss(
  v: number,
  old: number,
  target: number,
  clip: number | null,
  delta: number,
): number {
  const loss = huber(target - v, delta)
  if (clip === null) return loss
  const clipped = old + Math.min(Math.max(v - old, -clip), clip)
  return Math.max(loss, huber(target - clipped, delta))
}

/** d f(x + t v) / dt at 0 by central differences of order 4: the error is O(h^4) beside rounding / h. */
export function directional(f: (t: number) => number[], h = 1e-4): number[] {
  const [a, b, c, d] = [f(-2 * h), f(-h), f(h), f(2 * h)]
  return a.map((_, i) => (a[i] - 8 * b[i] + 8 * c[i] - d[i]) / (12 * h))
}

/** The gradient of a scalar function by central differences of order 4. */
export function gradient(f: (x: Float64Array) => number, at: ArrayLike<number>, h = 1e-4): Float64Array {
  const x = Float64Array.from(at)
  return x.map((value, i) => {
    const [slope] = directional((t) => {
      x[i] = value + t
      const result = f(x)
      x[i] = value
      return [result]
    }, h)
    return slope
  })
}
