/** Steps of a program on one row. Arithmetic is f64; results of a step are rounded to f32 once. */
import type { RecurrentStep } from '../recurrent-steps.js'
import type { AgentIdInput, RowStep } from '../steps.js'
import type { Tensor } from '../tensor.js'
import { ACTIVATE, DERIVATIVE } from './activation.js'
import { BOUNDED_STEPS } from './bounded-steps.js'
import { HEAD_STEPS } from './head-steps.js'
import * as layers from './layers.js'
import { typed } from './memory.js'
import { integer, vector, type Row, type RowSteps } from './row.js'
import { valueLoss, valueLossSlope } from './value.js'
import { dot, sum } from './vectors.js'

/** Step with results that depend on one row alone. */
export type SimpleStep = Exclude<RowStep, RecurrentStep>

export const ROW_STEPS: RowSteps<SimpleStep> = {
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
    const { type } = source
    const picked = typed(source, type).subarray(from, from + width)
    if (picked.length !== width)
      throw new RangeError(`row ${from / width} of a matrix of ${source.length} elements`)
    if (type === 'f32') row.of(out, width).set(picked)
    else typed(out as Tensor, type).set(picked, row.index * width)
  },

  copy({ x, out, width }, row) {
    row.of(out, width).set(row.of(x, width))
  },

  part({ x, out, before, count, after }, row) {
    row.of(out, count).set(row.of(x, before + count + after).subarray(before, before + count))
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
    // Before y is written, because y may be z.
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

  place({ x, out, before, count, after }, row) {
    row.of(out, before + count + after).set(row.of(x, count), before)
  },

  // Heads of policies.

  ...BOUNDED_STEPS,

  ...HEAD_STEPS,

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

function idOf(agentId: AgentIdInput | null, row: Row): { index: number; count: number } | null {
  if (agentId === null || 'index' in agentId) return agentId
  return { index: integer(agentId.indices, row), count: agentId.count }
}
