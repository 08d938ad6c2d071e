import type { Columns } from '../head-steps.js'
import type { Activation, AgentIdInput, NetworkStep, VectorStep } from '../steps.js'
import type { Operand } from '../tensor.js'
import type { Pass } from './pass.js'
import type { TensorFlow, TfTensor } from './tensorflow.js'

/** Implementation of each kind of step on all rows. A step finishes its reads before it writes. */
export type PassSteps<Step extends { readonly op: string }> = {
  readonly [Op in Step['op']]: (step: Extract<Step, { op: Op }>, pass: Pass) => void
}

/** Added to the variance that LayerNorm divides by. */
const EPSILON = 1e-5

/** Steps of networks, and steps on several vectors per row. */
export const NETWORK_STEPS: PassSteps<NetworkStep | VectorStep> = {
  input(step, pass) {
    const { out, size } = step
    pass.put(out, size + (step.agentId?.count ?? 0), inputStage(step, pass).out)
  },

  inputAdjoint(step, pass) {
    const { tf } = pass
    const { g, graw, size, agentId, standardise } = step
    const width = size + (agentId?.count ?? 0)
    const cotangent = pass.matrix(g, width)
    const rest = (full: TfTensor) => tf.slice(full, [0, 0], [pass.rows, size])
    if (!standardise) return pass.put(graw, size, rest(cotangent))
    const { out, deviation, varies } = inputStage(step, pass)
    const slope = tf.div(centred(tf, cotangent, out), deviation)
    pass.put(graw, size, rest(tf.where(varies, slope, tf.zerosLike(slope))))
  },

  gather({ source, index, width, out }, pass) {
    const rows = pass.own(source, 'f32').length / width
    const indices = pass.integers(index)
    for (let r = 0; r < pass.rows; r++)
      if (indices[r] < 0 || indices[r] >= rows)
        throw new RangeError(`row ${indices[r]} of a matrix of ${source.length} elements`)
    const { tf } = pass
    const picked = tf.slice(pass.own(index).tensor, [0], [pass.rows])
    pass.put(out, width, tf.gather(pass.parameters(source, source.length, [rows, width]), picked))
  },

  copy({ x, out, width }, pass) {
    pass.put(out, width, pass.matrix(x, width))
  },

  part({ x, out, before, count, after }, pass) {
    const whole = pass.matrix(x, before + count + after)
    pass.put(out, count, pass.tf.slice(whole, [0, before], [pass.rows, count]))
  },

  place({ x, out, before, count, after }, pass) {
    pass.put(out, before + count + after, placed(pass, pass.matrix(x, count), out, { before, count, after }))
  },

  layerNorm({ x, gamma, beta, xhat, rstd, out, width }, pass) {
    const { tf } = pass
    const input = pass.matrix(x, width)
    const difference = tf.sub(input, tf.mean(input, 1, true))
    const scale = tf.rsqrt(tf.add(tf.mean(tf.square(difference), 1, true), EPSILON))
    const hat = tf.mul(difference, scale)
    const result = tf.add(tf.mul(hat, pass.parameters(gamma, width)), pass.parameters(beta, width))
    if (xhat) pass.put(xhat, width, hat)
    if (rstd) pass.put(rstd, 1, scale)
    pass.put(out, width, result)
  },

  layerNormTangent({ dx, xhat, rstd, gamma, dgamma, dbeta, out, width }, pass) {
    const { tf } = pass
    const hat = pass.matrix(xhat, width)
    const [scale, dscale, dshift] = [gamma, dgamma, dbeta].map((v) => pass.parameters(v, width))
    const kept = tf.add(tf.mul(hat, dscale), dshift)
    if (!dx) return pass.put(out, width, kept)
    const moved = tf.mul(centred(tf, pass.matrix(dx, width), hat), pass.matrix(rstd, 1))
    pass.put(out, width, tf.add(tf.mul(moved, scale), kept))
  },

  layerNormAdjoint({ g, xhat, rstd, gamma, gx, width, repeat = 1 }, pass) {
    const { tf, rows } = pass
    const u = tf.mul(pass.matrix(g, repeat * width, [rows, repeat, width]), pass.parameters(gamma, width))
    const moved = centred(tf, u, pass.matrix(xhat, width, [rows, 1, width]))
    pass.put(gx, repeat * width, tf.mul(moved, pass.matrix(rstd, 1, [rows, 1, 1])))
  },

  layerNormWeights({ g, xhat, width, gamma, beta }, pass) {
    const { tf } = pass
    const cotangent = pass.matrix(g, width)
    pass.gradient.add(gamma, tf.sum(tf.mul(cotangent, pass.matrix(xhat, width)), 0, false))
    pass.gradient.add(beta, tf.sum(cotangent, 0, false))
  },

  linear({ x, inputs, weight, bias, y, outputs, accumulate }, pass) {
    if (accumulate && bias) throw new TypeError('a product that is added to y has no bias')
    const { tf } = pass
    const a = pass.matrix(x, inputs)
    // Backends multiply faster by a matrix that has been transposed beforehand.
    const b = tf.transpose(pass.parameters(weight, outputs * inputs, [outputs, inputs]))
    if (bias) return pass.put(y, outputs, tf.fused.matMul({ a, b, bias: pass.parameters(bias, outputs) }))
    const product = tf.matMul(a, b)
    pass.put(y, outputs, accumulate ? tf.add(pass.matrix(y, outputs), product) : product)
  },

  linearAdjoint({ gy, outputs, weight, gx, inputs, repeat = 1 }, pass) {
    const g = pass.matrix(gy, repeat * outputs, [pass.rows * repeat, outputs])
    const w = pass.parameters(weight, outputs * inputs, [outputs, inputs])
    pass.put(gx, repeat * inputs, pass.tf.matMul(g, w))
  },

  linearWeights({ x, inputs, gy, outputs, weight, bias }, pass) {
    const { tf } = pass
    const g = tf.transpose(pass.matrix(gy, outputs))
    pass.gradient.add(weight, tf.matMul(g, pass.matrix(x, inputs)))
    pass.gradient.add(bias, tf.sum(g, 1, false))
  },

  activation({ z, y, derivative, width, kind }, pass) {
    const { value, slope } = ACTIVATE[kind](pass.tf, pass.matrix(z, width))
    const slopes = derivative && slope()
    pass.put(y, width, value)
    if (derivative && slopes) pass.put(derivative, width, slopes)
  },

  multiply({ a, b, out, width, repeat = 1 }, pass) {
    const { tf, rows } = pass
    const left = pass.matrix(a, repeat * width, [rows, repeat, width])
    pass.put(out, repeat * width, tf.mul(left, pass.matrix(b, width, [rows, 1, width])))
  },

  broadcast({ vector, out, width }, pass) {
    pass.put(out, width, pass.tf.tile(pass.parameters(vector, width, [1, width]), [pass.rows, 1]))
  },

  dotVectors({ vectors, x, count, width, out }, pass) {
    const { tf, rows } = pass
    const all = pass.matrix(vectors, count * width, [rows, count, width])
    const products = tf.sum(tf.mul(all, pass.matrix(x, width, [rows, 1, width])), 2, false)
    pass.put(out, count, tf.add(pass.matrix(out, count), products))
  },

  mixVectors({ vectors, coefficients, count, width, out }, pass) {
    const { tf, rows } = pass
    const all = pass.matrix(vectors, count * width, [rows, count, width])
    const terms = tf.mul(all, pass.matrix(coefficients, count, [rows, count, 1]))
    pass.put(out, width, tf.sum(terms, 1, false))
  },
}

/** v without its components along 1 and along xhat, over the last axis. */
function centred(tf: TensorFlow, v: TfTensor, xhat: TfTensor): TfTensor {
  const last = v.shape.length - 1
  const along = tf.mul(xhat, tf.mean(tf.mul(v, xhat), last, true))
  return tf.sub(tf.sub(v, tf.mean(v, last, true)), along)
}

/** `to` with its columns replaced by x. */
export function placed(pass: Pass, x: TfTensor, to: Operand, { before, count, after }: Columns): TfTensor {
  const { tf, rows } = pass
  if (before + after === 0) return x
  const whole = pass.matrix(to, before + count + after)
  const parts = [x]
  if (before > 0) parts.unshift(tf.slice(whole, [0, 0], [rows, before]))
  if (after > 0) parts.push(tf.slice(whole, [0, before + count], [rows, after]))
  return tf.concat(parts, 1)
}

interface InputStage {
  readonly raw: Operand
  readonly size: number
  readonly agentId: AgentIdInput | null
  readonly standardise: boolean
}

/** raw ++ one-hot id, optionally standardised to (v - mean) / deviation. Constant vectors give zeros. */
function inputStage({ raw, size, agentId, standardise }: InputStage, pass: Pass) {
  const { tf } = pass
  const own = pass.matrix(raw, size)
  const row = agentId ? tf.concat([own, oneHot(agentId, pass)], 1) : own
  if (!standardise) return { out: row, deviation: row, varies: row }
  // Differences of close elements are exact. Their mean is then small, and so is its rounding error.
  const shifted = tf.sub(row, tf.slice(row, [0, 0], [pass.rows, 1]))
  const difference = tf.sub(shifted, tf.mean(shifted, 1, true))
  const deviation = tf.sqrt(tf.mean(tf.square(difference), 1, true))
  // The rounded mean of equal numbers may differ from them. Their range is exactly 0.
  const width = size + (agentId?.count ?? 0)
  const range = tf.sub(tf.max(row, 1, true), tf.min(row, 1, true))
  const varies = tf.tile(tf.greater(range, 0), [1, width])
  const out = tf.div(difference, deviation)
  return { out: tf.where(varies, out, tf.zerosLike(out)), deviation, varies }
}

function oneHot(id: AgentIdInput, pass: Pass): TfTensor {
  const { tf, rows } = pass
  const indices =
    'index' in id
      ? tf.tensor1d(new Int32Array(rows).fill(id.index), 'int32')
      : tf.slice(pass.own(id.indices, 'i32').tensor, [0], [rows])
  // Not every backend respects a type argument of `oneHot`.
  return tf.cast(tf.oneHot(indices, id.count), 'float32')
}

const SELU_ALPHA = 1.6732632423543772
const SELU_SCALE = 1.0507009873554805
const LEAKY_SLOPE = 0.01
const ROOT_HALF = 0.7071067811865476
const ROOT_TAU = 2.5066282746310002

/** f(z) and f'(z). At a kink, the derivative from the left. */
const ACTIVATE: Readonly<
  Record<Activation, (tf: TensorFlow, z: TfTensor) => { value: TfTensor; slope: () => TfTensor }>
> = {
  relu: (tf, z) => ({ value: tf.relu(z), slope: () => tf.step(z, 0) }),
  tanh: (tf, z) => {
    const value = tf.tanh(z)
    return { value, slope: () => tf.sub(tf.onesLike(z), tf.square(value)) }
  },
  elu: (tf, z) => {
    const value = tf.elu(z)
    return { value, slope: () => above(tf, z, tf.onesLike(z), tf.add(value, 1)) }
  },
  gelu: (tf, z) => {
    const cdf = tf.mul(tf.add(tf.erf(tf.mul(z, ROOT_HALF)), 1), 0.5)
    const density = () => tf.div(tf.exp(tf.mul(tf.square(z), -0.5)), ROOT_TAU)
    return { value: tf.mul(z, cdf), slope: () => tf.add(cdf, tf.mul(z, density())) }
  },
  silu: (tf, z) => {
    const s = tf.sigmoid(z)
    const rest = () => tf.add(tf.mul(z, tf.sub(tf.onesLike(z), s)), 1)
    return { value: tf.mul(z, s), slope: () => tf.mul(s, rest()) }
  },
  leakyRelu: (tf, z) => {
    const slope = tf.step(z, LEAKY_SLOPE)
    return { value: tf.mul(z, slope), slope: () => slope }
  },
  selu: (tf, z) => {
    const value = above(tf, z, tf.mul(z, SELU_SCALE), tf.mul(tf.elu(z), SELU_SCALE * SELU_ALPHA))
    const scale = tf.mul(tf.onesLike(z), SELU_SCALE)
    return { value, slope: () => above(tf, z, scale, tf.add(value, SELU_SCALE * SELU_ALPHA)) }
  },
  sigmoid: (tf, z) => {
    const value = tf.sigmoid(z)
    return { value, slope: () => tf.mul(value, tf.sub(tf.onesLike(z), value)) }
  },
}

/** a where z > 0, otherwise b. */
function above(tf: TensorFlow, z: TfTensor, a: TfTensor, b: TfTensor): TfTensor {
  return tf.where(tf.greater(z, 0), a, b)
}
