import assert from 'node:assert/strict'
import test from 'node:test'
import { gamma, normals } from '../reference/dense.js'
import { close } from '../reference/close.js'
import { arena, bits, f32, kernels } from './harness.js'

const STORE = 0
const ACCUMULATE = 1
/** Sizes with full panels, remainders and both, in every dimension. */
const SHAPES = [
  [1, 1, 1],
  [2, 3, 5],
  [3, 17, 6],
  [4, 8, 8],
  [5, 19, 128],
  [65, 33, 9],
  [130, 128, 16],
  [67, 12, 31],
  [9, 35, 19],
] as const

function packed(w: Float32Array, n: number, k: number, transposed: boolean): number {
  const [columns, depth] = transposed ? [n, k] : [k, n]
  const bytes = kernels.packedBytes(columns, depth)
  assert.equal(bytes, Math.ceil(columns / 4) * 4 * depth * 4)
  const out = f32(bytes / 4).fill(NaN).byteOffset
  if (transposed) kernels.packTransposed(w.byteOffset, n, k, out, 0, n)
  else kernels.packPlain(w.byteOffset, n, k, out, 0, k)
  return out
}

/** Number of columns of the next panel. */
const panelWidth = (columns: number) => (columns >= 16 ? 16 : columns >= 8 ? 8 : 4)

function panelWidths(columns: number): number[] {
  const width = panelWidth(columns)
  return columns > width ? [width, ...panelWidths(columns - width)] : [width]
}

/** x w' (+ bias): f32 sums over ascending k, with the bias added last. */
function emulated(
  x: Float32Array,
  w: Float32Array,
  last: Float32Array | null,
  rows: number,
  n: number,
  k: number,
) {
  const y = new Float32Array(rows * n)
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < n; j++) {
      let total = 0
      for (let i = 0; i < k; i++) total = Math.fround(total + Math.fround(x[r * k + i] * w[j * k + i]))
      if (last) total = Math.fround(total + last[last.length === n ? j : r * n + j])
      y[r * n + j] = total
    }
  }
  return y
}

test('packing stores columns in panels of 16, 8 and 4, padded with zeros', () => {
  for (const [n, k, widths] of [
    [1, 1, [4]],
    [8, 3, [8]],
    [11, 5, [8, 4]],
    [17, 2, [16, 4]],
    [47, 3, [16, 16, 8, 4, 4]],
    [30, 22, [16, 8, 4, 4]],
  ] as const) {
    const w = f32(normals(n * k, n))
    for (const transposed of [true, false]) {
      const [columns, depth] = transposed ? [n, k] : [k, n]
      const out = arena.f32(packed(w, n, k, transposed), kernels.packedBytes(columns, depth) / 4)
      const expected: number[] = []
      for (let first = 0; first < columns; first += panelWidth(columns - first)) {
        const width = panelWidth(columns - first)
        for (let row = 0; row < depth; row++) {
          for (let column = first; column < first + width; column++)
            expected.push(column < columns ? w[transposed ? column * k + row : row * k + column] : 0)
        }
      }
      assert.deepEqual([...out], expected)
      // The same in two parts.
      if (columns > 16) {
        const parts = f32(expected.length)
        const pack = transposed ? kernels.packTransposed : kernels.packPlain
        pack(w.byteOffset, n, k, parts.byteOffset, 16, columns)
        pack(w.byteOffset, n, k, parts.byteOffset, 0, 16)
        assert.deepEqual([...parts], expected)
      }
    }
    assert.deepEqual(panelWidths(n), widths)
  }
})

test('gemm is an f32 sum over ascending k with the bias last, to the bit', () => {
  for (const [rows, k, n] of SHAPES) {
    const [x, w, bias] = [f32(normals(rows * k, 1)), f32(normals(n * k, 2)), f32(normals(n, 3))]
    const y = f32(rows * n + 1).fill(7)
    const pack = packed(w, n, k, true)
    kernels.gemm(x.byteOffset, k, pack, bias.byteOffset, y.byteOffset, n, 0, rows, STORE)
    assert.deepEqual(bits(y.subarray(0, rows * n)), bits(emulated(x, w, bias, rows, n, k)))
    kernels.gemm(x.byteOffset, k, pack, 0, y.byteOffset, n, 0, rows, STORE)
    assert.deepEqual(bits(y.subarray(0, rows * n)), bits(emulated(x, w, null, rows, n, k)))
    const before = y.slice(0, rows * n)
    kernels.gemm(x.byteOffset, k, pack, 0, y.byteOffset, n, 0, rows, ACCUMULATE)
    const once = emulated(x, w, null, rows, n, k)
    const twice = once.map((v, i) => Math.fround(v + before[i]))
    assert.deepEqual(bits(y.subarray(0, rows * n)), bits(twice))
    assert.equal(y[rows * n], 7, 'nothing is written behind the output')
  }
})

test('the error of gemm is within the bound of an f32 sum', () => {
  for (const [rows, k, n] of SHAPES) {
    const [x, w, bias] = [f32(normals(rows * k, 4)), f32(normals(n * k, 5)), f32(normals(n, 6))]
    const y = f32(rows * n)
    kernels.gemm(x.byteOffset, k, packed(w, n, k, true), bias.byteOffset, y.byteOffset, n, 0, rows, STORE)
    const want = new Float64Array(rows * n)
    const size = new Float64Array(rows * n)
    for (let at = 0; at < want.length; at++) {
      const [r, j] = [Math.floor(at / n), at % n]
      want[at] = bias[j]!
      size[at] = Math.abs(bias[j])
      for (let i = 0; i < k; i++) {
        want[at] += x[r * k + i] * w[j * k + i]
        size[at] += Math.abs(x[r * k + i] * w[j * k + i])
      }
    }
    close(y, want, (i) => gamma(k + 1) * size[i], `gemm ${rows}x${k}x${n}`)
  }
})

test('gemm with a plain packing is the input gradient gy w, to the bit', () => {
  for (const [rows, n, k] of SHAPES) {
    const [gy, w] = [f32(normals(rows * n, 7)), f32(normals(n * k, 8))]
    const gx = f32(rows * k)
    kernels.gemm(gy.byteOffset, n, packed(w, n, k, false), 0, gx.byteOffset, k, 0, rows, STORE)
    const transposed = new Float32Array(n * k)
    for (let i = 0; i < n * k; i++) transposed[(i % k) * n + Math.floor(i / k)] = w[i]!
    assert.deepEqual(bits(gx), bits(emulated(gy, transposed, null, rows, k, n)))
  }
})

test('gemm on a range of rows leaves the other rows unchanged', () => {
  const [rows, k, n] = [70, 7, 11]
  const [x, w] = [f32(normals(rows * k, 9)), f32(normals(n * k, 10))]
  const pack = packed(w, n, k, true)
  const [whole, part] = [f32(rows * n), f32(rows * n).fill(7)]
  kernels.gemm(x.byteOffset, k, pack, 0, whole.byteOffset, n, 0, rows, STORE)
  kernels.gemm(x.byteOffset, k, pack, 0, part.byteOffset, n, 3, 68, STORE)
  part.forEach((v, i) => assert.equal(v, i >= 3 * n && i < 68 * n ? whole[i] : 7))
})

test('gemmOuter and columnSums are f32 sums over ascending rows, to the bit', () => {
  for (const [rows, k, n] of SHAPES) {
    for (const from of [0, Math.min(3, rows - 1)]) {
      const [x, gy] = [f32(normals(rows * k, 11)), f32(normals(rows * n, 12))]
      const [out, sums] = [f32(n * k + 1).fill(7), f32(n + 1).fill(7)]
      const work = f32(rows * 16).byteOffset
      kernels.gemmOuter(x.byteOffset, k, gy.byteOffset, n, work, from, rows, out.byteOffset, STORE)
      kernels.columnSums(gy.byteOffset, n, from, rows, sums.byteOffset, STORE)
      const [wantOut, wantSums] = [new Float32Array(n * k + 1).fill(7), new Float32Array(n + 1).fill(7)]
      for (let j = 0; j < n; j++) {
        for (let i = 0; i < k; i++) {
          let total = 0
          for (let r = from; r < rows; r++) {
            total = Math.fround(total + Math.fround(gy[r * n + j] * x[r * k + i]))
          }
          wantOut[j * k + i] = total
        }
        let total = 0
        for (let r = from; r < rows; r++) total = Math.fround(total + gy[r * n + j])
        wantSums[j] = total
      }
      assert.deepEqual(bits(out), bits(wantOut))
      assert.deepEqual(bits(sums), bits(wantSums))
      // Added to the stored entries, with one rounding per entry.
      const [before, beforeSums] = [f32(normals(n * k, 13)), f32(normals(n, 14))]
      const [added, addedSums] = [f32(n * k + 1).fill(7), f32(n + 1).fill(7)]
      added.set(before)
      addedSums.set(beforeSums)
      kernels.gemmOuter(x.byteOffset, k, gy.byteOffset, n, work, from, rows, added.byteOffset, ACCUMULATE)
      kernels.columnSums(gy.byteOffset, n, from, rows, addedSums.byteOffset, ACCUMULATE)
      const plus = (a: Float32Array, b: Float32Array) =>
        b.map((v, i) => (i < a.length ? Math.fround(a[i] + v) : 7))
      assert.deepEqual(bits(added), bits(plus(before, wantOut)))
      assert.deepEqual(bits(addedSums), bits(plus(beforeSums, wantSums)))
    }
  }
})
