// One step of each rule gives the same result on every device, up to rounding.
import assert from 'node:assert/strict'
import test from 'node:test'
import type { Device } from '../../src/devices/device.js'
import { Adam } from '../../src/learner/adam.js'
import { PolicyBatch } from '../../src/learner/batch.js'
import { ClippedStep } from '../../src/learner/clipped.js'
import { PolicyEvaluation, trainedPolicy } from '../../src/learner/policy.js'
import { TrustRegionStep } from '../../src/learner/trust-region.js'
import { Network } from '../../src/nn/network.js'
import { close } from '../reference/close.js'
import { dot, largest, normals } from '../reference/dense.js'
import { actorSpec, DEVICES, parametersOf, passError, tensorOf } from './setup.js'

const ROWS = 30
const DELTA = 0.01
const LR = 1e-3
const spec = actorSpec({ layerNorm: true })
const error = passError(spec)

function setup(device: Device) {
  const parameters = tensorOf(device, parametersOf(spec, 1))
  const policy = trainedPolicy(device, new Network(device, spec, ROWS), parameters)
  const batch = new PolicyBatch(device, ROWS, {
    observations: tensorOf(device, normals(ROWS * 3, 2)),
    actions: tensorOf(device, normals(ROWS * 2, 3)),
    logProb: device.tensor('f32', ROWS),
    factor: tensorOf(device, normals(ROWS, 4)),
  })
  new PolicyEvaluation(policy, batch, false).evaluate(ROWS)
  device.copy(batch.newLogProb, batch.logProb)
  return { device, policy, batch, parameters }
}

test('a trust-region step agrees between devices', async () => {
  const found = await Promise.all(
    DEVICES.map(async ({ open }) => {
      const { device, policy, batch, parameters } = setup(await open())
      const step = new TrustRegionStep(policy, batch, {
        damping: 0.1,
        // Conjugate gradients amplify rounding from iteration to iteration; three of them by no more than the condition.
        cgIterations: 3,
        cgTolerance: 1e-10,
        lineSearchSteps: 10,
        backtrack: 0.8,
        acceptRatio: 0.5,
      })
      const result = step.commit(step.propose(ROWS), DELTA)
      const gradient = Array.from(device.read(step.gradient))
      const direction = Array.from(device.read(step.direction))
      return { result, gradient, direction, parameters: Array.from(device.read(parameters)) }
    }),
  )
  const [first, ...others] = found
  assert.ok(first.result.accepted)
  for (const other of others) {
    close(other.gradient, first.gradient, error * largest(first.gradient), 'gradient')
    const norm = Math.sqrt(dot(first.direction, first.direction))
    close(other.direction, first.direction, 10 * error * norm, 'direction')
    assert.equal(other.result.trials.length, first.result.trials.length)
    const move = first.result.stepScale * norm
    close(other.parameters, first.parameters, 20 * error * move, 'parameters')
    close(
      [other.result.curvature],
      [first.result.curvature],
      20 * error * first.result.curvature,
      'curvature',
    )
    // A KL of delta is half a squared distance of means of sqrt(2 delta), each good to error.
    close([Math.sqrt(other.result.kl)], [Math.sqrt(first.result.kl)], 10 * error, 'root of the KL')
  }
})

test('a clipped step agrees between devices', async () => {
  const found = await Promise.all(
    DEVICES.map(async ({ open }) => {
      const { device, policy, batch, parameters } = setup(await open())
      const adam = new Adam(device, parameters, 1e-5)
      const step = new ClippedStep(policy, batch, adam, { clip: 0.2, entropyCoef: 0.01, maxGradNorm: 0.5 })
      const result = step.step(ROWS, LR)
      return {
        result,
        gradient: Array.from(device.read(step.gradient)),
        moved: Array.from(device.read(parameters)),
      }
    }),
  )
  const [first, ...others] = found
  for (const other of others) {
    const bound = error * largest(first.gradient)
    close(other.gradient, first.gradient, bound, 'gradient')
    const scale = Math.max(1, first.result.gradNorm / 0.5)
    // The first step of Adam is LR g / (|g| + eps): a change of g moves it by LR eps / (|g| + eps)^2 of that.
    const slope = (g: number) => 1e-5 / (Math.abs(g / scale) + 1e-5) ** 2
    close(
      other.moved,
      first.moved,
      (i) => 1e-6 * (Math.abs(first.moved[i]) + LR) + (2 * LR * slope(first.gradient[i]) * bound) / scale,
      'parameters',
    )
    close(
      [other.result.surrogate, other.result.entropy],
      [first.result.surrogate, first.result.entropy],
      10 * error,
      'sums',
    )
    assert.equal(other.result.clipFraction, first.result.clipFraction)
  }
})
