import assert from 'node:assert/strict'
import test from 'node:test'
import { close } from '../reference/close.js'
import { inputStage, moments, normals, rowsOf, U } from '../reference/dense.js'
import { f32, i32, kernels } from './harness.js'

function staged(raw: ArrayLike<number>, size: number, id: [number, number] | null, standardise: boolean) {
  const rows = raw.length / size
  const out = f32(rows * (size + (id?.[1] ?? 0)))
  const [index, count] = id ?? [0, 0]
  kernels.inputStage(f32(raw).byteOffset, size, index, count, standardise ? 1 : 0, out.byteOffset, 0, rows)
  return Float32Array.from(out)
}

test('without standardisation it copies and appends the one-hot id', () => {
  assert.deepEqual([...staged([1, 2, 3, 4], 2, null, false)], [1, 2, 3, 4])
  assert.deepEqual([...staged([1, 2, 3, 4], 2, [2, 3], false)], [1, 2, 0, 0, 1, 3, 4, 0, 0, 1])
})

test('standardised rows agree with f64 to one rounding', () => {
  for (const size of [1, 2, 3, 17, 19, 128]) {
    for (const id of [null, [0, 2], [1, 3]] as const) {
      const raw = normals(8 * size, size, 3).map((v, i) => v + (i % 5))
      const got = staged(raw, size, id ? [...id] : null, true)
      const agentId = id ? { index: id[0], count: id[1] } : null
      const spec = { size, agentId, standardise: true, layerNorm: false }
      const want = rowsOf(raw, size).flatMap((row) => inputStage(spec, row))
      // Everything is f64 until the last rounding; 1e-12 covers the f64 sums.
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

test('a constant vector becomes zeros exactly, whatever its value', () => {
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

test('one number becomes 0, and two become 1 and -1 or 0: only their order is left', () => {
  assert.deepEqual([...staged([3, -7, 1e20], 1, null, true)], [0, 0, 0])
  assert.deepEqual([...staged([1, 2, 900, -3, 5, 5], 2, null, true)], [-1, 1, 1, -1, 0, 0])
  // One agent's id makes two of one number: only whether the number is above 1 is left.
  assert.deepEqual([...staged([1.5, 90, -4], 1, [0, 1], true)], [1, -1, 1, -1, -1, 1])
})

test('a one-hot id of two agents or more keeps numbers apart that are standardised', () => {
  const rows = rowsOf(staged([-2, 0, 0.5, 1, 3], 1, [0, 2], true), 3).map(([first]) => first)
  for (let i = 1; i < rows.length; i++) assert.ok(rows[i] > rows[i - 1] + 0.1, rows.join(' '))
})

test('tiny and huge vectors keep their shape', () => {
  const shape = [-1.5, 0.25, 3, 0.5]
  const want = staged(shape, 4, null, true)
  // Powers of two change no rounding, as long as the squares stay inside the range of f64.
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

test('it writes its range of rows alone', () => {
  const raw = normals(5 * 3, 1)
  const out = f32(5 * 4).fill(7)
  kernels.inputStage(f32(raw).byteOffset, 3, 0, 1, 1, out.byteOffset, 1, 4)
  const whole = staged(raw, 3, [0, 1], true)
  assert.deepEqual(
    [...out],
    [...whole].map((v, i) => (i >= 4 && i < 16 ? v : 7)),
  )
})

test('gatherRows copies the rows it is told, repeated ones too', () => {
  for (const n of [1, 3, 19]) {
    const source = f32(normals(6 * n, n))
    const index = i32(5)
    index.set([5, 0, 3, 3, 1])
    const out = f32(5 * n).fill(7)
    kernels.gatherRows(source.byteOffset, index.byteOffset, n, out.byteOffset, 1, 5)
    const want = [...index].flatMap((row, r) => [
      ...(r ? source.subarray(row * n, (row + 1) * n) : Array<number>(n).fill(7)),
    ])
    assert.deepEqual([...out], want)
  }
})
