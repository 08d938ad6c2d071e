import assert from 'node:assert/strict'
import test from 'node:test'
import type { Device } from '../../src/devices/device.js'
import { openDevice, openHost } from '../../src/devices/open.js'
import { loadPackage } from '../../src/devices/packages.js'
import { allocate } from '../../src/devices/tensor.js'
import type { RowStep } from '../../src/devices/steps.js'
import { scratch } from '../../src/devices/tensor.js'
import type { TensorFlow } from '../../src/devices/tfjs/tensorflow.js'
import { close } from '../reference/close.js'
import { normals } from '../reference/dense.js'
import { missingTensorFlow, TFJS } from '../tensorflow/find.js'
import { deviceSuite } from './suite.js'

const skip = await missingTensorFlow()
const open = async () => openDevice(TFJS, await openHost())

test(`device ${TFJS}`, { skip }, async (t) => {
  const device = await open()
  await deviceSuite(t, async () => ({ device, accuracy: 'f32', array: allocate, close: async () => {} }))
})

const [ROWS, WIDTH] = [24, 5]

/** Update of parameters by passes that use every kind of memory. */
function update(device: Device): () => void {
  const f32 = (n: number, seed: number) => {
    const tensor = device.tensor('f32', n)
    device.write(tensor, normals(n, seed))
    return tensor
  }
  const parameters = f32(WIDTH * WIDTH + WIDTH, 1)
  const [gradient, m, v, x, weight] = [f32(30, 2), f32(30, 3), f32(30, 4), f32(ROWS * WIDTH, 5), f32(ROWS, 6)]
  device.fill(v, 1)
  const matrix = { inputs: WIDTH, outputs: WIDTH, weight: device.slice(parameters, 0, WIDTH * WIDTH) }
  const [z, slope] = [scratch(WIDTH), scratch(WIDTH)]
  const kept = device.tensor('f32', 2 * ROWS * WIDTH)
  const rows: RowStep[] = [
    { op: 'linear', ...matrix, x, bias: device.slice(parameters, 25, WIDTH), y: z, accumulate: false },
    { op: 'activation', z, y: z, derivative: slope, width: WIDTH, kind: 'gelu' },
    // Writes a part of a tensor. The rest is unchanged.
    { op: 'copy', x: z, out: device.slice(kept, WIDTH, ROWS * WIDTH), width: WIDTH },
    { op: 'weightedSum', x: weight, weight, sums: ['x', 'weight'] },
    { op: 'linearWeights', x, inputs: WIDTH, gy: slope, outputs: WIDTH, weight: 0, bias: 25 },
  ]
  const program = device.compile({ rows, gradient }, ROWS)
  const adam = { lr: 0.1, beta1: 0.9, beta2: 0.99, eps: 1e-5, power1: 0.5, power2: 0.5, gradScale: 1 }
  return () => {
    device.run(program, ROWS, 0.5)
    device.run(program, ROWS - 3)
    device.adam(parameters, gradient, m, v, adam)
    device.multiplyByRatio(x, x, x, null)
    device.write(device.slice(parameters, 3, 4), [1, 2, 3, 4])
    assert.ok(device.allFinite(kept))
  }
}

test('tensors of TensorFlow.js do not accumulate', { skip }, async () => {
  const tf = loadPackage<TensorFlow>('@tensorflow/tfjs-core')
  const device = await open()
  const none = tf.memory().numTensors
  const step = update(device)
  step()
  step()
  const before = tf.memory().numTensors
  assert.ok(before > none)
  for (let i = 0; i < 5; i++) step()
  assert.equal(tf.memory().numTensors, before)
  device.close()
  assert.ok(tf.memory().numTensors <= none, 'a closed device releases them')
})

test('a failed step leaves no tensors behind', { skip }, async () => {
  const tf = loadPackage<TensorFlow>('@tensorflow/tfjs-core')
  const device = await open()
  const [x, hidden] = [device.tensor('f32', ROWS * WIDTH), scratch(WIDTH)]
  const rows: RowStep[] = [
    { op: 'copy', x, out: hidden, width: WIDTH },
    { op: 'copy', x: hidden, out: device.tensor('f32', WIDTH), width: WIDTH },
  ]
  const program = device.compile({ rows }, ROWS)
  const fail = () => assert.throws(() => device.run(program, ROWS), RangeError)
  fail()
  const before = tf.memory().numTensors
  fail()
  assert.equal(tf.memory().numTensors, before)
})

test(
  'a vector that differs from a constant one in its last bit is standardised within bounds',
  { skip },
  async () => {
    const device = await open()
    const [raw, out] = [device.tensor('f32', 6), device.tensor('f32', 6)]
    device.write(raw, [1e3, 1e3, Math.fround(1e3 + 6.2e-5), 0.1, 0.1, 0.1])
    const step: RowStep = { op: 'input', raw, size: 3, agentId: null, standardise: true, out }
    device.run(device.compile({ rows: [step] }, 2), 2)
    const values = device.read(out)
    assert.ok(values.every((v) => Number.isFinite(v) && Math.abs(v) <= Math.SQRT2 + 1e-6))
    close(values.subarray(3), [0, 0, 0], 0, 'a constant vector')
  },
)

test('exhausted memory of the backend is an error of one line', { skip }, async () => {
  await open()
  const tf = loadPackage<TensorFlow>('@tensorflow/tfjs-core')
  const { wasm } = tf.backend() as { wasm: { _malloc: (bytes: number) => number } }
  assert.ok(wasm._malloc(8) > 0)
  // The full 4 GiB that the memory may grow to, of which a part is in use.
  const message = /^the backend of TensorFlow\.js has no 4294967295 bytes left of its 4 GiB: [^\n]*--device/
  assert.throws(() => wasm._malloc(2 ** 32 - 1), { name: 'HatrpoError', message })
})
