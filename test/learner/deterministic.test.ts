import assert from 'node:assert/strict'
import test from 'node:test'
import type { Device } from '../../src/devices/device.js'
import { squash } from '../../src/devices/reference/bounded.js'
import { Adam } from '../../src/learner/adam.js'
import { DeterministicStep } from '../../src/learner/deterministic-step.js'
import { deterministicHead, DeterministicPolicy, squashing } from '../../src/learner/heads/deterministic.js'
import { QStep } from '../../src/learner/q-critic.js'
import { Network } from '../../src/nn/network.js'
import { box } from '../../src/envs/spaces.js'
import { close } from '../reference/close.js'
import { forward, gradient, largest, normals, rowsOf, sum } from '../reference/dense.js'
import { actorSpec, criticSpec, DEVICES, parametersOf, passError, tensorOf } from './setup.js'

const ROWS = 23
const STATE = 4
const OBSERVATION = 3
/** Actions of the agents; the one in the middle learns. */
const WIDTHS = [1, 2, 3]
const JOINT = STATE + 6
const BEFORE = STATE + WIDTHS[0]

const head = deterministicHead(box(2, [-1, 0.5], [1, 4]), { noise: 0.1, warmup: 0 }, 'an agent')
const SHAPES = [
  {},
  { layerNorm: true, standardise: true, activation: 'relu' },
  { layerNorm: true, agentId: { index: 1, count: 3 }, hidden: [] },
] as const

/** Every fourth row does not count. */
const WEIGHT = Float32Array.from({ length: ROWS }, (_, r) => (r % 4 ? 1 : 0))
const VALID = sum(WEIGHT)

function actorStep(device: Device, shape: (typeof SHAPES)[number]) {
  const spec = { ...actorSpec({ ...shape, size: OBSERVATION }), head }
  const critic = criticSpec({ ...shape, size: JOINT })
  const [values, qValues] = [parametersOf(spec, 1), parametersOf(critic, 2)]
  const [observations, joint] = [normals(ROWS * OBSERVATION, 3), normals(ROWS * JOINT, 4)]
  const parameters = tensorOf(device, values)
  const network = new Network(device, spec, ROWS)
  const adam = new Adam(device, parameters, 1e-5)
  const actor = { device, network, parameters, adam, head: new DeterministicPolicy(device, network) }
  const climbed = { network: new Network(device, critic, ROWS), parameters: tensorOf(device, qValues) }
  const step = new DeterministicStep(actor, climbed, {
    observations: { raw: tensorOf(device, observations) },
    joint: tensorOf(device, joint),
    proposal: device.tensor('f32', ROWS * JOINT),
    slope: device.tensor('f32', ROWS * JOINT),
    weight: tensorOf(device, WEIGHT),
    before: BEFORE,
    after: WIDTHS[2],
  })
  const { scale, offset } = squashing(head)
  const rows = rowsOf(joint, JOINT)
  const seen = rowsOf(observations, OBSERVATION)
  /** Minus the mean of Q over the rows that count. */
  const loss = (at: ArrayLike<number>) =>
    -sum(
      rows.map((row, r) => {
        const action = squash(forward(spec, at, seen[r]).output, scale, offset)
        const proposal = [...row.slice(0, BEFORE), ...action, ...row.slice(BEFORE + WIDTHS[1])]
        return WEIGHT[r] * forward(critic, qValues, proposal).output[0]
      }),
    ) / VALID
  return { step, loss, values, parameters, bound: passError(spec) + passError(critic) }
}

for (const { name: on, open } of DEVICES) {
  test(`${on}: the gradient of a policy through its critic is that of finite differences`, async () => {
    for (const shape of SHAPES) {
      const device = await open()
      const { step, loss, values, parameters, bound } = actorStep(device, shape)
      const want = gradient(loss, values)
      const result = step.step(VALID, 1e-3)
      close([result.loss], [loss(values)], bound * (1 + Math.abs(result.loss)), 'loss')
      close(device.read(step.gradient), want, bound * (1 + largest(want)) + 1e-10, 'gradient')
      assert.ok(largest(want) > 1e-2)
      assert.ok(loss(device.read(parameters)) < result.loss, 'the step raises Q')
      assert.equal(result.rejection, null)
    }
  })

  test(`${on}: the regression of Q is that of half the squared error`, async () => {
    const device = await open()
    const spec = criticSpec({ size: JOINT, layerNorm: true })
    const values = parametersOf(spec, 5)
    const joint = normals(ROWS * JOINT, 6)
    // Far away: no part of the error counts linearly.
    const targets = normals(ROWS, 7, 100)
    const parameters = tensorOf(device, values)
    const network = new Network(device, spec, ROWS)
    const critic = { device, network, parameters, adam: new Adam(device, parameters, 1e-5) }
    const batch = {
      joint: tensorOf(device, joint),
      targets: tensorOf(device, targets),
      weight: tensorOf(device, WEIGHT),
    }
    const step = new QStep(critic, batch)
    const q = (at: ArrayLike<number>) => rowsOf(joint, JOINT).map((row) => forward(spec, at, row).output[0])
    const loss = (at: ArrayLike<number>) =>
      sum(q(at).map((v, r) => (WEIGHT[r] * (targets[r] - v) * (targets[r] - v)) / 2)) / VALID
    const want = gradient(loss, values)
    const result = step.step(VALID, 1e-3)
    const bound = passError(spec)
    close([result.loss], [loss(values)], bound * result.loss, 'loss')
    const meanValue = sum(q(values).map((v, r) => WEIGHT[r] * v)) / VALID
    close([result.meanValue], [meanValue], bound * (1 + Math.abs(meanValue)), 'mean value')
    close(device.read(step.gradient), want, bound * (1 + largest(want)) + 1e-7, 'gradient')
    assert.ok(result.taken && loss(device.read(parameters)) < result.loss)
  })
}

test('a step without rows, or with numbers that are not finite, is not taken', async () => {
  const device = await DEVICES[0].open()
  const { step, values, parameters } = actorStep(device, {})
  assert.equal(step.step(0, 1).rejection, 'no-rows')
  const spoilt = values.map((v, i) => (i === 0 ? NaN : v))
  device.write(parameters, spoilt)
  const { taken, rejection } = step.step(VALID, 1)
  assert.deepEqual({ taken, rejection }, { taken: false, rejection: 'non-finite' })
  assert.deepEqual(device.read(parameters), spoilt)
})

test('a box without bounds is refused', () => {
  assert.throws(
    () => deterministicHead(box(2, -1), { noise: 0.1, warmup: 0 }, 'agent a of e'),
    /^HatrpoError: agent a of e has an action whose high\[0\] is Infinity: .* needs finite bounds$/,
  )
})
