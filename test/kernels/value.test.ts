import assert from 'node:assert/strict'
import test from 'node:test'
import { close } from '../reference/close.js'
import { directional, normals, sum, U, valueLoss } from '../reference/dense.js'
import { f32, f64, kernels } from './harness.js'

function lossOf(
  v: ArrayLike<number>,
  old: ArrayLike<number>,
  target: ArrayLike<number>,
  weight: ArrayLike<number>,
  clip: number | null,
  delta: number,
) {
  const [gv, sums] = [f32(v.length).fill(7), f64(2)]
  kernels.valueLoss(
    f32(v).byteOffset,
    f32(old).byteOffset,
    f32(target).byteOffset,
    f32(weight).byteOffset,
    clip ?? -1,
    delta,
    gv.byteOffset,
    sums.byteOffset,
    0,
    v.length,
  )
  return { gv: Float32Array.from(gv), sums: Float64Array.from(sums) }
}

for (const clip of [null, 0.2]) {
  for (const delta of [0.5, 10]) {
    test(`clip ${String(clip)}, Huber delta ${delta}: loss and gradient agree with f64 arithmetic and finite differences`, () => {
      const rows = 300
      const [v, old, target] = [normals(rows, 1), normals(rows, 2, 0.3), normals(rows, 3, 4)]
      const near = old.map((o, r) => (r % 2 ? o + 0.1 * v[r] : v[r]))
      const weight = Float32Array.from({ length: rows }, (_, r) => (r % 5 ? 1 : 0))
      const { gv, sums } = lossOf(near, old, target, weight, clip, delta)
      const loss = (r: number, t: number) =>
        weight[r] * valueLoss(near[r] + t, old[r], target[r], clip, delta)
      close(sums, [sum(Array.from(near, (_, r) => loss(r, 0))), sum(weight)], 1e-9, 'sums')
      near.forEach((_, r) => {
        const [slope] = directional((t) => [loss(r, t)], 1e-6)
        // All arithmetic is f64 until the last rounding. Differences of a loss below 100 have an error of 1e-14 / 1e-6.
        close([gv[r]], [slope], U * Math.abs(slope) + 1e-7, `row ${r}`)
      })
    })
  }
}

test('the loss is the maximum of the plain and the clipped loss, and a clipped value has no gradient', () => {
  // A move from 0 to 1, the target, is clipped to 0.2. Only the clipped error counts, and it is constant.
  const held = lossOf([1], [0], [1], [1], 0.2, 10)
  close([held.sums[0]], [0.5 * 0.8 * 0.8], 1e-7, 'loss')
  assert.equal(held.gv[0], 0)
  // For a move away from the target, the plain loss is larger and has a gradient.
  const away = lossOf([1], [0], [-1], [1], 0.2, 10)
  assert.equal(away.sums[0], 2)
  assert.equal(away.gv[0], 2)
})

test('beyond delta the loss is linear', () => {
  const { gv, sums } = lossOf([0, 0], [0, 0], [25, -25], [1, 1], null, 10)
  assert.equal(sums[0], 2 * 10 * (25 - 5))
  assert.deepEqual([...gv], [-10, 10])
})

test('rows of weight 0 contribute to no sum', () => {
  const { gv, sums } = lossOf([1, 2], [0, 0], [5, 1e30], [1, 0], 0.2, 10)
  assert.equal(sums[1], 1)
  close([sums[0]], [0.5 * (5 - 0.2) * (5 - 0.2)], 1e-6, 'loss')
  assert.equal(Math.abs(gv[1]), 0)
})
