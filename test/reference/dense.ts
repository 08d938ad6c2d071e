/**
 * Oracle of the tests: the reference device's f64 functions of a row, with random inputs, error bounds and finite
 * differences.
 */
import { ACTIVATE } from '../../src/devices/reference/activation.js'
import { inputStage, layerNorm, linear } from '../../src/devices/reference/layers.js'
import type { NetworkSpec } from '../../src/nn/spec.js'
import { generator } from '../kernels/harness.js'

export { ACTIVATE, DERIVATIVE } from '../../src/devices/reference/activation.js'
export { deviation, gaussianKl, logProb, surrogate } from '../../src/devices/reference/gaussian.js'
export { inputStage, inputStageAdjoint, layerNorm, linear } from '../../src/devices/reference/layers.js'
export { huber, valueLoss } from '../../src/devices/reference/value.js'
export { dot, moments, sum } from '../../src/devices/reference/vectors.js'

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

export const largest = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((most, v) => Math.max(most, Math.abs(v)), 0)

/** Rows of a row-major matrix. */
export function rowsOf(matrix: ArrayLike<number>, width: number): number[][] {
  const flat = Array.from(matrix)
  return Array.from({ length: flat.length / width }, (_, r) => flat.slice(r * width, (r + 1) * width))
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

/**
 * A network's output for one raw row, from the flat parameters in the documented order.
 * @param agent id of the row, where the network's ids differ by row
 */
export function forward(
  spec: NetworkSpec,
  parameters: ArrayLike<number>,
  raw: ArrayLike<number>,
  agent = 0,
): ForwardResult {
  const take = reader(parameters)
  const { agentId, standardise } = spec.input
  const id = agentId && { index: agentId.index ?? agent, count: agentId.count }
  let x = inputStage({ agentId: id, standardise }, raw)
  if (spec.input.layerNorm) x = layerNorm(x, take(x.length), take(x.length))
  for (const units of spec.hidden) {
    const weight = take(units * x.length)
    const z = linear(x, weight, take(units))
    x = layerNorm(z.map(ACTIVATE[spec.activation]), take(units), take(units))
  }
  const [logStd = []] = spec.head.vectors.map(({ size }) => take(size))
  const weight = take(spec.head.size * x.length)
  return { output: linear(x, weight, take(spec.head.size)), logStd }
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
