/**
 * Steps of recurrent layers on the rows of one chunk of time. Arithmetic is f64; results of a step are rounded once.
 */
import type { RecurrentStep } from '../recurrent-steps.js'
import type { Operand, Tensor } from '../tensor.js'
import { sigmoid } from './activation.js'
import { linear, linearAdjoint } from './layers.js'
import { vectors } from './memory.js'

/** Rows of a chunk of a running program. */
export interface ChunkRow {
  /** The row of a matrix [rows, width]. */
  of(operand: Operand, width: number): Float32Array
}

type ChunkSteps = {
  readonly [Op in RecurrentStep['op']]: (
    step: Extract<RecurrentStep, { op: Op }>,
    rows: readonly ChunkRow[],
  ) => void
}

export const CHUNK_STEPS: ChunkSteps = {
  gru({ x, states, starts, weight, bias, before, linked, gates, out, next, width, below, above }, rows) {
    const all = (below + 1 + above) * width
    const own = (matrix: Operand, row: ChunkRow) =>
      row.of(matrix, all).subarray(below * width, (below + 1) * width)
    rows.forEach((row, t) => {
      const resets = starts !== null && row.of(starts, 1)[0] !== 0
      const h = row.of(before, width)
      if (resets) h.fill(0)
      else h.set(t > 0 ? rows[t - 1].of(out, width) : own(states, row))
      row.of(linked, 1)[0] = t > 0 && !resets ? 1 : 0
      const product = linear(h, parameters(weight, 3 * width * width), parameters(bias, 3 * width))
      const [xr, xz, xn] = parts(row.of(x, 3 * width), width)
      const [ur, uz, q] = parts(product, width)
      const r = xr.map((v, i) => sigmoid(v + ur[i]))
      const z = xz.map((v, i) => sigmoid(v + uz[i]))
      const n = xn.map((v, i) => Math.tanh(v + r[i] * q[i]))
      row.of(gates, 4 * width).set([...r, ...z, ...q, ...n])
      row.of(out, width).set(n.map((v, i) => (1 - z[i]) * v + z[i] * h[i]))
      if (next) own(next, row).set(row.of(out, width))
    })
  },

  gruTangent({ dx, product, weight, before, linked, gates, out, width }, rows) {
    rows.forEach((row, t) => {
      const dh: ArrayLike<number> =
        row.of(linked, 1)[0] !== 0 ? rows[t - 1].of(out, width) : new Float64Array(width)
      const total = row.of(product, 3 * width)
      total.set(linear(dh, parameters(weight, 3 * width * width), total))
      const [xr, xz, xn] = parts(row.of(dx, 3 * width), width)
      const [ur, uz, dq] = parts(total, width)
      const [r, z, q, n] = parts(row.of(gates, 4 * width), width)
      const h = row.of(before, width)
      const moved = r.map((_, i) => {
        const dr = r[i] * (1 - r[i]) * (xr[i] + ur[i])
        const dz = z[i] * (1 - z[i]) * (xz[i] + uz[i])
        const dn = (1 - n[i] * n[i]) * (xn[i] + dr * q[i] + r[i] * dq[i])
        return (1 - z[i]) * dn + dz * (h[i] - n[i]) + z[i] * dh[i]
      })
      row.of(out, width).set(moved)
    })
  },

  gruAdjoint({ g, weight, before, linked, gates, gx, product, width }, rows) {
    for (let t = rows.length - 1; t >= 0; t--) {
      const row = rows[t]
      const [gh, h] = [row.of(g, width), row.of(before, width)]
      const [r, z, q, n] = parts(row.of(gates, 4 * width), width)
      const gn = n.map((v, i) => gh[i] * (1 - z[i]) * (1 - v * v))
      const gz = z.map((v, i) => gh[i] * (h[i] - n[i]) * v * (1 - v))
      const gr = r.map((v, i) => gn[i] * q[i] * v * (1 - v))
      row.of(gx, 3 * width).set([...gr, ...gz, ...gn])
      const through = [...gr, ...gz, ...gn.map((v, i) => v * r[i])]
      row.of(product, 3 * width).set(through)
      const back = linearAdjoint(through, parameters(weight, 3 * width * width), width)
      const gbefore = back.map((v, i) => v + gh[i] * z[i])
      if (row.of(linked, 1)[0] === 0) continue
      const earlier = rows[t - 1].of(g, width)
      earlier.set(gbefore.map((v, i) => v + earlier[i]))
    }
  },
}

/** Parts of `width` numbers each. */
function parts(values: ArrayLike<number>, width: number): number[][] {
  const all = Array.from(values)
  return Array.from({ length: all.length / width }, (_, k) => all.slice(k * width, (k + 1) * width))
}

/** Vector of `length` parameters. @throws RangeError for another length */
function parameters(tensor: Tensor, length: number): Float32Array {
  const [values] = vectors(tensor)
  if (values.length !== length)
    throw new RangeError(`${values.length} parameters where ${length} are expected`)
  return values
}
