import assert from 'node:assert/strict'
import test from 'node:test'
import { normals } from '../reference/dense.js'
import { bits, f32, f64, i32, kernels } from './harness.js'

const SIZES = [0, 1, 3, 4, 9, 1001]

const ascending = (values: readonly number[]) => values.reduce((total, v) => total + v, 0)
/** Weights: every third is 0, and two of the others are not 1. */
const weightOf = (n: number) =>
  f32(Array.from({ length: n }, (_, i) => (i % 3 === 0 ? 0 : i % 7 === 0 ? -2 : 1)))
const counted = (values: ArrayLike<number>, weight: Float32Array) =>
  Array.from(values).filter((_, i) => weight[i] !== 0)

test('pick reads by index, including repeated indices, and refuses an index outside the range', () => {
  const x = f32([5, 6, 7])
  const [index, out] = [i32(4), f32(5).fill(9)]
  index.set([2, 0, 2, 1])
  assert.equal(kernels.pick(x.byteOffset, 3, index.byteOffset, out.byteOffset, 4), 0)
  assert.deepEqual([...out], [7, 5, 7, 6, 9])
  out.fill(9)
  for (const bad of [3, -1, 2 ** 31 - 1]) {
    index[3] = bad
    assert.equal(kernels.pick(x.byteOffset, 3, index.byteOffset, out.byteOffset, 4), 1)
    assert.deepEqual([...out], [9, 9, 9, 9, 9], 'nothing is written')
  }
})

test('replace copies the elements of weight 0 from the other vector', () => {
  for (const n of SIZES) {
    const [x, y, weight] = [f32(normals(n + 1, 1)), f32(normals(n + 1, 2)), weightOf(n + 1)]
    weight[n] = 0
    const want = Array.from(x, (v, i) => (i < n && weight[i] === 0 ? y[i] : v))
    kernels.replace(x.byteOffset, y.byteOffset, weight.byteOffset, n)
    assert.deepEqual([...x], want)
  }
})

test('normalise and denormalise are f64 arithmetic rounded once, also in place', () => {
  const [mean, deviation] = [12.3456789, 0.0123456789]
  for (const n of SIZES) {
    const values = normals(n, n, 50)
    const [x, out] = [f32(values), f32(n + 1).fill(7)]
    const normalised = values.map((v) => Math.fround((v - mean) / deviation))
    const denormalised = values.map((v) => Math.fround(v * deviation + mean))
    kernels.normalise(x.byteOffset, mean, deviation, out.byteOffset, n)
    assert.deepEqual([...out], [...normalised, 7])
    kernels.denormalise(x.byteOffset, mean, deviation, out.byteOffset, n)
    assert.deepEqual([...out], [...denormalised, 7])
    kernels.normalise(x.byteOffset, mean, deviation, x.byteOffset, n)
    assert.deepEqual(bits(x), bits(normalised))
    x.set(values)
    kernels.denormalise(x.byteOffset, mean, deviation, x.byteOffset, n)
    assert.deepEqual(bits(x), bits(denormalised))
  }
})

test('sum and moments are f64 sums over ascending elements, to the bit', () => {
  for (const n of SIZES) {
    const [x, weight, out] = [f32(normals(n, n, 3)), weightOf(n), f64(2)]
    assert.equal(kernels.sum(x.byteOffset, n), ascending([...x]))
    const values = counted(x, weight)
    assert.equal(kernels.moments(x.byteOffset, weight.byteOffset, n, out.byteOffset), values.length)
    assert.deepEqual([...out], [ascending(values), ascending(values.map((v) => v * v))])
  }
})

test('spread is min, max, mean and variance of the valid elements, or of differences, to the bit', () => {
  for (const n of SIZES.filter((n) => n > 1)) {
    const [x, y, weight, out] = [f32(normals(n, n, 3)), f32(normals(n, n + 1)), weightOf(n), f64(4)]
    for (const minus of [null, y]) {
      const values = counted(
        Array.from(x, (v, i) => (minus ? v - minus[i] : v)),
        weight,
      )
      const mean = ascending(values) / values.length
      const squares = ascending(values.map((v) => (v - mean) * (v - mean)))
      const at = minus?.byteOffset ?? 0
      assert.equal(kernels.spread(x.byteOffset, weight.byteOffset, at, n, out.byteOffset), values.length)
      assert.deepEqual([...out], [Math.min(...values), Math.max(...values), mean, squares / values.length])
    }
  }
})

test('spread of no elements is an empty range, and spread of NaN is NaN', () => {
  const [x, none, out] = [f32([1, 2]), f32(2), f64(4)]
  assert.equal(kernels.spread(x.byteOffset, none.byteOffset, 0, 2, out.byteOffset), 0)
  assert.deepEqual([...out], [Infinity, -Infinity, NaN, NaN])
  x[1] = NaN
  kernels.spread(x.byteOffset, f32([1, 1]).byteOffset, 0, 2, out.byteOffset)
  assert.deepEqual([...out], [NaN, NaN, NaN, NaN])
})
