import assert from 'node:assert/strict'
import test from 'node:test'
import { Advantages } from '../../src/algorithms/advantages.js'
import { CRITIC_INPUTS, criticColumns } from '../../src/algorithms/critics.js'
import { DeviceColumns } from '../../src/algorithms/device-columns.js'
import { WasmDevice } from '../../src/devices/wasm/device.js'
import { RUNNING, TERMINATED } from '../../src/envs/index.js'
import { Adam } from '../../src/learner/adam.js'
import { Workspace } from '../../src/learner/policy.js'
import { parameterLayout } from '../../src/nn/layout.js'
import { Network } from '../../src/nn/network.js'
import { VALUE_HEAD, type NetworkSpec } from '../../src/nn/spec.js'
import { BASIC_NEEDS, RolloutStorage } from '../../src/rollout/index.js'
import { Team } from './fixtures/team.js'

const [GAMMA, LAMBDA, STEPS, ENVS, BROKEN] = [0.9, 0.8, 5, 1, 2]

test('targets before a broken step include the value of its state, and nothing later', async () => {
  const device = await WasmDevice.create()
  const storage = new RolloutStorage(device, new Team().spec, ENVS, STEPS, BASIC_NEEDS)
  const spec: NetworkSpec = {
    input: { size: 2, agentId: null, standardise: false, layerNorm: false },
    hidden: [4],
    activation: 'tanh',
    head: VALUE_HEAD,
  }
  const parameters = device.tensor('f32', parameterLayout(spec).size)
  device.write(
    parameters,
    Float32Array.from({ length: parameters.length }, (_, i) => ((7 * i) % 11) / 11 - 0.4),
  )
  const network = new Network(device, spec, storage.rows)
  const adam = new Adam(device, parameters, 1e-5)
  const critic = { device, network, parameters, adam, valueNorm: null, workspace: new Workspace() }
  const columns = criticColumns({ part: CRITIC_INPUTS.state }, new DeviceColumns(device, storage), [0])
  const options = { gamma: GAMMA, lambda: LAMBDA, truncation: 'bootstrap' } as const
  const advantages = new Advantages(critic, columns, storage.layout, storage.team.ends as Uint8Array, options)
  const { states, finalStates, valid, ends } = storage.team
  // Final states follow the states of the steps.
  states.forEach((_, i) => (states[i] = (i % 5) - 1.5))
  finalStates.forEach((_, i) => (finalStates[i] = ((states.length + i) % 5) - 1.5))
  storage.agentColumn('rewards', [0]).set([1, 2, 0, 4, 5])
  valid.set([1, 1, 0, 1, 1])
  ends.set([RUNNING, RUNNING, TERMINATED, RUNNING, TERMINATED])

  advantages.compute()
  const value = device.read(advantages.values)
  assert.ok(
    value.every((v) => Math.abs(v) > 0.01),
    'values that could be mistaken for 0',
  )
  const found = device.read(advantages.advantages)
  const delta = (t: number, reward: number, next: number) => reward + GAMMA * next - value[t]
  const expected = [
    delta(0, 1, value[1]) + GAMMA * LAMBDA * delta(1, 2, value[BROKEN]),
    delta(1, 2, value[BROKEN]),
    0,
    delta(3, 4, value[4]) + GAMMA * LAMBDA * delta(4, 5, 0),
    delta(4, 5, 0),
  ]
  // One rounding to f32 of numbers below 16.
  for (const [t, advantage] of expected.entries())
    assert.ok(Math.abs(found[t] - advantage) < 1e-6, `step ${t}`)
  assert.equal(found[BROKEN], 0)

  states.fill(Infinity)
  assert.throws(
    () => advantages.compute(),
    /^HatrpoError: the critic gave the value NaN \(environment 0, step 0 /,
  )
})
