import assert from 'node:assert/strict'
import test from 'node:test'
import { close } from '../reference/close.js'
import { dot, gamma, normals, rowsOf, sum } from '../reference/dense.js'
import { bits, f32, kernels } from './harness.js'

const ROWS = 9
const WIDTHS = [1, 3, 4, 15, 16, 17, 37]

const abs = (values: ArrayLike<number>) => Array.from(values, Math.abs)

test('products and sums of the vectors of a row agree with f64, with the same bits for any range of rows', () => {
  for (const n of WIDTHS) {
    for (const count of [1, 3]) {
      const [vectors, x] = [f32(normals(ROWS * count * n, 1)), f32(normals(ROWS * n, 2))]
      const u = f32(normals(ROWS * count, 3))
      const start = normals(ROWS * count, 4)
      const results = (ranges: readonly (readonly [number, number])[]) => {
        const [dots, mixed, spread] = [f32(start), f32(ROWS * n).fill(7), f32(ROWS * count * n).fill(7)]
        for (const [from, to] of ranges) {
          kernels.dotVectors(vectors.byteOffset, x.byteOffset, count, n, dots.byteOffset, from, to)
          kernels.mixVectors(vectors.byteOffset, u.byteOffset, count, n, mixed.byteOffset, from, to)
          kernels.broadcastRow(vectors.byteOffset, spread.byteOffset, count * n, from, to)
        }
        return { dots, mixed, spread }
      }
      const { dots, mixed, spread } = results([[0, ROWS]])
      const parts = rowsOf(vectors, n)
      parts.forEach((v, i) => {
        const row = rowsOf(x, n)[Math.floor(i / count)]
        const size = Math.abs(start[i]) + dot(abs(v), abs(row))
        close([dots[i]], [start[i] + dot(v, row)], gamma(n + 1) * size, `product of width ${n}`)
      })
      mixed.forEach((value, at) => {
        const [r, i] = [Math.floor(at / n), at % n]
        const terms = Array.from({ length: count }, (_, k) => u[r * count + k] * parts[r * count + k][i])
        close([value], [sum(terms)], gamma(count) * sum(abs(terms)), `sum of ${count}`)
      })
      for (let r = 0; r < ROWS; r++)
        assert.deepEqual(
          spread.subarray(r * count * n, (r + 1) * count * n),
          vectors.subarray(0, count * n),
          'copy',
        )

      const rows = Array.from({ length: ROWS }, (_, r) => [r, r + 1] as const)
      const alone = results(rows)
      const inner = results([[2, 5]])
      for (const [name, width, kept] of [
        ['dots', count, start],
        ['mixed', n, new Float32Array(ROWS * n).fill(7)],
        ['spread', count * n, new Float32Array(ROWS * count * n).fill(7)],
      ] as const) {
        const whole = { dots, mixed, spread }[name]
        assert.deepEqual(bits(alone[name]), bits(whole), `${name} row by row`)
        const inside = (i: number) => i >= 2 * width && i < 5 * width
        assert.deepEqual(
          bits(inner[name]),
          bits(kept.map((v, i) => (inside(i) ? whole[i] : v))),
          `${name} of some rows`,
        )
      }
    }
  }
})

test('steps on a layer give the same bits for any division, and write only their part', () => {
  for (const [outputs, n] of [
    [1, 3],
    [5, 16],
    [7, 37],
  ]) {
    const [w, d] = [f32(normals(outputs * n, 1)), f32(normals(outputs * n, 2))]
    const [gain, shift, dgain, dshift] = [3, 4, 5, 6].map((seed) => f32(normals(n, seed)).byteOffset)
    const dbias = f32(normals(outputs, 7)).byteOffset
    const fold = (edges: readonly number[]) => {
      const [m, c] = [f32(outputs * n).fill(7), f32(outputs).fill(7)]
      edges.slice(1).forEach((last, i) => {
        const layer = [w.byteOffset, gain, shift, d.byteOffset, dgain, dshift, dbias, n]
        kernels.foldTangent(...layer, m.byteOffset, c.byteOffset, edges[i], last)
      })
      return { m, c }
    }
    const sums = normals(outputs * n, 8)
    const totals = f32(normals(outputs, 9))
    const unfold = (edges: readonly number[]) => {
      const [gw, ggamma, gbeta] = [f32(sums), f32(n).fill(7), f32(n).fill(7)]
      edges.slice(1).forEach((last, i) => {
        const out = [gw, totals, ggamma, gbeta].map(({ byteOffset }) => byteOffset)
        kernels.unfoldGradient(w.byteOffset, gain, shift, ...out, outputs, n, edges[i], last)
      })
      return { gw, ggamma, gbeta }
    }
    const each = (length: number) => Array.from({ length: length + 1 }, (_, i) => i)
    assert.deepEqual(fold(each(outputs)), fold([0, outputs]))
    assert.deepEqual(unfold(each(n)), unfold([0, n]))
    assert.deepEqual(unfold([0, 1, n]), unfold([0, n]))
    const [whole, part] = [unfold([0, n]), unfold([1, 3])]
    const inside = (i: number) => i % n >= 1 && i % n < 3
    const mixed = (got: Float32Array, kept: (i: number) => number) =>
      got.map((v, i) => (inside(i) ? v : kept(i)))
    assert.deepEqual(part, {
      gw: mixed(whole.gw, (i) => sums[i]),
      ggamma: mixed(whole.ggamma, () => 7),
      gbeta: mixed(whole.gbeta, () => 7),
    })
    const first = fold([0, 1])
    assert.ok(first.m.subarray(n).every((v) => v === 7) && first.c.subarray(1).every((v) => v === 7))
  }
})
