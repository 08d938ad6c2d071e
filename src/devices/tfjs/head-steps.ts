import type { HeadStep } from '../head-steps.js'
import type { Tensor } from '../tensor.js'
import { placed, type PassSteps } from './network-steps.js'
import type { Pass } from './pass.js'
import type { TfTensor } from './tensorflow.js'

/** Steps of heads in Fisher products, which conjugate gradients repeat. */
type FisherStep = Extract<HeadStep, { op: 'gaussianFisher' | 'categoricalFisher' }>

export const FISHER_STEPS: PassSteps<FisherStep> = {
  /** 1 / sigma^2 for the mean, 2 (d log sigma / d log_std)^2 for log_std. */
  gaussianFisher({ dmean, dlogStd, table, size, weight, gmean, logStd }, pass) {
    const { tf } = pass
    const rows = tableOf(pass, table, size)
    const [precision, diagonal] = [rows.map((row) => row[2]), rows.map((row) => 2 * row[3] * row[3])].map(
      (values) => tf.tensor1d(Float32Array.from(values), 'float32'),
    )
    const weights = pass.matrix(weight, 1)
    const result = tf.mul(tf.mul(pass.matrix(dmean, size), precision), weights)
    const total = tf.mul(tf.sum(weights, 0, false), tf.mul(pass.parameters(dlogStd, size), diagonal))
    pass.gradient.add(logStd, total)
    pass.put(gmean, size, result)
  },

  /** weight (diag(p) - p p') dlogits */
  categoricalFisher({ logits, dlogits, weight, glogits, ...columns }, pass) {
    const { tf, rows } = pass
    const { before, count, after } = columns
    const [z, d] = [logits, dlogits].map((matrix) =>
      tf.slice(pass.matrix(matrix, before + count + after), [0, before], [rows, count]),
    )
    const p = probabilities(pass, z)
    const mean = tf.sum(tf.mul(p, d), 1, true)
    const weights = tf.tile(pass.matrix(weight, 1), [1, count])
    const product = tf.mul(weights, tf.mul(p, tf.sub(d, mean)))
    const result = tf.where(tf.notEqual(weights, 0), product, tf.zerosLike(product))
    pass.put(glogits, before + count + after, placed(pass, result, glogits, columns))
  },
}

/** Rows of a table [size, 4]. @throws RangeError for a table of another size */
function tableOf(pass: Pass, table: Tensor, size: number): number[][] {
  const values = pass.own(table, 'f64').host
  if (values.length !== 4 * size) throw new RangeError(`a table of ${values.length} for ${size} dimensions`)
  return Array.from({ length: size }, (_, j) => Array.from(values.subarray(4 * j, 4 * j + 4)))
}

/** Probabilities of logits [rows, count], or zeros if no choice is available. */
function probabilities({ tf }: Pass, z: TfTensor): TfTensor {
  const high = tf.max(z, 1, true)
  const none = tf.where(tf.greater(high, -Infinity), high, tf.zerosLike(high))
  const terms = tf.exp(tf.sub(z, none))
  const total = tf.sum(terms, 1, true)
  // Terms of a row without an available choice are 0.
  return tf.div(terms, tf.where(tf.greater(total, 0), total, tf.onesLike(total)))
}
