import assert from 'node:assert/strict'
import test from 'node:test'
import type { RowStep } from '../../src/devices/steps.js'
import { scratch, type Tensor } from '../../src/devices/tensor.js'
import type { WasmDevice } from '../../src/devices/wasm/device.js'
import { generator } from '../kernels/harness.js'
import { normals } from '../reference/dense.js'
import { withWasm } from './helpers.js'

const ROWS = 900
const [INPUTS, UNITS] = [3, 6]

/** Layer with LayerNorm, value head and their adjoint on random data, in three phases and up to eight blocks of rows. */
function pass(device: WasmDevice) {
  const fill = (n: number, seed: number) => {
    const tensor = device.tensor('f32', n)
    device.write(tensor, normals(n, seed))
    return tensor
  }
  const sizes = { weight: UNITS * INPUTS, bias: UNITS, gamma: UNITS, beta: UNITS, head: UNITS, headBias: 1 }
  const offsets: Record<string, number> = {}
  let total = 0
  for (const [name, size] of Object.entries(sizes)) {
    offsets[name] = total
    total += size
  }
  const parameters = fill(total, 1)
  const at = (name: keyof typeof sizes): Tensor => device.slice(parameters, offsets[name], sizes[name])
  const [gradient, weight, value] = [total, ROWS, ROWS].map((n) => device.tensor('f32', n))
  device.fill(weight, 1)
  const [x, old, target] = [fill(INPUTS * ROWS, 2), fill(ROWS, 3), fill(ROWS, 4)]
  const [z, derivative, xhat, y, g] = Array.from({ length: 5 }, () => scratch(UNITS))
  const [rstd, gvalue] = [scratch(1), scratch(1)]
  const layer = { inputs: INPUTS, outputs: UNITS }
  const head = { inputs: UNITS, outputs: 1 }
  const width = UNITS
  const rows: RowStep[] = [
    { op: 'linear', x, weight: at('weight'), bias: at('bias'), y: z, accumulate: false, ...layer },
    { op: 'activation', z, y: z, derivative, width, kind: 'tanh' },
    { op: 'layerNorm', x: z, gamma: at('gamma'), beta: at('beta'), xhat, rstd, out: y, width },
    { op: 'linear', x: y, weight: at('head'), bias: at('headBias'), y: value, accumulate: false, ...head },
    {
      op: 'valueLoss',
      value,
      old,
      target,
      weight,
      clip: 0.2,
      huberDelta: 10,
      gvalue,
      sums: ['loss', 'weight'],
    },
    { op: 'linearWeights', x: y, gy: gvalue, weight: offsets.head, bias: offsets.headBias, ...head },
    { op: 'linearAdjoint', gy: gvalue, weight: at('head'), gx: g, ...head },
    { op: 'layerNormWeights', g, xhat, width, gamma: offsets.gamma, beta: offsets.beta },
    { op: 'layerNormAdjoint', g, xhat, rstd, gamma: at('gamma'), gx: g, width },
    { op: 'multiply', a: g, b: derivative, out: g, width },
    { op: 'linearWeights', x, gy: g, weight: offsets.weight, bias: offsets.bias, ...layer },
  ]
  const program = device.compile({ rows, gradient }, ROWS)
  const run = (count: number) => {
    const { loss, weight: counted } = device.run(program, count, 1 / count)
    assert.equal(counted, count)
    return Buffer.concat(
      [Float64Array.of(loss), device.read(gradient), device.read(device.slice(value, 0, count))].map((v) =>
        Buffer.from(v.buffer, v.byteOffset, v.byteLength),
      ),
    )
  }
  return { run, program, gradient }
}

/** Row counts with full and partial blocks, in irregular order. */
function* rowCounts(n: number): Generator<number> {
  const random = generator(n)
  for (let i = 0; i < n; i++) yield 1 + Math.floor((i % 3 === 0 ? 20 : ROWS) * random())
}

test('thousands of small programs have the bits of one thread, with any number of helpers', async () => {
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

test('a program has the same bits on a single thread', async () => {
  await withWasm(1, (device) => {
    const { run, program, gradient } = pass(device)
    run(300)
    const want = device.read(gradient)
    device.fill(gradient, 0)
    device.kernels.exports.runAlone(device.entryOf(program))
    assert.deepEqual(device.read(gradient), want)
  })
})

test('sleeping helpers are woken', async () => {
  await withWasm(2, async (device) => {
    const { run } = pass(device)
    const first = run(ROWS)
    for (let i = 0; i < 10; i++) {
      // Longer than a helper spins and, now and then, longer than the interval at which it checks whether to leave.
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

/** Layer whose steps on parameters are divided into several tasks, before and after the pass over the rows. */
function dividedPass(device: WasmDevice) {
  const [outputs, inputs] = [70, 45]
  const fill = (n: number, seed: number) => {
    const tensor = device.tensor('f32', n)
    device.write(tensor, normals(n, seed))
    return tensor
  }
  const n = outputs * inputs
  const layer = { weight: fill(n, 1), gamma: fill(inputs, 2), beta: fill(inputs, 3), outputs, inputs }
  const gradient = device.tensor('f32', n + outputs + 2 * inputs)
  const part = (from: number, length: number) => device.slice(gradient, from, length)
  const [m, c, y] = [n, outputs, ROWS * outputs].map((size) => device.tensor('f32', size))
  const [x, direction] = [fill(ROWS * inputs, 4), fill(n, 5)]
  const program = device.compile(
    {
      setup: [
        {
          op: 'foldTangent',
          ...layer,
          dweight: direction,
          dgamma: fill(inputs, 6),
          dbeta: fill(inputs, 7),
          dbias: fill(outputs, 8),
          m,
          c,
        },
      ],
      rows: [
        { op: 'linear', x, weight: m, bias: c, y, accumulate: false, outputs, inputs },
        { op: 'linearWeights', x, gy: y, weight: 0, bias: n, outputs, inputs },
      ],
      gradient,
      finish: [
        {
          op: 'unfoldGradient',
          ...layer,
          gweight: part(0, n),
          gbias: part(n, outputs),
          ggamma: part(n + outputs, inputs),
          gbeta: part(n + outputs + inputs, inputs),
        },
      ],
    },
    ROWS,
  )
  return (rows: number, seed: number) => {
    device.write(direction, normals(n, seed))
    device.run(program, rows, 1 / rows)
    return [
      device.read(gradient),
      device.read(m),
      device.read(c),
      device.read(device.slice(y, 0, rows * outputs)),
    ]
  }
}

test('steps on parameters have the bits of one thread, with any number of helpers', async () => {
  const rowsOfRuns = Array.from(rowCounts(20))
  const found: ReturnType<ReturnType<typeof dividedPass>>[][] = []
  for (const helpers of [0, 1, 3]) {
    await withWasm(helpers, (device) => {
      const run = dividedPass(device)
      found.push(rowsOfRuns.map((rows, i) => run(rows, 10 + i)))
    })
  }
  for (const other of found.slice(1)) assert.deepEqual(other, found[0])
})
