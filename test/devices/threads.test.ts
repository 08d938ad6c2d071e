import assert from 'node:assert/strict'
import test from 'node:test'
import type { ProgramSpec } from '../../src/devices/steps.js'
import type { WasmDevice } from '../../src/devices/wasm/device.js'
import { Network } from '../../src/learner/network.js'
import { parameterLayout } from '../../src/nn/layout.js'
import type { CriticSpec } from '../../src/nn/spec.js'
import { generator } from '../kernels/harness.js'
import { normals } from '../reference/dense.js'
import { openWasm } from './helpers.js'

const ROWS = 900
const SPEC: CriticSpec = {
  input: { size: 3, agentId: null, standardise: false, layerNorm: true },
  hidden: [5, 6],
  activation: 'tanh',
  head: { kind: 'value', size: 1 },
}

/** A forward and adjoint pass with a loss on random data: three phases, up to eight blocks of rows. */
function pass(device: WasmDevice) {
  const fill = (n: number, seed: number) => {
    const tensor = device.tensor('f32', n)
    device.write(tensor, normals(n, seed))
    return tensor
  }
  const network = new Network(device, SPEC, ROWS)
  const parameters = fill(parameterLayout(SPEC).size, 1)
  const gradient = device.tensor('f32', parameters.length)
  const weight = device.tensor('f32', ROWS)
  device.fill(weight, 1)
  const spec: ProgramSpec = {
    rows: [
      ...network.forward(parameters, fill(3 * ROWS, 2)),
      {
        op: 'valueLoss',
        value: network.output,
        old: fill(ROWS, 3),
        target: fill(ROWS, 4),
        weight,
        clip: 0.2,
        huberDelta: 10,
        gvalue: network.cotangent,
        sum: 0,
      },
      ...network.adjoint(parameters),
    ],
    gradient,
    sums: 2,
  }
  const program = device.compile(spec, ROWS)
  const run = (rows: number) => {
    const sums = device.run(program, rows, 1 / rows)
    const found = [device.f32(gradient), device.f32(network.output).subarray(0, rows)]
    return Buffer.concat(
      [sums, ...found].map((v) => Buffer.from(v.buffer.slice(v.byteOffset, v.byteOffset + v.byteLength))),
    )
  }
  return { run, parameters, program }
}

/** Row counts with whole and broken blocks in no regular order. */
function* rowCounts(n: number): Generator<number> {
  const random = generator(n)
  for (let i = 0; i < n; i++) yield 1 + Math.floor((i % 3 === 0 ? 20 : ROWS) * random())
}

test('thousands of small programs give the bits of one thread, with any number of helpers', async () => {
  const alone = await openWasm(0)
  const want = pass(alone.device)
  const known = new Map<number, Buffer>()
  for (const helpers of [1, 2, 3]) {
    const { device, close } = await openWasm(helpers)
    const { run } = pass(device)
    for (const rows of rowCounts(1500)) {
      const got = run(rows)
      if (!known.has(rows)) known.set(rows, want.run(rows))
      assert.ok(got.equals(known.get(rows)!), `${rows} rows with ${helpers} helpers`)
    }
    await close()
  }
})

test('programs on one thread and on several agree with runAlone', async () => {
  const { device, close } = await openWasm(1)
  const { run, program } = pass(device)
  const address = device.addressOf(program)
  const first = run(300)
  device.kernels.exports.runAlone(address)
  assert.ok(run(300).equals(first))
  await close()
})

test('helpers that sleep are woken, and idle ones cost nothing but a look now and then', async () => {
  const { device, close } = await openWasm(2)
  const { run } = pass(device)
  const first = run(ROWS)
  for (let i = 0; i < 10; i++) {
    // Longer than a helper spins, and now and then longer than it sleeps before it looks whether to leave.
    await new Promise((resolve) => setTimeout(resolve, i % 2 ? 5 : 70))
    assert.ok(run(ROWS).equals(first))
  }
  await close()
})

test('helpers may come and go between programs', async () => {
  const { device, close } = await openWasm(1)
  const { run } = pass(device)
  const first = run(500)
  await close()
  assert.ok(run(500).equals(first))
  device.kernels.exports.dismiss(device.control, 0)
  assert.ok(run(500).equals(first))
})
