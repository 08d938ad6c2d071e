import assert from 'node:assert/strict'
import test from 'node:test'
import { close } from '../reference/close.js'
import { directional, dot, inputStage, largest, moments, normals, rowsOf, U } from '../reference/dense.js'
import { f32, i32, kernels } from './harness.js'

function staged(raw: ArrayLike<number>, size: number, id: [number, number] | null, standardise: boolean) {
  const rows = raw.length / size
  const out = f32(rows * (size + (id?.[1] ?? 0)))
  const [index, count] = id ?? [0, 0]
  kernels.inputStage(f32(raw).byteOffset, size, index, 0, count, standardise ? 1 : 0, out.byteOffset, 0, rows)
  return Float32Array.from(out)
}

test('the input stage without standardisation copies the row and appends the one-hot id', () => {
  assert.deepEqual([...staged([1, 2, 3, 4], 2, null, false)], [1, 2, 3, 4])
  assert.deepEqual([...staged([1, 2, 3, 4], 2, [2, 3], false)], [1, 2, 0, 0, 1, 3, 4, 0, 0, 1])
})

test('standardised rows agree with f64 arithmetic to one rounding', () => {
  for (const size of [1, 2, 3, 17, 19, 128]) {
    for (const id of [null, [0, 2], [1, 3]] as const) {
      const raw = normals(8 * size, size, 3).map((v, i) => v + (i % 5))
      const got = staged(raw, size, id ? [...id] : null, true)
      const agentId = id ? { index: id[0], count: id[1] } : null
      const spec = { size, agentId, standardise: true, layerNorm: false }
      const want = rowsOf(raw, size).flatMap((row) => inputStage(spec, row))
      // All arithmetic is f64 until the last rounding. 1e-12 covers the f64 sums.
      close(got, want, (i) => (U + 1e-12) * Math.abs(want[i]) + 1e-12, `size ${size}`)
    }
  }
})

test('a standardised row has mean 0 and deviation 1', () => {
  for (const row of rowsOf(staged(normals(5 * 40, 3, 10), 40, null, true), 40)) {
    const { mean, variance } = moments(row)
    close([mean, variance], [0, 1], 8 * U, 'mean and variance')
  }
})

test('a constant vector of any value becomes exact zeros', () => {
  for (const value of [0, 1, -3.5, 0.1, 1e-30, 1e30, 123456.78]) {
    for (const size of [1, 3, 7, 10, 17]) {
      const got = staged(Array<number>(size).fill(value), size, null, true)
      assert.ok(
        got.every((v) => v === 0),
        `${size} times ${value}: ${got.join(' ')}`,
      )
    }
  }
})

test('standardisation maps one number to 0 and two numbers to 1 and -1, or to 0 if they are equal', () => {
  assert.deepEqual([...staged([3, -7, 1e20], 1, null, true)], [0, 0, 0])
  assert.deepEqual([...staged([1, 2, 900, -3, 5, 5], 2, null, true)], [-1, 1, 1, -1, 0, 0])
  // With the id of a single agent, one number becomes a vector of two: only its order relative to 1 remains.
  assert.deepEqual([...staged([1.5, 90, -4], 1, [0, 1], true)], [1, -1, 1, -1, -1, 1])
})

test('with a one-hot id of at least two agents, different numbers remain different when standardised', () => {
  const rows = rowsOf(staged([-2, 0, 0.5, 1, 3], 1, [0, 2], true), 3).map(([first]) => first)
  for (let i = 1; i < rows.length; i++) assert.ok(rows[i] > rows[i - 1] + 0.1, rows.join(' '))
})

test('standardisation is invariant to very small and very large scales', () => {
  const shape = [-1.5, 0.25, 3, 0.5]
  const want = staged(shape, 4, null, true)
  // Powers of two do not affect rounding, provided that squares neither overflow nor underflow in f64.
  for (const factor of [2 ** -100, 2 ** 100]) {
    assert.deepEqual(
      staged(
        shape.map((v) => v * factor),
        4,
        null,
        true,
      ),
      want,
    )
  }
})

test('the input stage writes only its range of rows', () => {
  const raw = normals(5 * 3, 1)
  const out = f32(5 * 4).fill(7)
  kernels.inputStage(f32(raw).byteOffset, 3, 0, 0, 1, 1, out.byteOffset, 1, 4)
  const whole = staged(raw, 3, [0, 1], true)
  assert.deepEqual(
    [...out],
    [...whole].map((v, i) => (i >= 4 && i < 16 ? v : 7)),
  )
})

test('with a column of ids every row has its own id', () => {
  const [rows, size, count] = [6, 3, 4]
  const raw = normals(rows * size, 2)
  const ids = i32(rows)
  ids.set([3, 0, 1, 2, 1, 3])
  for (const standardise of [0, 1]) {
    const out = f32(rows * (size + count))
    kernels.inputStage(
      f32(raw).byteOffset,
      size,
      0,
      ids.byteOffset,
      count,
      standardise,
      out.byteOffset,
      0,
      rows,
    )
    rowsOf(out, size + count).forEach((row, r) => {
      const alone = staged(raw.subarray(r * size, (r + 1) * size), size, [ids[r], count], standardise === 1)
      assert.deepEqual(row, [...alone])
    })
  }
})

/** graw for rows with the given ids and g [rows, size + count]. */
function adjoint(
  raw: Float32Array,
  size: number,
  ids: readonly number[],
  count: number,
  standardise: boolean,
  g: Float32Array,
) {
  const column = i32(ids.length)
  column.set(ids)
  const graw = f32(raw.length + 1).fill(7)
  const places = [f32(g).byteOffset, graw.byteOffset]
  const shared = [count, standardise ? 1 : 0, ...places, 0, ids.length]
  kernels.inputAdjoint(f32(raw).byteOffset, size, 0, column.byteOffset, ...shared)
  assert.equal(graw[raw.length], 7, 'nothing is written behind the gradient')
  return Float32Array.from(graw.subarray(0, raw.length))
}

test('the adjoint is the transpose of the derivative of the input stage, without the entries of the id', () => {
  const rows = 5
  for (const [size, count] of [
    [1, 2],
    [2, 0],
    [3, 2],
    [17, 3],
  ] as const) {
    const [raw, g] = [normals(rows * size, size, 2), normals(rows * (size + count), 7)]
    const ids = Array.from({ length: rows }, (_, r) => (count > 0 ? r % count : 0))
    assert.deepEqual(
      [...adjoint(raw, size, ids, count, false, g)],
      rowsOf(g, size + count).flatMap((row) => row.slice(0, size)),
      'without standardisation',
    )
    const got = adjoint(raw, size, ids, count, true, g)
    rowsOf(raw, size).forEach((row, r) => {
      const agentId = count > 0 ? { index: ids[r], count } : null
      const spec = { size, agentId, standardise: true, layerNorm: false }
      const slope = rowsOf(g, size + count)[r]
      const want = row.map((_, i) => {
        const moved = (t: number) =>
          inputStage(
            spec,
            row.map((v, j) => (i === j ? v + t : v)),
          )
        return dot(directional(moved), slope)
      })
      // Differences of numbers of order 1 in f64 have errors of 1e-16 / 1e-4 and O(1e-16) times the fifth derivative.
      close(
        got.subarray(r * size, (r + 1) * size),
        want,
        (i) => U * Math.abs(want[i]) + 1e-9 * (1 + largest(want)),
        `size ${size}, row ${r}`,
      )
    })
  }
})

test('the adjoint at a constant vector is 0, also with one index for all rows', () => {
  const g = normals(2 * 3, 1)
  assert.deepEqual(
    [...adjoint(Float32Array.of(4, 4, 4, 0.1, 0.1, 0.1), 3, [0, 0], 0, true, g)],
    [0, 0, 0, 0, 0, 0],
  )
  const [raw, slopes, graw] = [normals(4 * 3, 2), normals(4 * 5, 3), f32(4 * 3)]
  kernels.inputAdjoint(f32(raw).byteOffset, 3, 1, 0, 2, 1, f32(slopes).byteOffset, graw.byteOffset, 0, 4)
  assert.deepEqual(Float32Array.from(graw), adjoint(raw, 3, [1, 1, 1, 1], 2, true, slopes))
})

test('copyRows copies only its range of rows', () => {
  const [x, out] = [f32(normals(5 * 3, 1)), f32(5 * 3).fill(7)]
  kernels.copyRows(x.byteOffset, out.byteOffset, 3, 1, 4)
  assert.deepEqual(
    [...out],
    [...x].map((v, i) => (i >= 3 && i < 12 ? v : 7)),
  )
})

test('gatherRows copies rows by index, including repeated indices', () => {
  for (const n of [1, 3, 19]) {
    const source = f32(normals(6 * n, n))
    const index = i32(5)
    index.set([5, 0, 3, 3, 1])
    const out = f32(5 * n).fill(7)
    kernels.gatherRows(source.byteOffset, index.byteOffset, n, 4, out.byteOffset, 1, 5)
    const want = [...index].flatMap((row, r) => [
      ...(r ? source.subarray(row * n, (row + 1) * n) : Array<number>(n).fill(7)),
    ])
    assert.deepEqual([...out], want)
  }
})
