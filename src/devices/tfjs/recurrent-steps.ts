import type { RecurrentStep } from '../recurrent-steps.js'
import { placed, type PassSteps } from './network-steps.js'
import type { Pass } from './pass.js'
import type { TfTensor } from './tensorflow.js'

/**
 * Steps of recurrent layers. All chunks advance in time together. A matrix [rows, width] is [chunks, chunk, width].
 */
export const RECURRENT_STEPS: PassSteps<RecurrentStep> = {
  gru(
    { x, states, starts, weight, bias, before, linked, gates, out, next, width, chunk, below, above },
    pass,
  ) {
    const { tf } = pass
    const time = new Time(pass, chunk)
    const all = (below + 1 + above) * width
    const inputs = pass.matrix(x, 3 * width)
    const own = tf.slice(pass.matrix(states, all), [0, below * width], [pass.rows, width])
    const resets = starts && pass.matrix(starts, 1)
    const transposed = tf.transpose(pass.parameters(weight, 3 * width * width, [3 * width, width]))
    const shift = pass.parameters(bias, 3 * width)
    const zero = tf.zeros([time.chunks, width])
    const kept: Record<'h' | 'link' | 'gates' | 'out', TfTensor[]> = { h: [], link: [], gates: [], out: [] }
    for (let t = 0; t < chunk; t++) {
      const reset = resets && tf.notEqual(time.at(resets, t, 1), 0)
      const last = t > 0 ? kept.out[t - 1] : time.at(own, 0, width)
      const h = reset ? tf.where(wide(pass, reset, width), zero, last) : last
      const link = t > 0 ? tf.ones([time.chunks, 1]) : tf.zeros([time.chunks, 1])
      kept.link.push(reset ? tf.where(reset, tf.zerosLike(link), link) : link)
      const [xr, xz, xn] = parts(pass, time.at(inputs, t, 3 * width), width)
      const [ur, uz, q] = parts(pass, tf.fused.matMul({ a: h, b: transposed, bias: shift }), width)
      const r = tf.sigmoid(tf.add(xr, ur))
      const z = tf.sigmoid(tf.add(xz, uz))
      const n = tf.tanh(tf.add(xn, tf.mul(r, q)))
      kept.h.push(h)
      kept.gates.push(tf.concat([r, z, q, n], 1))
      kept.out.push(tf.add(tf.mul(tf.sub(tf.onesLike(z), z), n), tf.mul(z, h)))
    }
    const result = time.join(kept.out, width)
    const moved =
      next && placed(pass, result, next, { before: below * width, count: width, after: above * width })
    pass.put(before, width, time.join(kept.h, width))
    pass.put(linked, 1, time.join(kept.link, 1))
    pass.put(gates, 4 * width, time.join(kept.gates, 4 * width))
    pass.put(out, width, result)
    if (next && moved) pass.put(next, all, moved)
  },

  gruTangent({ dx, product, weight, before, linked, gates, out, width, chunk }, pass) {
    const { tf } = pass
    const time = new Time(pass, chunk)
    const [inputs, given] = [pass.matrix(dx, 3 * width), pass.matrix(product, 3 * width)]
    const [states, links, all] = [
      pass.matrix(before, width),
      pass.matrix(linked, 1),
      pass.matrix(gates, 4 * width),
    ]
    const transposed = tf.transpose(pass.parameters(weight, 3 * width * width, [3 * width, width]))
    const zero = tf.zeros([time.chunks, width])
    const moved: TfTensor[] = []
    for (let t = 0; t < chunk; t++) {
      const link = wide(pass, tf.notEqual(time.at(links, t, 1), 0), width)
      const dh = t > 0 ? tf.where(link, moved[t - 1], zero) : zero
      const total = tf.add(time.at(given, t, 3 * width), tf.matMul(dh, transposed))
      const [xr, xz, xn] = parts(pass, time.at(inputs, t, 3 * width), width)
      const [ur, uz, dq] = parts(pass, total, width)
      const [r, z, q, n] = parts(pass, time.at(all, t, 4 * width), width)
      const dr = tf.mul(logisticSlope(pass, r), tf.add(xr, ur))
      const dz = tf.mul(logisticSlope(pass, z), tf.add(xz, uz))
      const within = tf.add(xn, tf.add(tf.mul(dr, q), tf.mul(r, dq)))
      const dn = tf.mul(tf.sub(tf.onesLike(n), tf.square(n)), within)
      const rest = tf.add(tf.mul(dz, tf.sub(time.at(states, t, width), n)), tf.mul(z, dh))
      moved.push(tf.add(tf.mul(tf.sub(tf.onesLike(z), z), dn), rest))
    }
    pass.put(out, width, time.join(moved, width))
  },

  gruAdjoint({ g, weight, before, linked, gates, gx, product, width, chunk }, pass) {
    const { tf } = pass
    const time = new Time(pass, chunk)
    const [given, states] = [pass.matrix(g, width), pass.matrix(before, width)]
    const [links, all] = [pass.matrix(linked, 1), pass.matrix(gates, 4 * width)]
    const matrix = pass.parameters(weight, 3 * width * width, [3 * width, width])
    const [inputs, products]: TfTensor[][] = [[], []]
    /** Adjoint of the state after step t, from the steps after it. */
    let carried = tf.zeros([time.chunks, width])
    for (let t = chunk - 1; t >= 0; t--) {
      const gh = tf.add(time.at(given, t, width), carried)
      const [r, z, q, n] = parts(pass, time.at(all, t, 4 * width), width)
      const gn = tf.mul(tf.mul(gh, tf.sub(tf.onesLike(z), z)), tf.sub(tf.onesLike(n), tf.square(n)))
      const gz = tf.mul(tf.mul(gh, tf.sub(time.at(states, t, width), n)), logisticSlope(pass, z))
      const gr = tf.mul(tf.mul(gn, q), logisticSlope(pass, r))
      const through = tf.concat([gr, gz, tf.mul(gn, r)], 1)
      inputs.unshift(tf.concat([gr, gz, gn], 1))
      products.unshift(through)
      const back = tf.add(tf.matMul(through, matrix), tf.mul(gh, z))
      const link = wide(pass, tf.notEqual(time.at(links, t, 1), 0), width)
      carried = tf.where(link, back, tf.zerosLike(back))
    }
    pass.put(gx, 3 * width, time.join(inputs, 3 * width))
    pass.put(product, 3 * width, time.join(products, 3 * width))
  },
}

/** Time steps of the chunks of a pass. */
class Time {
  readonly chunks: number
  readonly #pass: Pass
  readonly #chunk: number

  constructor(pass: Pass, chunk: number) {
    this.#pass = pass
    this.#chunk = chunk
    this.chunks = pass.rows / chunk
  }

  /** Step t of a matrix [rows, width], as [chunks, width]. */
  at(matrix: TfTensor, t: number, width: number): TfTensor {
    const { tf } = this.#pass
    const byChunk = tf.reshape(matrix, [this.chunks, this.#chunk * width])
    return tf.slice(byChunk, [0, t * width], [this.chunks, width])
  }

  /** Matrix [rows, width] of all steps. */
  join(steps: readonly TfTensor[], width: number): TfTensor {
    const { tf, rows } = this.#pass
    return tf.reshape(tf.concat(steps, 1), [rows, width])
  }
}

/** Parts of `width` columns each. */
function parts({ tf }: Pass, matrix: TfTensor, width: number): TfTensor[] {
  const [rows, columns] = matrix.shape
  return Array.from({ length: columns / width }, (_, k) => tf.slice(matrix, [0, k * width], [rows, width]))
}

/** s' of the logistic function as a function of its value s. */
function logisticSlope({ tf }: Pass, s: TfTensor): TfTensor {
  return tf.mul(s, tf.sub(tf.onesLike(s), s))
}

/** A column repeated `width` times. */
function wide({ tf }: Pass, column: TfTensor, width: number): TfTensor {
  return tf.tile(column, [1, width])
}
