import assert from 'node:assert/strict'
import test from 'node:test'
import type { ProgramSpec } from '../../src/devices/steps.js'
import type { WasmDevice } from '../../src/devices/wasm/device.js'
import { Network } from '../../src/learner/network.js'
import { parameterLayout } from '../../src/nn/layout.js'
import type { CriticSpec } from '../../src/nn/spec.js'
import { generator } from '../kernels/harness.js'
import { normals } from '../reference/dense.js'
import { withWasm } from './helpers.js'

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
  return { run, program, gradient }
}

/** Row counts with whole and broken blocks in no regular order. */
function* rowCounts(n: number): Generator<number> {
  const random = generator(n)
  for (let i = 0; i < n; i++) yield 1 + Math.floor((i % 3 === 0 ? 20 : ROWS) * random())
}

test('thousands of small programs give the bits of one thread, with any number of helpers', async () => {
  await withWasm(0, async (alone) => {
    const want = pass(alone)
    const known = new Map<number, Buffer>()
    for (const helpers of [1, 2, 3]) {
      await withWasm(helpers, (device) => {
        const { run } = pass(device)
        for (const rows of rowCounts(4000)) {
          const got = run(rows)
          const expected = known.get(rows) ?? want.run(rows)
          known.set(rows, expected)
          assert.ok(got.equals(expected), `${rows} rows with ${helpers} helpers`)
        }
      })
    }
  })
})

test('a program run by one thread alone gives the same bits', async () => {
  await withWasm(1, (device) => {
    const { run, program, gradient } = pass(device)
    run(300)
    const want = device.read(gradient)
    device.fill(gradient, 0)
    device.kernels.exports.runAlone(device.addressOf(program))
    assert.deepEqual(device.read(gradient), want)
  })
})

test('helpers that fell asleep are woken', async () => {
  await withWasm(2, async (device) => {
    const { run } = pass(device)
    const first = run(ROWS)
    for (let i = 0; i < 10; i++) {
      // Longer than a helper spins, and now and then longer than it sleeps before it looks whether to leave.
      await new Promise((resolve) => setTimeout(resolve, i % 2 ? 5 : 70))
      assert.ok(run(ROWS).equals(first))
    }
  })
})

test('helpers may leave between programs', async () => {
  await withWasm(1, async (device, dismiss) => {
    const { run } = pass(device)
    const first = run(500)
    await dismiss()
    assert.ok(run(500).equals(first))
  })
})
