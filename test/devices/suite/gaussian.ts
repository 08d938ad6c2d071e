import assert from 'node:assert/strict'
import type { Device } from '../../../src/devices/device.js'
import { type RowStep } from '../../../src/devices/steps.js'
import { normal } from '../../../src/devices/reference/random.js'
import type { Tensor } from '../../../src/devices/tensor.js'
import { close } from '../../reference/close.js'
import {
  U,
  deviation,
  directional,
  gamma,
  gaussianKl,
  largest,
  logProb,
  moments,
  normals,
  rowsOf,
  sum,
  surrogate,
} from '../../reference/dense.js'
import { ROWS, each, f32, head, type Checks } from './setup.js'

const X = 1.2
const Y = 0.6

/** A Gaussian policy and its old policy, on the device and in f64. Every fifth row has weight 0. */
function policy(device: Device, size: number) {
  const host = {
    mean: normals(ROWS * size, 1),
    oldMean: normals(ROWS * size, 2, 0.1),
    action: normals(ROWS * size, 3),
    logStd: normals(size, 4),
    oldLogStd: normals(size, 5),
    factor: normals(ROWS, 6),
    weight: Float32Array.from({ length: ROWS }, (_, r) => (r % 5 ? 1 : 0)),
  }
  host.oldMean.forEach((v, i) => (host.oldMean[i] = v + host.mean[i]))
  const tensors = Object.fromEntries(Object.entries(host).map(([key, v]) => [key, f32(device, v)])) as Record<
    keyof typeof host,
    Tensor
  >
  const [table, oldTable] = [device.tensor('f64', 4 * size), device.tensor('f64', 4 * size)]
  const setup = [
    { op: 'gaussianTable', logStd: tensors.logStd, x: X, y: Y, table, size },
    { op: 'gaussianTable', logStd: tensors.oldLogStd, x: X, y: Y, table: oldTable, size },
  ] as const
  const sigma = Array.from(host.logStd, (v) => deviation(v, X, Y))
  const oldSigma = Array.from(host.oldLogStd, (v) => deviation(v, X, Y))
  return { host, tensors, table, oldTable, setup, sigma, oldSigma }
}

function checkGaussianTableAndKl(device: Device): void {
  const size = 3
  const { host, tensors, table, oldTable, setup, sigma, oldSigma } = policy(device, size)
  const { mean, oldMean, weight } = tensors
  const rows: RowStep[] = [
    { op: 'gaussianKl', oldMean, oldTable, mean, table, size, weight, sums: ['kl', 'weight'] },
  ]
  each(device, { setup, rows }, (count, sums) => {
    const means = rowsOf(host.mean, size)
    const terms = rowsOf(host.oldMean, size).map(
      (row, r) => host.weight[r] * gaussianKl(row, oldSigma, means[r], sigma),
    )
    const want = [sum(terms.slice(0, count)), sum(host.weight.subarray(0, count))]
    close([sums.kl, sums.weight], want, 1e-9 * (1 + want[0]), 'KL and weight')
  })
  const slope = (v: number) => directional((t) => [Math.log(deviation(v + t, X, Y))], 1e-3)[0]
  const want = sigma.flatMap((s, j) => [s, Math.log(s), 1 / (s * s), slope(host.logStd[j])])
  close(device.read(table), want, (i) => 1e-11 * (1 + Math.abs(want[i])), 'table')
}

function checkGaussianSurrogate(device: Device): void {
  const size = 3
  const { host, tensors, table, setup, sigma, oldSigma } = policy(device, size)
  const actions = rowsOf(host.action, size)
  const old = Float32Array.from(rowsOf(host.oldMean, size), (row, r) => logProb(actions[r], row, oldSigma))
  const now = rowsOf(host.mean, size).map((row, r) => logProb(actions[r], row, sigma))
  const oldLogProb = f32(device, old)
  const [gmean, newLogProb, alone] = [ROWS * size, ROWS, ROWS].map((n) => device.tensor('f32', n))
  const gradient = device.tensor('f32', size)
  const { mean, action, factor, weight } = tensors
  for (const clip of [null, 0.2]) {
    const rows: RowStep[] = [
      {
        op: 'gaussianSurrogate',
        mean,
        table,
        size,
        action,
        oldLogProb,
        factor,
        weight,
        clip,
        sums: ['objective', 'weight', 'clipped'],
        gradient: { mean: gmean, logStd: 0 },
        logProb: newLogProb,
      },
      { op: 'gaussianLogProb', mean, action, table, size, logProb: alone },
    ]
    each(device, { setup, rows, gradient }, (count, sums) => {
      const part = now.slice(0, count)
      close(
        head(device, newLogProb, count, 1),
        part,
        (r) => 2 * U * Math.abs(part[r]) + 1e-10,
        'log-probability',
      )
      assert.deepEqual(head(device, alone, count, 1), head(device, newLogProb, count, 1))
      const ratios = part.map((v, r) => Math.exp(v - old[r]))
      const terms = ratios.map((v, r) => host.weight[r] * surrogate(v, host.factor[r], clip))
      const error = 4 * U * (1 + largest(part))
      const size1 = sum(ratios.map((v, r) => v * Math.abs(host.factor[r])))
      const outside = ratios.filter(
        (v, r) => clip !== null && host.weight[r] > 0 && Math.abs(v - 1) > clip,
      ).length
      close(
        [sums.objective, sums.weight, sums.clipped],
        [sum(terms), sum(host.weight.subarray(0, count)), outside],
        (i) => (i ? 0 : error * size1),
        'sums',
      )
      // d objective / d log pi is ratio M where the clip is inactive.
      const slopes = ratios.map((v, r) => {
        const [objective, free] = [surrogate(v, host.factor[r], clip), v * host.factor[r]]
        return objective < free ? 0 : host.weight[r] * free
      })
      const offsets = Array.from({ length: count * size }, (_, i) => host.action[i] - host.mean[i])
      const gmeans = offsets.map(
        (d, i) => (slopes[Math.floor(i / size)] * d) / (sigma[i % size] * sigma[i % size]),
      )
      close(head(device, gmean, count, size), gmeans, (i) => 2 * error * Math.abs(gmeans[i]) + 1e-30, 'gmean')
      const glogs = sigma.map((s, j) => {
        const slope = directional((t) => [Math.log(deviation(host.logStd[j] + t, X, Y))], 1e-3)[0]
        const each = slopes.map(
          (v, r) => v * ((offsets[r * size + j] / s) * (offsets[r * size + j] / s) - 1) * slope,
        )
        return [sum(each), sum(each.map(Math.abs)) + 1e-12] as const
      })
      const bound = (j: number) => (gamma(count) + 2 * error) * glogs[j][1]
      close(
        device.read(gradient),
        glogs.map(([v]) => v),
        bound,
        'glogStd',
      )
    })
  }
}

function checkGaussianFisher(device: Device): void {
  const size = 3
  const { host, tensors, table, setup, sigma } = policy(device, size)
  const [dlogStd, gmean] = [normals(size, 9), device.tensor('f32', ROWS * size)]
  const gradient = device.tensor('f32', size)
  const step: RowStep = {
    op: 'gaussianFisher',
    dmean: tensors.mean,
    dlogStd: f32(device, dlogStd),
    table,
    size,
    weight: tensors.weight,
    gmean,
    logStd: 0,
  }
  each(device, { setup, rows: [step], gradient }, (count) => {
    const want = Array.from(host.mean.subarray(0, count * size), (v, i) => {
      return (host.weight[Math.floor(i / size)] * v) / (sigma[i % size] * sigma[i % size])
    })
    close(head(device, gmean, count, size), want, (i) => 2 * U * Math.abs(want[i]), 'gmean')
    const total = sum(host.weight.subarray(0, count))
    const wanted = sigma.map((s, j) => {
      const slope = (1 - s / Y) / X
      return 2 * slope * slope * total * dlogStd[j]
    })
    close(device.read(gradient), wanted, (j) => 4 * U * Math.abs(wanted[j]) + 1e-12, 'glogStd')
  })
}

/** The columns r_k of the root have sum of r_k r_k' = weight diag(1 / sigma^2). */
function checkGaussianFisherRoot(device: Device): void {
  const size = 3
  const { host, tensors, table, setup, sigma } = policy(device, size)
  const gmean = device.tensor('f32', ROWS * size)
  for (let column = 0; column < size; column++) {
    device.fill(gmean, 7)
    const step: RowStep = { op: 'gaussianFisherRoot', table, size, column, weight: tensors.weight, gmean }
    each(device, { setup, rows: [step] }, (count) => {
      const want = Array.from({ length: count * size }, (_, i) =>
        i % size === column ? Math.sqrt(host.weight[Math.floor(i / size)]) / sigma[column] : 0,
      )
      close(head(device, gmean, count, size), want, (i) => 2 * U * want[i], `column ${column}`)
    })
  }
}

function checkGaussianSample(device: Device): void {
  const size = 3
  const { host, tensors, table, setup, sigma } = policy(device, size)
  const [streams, steps] = [device.tensor('i32', ROWS), device.tensor('i32', ROWS)]
  device.write(
    streams,
    Int32Array.from({ length: ROWS }, (_, r) => r % 20),
  )
  device.write(
    steps,
    Int32Array.from({ length: ROWS }, (_, r) => Math.floor(r / 20)),
  )
  const [action, drawn, out] = [ROWS * size, ROWS * size, ROWS].map((n) => device.tensor('f32', n))
  const seed = 2 ** 40 + 3
  const shared = { mean: tensors.mean, table, size, seed, purpose: 1 }
  const step = (to: Tensor): RowStep => ({
    op: 'gaussianSample',
    ...shared,
    streams,
    steps,
    action: to,
    logProb: out,
  })
  each(device, { setup, rows: [step(action), step(drawn)] }, (count) => {
    const samples = head(device, action, count, size)
    assert.deepEqual(
      samples,
      head(device, drawn, count, size),
      'the noise depends on seed, stream and step alone',
    )
    const numbers = samples.map((_, i) => {
      const [r, j] = [Math.floor(i / size), i % size]
      return (
        host.mean[i] + sigma[j] * normal({ seed, purpose: 1, stream: r % 20, step: Math.floor(r / 20) }, j)
      )
    })
    close(samples, numbers, (i) => 2 * U * Math.abs(numbers[i]) + 1e-12, 'Philox and Box-Muller')
    const rows = rowsOf(host.mean, size)
    const want = rowsOf(samples, size).map((row, r) => logProb(row, rows[r], sigma))
    close(head(device, out, count, 1), want, (r) => 2 * U * Math.abs(want[r]) + 1e-10, 'log-probability')
  })
  const z = rowsOf(head(device, action, ROWS, size), size).flatMap((row, r) =>
    row.map((a, j) => (a - host.mean[r * size + j]) / sigma[j]),
  )
  // Bounds of four standard errors for the mean and variance of 900 standard normal numbers.
  const { mean, variance } = moments(z)
  close([mean], [0], 4 / Math.sqrt(z.length), 'mean of the noise')
  close([variance], [1], 4 * Math.sqrt(2 / z.length), 'variance of the noise')
  assert.equal(new Set(z).size, z.length, 'all numbers differ')
}

/** At the old parameters each ratio is exactly 1 despite the rounding of log-probabilities, and nothing is clipped. */
function checkUnchangedPolicy(device: Device): void {
  const size = 3
  const { host, tensors, table, setup } = policy(device, size)
  const { mean, action, factor, weight } = tensors
  const oldLogProb = device.tensor('f32', ROWS)
  const kept: RowStep = { op: 'gaussianLogProb', mean, action, table, size, logProb: oldLogProb }
  device.run(device.compile({ setup, rows: [kept] }, ROWS), ROWS)
  const rows: RowStep[] = [
    {
      op: 'gaussianSurrogate',
      mean,
      table,
      size,
      action,
      oldLogProb,
      factor,
      weight,
      clip: 0,
      gradient: null,
      logProb: null,
      sums: ['objective', 'weight', 'clipped'],
    },
  ]
  each(device, { setup, rows }, (count, sums) => {
    const terms = Array.from(host.factor.subarray(0, count), (m, r) => host.weight[r] * m)
    close([sums.objective], [sum(terms)], 1e-13 * sum(terms.map(Math.abs)), 'objective')
    assert.equal(sums.clipped, 0)
  })
}

export const gaussianChecks: Checks = {
  'the Gaussian table and KL': checkGaussianTableAndKl,
  'the surrogates and their gradient': checkGaussianSurrogate,
  'the surrogate of an unchanged policy': checkUnchangedPolicy,
  'the Fisher product of the distribution': checkGaussianFisher,
  'a root of the Fisher matrix': checkGaussianFisherRoot,
  samples: checkGaussianSample,
}
