import assert from 'node:assert/strict'
import test from 'node:test'
import type { Device } from '../../src/devices/device.js'
import { Adam } from '../../src/learner/adam.js'
import { PolicyBatch } from '../../src/learner/batch.js'
import { ClippedStep, type ClippedOptions } from '../../src/learner/clipped.js'
import { trainedPolicy } from '../../src/learner/policy.js'
import { Network } from '../../src/nn/network.js'
import { bits } from '../kernels/harness.js'
import { close } from '../reference/close.js'
import {
  deviation,
  dot,
  forward,
  gradient,
  largest,
  logProb,
  normals,
  rowsOf,
  sum,
  surrogate,
  U,
} from '../reference/dense.js'
import { actorSpec, edit, DEVICES, parametersOf, passError, tensorOf } from './setup.js'

const ROWS = 40
const LR = 1e-3
const ADAM_EPS = 1e-5

async function setup(device: Device, options: ClippedOptions) {
  const spec = actorSpec({ layerNorm: true })
  const { size, stdX, stdY } = spec.head
  const values = parametersOf(spec, 1)
  const raw = normals(ROWS * 3, 2)
  const actions = normals(ROWS * size, 3)
  const evaluate = (at: ArrayLike<number>) => {
    const found = rowsOf(raw, 3).map((row) => forward(spec, at, row))
    const sigma = found[0].logStd.map((v) => deviation(v, stdX, stdY))
    const logs = found.map(({ output }, r) =>
      logProb(actions.subarray(r * size, (r + 1) * size), output, sigma),
    )
    return { logs, entropy: sum(sigma.map((s) => 0.5 * Math.log(2 * Math.PI * Math.E * s * s))) }
  }
  // Old log-probabilities far enough away that some ratios lie outside the clip range on either side.
  const shift = normals(ROWS, 4, 0.3)
  const old = Float32Array.from(evaluate(values).logs, (v, r) => v + shift[r])
  const factor = normals(ROWS, 5)
  const weight = Float32Array.from({ length: ROWS }, (_, r) => (r % 5 ? 1 : 0))
  const parameters = tensorOf(device, values)
  const batch = new PolicyBatch(device, ROWS, {
    observations: tensorOf(device, raw),
    actions: tensorOf(device, actions),
    logProb: tensorOf(device, old),
  })
  device.write(batch.factor, factor)
  device.write(batch.weight, weight)
  const adam = new Adam(device, parameters, ADAM_EPS)
  const policy = trainedPolicy(device, new Network(device, spec, ROWS), parameters)
  const update = new ClippedStep(policy, batch, adam, options)
  const surrogateAt = (at: ArrayLike<number>) =>
    sum(
      evaluate(at).logs.map((v, r) => weight[r] * surrogate(Math.exp(v - old[r]), factor[r], options.clip)),
    ) / sum(weight)
  const outside = shift.filter((d, r) => weight[r] > 0 && Math.abs(Math.exp(-d) - 1) > options.clip).length
  return {
    spec,
    values,
    parameters,
    batch,
    adam,
    update,
    evaluate,
    surrogateAt,
    outside,
    valid: sum(weight),
  }
}

for (const { name: on, open } of DEVICES) {
  for (const entropyCoef of [0, 0.05]) {
    test(`${on}: entropy coefficient ${entropyCoef}: the gradient is that of the clipped surrogate plus entropy`, async () => {
      const device = await open()
      const { spec, values, update, evaluate, surrogateAt, outside, valid } = await setup(device, {
        clip: 0.2,
        entropyCoef,
        maxGradNorm: null,
      })
      const { surrogate: found, clipFraction, entropy, gradNorm, taken } = update.step(ROWS, LR)
      assert.equal(taken, true)
      const error = passError(spec)
      close(
        [found, entropy],
        [surrogateAt(values), evaluate(values).entropy],
        4 * error,
        'surrogate and entropy',
      )
      assert.ok(outside > 5)
      assert.equal(clipFraction, outside / valid)
      const loss = (at: ArrayLike<number>) => -surrogateAt(at) - entropyCoef * evaluate(at).entropy
      const want = gradient(loss, values, 1e-6)
      const got = device.read(update.gradient)
      close(got, want, error * largest(want) + 1e-8, 'gradient')
      close([gradNorm], [Math.sqrt(dot(got, got))], 1e-12, 'norm')
    })
  }

  for (const maxGradNorm of [null, 0.01, 1e6]) {
    test(`${on}: norm limited to ${String(maxGradNorm)}: two steps are those of Adam on the limited gradients`, async () => {
      const device = await open()
      const { values, parameters, update } = await setup(device, {
        clip: 0.2,
        entropyCoef: 0.01,
        maxGradNorm,
      })
      const [m, v] = [new Float64Array(values.length), new Float64Array(values.length)]
      const want = Float64Array.from(values)
      for (const step of [1, 2]) {
        const { gradNorm } = update.step(ROWS, LR)
        const limit = maxGradNorm === null ? 1 : Math.min(1, maxGradNorm / (gradNorm + 1e-6))
        device.read(update.gradient).forEach((slope, i) => {
          const g = limit * slope
          m[i] = 0.9 * m[i] + 0.1 * g
          v[i] = 0.999 * v[i] + 0.001 * g * g
          const root = Math.sqrt(v[i] / (1 - 0.999 ** step))
          want[i] -= (LR * (m[i] / (1 - 0.9 ** step))) / (root + ADAM_EPS)
        })
        // A step is about LR with a dozen roundings; the parameter is rounded once a step.
        close(
          device.read(parameters),
          want,
          (i) => step * U * (12 * LR + Math.abs(want[i])) * 2,
          `step ${step}`,
        )
      }
    })
  }

  test(`${on}: a gradient that is not finite takes no step`, async () => {
    const device = await open()
    const { values, parameters, batch, adam, update } = await setup(device, {
      clip: 0.2,
      entropyCoef: 0,
      maxGradNorm: 1,
    })
    const before = adam.save()
    edit(device, batch.factor, (factor) => (factor[7] = NaN))
    const { taken, gradNorm } = update.step(ROWS, LR)
    assert.equal(taken, false)
    assert.ok(Number.isNaN(gradNorm))
    assert.deepEqual(bits(device.read(parameters) as Float32Array), bits(values))
    assert.deepEqual(adam.save(), before)
  })
}
