import assert from 'node:assert/strict'
import test from 'node:test'
import { close } from '../reference/close.js'
import {
  directional,
  dot,
  gamma,
  largest,
  layerNorm,
  moments,
  normals,
  rowsOf,
  sum,
  U,
} from '../reference/dense.js'
import { bits, f32, kernels } from './harness.js'

const WIDTHS = [1, 2, 3, 4, 5, 7, 8, 19, 35, 128]
const ROWS = 9

/** Batch with the results of the forward kernel of LayerNorm. */
function batch(n: number, seed: number) {
  const x = f32(normals(ROWS * n, seed, 2).map((v, i) => v + (i % 3)))
  const [gain, bias] = [f32(normals(n, seed + 1)), f32(normals(n, seed + 2))]
  const [xhat, rstd, out] = [f32(ROWS * n), f32(ROWS), f32(ROWS * n)]
  const at = [x, gain, bias, xhat, rstd, out].map((v) => v.byteOffset) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  kernels.layerNorm(...at, n, 0, ROWS)
  return { x, gain, bias, xhat, rstd, out }
}

/**
 * Error of xhat relative to its size in a row. The error of the mean is gamma(n) max|x|. The differences and the sum of
 * squares add gamma(n) and a few roundings. Division by the deviation amplifies all of it by the condition of the row,
 * max|x| / sqrt(variance + eps).
 */
const hatError = (row: number[]) =>
  (3 * gamma(row.length) + 6 * U) *
  (1 + largest(row) / Math.sqrt(moments(row).variance + 1e-5)) *
  (1 + Math.sqrt(row.length))

test('the forward pass normalises each row and stores xhat and 1 / deviation', () => {
  for (const n of WIDTHS) {
    const { x, gain, bias, xhat, rstd, out } = batch(n, n)
    rowsOf(x, n).forEach((row, r) => {
      const bound = hatError(row)
      const ones = row.map(() => 1)
      const part = (v: Float32Array) => v.subarray(r * n, (r + 1) * n)
      close(
        part(xhat),
        layerNorm(
          row,
          ones,
          row.map(() => 0),
        ),
        bound,
        `xhat of width ${n}`,
      )
      const scale = 1 / Math.sqrt(moments(row).variance + 1e-5)
      close([rstd[r]], [scale], bound * scale, `rstd of width ${n}`)
      const grown = bound * (1 + largest(gain)) + 2 * U * (largest(bias) + largest(part(out)))
      close(part(out), layerNorm(row, gain, bias), grown, `out of width ${n}`)
    })
  }
})

test('the forward pass may run in place, onto xhat, and without storing xhat and 1 / deviation', () => {
  for (const n of WIDTHS) {
    const { x, gain, bias, xhat, out } = batch(n, 20 + n)
    for (const keep of [false, true]) {
      const [copy, target] = [f32(x), f32(ROWS * n)]
      const hat = keep ? copy.byteOffset : 0
      const to = keep ? target : copy
      kernels.layerNorm(copy.byteOffset, gain.byteOffset, bias.byteOffset, hat, 0, to.byteOffset, n, 0, ROWS)
      assert.deepEqual(bits(to), bits(out))
      if (keep) assert.deepEqual(bits(copy), bits(xhat))
    }
  }
})

test('a constant row becomes the bias exactly', () => {
  const n = 6
  const [x, gain, bias, out] = [f32(Array<number>(n).fill(4)), f32(normals(n, 1)), f32(normals(n, 2)), f32(n)]
  kernels.layerNorm(x.byteOffset, gain.byteOffset, bias.byteOffset, 0, 0, out.byteOffset, n, 0, 1)
  assert.deepEqual(out, bias)
})

test('the tangent is the derivative along a direction, also of the parameters alone', () => {
  for (const n of WIDTHS) {
    const { x, gain, bias, xhat, rstd } = batch(n, 40 + n)
    const [dx, dgain, dbias, out] = [
      f32(normals(ROWS * n, 5)),
      f32(normals(n, 6)),
      f32(normals(n, 7)),
      f32(ROWS * n),
    ]
    for (const moves of [true, false]) {
      kernels.layerNormTangent(
        moves ? dx.byteOffset : 0,
        xhat.byteOffset,
        rstd.byteOffset,
        gain.byteOffset,
        dgain.byteOffset,
        dbias.byteOffset,
        out.byteOffset,
        n,
        0,
        ROWS,
      )
      rowsOf(x, n).forEach((row, r) => {
        const exact = (t: number) => {
          const moved = row.map((v, i) => (moves ? v + t * dx[r * n + i] : v))
          const at = (p: Float32Array, d: Float32Array) => Array.from(p, (v, i) => v + t * d[i])
          return layerNorm(moved, at(gain, dgain), at(bias, dbias))
        }
        const scale =
          rstd[r] * largest(dx) * largest(gain) * 3 + largest(dgain) * largest(xhat) + largest(dbias)
        close(
          out.subarray(r * n, (r + 1) * n),
          directional(exact),
          hatError(row) * scale * 4 + 1e-9,
          `width ${n}`,
        )
      })
    }
    // In place.
    const copy = f32(dx)
    const at = [xhat, rstd, gain, dgain, dbias].map((v) => v.byteOffset) as [
      number,
      number,
      number,
      number,
      number,
    ]
    kernels.layerNormTangent(dx.byteOffset, ...at, out.byteOffset, n, 0, ROWS)
    kernels.layerNormTangent(copy.byteOffset, ...at, copy.byteOffset, n, 0, ROWS)
    assert.deepEqual(bits(copy), bits(out))
  }
})

test('the adjoint is the transpose of the tangent', () => {
  for (const n of WIDTHS) {
    const { x, gain, xhat, rstd } = batch(n, 60 + n)
    const [dx, zero, out] = [f32(normals(ROWS * n, 8)), f32(n), f32(ROWS * n)]
    const [g, gx] = [f32(normals(ROWS * n, 9)), f32(ROWS * n)]
    const [hat, scale, w] = [xhat.byteOffset, rstd.byteOffset, gain.byteOffset]
    kernels.layerNormTangent(
      dx.byteOffset,
      hat,
      scale,
      w,
      zero.byteOffset,
      zero.byteOffset,
      out.byteOffset,
      n,
      0,
      ROWS,
    )
    kernels.layerNormAdjoint(g.byteOffset, hat, scale, w, gx.byteOffset, n, 1, 0, ROWS)
    rowsOf(x, n).forEach((row, r) => {
      const part = (v: Float32Array) => v.subarray(r * n, (r + 1) * n)
      const size = rstd[r] * largest(gain) * Math.sqrt(dot(part(dx), part(dx)) * dot(part(g), part(g)))
      const [left, right] = [dot(part(out), part(g)), dot(part(dx), part(gx))]
      close([left], [right], 4 * hatError(row) * size, `<J v, g> = <v, J' g> of width ${n}`)
    })
    kernels.layerNormAdjoint(g.byteOffset, hat, scale, w, g.byteOffset, n, 1, 0, ROWS)
    assert.deepEqual(bits(g), bits(gx), 'in place')

    // Rows 2 to 6, each with three vectors.
    const [repeat, count] = [3, 4]
    const several = f32(normals(ROWS * repeat * n, 9))
    const together = f32(ROWS * repeat * n).fill(7)
    const alone = Float32Array.from(together)
    for (let k = 0; k < count * repeat; k++) {
      const at = (2 * repeat + k) * n
      const [one, out] = [f32(ROWS * n), f32(ROWS * n)]
      const r = 2 + Math.floor(k / repeat)
      one.set(several.subarray(at, at + n), r * n)
      kernels.layerNormAdjoint(one.byteOffset, hat, scale, w, out.byteOffset, n, 1, r, r + 1)
      alone.set(out.subarray(r * n, (r + 1) * n), at)
    }
    const step = (from: Float32Array, to: Float32Array) =>
      kernels.layerNormAdjoint(from.byteOffset, hat, scale, w, to.byteOffset, n, repeat, 2, 2 + count)
    step(several, together)
    assert.deepEqual(bits(together), bits(alone), 'vectors of a row')
    step(several, several)
    const inside = [2 * repeat * n, (2 + count) * repeat * n]
    assert.deepEqual(bits(several.subarray(...inside)), bits(alone.subarray(...inside)), 'in place')
  }
})

test('the gradients of gain and bias are f32 sums over ascending rows, to the bit', () => {
  for (const n of WIDTHS) {
    const [g, xhat] = [f32(normals(ROWS * n, 10)), f32(normals(ROWS * n, 11))]
    const [dgain, dbias] = [f32(n + 1).fill(7), f32(n + 1).fill(7)]
    kernels.layerNormWeights(g.byteOffset, xhat.byteOffset, n, 2, ROWS, dgain.byteOffset, dbias.byteOffset, 0)
    for (let j = 0; j < n; j++) {
      let [a, b] = [0, 0]
      for (let r = 2; r < ROWS; r++) {
        a = Math.fround(a + Math.fround(g[r * n + j] * xhat[r * n + j]))
        b = Math.fround(b + g[r * n + j])
      }
      assert.deepEqual([dgain[j], dbias[j]], [a, b])
    }
    assert.deepEqual([dgain[n], dbias[n]], [7, 7], 'nothing is written behind the gradients')
    const [grown, grownBias] = [f32(n + 1).fill(0.3), f32(n + 1).fill(-0.7)]
    const at = [grown.byteOffset, grownBias.byteOffset] as const
    kernels.layerNormWeights(g.byteOffset, xhat.byteOffset, n, 2, ROWS, ...at, 1)
    const plus = (start: number, values: Float32Array) =>
      values.map((v, j) => (j < n ? Math.fround(Math.fround(start) + v) : start))
    assert.deepEqual([grown, grownBias], [plus(0.3, dgain), plus(-0.7, dbias)], 'accumulated')
  }
})

test('the normalised rows have mean 0 and variance 1', () => {
  const { x, xhat } = batch(128, 99)
  rowsOf(xhat, 128).forEach((row, r) => {
    const source = rowsOf(x, 128)[r]
    const bound = hatError(source)
    close([sum(row) / 128], [0], bound, 'mean')
    const { variance } = moments(source)
    close([moments(row).variance], [variance / (variance + 1e-5)], 4 * bound, 'variance')
  })
})
