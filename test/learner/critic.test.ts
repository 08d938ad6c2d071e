import assert from 'node:assert/strict'
import test from 'node:test'
import type { Device } from '../../src/devices/device.js'
import { Adam } from '../../src/learner/adam.js'
import { CriticStep, type CriticOptions } from '../../src/learner/critic.js'
import { Workspace } from '../../src/learner/policy.js'
import { Network } from '../../src/nn/network.js'
import { ValueNorm } from '../../src/learner/value-norm.js'
import { bits } from '../kernels/harness.js'
import { close } from '../reference/close.js'
import { dot, forward, gradient, largest, normals, rowsOf, sum, U, valueLoss } from '../reference/dense.js'
import { criticSpec, edit, DEVICES, parametersOf, passError, tensorOf } from './setup.js'

const ROWS = 40
const LR = 1e-3
const OPTIONS: CriticOptions = { clip: 0.2, huberDelta: 10, lossCoef: 1, maxGradNorm: 10 }

async function setup(device: Device, options: Partial<CriticOptions>, normalised: boolean) {
  const spec = criticSpec({ layerNorm: true })
  const values = parametersOf(spec, 1)
  const states = normals(ROWS * 3, 2)
  const outputs = rowsOf(states, 3).map((row) => forward(spec, values, row).output[0])
  const old = Float32Array.from(normals(ROWS, 3, 0.3), (d, r) => d + outputs[r])
  const returns = normals(ROWS, 4, 30)
  const weight = Float32Array.from({ length: ROWS }, (_, r) => (r % 5 ? 1 : 0))
  const parameters = tensorOf(device, values)
  const batch = {
    maxRows: ROWS,
    inputs: tensorOf(device, states),
    oldValues: tensorOf(device, old),
    returns: tensorOf(device, returns),
    weight: tensorOf(device, weight),
  }
  const valueNorm = normalised ? new ValueNorm() : null
  const all = { ...OPTIONS, ...options }
  const adam = new Adam(device, parameters, 1e-5)
  const network = new Network(device, spec, ROWS)
  const critic = { device, network, parameters, adam, valueNorm, workspace: new Workspace() }
  const update = new CriticStep(critic, batch, all)
  const valid = Array.from(returns).filter((_, r) => weight[r] === 1)
  const loss = (at: ArrayLike<number>) => {
    // After one update the debiased moments are those of the valid returns.
    const mean = normalised ? sum(valid) / valid.length : 0
    const deviation = normalised ? Math.sqrt(sum(valid.map((v) => v * v)) / valid.length - mean * mean) : 1
    const terms = rowsOf(states, 3).map((row, r) => {
      const target = (returns[r] - mean) / deviation
      return weight[r] * valueLoss(forward(spec, at, row).output[0], old[r], target, all.clip, all.huberDelta)
    })
    return sum(terms) / valid.length
  }
  return { spec, values, parameters, batch, adam, update, loss }
}

for (const { name: on, open } of DEVICES) {
  for (const normalised of [true, false]) {
    for (const clip of [0.2, null]) {
      const name = `${normalised ? 'normalised' : 'plain'} returns, clip ${String(clip)}`
      test(`${on}: ${name}: loss and gradient are those of the mean loss over valid rows`, async () => {
        const lossCoef = 0.7
        const device = await open()
        const { spec, values, update, loss } = await setup(
          device,
          { clip, lossCoef, huberDelta: 8 },
          normalised,
        )
        const result = update.step(ROWS, LR)
        assert.equal(result.taken, true)
        const want = gradient((at) => lossCoef * loss(at), values, 1e-6)
        const error = passError(spec)
        close([result.loss], [loss(values)], error * (1 + loss(values)), 'loss')
        const got = device.read(update.gradient)
        // A difference of a loss of up to 300 with step 1e-6 is good to 1e-16 * 300 / 1e-6.
        close(got, want, error * largest(want) + 1e-7, 'gradient')
        close([result.gradNorm], [Math.sqrt(dot(got, got))], 1e-10, 'norm')
      })
    }
  }

  test(`${on}: the step is that of Adam on the limited gradient`, async () => {
    for (const maxGradNorm of [null, 0.05]) {
      const device = await open()
      const { values, parameters, update } = await setup(device, { maxGradNorm }, true)
      const { gradNorm } = update.step(ROWS, LR)
      const limit = maxGradNorm === null ? 1 : maxGradNorm / (gradNorm + 1e-6)
      const g = Array.from(device.read(update.gradient), (slope) => limit * slope)
      // At the first step both moments, debiased, are those of one gradient.
      const want = Array.from(values, (v, i) => v - (LR * g[i]) / (Math.abs(g[i]) + 1e-5))
      close(device.read(parameters), want, (i) => 2 * U * (12 * LR + Math.abs(want[i])), 'parameters')
    }
  })

  test(`${on}: repeated steps fit returns that are a function of the state`, async () => {
    const device = await open()
    const { batch, update } = await setup(device, { clip: null }, true)
    const states = device.read(batch.inputs)
    device.write(
      batch.returns,
      Float32Array.from({ length: ROWS }, (_, r) => 10 * states[3 * r] + 4),
    )
    const losses = Array.from({ length: 60 }, () => update.step(ROWS, 0.01).loss)
    assert.ok(losses[59] < 0.5 * losses[0], `${losses[0]} to ${losses[59]}`)
  })

  test(`${on}: a return that is not finite takes no step`, async () => {
    const device = await open()
    const { values, parameters, batch, adam, update } = await setup(device, {}, false)
    const before = adam.save()
    edit(device, batch.returns, (returns) => (returns[7] = NaN))
    const { taken } = update.step(ROWS, LR)
    assert.equal(taken, false)
    assert.deepEqual(bits(device.read(parameters) as Float32Array), bits(values))
    assert.deepEqual(adam.save(), before)
  })
}
