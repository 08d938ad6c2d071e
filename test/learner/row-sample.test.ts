import assert from 'node:assert/strict'
import test from 'node:test'
import { sampleRows } from '../../src/learner/row-sample.js'
import { generator } from '../kernels/harness.js'

function sample(weight: ArrayLike<number>, stride: number): number[] {
  const out = new Int32Array(Math.ceil(weight.length / stride))
  return Array.from(out.subarray(0, sampleRows(weight, weight.length, stride, out)))
}

test('every group of consecutive valid rows gives one row', () => {
  const random = generator(1)
  for (const stride of [1, 2, 4, 7]) {
    for (const rows of [1, 5, 100, 1001]) {
      const weight = Float32Array.from({ length: rows }, () => (random() < 0.7 ? 1 : 0))
      const counted = Array.from(weight.keys()).filter((r) => weight[r] > 0)
      const chosen = sample(weight, stride)
      assert.equal(chosen.length, Math.ceil(counted.length / stride))
      chosen.forEach((r, group) => {
        assert.ok(counted.slice(group * stride, (group + 1) * stride).includes(r), `row ${r} of ${group}`)
      })
    }
  }
  assert.deepEqual(sample(new Float32Array(9), 4), [])
})

test('a stride of 1 takes every row', () => {
  assert.deepEqual(sample([1, 0, 1, 1], 1), [0, 2, 3])
})

test('the sample represents every environment and every part of the rollout', () => {
  for (const [steps, envs, stride] of [
    [200, 20, 4],
    [200, 16, 8],
    [100, 64, 4],
    [60, 512, 4],
    [400, 1, 4],
  ]) {
    const rows = steps * envs
    const chosen = sample(new Float32Array(rows).fill(1), stride)
    const ofEnv = new Array<number>(envs).fill(0)
    const ofTenth = new Array<number>(10).fill(0)
    for (const r of chosen) {
      ofEnv[r % envs]++
      ofTenth[Math.floor((10 * r) / rows)]++
    }
    // Rows of one environment are in different groups, so that their number is that of independent draws: 4.5 s.d.
    const share = steps / stride
    const spread = envs === 1 ? 1 : 4.5 * Math.sqrt(share * (1 - 1 / stride))
    for (const count of ofEnv) assert.ok(Math.abs(count - share) <= spread, `${count} of ${share}`)
    for (const count of ofTenth) assert.ok(Math.abs(count - rows / stride / 10) <= 1, `${count} of a tenth`)
  }
})
