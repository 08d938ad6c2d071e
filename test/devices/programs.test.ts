import assert from 'node:assert/strict'
import test from 'node:test'
import { HatrpoError } from '../../src/errors.js'
import type { Device, LinearSystem, Preconditioner } from '../../src/devices/device.js'
import { conjugateGradient } from '../../src/devices/solve.js'
import type { RowStep } from '../../src/devices/steps.js'
import { scratch, type Tensor } from '../../src/devices/tensor.js'
import { WasmDevice } from '../../src/devices/wasm/device.js'
import { planGradient } from '../../src/devices/operations/gradient.js'
import { assignSlots } from '../../src/devices/operations/scratch.js'
import { loadKernels } from '../../src/kernels/index.js'
import { bits } from '../kernels/harness.js'
import { close } from '../reference/close.js'
import { gamma, normals } from '../reference/dense.js'
import { withWasm } from './helpers.js'

const ROWS = 900
const HELPERS = [0, 1, 3]

const tensorOf = (device: Device, values: Float32Array) => {
  const tensor = device.tensor('f32', values.length)
  device.write(tensor, values)
  return tensor
}

/** Columns [outputs, inputs] of gy' x and the sizes of their sums, in f64. */
function outer(x: Float32Array, gy: Float32Array, rows: number, inputs: number, outputs: number) {
  const [total, size] = [new Float64Array(outputs * inputs), new Float64Array(outputs * inputs)]
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < total.length; i++) {
      const term = gy[r * outputs + Math.floor(i / inputs)] * x[r * inputs + (i % inputs)]
      total[i] += term
      size[i] += Math.abs(term)
    }
  }
  return { total, size }
}

test('a weight used by two steps has the sum of both gradients, with any number of helpers', async () => {
  const [inputs, outputs] = [5, 7]
  const [weights, length] = [outputs * inputs, outputs * inputs + 2 * outputs]
  const data = [1, 2].map((seed) => ({
    x: normals(ROWS * inputs, seed),
    gy: normals(ROWS * outputs, 10 + seed),
  }))
  const found: Uint32Array[] = []
  for (const helpers of HELPERS) {
    await withWasm(helpers, (device) => {
      const gradient = device.tensor('f32', length)
      // Both share the weight. Each has its own bias.
      const steps = data.map(({ x, gy }, i): RowStep => ({
        op: 'linearWeights',
        x: tensorOf(device, x),
        inputs,
        gy: tensorOf(device, gy),
        outputs,
        weight: 0,
        bias: weights + i * outputs,
      }))
      const program = device.compile({ rows: steps, gradient }, ROWS)
      for (const rows of [1, 128, 500, ROWS]) {
        device.run(program, rows, 0.5)
        const got = device.read(gradient) as Float32Array
        const parts = data.map(({ x, gy }) => outer(x, gy, rows, inputs, outputs))
        const bound = (i: number) => (gamma(rows) * (parts[0].size[i] + parts[1].size[i])) / 2
        close(
          got.subarray(0, weights),
          parts[0].total.map((v, i) => (v + parts[1].total[i]) / 2),
          bound,
          `weight, ${rows} rows`,
        )
        data.forEach(({ gy }, i) => {
          const ones = new Float32Array(rows).fill(1)
          const { total, size } = outer(ones, gy, rows, 1, outputs)
          const bias = got.subarray(weights + i * outputs, weights + (i + 1) * outputs)
          close(
            bias,
            Array.from(total, (v) => v / 2),
            (j) => gamma(rows) * size[j],
            `bias ${i}`,
          )
        })
      }
      found.push(bits(device.read(gradient) as Float32Array))
    })
  }
  for (const other of found) assert.deepEqual(other, found[0])
})

test('gradient entries that a program does not write contain no values of another program', async () => {
  const [inputs, outputs] = [9, 11]
  for (const helpers of HELPERS) {
    await withWasm(helpers, (device) => {
      const [x, gy] = [
        tensorOf(device, normals(ROWS * inputs, 1)),
        tensorOf(device, normals(ROWS * outputs, 2)),
      ]
      const step = (weight: number, bias: number): RowStep => ({
        op: 'linearWeights',
        x,
        inputs,
        gy,
        outputs,
        weight,
        bias,
      })
      const [weights, gap] = [outputs * inputs, 13]
      const length = 2 * weights + 2 * outputs + 3 * gap
      const dense = device.tensor('f32', 10_000)
      const everything = device.compile(
        {
          rows: [0, 1, 2].map((i) => step(i * (weights + outputs), i * (weights + outputs) + weights)),
          gradient: dense,
        },
        ROWS,
      )
      // Gaps before, between and after the entries. The second weight is used twice.
      const gradient = device.tensor('f32', length)
      const second = gap + weights + outputs + gap
      const sparse = [
        step(gap, gap + weights),
        step(second, second + weights),
        step(second, second + weights),
      ]
      const program = device.compile({ rows: sparse, gradient }, ROWS)
      const run = (rows: number) => {
        device.fill(gradient, 7)
        device.run(program, rows)
        return device.read(gradient) as Float32Array
      }
      const first = [1, 300, ROWS].map((rows) => bits(run(rows)))
      for (let i = 0; i < 3; i++) device.run(everything, ROWS)
      const again = [1, 300, ROWS].map((rows) => bits(run(rows)))
      assert.deepEqual(again, first)
      const got = run(ROWS)
      const gaps = [
        [0, gap],
        [gap + weights + outputs, second],
        [second + weights + outputs, length],
      ]
      for (const [from, to] of gaps) assert.ok(got.subarray(from, to).every((v) => v === 0))
      // Doubling is exact in every block and in the sum.
      const once = got.subarray(gap, gap + weights)
      assert.deepEqual(
        got.subarray(second, second + weights),
        once.map((v) => 2 * v),
      )
    })
  }
})

test('a gradient entry is stored if one step writes it and added if several do', () => {
  const norm = (at: number, beta: number): RowStep => {
    const width = 4
    return { op: 'layerNormWeights', g: scratch(width), xhat: scratch(width), width, gamma: at, beta }
  }
  const alone = [norm(0, 4), norm(8, 14)]
  const plan = planGradient(alone, 20)
  assert.deepEqual([plan.accumulating.size, plan.cleared.length], [0, 0])
  assert.deepEqual(plan.written, [
    { from: 0, to: 12 },
    { from: 14, to: 18 },
  ])
  assert.deepEqual(plan.unwritten, [
    { from: 12, to: 14 },
    { from: 18, to: 20 },
  ])
  // The second overlaps the first by one entry, so all entries of both are accumulated. The third overlaps neither.
  const [first, second, third] = [norm(0, 4), norm(7, 11), norm(20, 24)]
  const shared = planGradient([first, second, third], 28)
  assert.deepEqual([...shared.accumulating], [first, second])
  assert.deepEqual(
    shared.cleared.map(({ from, to }) => [from, to]),
    [
      [0, 4],
      [4, 11],
      [11, 15],
    ],
  )
  assert.deepEqual(shared.unwritten, [{ from: 15, to: 20 }])
  assert.deepEqual(planGradient([], 5).unwritten, [{ from: 0, to: 5 }])
  assert.throws(
    () => planGradient([norm(0, 17)], 20),
    /^RangeError: layerNormWeights: gradient entries 17 \.\. 20 of a gradient of 20$/,
  )
})

test('scratch matrices share a slot if their widths agree and their uses do not overlap', () => {
  const [a, b, c, d] = [scratch(4), scratch(4), scratch(4), scratch(5)]
  const multiply = (x: typeof a, y: typeof a, out: typeof a): RowStep => ({
    op: 'multiply',
    a: x,
    b: y,
    out,
    width: x.width,
  })
  const slots = assignSlots([multiply(a, a, a), multiply(a, a, b), multiply(b, b, c), multiply(d, d, d)])
  assert.deepEqual(
    [a, b, c, d].map((s) => slots.get(s)),
    [0, 1, 0, 0],
  )
  const longer = assignSlots([multiply(a, a, b), multiply(b, b, c), multiply(a, a, a)])
  assert.deepEqual(
    [a, b, c].map((s) => longer.get(s)),
    [0, 1, 2],
  )
})

test('sequential programs share scratch memory; concurrent passes do not', async () => {
  const device = await WasmDevice.create()
  const [x, out] = [tensorOf(device, normals(1000 * 8, 1)), device.tensor('f32', 1000 * 8)]
  const spec = () => {
    const work = Array.from({ length: 6 }, () => scratch(8))
    const rows: RowStep[] = [{ op: 'copy', x, out: work[0], width: 8 }]
    work.slice(1).forEach((to, i) => rows.push({ op: 'multiply', a: work[i], b: work[i], out: to, width: 8 }))
    rows.push({ op: 'copy', x: work[5], out, width: 8 })
    return { rows }
  }
  const bytes = (build: () => void) => {
    const before = device.arena.used
    build()
    return device.arena.used - before
  }
  const first = bytes(() => device.compile(spec(), 1000))
  const [later, smaller] = [
    bytes(() => device.compile(spec(), 1000)),
    bytes(() => device.compile(spec(), 10)),
  ]
  const matrix = 1000 * 8 * 4
  // A chain of six matrices needs the memory of two.
  assert.ok(first > 2 * matrix && first < 3 * matrix, `${first} bytes`)
  assert.ok(later < matrix && smaller < matrix, `${later} and ${smaller} bytes`)
  const passes = bytes(() => device.compilePrepared([spec(), spec()], [1000, 1000]))
  assert.ok(passes > 4 * matrix, `${passes} bytes`)
})

/** Program with the gradient F direction, where F = X' X / rows for random rows X. */
function linearSystem(device: Device, n: number, b: Float32Array): LinearSystem {
  const x = tensorOf(device, normals(ROWS * n, 3))
  const [direction, gradient] = [device.tensor('f32', n), device.tensor('f32', n + 1)]
  const product = device.slice(gradient, 0, n)
  const along = scratch(1)
  const rows: RowStep[] = [
    { op: 'linear', x, inputs: n, weight: direction, bias: null, y: along, outputs: 1, accumulate: false },
    { op: 'linearWeights', x, inputs: n, gy: along, outputs: 1, weight: 0, bias: n },
  ]
  const program = device.compile({ rows, gradient }, ROWS)
  const [residual, result] = [device.tensor('f32', n), device.tensor('f32', n)]
  const [scale, damping] = [1 / ROWS, 0.1]
  return {
    program,
    rows: ROWS,
    scale,
    damping,
    direction,
    product,
    residual,
    b: tensorOf(device, b),
    x: result,
    preconditioner: null,
  }
}

/** M of two passes: halves of a diagonal. */
function diagonal(device: Device, residual: Tensor, n: number): Preconditioner {
  const half = n >> 1
  const image = device.tensor('f32', n)
  const entries = tensorOf(
    device,
    normals(n, 6).map((v) => 0.2 + v * v),
  )
  const passes = [
    [0, half],
    [half, n - half],
  ].map(([from, width]) => {
    const [a, b, out] = [residual, entries, image].map((v) => device.slice(v, from, width))
    return { program: device.compile({ rows: [{ op: 'multiply', a, b, out, width }] }, 1), rows: 1 }
  })
  return { passes, image }
}

test('solve has the bits of conjugateGradient, with any number of helpers', async () => {
  const n = 61
  const rightSides = [normals(n, 4), normals(n, 5, 1e-8), new Float32Array(n)]
  for (const helpers of HELPERS) {
    await withWasm(helpers, (device) => {
      for (const b of rightSides) {
        for (const { preconditioned = false, ...options } of [
          { iterations: 10, tolerance: 1e-10 },
          { iterations: 40, tolerance: 1e-3 },
          { iterations: 1, tolerance: 0 },
          { iterations: 0, tolerance: 0 },
          { iterations: 10, tolerance: 1e-10, preconditioned: true },
          { iterations: 1, tolerance: 0, preconditioned: true },
        ]) {
          const plain = linearSystem(device, n, b)
          const preconditioner = preconditioned ? diagonal(device, plain.residual, n) : null
          const system = { ...plain, preconditioner }
          const want = conjugateGradient(device, system, options)
          const kept = [system.x, system.residual, system.direction].map((v) =>
            bits(device.read(v) as Float32Array),
          )
          for (const v of [system.x, system.residual, system.direction]) device.fill(v, NaN)
          const got = device.solve(system, options)
          assert.deepEqual(got, want)
          assert.deepEqual(
            [system.x, system.residual, system.direction].map((v) => bits(device.read(v) as Float32Array)),
            kept,
          )
          const nothing = b.every((v) => v === 0) || options.iterations === 0
          assert.equal(got.residuals.length > 0, !nothing)
          assert.equal(got.curvature > 0, !nothing)
        }
      }
    })
  }
})

test('a helper that dies while solve runs is an error', async () => {
  const kernels = await loadKernels()
  const broken = await WasmDevice.create({ ...kernels, exports: { ...kernels.exports, solve: () => -1 } })
  const system = linearSystem(broken, 5, normals(5, 1))
  assert.throws(
    () => broken.solve(system, { iterations: 3, tolerance: 0 }),
    (error) => error instanceof HatrpoError && /a worker thread stopped responding/.test(error.message),
  )
})

test('a mirror of the device memory is the array itself, before and after the memory grows', async () => {
  const device = await WasmDevice.create()
  const made = (['f32', 'f64', 'i32', 'u8'] as const).map((type) => device.view(device.tensor(type, 10)))
  device.tensor('u8', 3_000_000)
  for (const array of [...made, device.view(device.tensor('u8', 5))]) {
    const before = device.arena.used
    const { tensor, upload, download } = device.mirror(array)
    assert.equal(device.arena.used, before, 'nothing is allocated')
    assert.equal(device.addressOf(tensor), array.byteOffset)
    array[1] = 3
    assert.equal(device.read(tensor)[1], 3)
    upload()
    device.view(tensor)[1] = 4
    download()
    assert.equal(array[1], 4)
  }
})

test('a mirror of another array copies on upload and download', async () => {
  const device = await WasmDevice.create()
  for (const array of [new Float32Array(3), new Float64Array(3), new Int32Array(3), new Uint8Array(3)]) {
    array[1] = 7
    const { tensor, upload, download } = device.mirror(array)
    array[2] = 5
    assert.deepEqual([...device.read(tensor)], [0, 7, 0], 'the contents at first')
    upload()
    assert.equal(device.read(tensor)[2], 5)
    device.view(tensor)[0] = 9
    assert.equal(array[0], 0)
    download()
    assert.deepEqual([...array], [9, 7, 5])
  }
})

test('operands of the wrong type, width or length are refused when a program is compiled', async () => {
  const [device, other] = [await WasmDevice.create(), await WasmDevice.create()]
  const [a, out] = [device.tensor('f32', 40), device.tensor('f32', 40)]
  const copy = (x: typeof a | ReturnType<typeof scratch>): RowStep => ({ op: 'copy', x, out, width: 4 })
  device.compile({ rows: [copy(a)] }, 10)
  assert.throws(
    () => device.compile({ rows: [copy(a)] }, 11),
    /^RangeError: copy: x has 40 elements, must have at least 44$/,
  )
  assert.throws(
    () => device.compile({ rows: [copy(scratch(3))] }, 10),
    /^RangeError: copy: x has 3 columns, must have 4$/,
  )
  assert.throws(
    () => device.compile({ rows: [copy(device.tensor('f64', 40))] }, 10),
    /^TypeError: copy: x is f64, must be f32$/,
  )
  assert.throws(
    () => device.compile({ rows: [copy(other.tensor('f32', 40))] }, 10),
    /^TypeError: .* another device$/,
  )
  const weights: RowStep = { op: 'linearWeights', x: a, inputs: 4, gy: out, outputs: 4, weight: 0, bias: 16 }
  assert.throws(() => device.compile({ rows: [weights] }, 10), RangeError, 'no gradient')
})
