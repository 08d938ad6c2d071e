/** Steps of a program on one row. Arithmetic is f64; what a step writes is rounded to f32 once. */
import type { AgentIdInput, RowStep } from '../steps.js'
import type { Operand, Tensor } from '../tensor.js'
import { ACTIVATE, DERIVATIVE } from './activation.js'
import * as gaussian from './gaussian.js'
import * as layers from './layers.js'
import { typed, vectors } from './memory.js'
import { normal } from './random.js'
import { valueLoss, valueLossSlope } from './value.js'
import { dot, sum } from './vectors.js'

/** One row of a running program. */
export interface Row {
  readonly index: number
  /** The row of a matrix [rows, width]. */
  of(operand: Operand, width: number): Float32Array
  /** Adds `values` to the sum over rows of the parameters' gradients, from `offset` on. */
  addGradient(offset: number, values: ArrayLike<number>): void
  addSum(name: string, value: number): void
}

type RowSteps = { readonly [Op in RowStep['op']]: (step: Extract<RowStep, { op: Op }>, row: Row) => void }

export const ROW_STEPS: RowSteps = {
  // Input stage.

  input({ raw, size, agentId, standardise, out }, row) {
    const id = idOf(agentId, row)
    row
      .of(out, size + (id?.count ?? 0))
      .set(layers.inputStage({ agentId: id, standardise }, row.of(raw, size)))
  },

  inputAdjoint({ raw, size, agentId, standardise, g, graw }, row) {
    const id = idOf(agentId, row)
    const cotangent = row.of(g, size + (id?.count ?? 0))
    const gradient = layers.inputStageAdjoint({ agentId: id, standardise }, row.of(raw, size), cotangent)
    row.of(graw, size).set(gradient)
  },

  gather({ source, index, width, out }, row) {
    const from = integer(index, row) * width
    const type = source.type === 'i32' ? 'i32' : 'f32'
    const picked = typed(source, type).subarray(from, from + width)
    if (picked.length !== width)
      throw new RangeError(`row ${from / width} of a matrix of ${source.length} elements`)
    if (type === 'f32') row.of(out, width).set(picked)
    else typed(out as Tensor, type).set(picked, row.index * width)
  },

  copy({ x, out, width }, row) {
    row.of(out, width).set(row.of(x, width))
  },

  // Layers.

  layerNorm({ x, gamma, beta, xhat, rstd, out, width }, row) {
    const input = row.of(x, width)
    const kept = layers.normaliseRow(input)
    row.of(out, width).set(layers.layerNorm(input, vector(gamma, width), vector(beta, width)))
    if (xhat) row.of(xhat, width).set(kept.xhat)
    if (rstd) row.of(rstd, 1)[0] = kept.rstd
  },

  layerNormTangent({ dx, xhat, rstd, gamma, dgamma, dbeta, out, width }, row) {
    const kept = { xhat: row.of(xhat, width), rstd: row.of(rstd, 1)[0] }
    const [scale, dscale, dshift] = [gamma, dgamma, dbeta].map((v) => vector(v, width))
    const tangent = layers.layerNormTangent(dx && row.of(dx, width), kept, scale, dscale, dshift)
    row.of(out, width).set(tangent)
  },

  layerNormAdjoint({ g, xhat, rstd, gamma, gx, width, repeat = 1 }, row) {
    const kept = { xhat: row.of(xhat, width), rstd: row.of(rstd, 1)[0] }
    const scale = vector(gamma, width)
    row
      .of(gx, repeat * width)
      .set(split(row.of(g, repeat * width), repeat).flatMap((v) => layers.layerNormAdjoint(v, kept, scale)))
  },

  /** ggamma = g xhat, gbeta = g */
  layerNormWeights({ g, xhat, width, gamma, beta }, row) {
    const [cotangent, hat] = [row.of(g, width), row.of(xhat, width)]
    row.addGradient(
      gamma,
      Float64Array.from(cotangent, (v, i) => v * hat[i]),
    )
    row.addGradient(beta, cotangent)
  },

  linear({ x, inputs, weight, bias, y, outputs, accumulate }, row) {
    if (accumulate && bias) throw new TypeError('a product that is added to y has no bias')
    const [out, zero] = [row.of(y, outputs), new Float32Array(outputs)]
    const added = accumulate ? out : bias ? vector(bias, outputs) : zero
    out.set(layers.linear(row.of(x, inputs), vector(weight, outputs * inputs), added))
  },

  linearAdjoint({ gy, outputs, weight, gx, inputs, repeat = 1 }, row) {
    const matrix = vector(weight, outputs * inputs)
    row
      .of(gx, repeat * inputs)
      .set(
        split(row.of(gy, repeat * outputs), repeat).flatMap((v) => layers.linearAdjoint(v, matrix, inputs)),
      )
  },

  /** gw = gy x', gbias = gy */
  linearWeights({ x, inputs, gy, outputs, weight, bias }, row) {
    const [input, cotangent] = [row.of(x, inputs), row.of(gy, outputs)]
    row.addGradient(weight, layers.outer(cotangent, input))
    row.addGradient(bias, cotangent)
  },

  activation({ z, y, derivative, width, kind }, row) {
    const input = row.of(z, width)
    // Before y, which may be z.
    if (derivative) row.of(derivative, width).set(Array.from(input, DERIVATIVE[kind]))
    row.of(y, width).set(Array.from(input, ACTIVATE[kind]))
  },

  multiply({ a, b, out, width, repeat = 1 }, row) {
    const [left, right] = [row.of(a, repeat * width), row.of(b, width)]
    row.of(out, repeat * width).set(left.map((v, i) => v * right[i % width]))
  },

  // Several vectors per row.

  broadcast({ vector: source, out, width }, row) {
    row.of(out, width).set(vector(source, width))
  },

  dotVectors({ vectors: all, x, count, width, out }, row) {
    const [sums, input] = [row.of(out, count), row.of(x, width)]
    const products = split(row.of(all, count * width), count).map((v) => dot(v, input))
    sums.set(products.map((product, k) => sums[k] + product))
  },

  mixVectors({ vectors: all, coefficients, count, width, out }, row) {
    const [parts, u] = [split(row.of(all, count * width), count), row.of(coefficients, count)]
    row.of(out, width).set(Array.from({ length: width }, (_, i) => sum(parts.map((v, k) => u[k] * v[i]))))
  },

  // Diagonal Gaussian.

  gaussianLogProb({ mean, action, table, size, logProb }, row) {
    const sigma = column(table, size, 'sigma')
    row.of(logProb, 1)[0] = gaussian.logProb(row.of(action, size), row.of(mean, size), sigma)
  },

  gaussianSample({ mean, table, size, seed, purpose, streams, steps, action, logProb }, row) {
    const [mu, sigma] = [row.of(mean, size), column(table, size, 'sigma')]
    const key = { seed, purpose, stream: integer(streams, row), step: integer(steps, row) }
    const drawn = row.of(action, size)
    drawn.set(Array.from(mu, (v, j) => v + sigma[j] * normal(key, j)))
    row.of(logProb, 1)[0] = gaussian.logProb(drawn, mu, sigma)
  },

  gaussianSurrogate(step, row) {
    const { mean, table, size, action, oldLogProb, factor, weight, clip, gradient, logProb, sums } = step
    const [mu, a, sigma] = [row.of(mean, size), row.of(action, size), column(table, size, 'sigma')]
    // Rounded as the old one is: the ratio is exactly 1 at the old parameters.
    const newLogProb = Math.fround(gaussian.logProb(a, mu, sigma))
    if (logProb) row.of(logProb, 1)[0] = newLogProb
    const w = row.of(weight, 1)[0]
    if (w === 0) {
      if (gradient) row.of(gradient.mean, size).fill(0)
      return
    }
    const [ratio, m] = [Math.exp(newLogProb - row.of(oldLogProb, 1)[0]), row.of(factor, 1)[0]]
    row.addSum(sums[0], w * gaussian.surrogate(ratio, m, clip))
    row.addSum(sums[1], w)
    row.addSum(sums[2], gaussian.isClipped(ratio, clip) ? w : 0)
    if (!gradient) return
    const g = w * gaussian.surrogateSlope(ratio, m, clip)
    const slope = column(table, size, 'slope')
    const byLogSigma = gaussian.logProbByLogSigma(a, mu, sigma)
    row.of(gradient.mean, size).set(gaussian.logProbByMean(a, mu, sigma).map((v) => g * v))
    row.addGradient(
      gradient.logStd,
      byLogSigma.map((v, j) => g * v * slope[j]),
    )
  },

  gaussianKl({ oldMean, oldTable, mean, table, size, weight, sums }, row) {
    const w = row.of(weight, 1)[0]
    if (w === 0) return
    const [oldSigma, sigma] = [column(oldTable, size, 'sigma'), column(table, size, 'sigma')]
    row.addSum(sums[0], w * gaussian.gaussianKl(row.of(oldMean, size), oldSigma, row.of(mean, size), sigma))
    row.addSum(sums[1], w)
  },

  /** 1 / sigma^2 for the mean, 2 (d log sigma / d log_std)^2 for log_std. */
  gaussianFisher({ dmean, dlogStd, table, size, weight, gmean, logStd }, row) {
    const w = row.of(weight, 1)[0]
    const [precision, slope] = [column(table, size, 'precision'), column(table, size, 'slope')]
    const dlog = vector(dlogStd, size)
    row.of(gmean, size).set(Array.from(row.of(dmean, size), (v, j) => w * precision[j] * v))
    row.addGradient(
      logStd,
      slope.map((v, j) => w * 2 * v * v * dlog[j]),
    )
  },

  gaussianFisherRoot({ table, size, column: k, weight, gmean }, row) {
    const precision = column(table, size, 'precision')
    const root = row.of(gmean, size).fill(0)
    root[k] = Math.sqrt(row.of(weight, 1)[0] * precision[k])
  },

  // Critic.

  valueLoss({ value, old, target, weight, clip, huberDelta, gvalue, sums }, row) {
    const [v, before, goal, w] = [value, old, target, weight].map((column) => row.of(column, 1)[0])
    const counts = w !== 0
    row.addSum(sums[0], counts ? w * valueLoss(v, before, goal, clip, huberDelta) : 0)
    row.addSum(sums[1], w)
    row.of(gvalue, 1)[0] = counts ? w * valueLossSlope(v, before, goal, clip, huberDelta) : 0
  },
}

/** Parts of equal length. */
function split(values: Float32Array, count: number): Float32Array[] {
  const width = values.length / count
  return Array.from({ length: count }, (_, k) => values.subarray(k * width, (k + 1) * width))
}

/** Vector of `length` parameters. @throws RangeError for another length */
export function vector(tensor: Tensor, length: number): Float32Array {
  const [values] = vectors(tensor)
  if (values.length !== length)
    throw new RangeError(`${values.length} parameters where ${length} are expected`)
  return values
}

/** Element of an i32 column. @throws RangeError where the column has no such row */
function integer(tensor: Tensor, { index }: Row): number {
  const values = typed(tensor, 'i32')
  if (index >= values.length) throw new RangeError(`row ${index} of a column of ${values.length} elements`)
  return values[index]
}

function idOf(agentId: AgentIdInput | null, row: Row): { index: number; count: number } | null {
  if (agentId === null || 'index' in agentId) return agentId
  return { index: integer(agentId.indices, row), count: agentId.count }
}

const COLUMNS = { sigma: 0, logSigma: 1, precision: 2, slope: 3 }

/** Column of a table [size, 4]: sigma, log sigma, 1 / sigma^2 or d log sigma / d log_std. */
function column(table: Tensor, size: number, name: keyof typeof COLUMNS): number[] {
  const values = tableOf(table, size)
  return Array.from({ length: size }, (_, j) => values[4 * j + COLUMNS[name]])
}

/** @throws RangeError for a table of another size */
export function tableOf(table: Tensor, size: number): Float64Array {
  const values = typed(table, 'f64') as Float64Array
  if (values.length !== 4 * size) throw new RangeError(`a table of ${values.length} for ${size} dimensions`)
  return values
}
