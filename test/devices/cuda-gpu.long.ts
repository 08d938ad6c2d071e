// Tests on an NVIDIA GPU: `npm run test:cuda`.
import assert from 'node:assert/strict'
import test from 'node:test'
import { CudaDevice, missingDriver } from '../../src/devices/cuda/index.js'
import { allocate } from '../../src/devices/tensor.js'
import { close } from '../reference/close.js'
import { normals } from '../reference/dense.js'
import { tinyConfig, trained } from '../training/runs.js'
import { checkGoldenFiles, checkTraining, METHODS, TF32_BOUND, tf32Bound } from './cuda/checks.js'
import { deviceSuite } from './suite.js'
import { linearSystem } from './suite/solve.js'

const skip = missingDriver() ?? false

for (const accuracy of ['f32', 'tf32'] as const)
  test(`device cuda:${accuracy}, on a GPU`, { skip }, (t) =>
    deviceSuite(t, async () => ({
      device: new CudaDevice({ tf32: accuracy === 'tf32' }),
      accuracy,
      array: allocate,
      close: async () => {},
    })),
  )

test("HARL's numbers within the bounds suggested by the files", { skip }, () => checkGoldenFiles('cuda'))

test("HARL's numbers within the bounds of TF32", { skip }, () => checkGoldenFiles('cuda:tf32', tf32Bound))

for (const method of METHODS)
  for (const [device, bound] of [['cuda'], ['cuda:tf32', TF32_BOUND]] as const)
    test(`${device}: ${method[0]} takes the steps of the default device`, { skip }, (t) =>
      checkTraining(t, method, { device, bound }),
    )

test('recorded launches of a solve give the results of the first launches', { skip }, () => {
  const device = new CudaDevice()
  const { linear } = linearSystem(device, 300, normals(12, 2))
  const solve = () => {
    const result = device.solve(linear, { iterations: 10, tolerance: 1e-10 })
    return { result, x: device.read(linear.x) }
  }
  const first = solve()
  for (let i = 0; i < 20; i++) assert.deepEqual(solve(), first)
})

test('a task of Multi-Agent MuJoCo, with networks of the usual size', { skip }, async (t) => {
  const set = ['actor.hidden=[128,128,128]', 'critic.hidden=[128,128,128]', 'rolloutSteps=200', 'envs=20']
  const runs = []
  for (const device of ['wasm', 'cuda', 'cuda'])
    runs.push(
      await trained(t, tinyConfig({ id: 'mamujoco/HalfCheetah-2x3' }, 50, ...set, `device=${device}`)),
    )
  const [want, one, two] = runs
  assert.equal(two.parametersSha256, one.parametersSha256, 'the same bits again')
  const steps = runs.map(({ records: [{ agents }] }) => agents.map(({ klUsed }) => klUsed!))
  close(steps[1], steps[0], (i) => 0.02 * steps[0][i], 'KL of the first steps')
  assert.equal(one.records.length, want.records.length)
})
