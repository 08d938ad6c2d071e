import assert from 'node:assert/strict'
import type { Device, GaeOptions } from '../../../src/devices/device.js'
import type { ElementType } from '../../../src/devices/tensor.js'
import { close } from '../../reference/close.js'
import { dot, moments, normals, sum, U } from '../../reference/dense.js'
import { f32, type Checks } from './setup.js'

const N = 1003
/** Bound for the rounding of N additions in f64, in any order. */
const EXACT = 1e-12

function checkStatistics(device: Device): void {
  const [values, minus] = [normals(N, 1, 4).map((v) => v + 100), normals(N, 2)]
  const weight = Float32Array.from({ length: N }, (_, i) => (i % 7 === 0 ? 0 : i % 7 === 1 ? 0.5 : 1))
  // Elements of weight 0 affect neither sums nor extremes.
  values[0] = 1e30
  values[7] = -1e30
  const counts = (_: number, i: number) => weight[i] !== 0
  const valid = Array.from(values).filter(counts)
  const [x, w, less] = [f32(device, values), f32(device, weight), f32(device, minus)]
  const rest = f32(
    device,
    values.map((v, i) => (counts(v, i) ? v : 0)),
  )
  close([device.sum(rest)], [sum(valid)], EXACT * sum(valid), 'sum')

  const found = device.moments(x, w)
  assert.equal(found.count, valid.length)
  close([found.sum, found.squares], [sum(valid), dot(valid, valid)], EXACT * dot(valid, valid), 'moments')

  const differences = Array.from(values, (v, i) => v - minus[i]).filter(counts)
  for (const [got, of] of [
    [device.spread(x, w), valid],
    [device.spread(x, w, less), differences],
  ] as const) {
    const { mean, variance } = moments(of)
    assert.deepEqual([got.count, got.min, got.max], [of.length, Math.min(...of), Math.max(...of)])
    // The variance takes two passes. With a mean of 100, sums of squares would lose four digits.
    close([got.mean, got.variance], [mean, variance], EXACT * 100, 'mean and variance')
  }

  const none = device.tensor('f32', N)
  assert.deepEqual(device.moments(x, none), { count: 0, sum: 0, squares: 0 })
  const { count, min, max } = device.spread(x, none)
  assert.deepEqual([count, min, max], [0, Infinity, -Infinity], 'nothing counts')
}

/** Multiples of 1/2. With gamma and lambda 1/2, all results are exact. */
function checkGaeByHand(device: Device): void {
  const tensor = (type: ElementType, values: number[]) => {
    const made = device.tensor(type, values.length)
    device.write(made, values)
    return made
  }
  // Environment 0 terminates at step 1, environment 1 is truncated at step 1, environment 2 has no end.
  const input = {
    steps: 3,
    envs: 3,
    rewards: tensor('f32', [1, 1, 1, 2, 2, 2, 4, 4, 4]),
    values: tensor('f32', [8, 8, 8, 4, 4, 4, 2, 2, 2]),
    nextValues: tensor('f32', [4, 4, 4, 16, 16, 2, 6, 6, 6]),
    ends: tensor('u8', [0, 0, 0, 1, 2, 0, 0, 0, 0]),
  }
  // delta of step 2 is 4 + 6/2 - 2 = 5; of step 1: -2 terminated, 6 bootstrapped, -1 running; of step 0: -5.
  // A step without an end adds a quarter of the next advantage.
  const wanted: Record<GaeOptions['truncation'], number[]> = {
    bootstrap: [-5.5, -3.5, -5 + 0.25 * 0.25, -2, 6, 0.25, 5, 5, 5],
    harl: [-5.5, -5, -5 + 0.25 * 0.25, -2, 0, 0.25, 5, 5, 5],
    terminate: [-5.5, -5.5, -5 + 0.25 * 0.25, -2, -2, 0.25, 5, 5, 5],
  }
  const [advantages, returns] = [device.tensor('f32', 9), device.tensor('f32', 9)]
  for (const truncation of ['bootstrap', 'harl', 'terminate'] as const) {
    device.gae(input, { gamma: 0.5, lambda: 0.5, truncation }, advantages, returns)
    const want = wanted[truncation]
    assert.deepEqual(Array.from(device.read(advantages)), want, truncation)
    const values = device.read(input.values)
    assert.deepEqual(
      Array.from(device.read(returns)),
      want.map((v, i) => v + values[i]),
      `${truncation}: returns`,
    )
  }
}

/** Comparison with the explicit sum: A_t = sum over k of (gamma lambda)^k delta_{t+k}, up to an end. */
function checkGaeSums(device: Device): void {
  const [steps, envs, gamma, lambda] = [40, 7, 0.97, 0.9]
  const n = steps * envs
  const [r, v, next] = [normals(n, 1), normals(n, 2, 5), normals(n, 3, 5)]
  const ends = Uint8Array.from({ length: n }, (_, i) => (i % 11 === 3 ? 1 : i % 13 === 5 ? 2 : 0))
  const column = device.tensor('u8', n)
  device.write(column, ends)
  const [advantages, returns] = [device.tensor('f32', n), device.tensor('f32', n)]
  const input = {
    steps,
    envs,
    rewards: f32(device, r),
    values: f32(device, v),
    nextValues: f32(device, next),
  }
  device.gae({ ...input, ends: column }, { gamma, lambda, truncation: 'bootstrap' }, advantages, returns)
  const want = Array.from({ length: n }, (_, at) => {
    let [total, factor] = [0, 1]
    for (let i = at; i < n; i += envs) {
      total += factor * (r[i] + gamma * (ends[i] === 1 ? 0 : next[i]) - v[i])
      factor *= gamma * lambda
      if (ends[i] !== 0) break
    }
    return total
  })
  close(device.read(advantages), want, (i) => 2 * U * (Math.abs(want[i]) + 1e-3), 'advantages')
  const back = want.map((advantage, i) => advantage + v[i])
  close(device.read(returns), back, (i) => 2 * U * (Math.abs(back[i]) + 1e-3), 'returns')
}

export const statisticsChecks: Checks = {
  'sum, moments and spread': checkStatistics,
  'advantages by hand, for each effect of a time limit': checkGaeByHand,
  'advantages as sums of temporal differences': checkGaeSums,
}
