/** Layers of a network on one row, in f64: each map, its tangent and its adjoint. */
import { dot, moments, sum } from './vectors.js'

type Vector = ArrayLike<number>

/** Added to the variance that LayerNorm divides by. */
const EPSILON = 1e-5

const map = (x: Vector, f: (v: number, i: number) => number): number[] => Array.from(x, f)

/** raw ++ one-hot id, optionally standardised to (v - mean) / s.d. An s.d. of 0 gives zeros. */
export function inputStage(
  { agentId, standardise }: { agentId: { index: number; count: number } | null; standardise: boolean },
  raw: Vector,
): number[] {
  const row = Array.from(raw)
  for (let i = 0; agentId && i < agentId.count; i++) row.push(i === agentId.index ? 1 : 0)
  if (!standardise) return row
  const { mean, variance } = moments(row)
  return row.map((v) => (variance > 0 ? (v - mean) / Math.sqrt(variance) : 0))
}

/**
 * Adjoint of `inputStage` at raw: (g - mean(g) - y mean(g y)) / s with y = (v - mean) / s, without the elements of the
 * id. If s is 0, the stage is the constant 0 and its adjoint is 0.
 */
export function inputStageAdjoint(
  input: { agentId: { index: number; count: number } | null; standardise: boolean },
  raw: Vector,
  g: Vector,
): number[] {
  if (!input.standardise) return Array.from(g).slice(0, raw.length)
  const { variance } = moments(inputStage({ ...input, standardise: false }, raw))
  if (variance === 0) return map(raw, () => 0)
  const y = inputStage(input, raw)
  return centred(g, y)
    .slice(0, raw.length)
    .map((v) => v / Math.sqrt(variance))
}

/** v - mean(v) - xhat mean(v xhat): v without its components along 1 and along xhat. */
function centred(v: Vector, xhat: Vector): number[] {
  const n = v.length
  const [mean, along] = [sum(v) / n, dot(v, xhat) / n]
  return map(v, (value, i) => value - mean - xhat[i] * along)
}

/** xhat = (x - mean) rstd with rstd = 1 / sqrt(variance + eps). */
export function normaliseRow(x: Vector): { xhat: number[]; rstd: number } {
  const { mean, variance } = moments(x)
  const rstd = 1 / Math.sqrt(variance + EPSILON)
  return { xhat: map(x, (v) => (v - mean) * rstd), rstd }
}

/** gamma xhat + beta (Ba, Kiros & Hinton 2016). */
export function layerNorm(x: Vector, gamma: Vector, beta: Vector): number[] {
  return normaliseRow(x).xhat.map((v, i) => gamma[i] * v + beta[i])
}

/** d layerNorm = gamma rstd (dx - mean(dx) - xhat mean(dx xhat)) + dgamma xhat + dbeta, without the first term if dx is null. */
export function layerNormTangent(
  dx: Vector | null,
  { xhat, rstd }: { xhat: Vector; rstd: number },
  gamma: Vector,
  dgamma: Vector,
  dbeta: Vector,
): number[] {
  const moved = dx === null ? map(xhat, () => 0) : centred(dx, xhat)
  return moved.map((v, i) => gamma[i] * rstd * v + dgamma[i] * xhat[i] + dbeta[i])
}

/** gx = rstd (u - mean(u) - xhat mean(u xhat)) with u = gamma g. */
export function layerNormAdjoint(
  g: Vector,
  { xhat, rstd }: { xhat: Vector; rstd: number },
  gamma: Vector,
): number[] {
  return centred(
    map(g, (v, i) => gamma[i] * v),
    xhat,
  ).map((v) => rstd * v)
}

/** w x + bias with w [bias.length, x.length]. */
export function linear(x: Vector, weight: Vector, bias: Vector): number[] {
  return map(bias, (b, j) => {
    let total = 0
    for (let i = 0; i < x.length; i++) total += x[i] * weight[j * x.length + i]
    return total + b
  })
}

/** gx = w' gy with w [gy.length, inputs]. */
export function linearAdjoint(gy: Vector, weight: Vector, inputs: number): number[] {
  const gx = new Array<number>(inputs).fill(0)
  for (let j = 0; j < gy.length; j++) {
    for (let i = 0; i < inputs; i++) gx[i] += gy[j] * weight[j * inputs + i]
  }
  return gx
}

/** a b', row-major [a.length, b.length]. */
export function outer(a: Vector, b: Vector): number[] {
  const product: number[] = []
  for (let j = 0; j < a.length; j++) {
    for (let i = 0; i < b.length; i++) product.push(a[j] * b[i])
  }
  return product
}
