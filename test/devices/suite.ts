import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Device } from '../../src/devices/device.js'
import { ACTIVATIONS, type ProgramSpec, type RowStep } from '../../src/devices/steps.js'
import { slice, type Tensor } from '../../src/devices/tensor.js'
import { close } from '../reference/close.js'
import {
  ACTIVATE,
  deviation,
  directional,
  dot,
  gamma,
  gaussianKl,
  inputStage,
  largest,
  layerNorm,
  linear,
  logProb,
  moments,
  normals,
  rowsOf,
  sum,
  surrogate,
  U,
  valueLoss,
} from '../reference/dense.js'

export interface OpenDevice {
  readonly device: Device
  close(): Promise<void>
}

const ROWS = 300
/** One row, a part of a block of rows, several blocks, all. */
const COUNTS = [1, 100, 257, ROWS]
const X = 1.2
const Y = 0.6

/** What every device must do, to the accuracy of f32, as parts of test `t`. `open` is called once. */
export async function deviceSuite(t: TestContext, open: () => Promise<OpenDevice>): Promise<void> {
  const { device, close: shut } = await open()
  try {
    for (const [what, check] of Object.entries(CHECKS)) await t.test(what, () => check(device))
  } finally {
    await shut()
  }
}

const f32 = (device: Device, values: ArrayLike<number>): Tensor => {
  const tensor = device.tensor('f32', values.length)
  device.write(tensor, values)
  return tensor
}

/** Runs steps on each row count and hands the count and the sums to `check`. */
function each(
  device: Device,
  spec: ProgramSpec,
  check: (rows: number, sums: Float64Array) => void,
  scale = 1,
): void {
  const program = device.compile(spec, ROWS)
  assert.equal(program.maxRows, ROWS)
  for (const rows of COUNTS) check(rows, Float64Array.from(device.run(program, rows, scale)))
}

/** The first `rows` rows of a matrix on the device. */
const head = (device: Device, tensor: Tensor, rows: number, width: number) =>
  Array.from(device.read(tensor).subarray(0, rows * width))

function checkTensors(device: Device): void {
  for (const type of ['f32', 'f64', 'i32'] as const) {
    const tensor = device.tensor(type, 5)
    assert.deepEqual([tensor.type, tensor.length], [type, 5])
    assert.deepEqual([...device.read(tensor)], [0, 0, 0, 0, 0], 'new memory is zero')
    device.write(tensor, [1, -2, 3, 4, 5])
    const copy = device.read(tensor)
    assert.deepEqual([...copy], [1, -2, 3, 4, 5])
    copy[0] = 9
    assert.equal(device.read(tensor)[0], 1, 'read gives a copy')
    const part = slice(tensor, 1, 3)
    assert.deepEqual([...device.read(part)], [-2, 3, 4])
    device.write(part, [7, 8, 9])
    assert.deepEqual([...device.read(tensor)], [1, 7, 8, 9, 5])
    assert.throws(() => device.write(tensor, [1, 2]), RangeError)
    assert.throws(() => slice(tensor, 3, 3), RangeError)
    assert.throws(() => slice(tensor, -1, 2), RangeError)
  }
}

function checkOverlay(device: Device): void {
  const [a, b, c] = device.overlay<Tensor | Tensor[]>([
    () => device.tensor('f32', 100),
    () => [device.tensor('f32', 30), device.tensor('f32', 300)],
    () => device.tensor('f64', 3),
  ]) as [Tensor, Tensor[], Tensor]
  const after = device.tensor('f32', 50)
  device.fill(after, 3)
  // Within one builder nothing overlaps; what comes after the overlay overlaps none of it.
  device.fill(b[0], 1)
  device.fill(b[1], 2)
  assert.ok(device.read(b[0]).every((v) => v === 1))
  assert.ok(device.read(b[1]).every((v) => v === 2))
  device.fill(a, 4)
  device.write(c, [5, 6, 7])
  assert.ok(device.read(after).every((v) => v === 3))
  const spec: ProgramSpec = { rows: [] }
  assert.throws(() => device.overlay([() => device.compile(spec, 1)]), /overlay/)
  assert.equal(device.compile(spec, 1).maxRows, 1, 'compiling works again afterwards')
}

function checkErrors(device: Device): void {
  const out = device.tensor('f32', 8)
  const program = device.compile({ rows: [{ op: 'multiply', a: out, b: out, out, width: 2 }] }, 4)
  for (const rows of [0, -1, 5, 1.5, NaN])
    assert.throws(() => device.run(program, rows), RangeError, `${rows} rows`)
  const short = device.tensor('f32', 7)
  assert.throws(() => device.dot(out, short), RangeError)
  assert.throws(() => device.axpy(1, out, short), RangeError)
  assert.throws(() => device.xpby(out, 1, short), RangeError)
  assert.throws(() => device.copy(out, short), RangeError)
  assert.throws(() => device.multiplyByRatio(out, out, short, null), RangeError)
  assert.throws(() => device.standardise(out, short, 1e-5), RangeError)
  assert.throws(() => device.dot(out, device.tensor('i32', 8)), TypeError)
  assert.throws(() => device.run({ maxRows: 4 }, 1), TypeError)
}

function checkVectors(device: Device): void {
  const n = 1003
  const [a, b] = [normals(n, 1), normals(n, 2)]
  const [x, y] = [f32(device, a), f32(device, b)]
  close([device.dot(x, y)], [dot(a, b)], 1e-10, 'dot')
  device.axpy(-1.7, x, y)
  let want = Array.from(b, (v, i) => v - 1.7 * a[i])
  // The factor, the product and the sum are rounded.
  const bound = (i: number) => 2 * U * (2 * Math.abs(a[i]) + Math.abs(want[i]))
  close(device.read(y), want, bound, 'axpy')
  device.write(y, b)
  device.xpby(x, 0.3, y)
  want = Array.from(b, (v, i) => a[i] + 0.3 * v)
  close(device.read(y), want, (i) => 2 * U * (Math.abs(b[i]) + Math.abs(want[i])), 'xpby')
  device.scale(0.1, x)
  close(
    device.read(x),
    a.map((v) => 0.1 * v),
    (i) => 0.3 * U * Math.abs(a[i]),
    'scale',
  )
  device.copy(y, x)
  assert.deepEqual(device.read(x), device.read(y))
  device.write(x, a)
  device.multiply(x, y)
  close(
    device.read(y),
    Array.from(a, (v, i) => v * want[i]),
    (i) => 4 * U * (Math.abs(b[i]) + Math.abs(want[i])) * Math.abs(a[i]),
    'multiply',
  )
  device.fill(x, -2.5)
  assert.ok(device.read(x).every((v) => v === -2.5))
  device.write(x, b)
  const mask = Float32Array.from({ length: n }, (_, i) => (i % 3 ? 1 : 0))
  device.multiplyByRatio(x, f32(device, a), f32(device, b), f32(device, mask))
  close(
    device.read(x).filter((_, i) => mask[i] === 0),
    b.filter((_, i) => mask[i] === 0),
    0,
    'rows that do not count',
  )
  device.write(x, b)
  device.multiplyByRatio(x, f32(device, a), f32(device, b), null)
  close(
    device.read(x),
    Array.from(b, (v, i) => v * Math.exp(a[i] - b[i])),
    (i) => {
      const d = a[i] - b[i]
      return (Math.abs(d) + 4) * U * Math.abs(b[i]) * Math.exp(d)
    },
    'ratio',
  )
  assert.equal(device.allFinite(x), true)
  for (const [at, bad] of [
    [0, NaN],
    [500, Infinity],
    [n - 1, -Infinity],
  ] as const) {
    device.write(slice(x, at, 1), [bad])
    assert.equal(device.allFinite(x), false)
    device.write(slice(x, at, 1), [0])
  }
  assert.equal(device.allFinite(x), true)
}

function checkStandardise(device: Device): void {
  const n = 500
  const values = normals(n, 3, 4).map((v) => v + 1)
  const weight = Float32Array.from({ length: n }, (_, i) => (i % 7 === 0 ? 0 : 1))
  const x = f32(device, values)
  device.standardise(x, f32(device, weight), 1e-5)
  const { mean, variance } = moments(values.filter((_, i) => weight[i] === 1))
  const want = Array.from(values, (v) => (v - mean) / (Math.sqrt(variance) + 1e-5))
  close(
    device.read(x),
    want,
    (i) => (4 * U * (Math.abs(values[i]) + Math.abs(mean))) / Math.sqrt(variance),
    'x',
  )
}

function checkAdam(device: Device): void {
  const n = 37
  const [start, slopes] = [normals(n, 1), normals(n, 2)]
  const parameters = f32(device, start)
  const [g, m, v] = [f32(device, slopes), device.tensor('f32', n), device.tensor('f32', n)]
  const options = { lr: 0.01, beta1: 0.9, beta2: 0.999, eps: 1e-5, gradScale: 0.5 }
  let [power1, power2] = [1, 1]
  const want = Array.from(start)
  const [m64, v64] = [want.map(() => 0), want.map(() => 0)]
  for (let step = 0; step < 3; step++) {
    power1 *= 0.9
    power2 *= 0.999
    device.adam(parameters, g, m, v, { ...options, power1, power2 })
    slopes.forEach((slope, i) => {
      const d = 0.5 * slope
      m64[i] = 0.9 * m64[i] + 0.1 * d
      v64[i] = 0.999 * v64[i] + 0.001 * d * d
      want[i] -= (0.01 * (m64[i] / (1 - power1))) / (Math.sqrt(v64[i] / (1 - power2)) + 1e-5)
    })
  }
  // Three steps of about lr with a dozen roundings each, and one rounding of the parameter.
  close(
    device.read(parameters),
    want,
    (i) => 3 * (12 * U * 0.011 + U * (Math.abs(start[i]) + 0.04)),
    'parameters',
  )
  close(device.read(m), m64, (i) => 12 * U * Math.abs(m64[i]), 'm')
  close(device.read(v), v64, (i) => 16 * U * v64[i], 'v')
}

function checkInputAndGather(device: Device): void {
  const size = 5
  const raw = normals(ROWS * size, 1)
  const agentId = { index: 1, count: 2 }
  const [source, index] = [f32(device, raw), device.tensor('i32', ROWS)]
  const order = Int32Array.from({ length: ROWS }, (_, r) => (r * 7) % ROWS)
  device.write(index, order)
  const [picked, out] = [device.tensor('f32', ROWS * size), device.tensor('f32', ROWS * 7)]
  for (const standardise of [true, false]) {
    const rows: RowStep[] = [
      { op: 'gather', source, index, width: size, out: picked },
      { op: 'input', raw: picked, size, agentId, standardise, out },
    ]
    each(device, { rows }, (count) => {
      const want = Array.from(order.subarray(0, count)).flatMap((r) =>
        inputStage({ size, agentId, standardise, layerNorm: false }, raw.subarray(r * size, (r + 1) * size)),
      )
      close(head(device, out, count, 7), want, 8 * U * largest(want), 'out')
    })
  }
}

function checkLinear(device: Device): void {
  for (const [inputs, outputs] of [
    [3, 5],
    [19, 128],
    [128, 3],
    [16, 16],
  ] as const) {
    const [x, w, b] = [normals(ROWS * inputs, 1), normals(outputs * inputs, 2), normals(outputs, 3)]
    const [gy, start] = [normals(ROWS * outputs, 4), normals(ROWS * outputs, 5)]
    const weight = f32(device, w)
    const [xs, gys] = [f32(device, x), f32(device, gy)]
    const [y, added, gx] = [f32(device, start), f32(device, start), device.tensor('f32', ROWS * inputs)]
    const gradient = device.tensor('f32', outputs * inputs + outputs)
    const shape = { x: xs, inputs, weight, outputs }
    const program = device.compile(
      {
        rows: [
          { op: 'linear', ...shape, bias: f32(device, b), y, accumulate: false },
          { op: 'linear', ...shape, bias: null, y: added, accumulate: true },
          { op: 'linearAdjoint', gy: gys, outputs, weight, gx, inputs },
          { op: 'linearWeights', x: xs, inputs, gy: gys, outputs, weight: outputs, bias: 0 },
        ],
        gradient,
      },
      ROWS,
    )
    for (const count of COUNTS) {
      device.write(added, start)
      device.run(program, count, -0.5)
      const xRows = rowsOf(x.subarray(0, count * inputs), inputs)
      const gRows = rowsOf(gy.subarray(0, count * outputs), outputs)
      const zero = b.map(() => 0)
      const abs = (v: ArrayLike<number>) => Array.from(v, Math.abs)
      const size = xRows.flatMap((row) => linear(abs(row), abs(w), abs(b)))
      const bound = (i: number) => gamma(inputs + 1) * (size[i] + Math.abs(start[i]))
      close(
        head(device, y, count, outputs),
        xRows.flatMap((row) => linear(row, w, b)),
        bound,
        'y',
      )
      const sums = xRows.flatMap((row) => linear(row, w, zero)).map((v, i) => v + start[i])
      close(head(device, added, count, outputs), sums, bound, 'accumulated')
      const transpose = Array.from(
        { length: inputs * outputs },
        (_, i) => w[(i % outputs) * inputs + Math.floor(i / outputs)],
      )
      const none = Array<number>(inputs).fill(0)
      const sizes = gRows.flatMap((row) => linear(abs(row), abs(transpose), none))
      const want = gRows.flatMap((row) => linear(row, transpose, none))
      close(head(device, gx, count, inputs), want, (i) => gamma(outputs) * sizes[i], 'gx')

      const slopes = Array.from({ length: outputs + outputs * inputs }, (_, at) => {
        const j = at < outputs ? at : Math.floor((at - outputs) / inputs)
        const terms = gRows.map((row, r) => row[j] * (at < outputs ? 1 : xRows[r][(at - outputs) % inputs]))
        return [-0.5 * sum(terms), 0.5 * sum(abs(terms))] as const
      })
      // At most a constant number of rows is summed in f32 at a time; gamma(count) covers every order.
      close(
        device.read(gradient),
        slopes.map(([v]) => v),
        (i) => gamma(count) * slopes[i][1],
        'gradient',
      )
    }
  }
}

function checkActivations(device: Device): void {
  const width = 7
  const z = normals(ROWS * width, 1, 2)
  const [zs, y, derivative] = [f32(device, z), device.tensor('f32', z.length), device.tensor('f32', z.length)]
  const [b, product] = [f32(device, normals(z.length, 2)), device.tensor('f32', z.length)]
  for (const kind of ACTIVATIONS) {
    const rows: RowStep[] = [
      { op: 'activation', z: zs, y, derivative, width, kind },
      { op: 'multiply', a: derivative, b, out: product, width },
    ]
    each(device, { rows }, (count) => {
      const part = z.subarray(0, count * width)
      close(
        head(device, y, count, width),
        Array.from(part, ACTIVATE[kind]),
        (i) => 8 * U * (1 + Math.abs(z[i])),
        kind,
      )
      const slopes = directional((t) => Array.from(part, (v) => ACTIVATE[kind](v + t)), 1e-4)
      const got = head(device, derivative, count, width)
      part.forEach((v, i) => {
        if (Math.abs(v) < 1e-3) return
        close([got[i]], [slopes[i]], 12 * U * (1 + Math.abs(v)) + 1e-10, `${kind}'(${v})`)
      })
      const factors = device.read(b)
      const want = got.map((v, i) => v * factors[i])
      close(head(device, product, count, width), want, (i) => U * Math.abs(want[i]), 'product')
    })
    const without: RowStep = { op: 'activation', z: zs, y: product, derivative: null, width, kind }
    each(device, { rows: [without] }, (count) => {
      assert.deepEqual(head(device, product, count, width), head(device, y, count, width))
    })
  }
}

function checkLayerNorm(device: Device): void {
  for (const width of [3, 8, 13]) {
    const x = normals(ROWS * width, 1, 2)
    const [gain, bias, dgain, dbias] = [
      normals(width, 2),
      normals(width, 3),
      normals(width, 4),
      normals(width, 5),
    ]
    const [dx, g] = [normals(ROWS * width, 6), normals(ROWS * width, 7)]
    const matrix = () => device.tensor('f32', ROWS * width)
    const kept = { xhat: matrix(), rstd: device.tensor('f32', ROWS) }
    const [out, tangent, fromParameters, gx] = [matrix(), matrix(), matrix(), matrix()]
    const gradient = device.tensor('f32', 2 * width)
    const at = { gamma: f32(device, gain), width }
    const moved = { dgamma: f32(device, dgain), dbeta: f32(device, dbias) }
    const gs = f32(device, g)
    const rows: RowStep[] = [
      { op: 'layerNorm', x: f32(device, x), beta: f32(device, bias), ...kept, out, ...at },
      { op: 'layerNormTangent', dx: f32(device, dx), ...kept, ...moved, out: tangent, ...at },
      { op: 'layerNormTangent', dx: null, ...kept, ...moved, out: fromParameters, ...at },
      { op: 'layerNormAdjoint', g: gs, ...kept, gx, ...at },
      { op: 'layerNormWeights', g: gs, xhat: kept.xhat, width, gamma: width, beta: 0 },
    ]
    each(device, { rows, gradient }, (count) => {
      const part = (v: Float32Array, r: number) => v.subarray(r * width, (r + 1) * width)
      const read = (v: Tensor) => device.read(v) as Float32Array
      const [hats, scales, outs, tangents, still, gxs] = [
        kept.xhat,
        kept.rstd,
        out,
        tangent,
        fromParameters,
        gx,
      ].map(read)
      // Every row of a small batch, and of a large one every seventh.
      for (let r = 0; r < count; r += count > 100 ? 7 : 1) {
        const row = part(x, r)
        // Rounding of sums over the row, amplified by max|x| / deviation.
        const condition = 1 + largest(row) * scales[r]
        const bound = 4 * gamma(width) * condition * (1 + largest(gain) + largest(bias))
        close(part(outs, r), layerNorm(row, gain, bias), bound, 'out')
        const plus = (v: ArrayLike<number>, d: ArrayLike<number>, t: number) =>
          Array.from(v, (a, i) => a + t * d[i])
        const along = (move: number) =>
          directional((t) =>
            layerNorm(plus(row, part(dx, r), move * t), plus(gain, dgain, t), plus(bias, dbias, t)),
          )
        const size =
          1 + (largest(part(dx, r)) + largest(part(g, r))) * scales[r] * largest(gain) + largest(dgain)
        close(part(tangents, r), along(1), 8 * bound * size, 'tangent')
        close(part(still, r), along(0), 8 * bound * size, 'tangent of the parameters')
        const adjoint = row.map((_, i) => {
          const unit = row.map((__, j) => (i === j ? 1 : 0))
          return dot(
            directional((t) => layerNorm(plus(row, unit, t), gain, bias)),
            part(g, r),
          )
        })
        close(part(gxs, r), adjoint, 8 * bound * size * width, 'adjoint')
      }
      const want = Array.from({ length: 2 * width }, (_, j) => {
        const terms = Array.from(
          { length: count },
          (__, r) => g[r * width + (j % width)] * (j < width ? 1 : hats[r * width + (j % width)]),
        )
        return [sum(terms), sum(terms.map(Math.abs))] as const
      })
      close(
        device.read(gradient),
        want.map(([v]) => v),
        (i) => gamma(count) * want[i][1] + 1e-12,
        'gradient',
      )
    })
  }
}

/** A Gaussian policy and its old self on the device and here; every fifth row has weight 0. */
function policy(device: Device, size: number) {
  const host = {
    mean: normals(ROWS * size, 1),
    oldMean: normals(ROWS * size, 2, 0.1),
    action: normals(ROWS * size, 3),
    logStd: normals(size, 4),
    oldLogStd: normals(size, 5),
    factor: normals(ROWS, 6),
    weight: Float32Array.from({ length: ROWS }, (_, r) => (r % 5 ? 1 : 0)),
  }
  host.oldMean.forEach((v, i) => (host.oldMean[i] = v + host.mean[i]))
  const tensors = Object.fromEntries(Object.entries(host).map(([key, v]) => [key, f32(device, v)])) as Record<
    keyof typeof host,
    Tensor
  >
  const [table, oldTable] = [device.tensor('f64', 4 * size), device.tensor('f64', 4 * size)]
  const setup = [
    { op: 'gaussianTable', logStd: tensors.logStd, x: X, y: Y, table, size },
    { op: 'gaussianTable', logStd: tensors.oldLogStd, x: X, y: Y, table: oldTable, size },
  ] as const
  const sigma = Array.from(host.logStd, (v) => deviation(v, X, Y))
  const oldSigma = Array.from(host.oldLogStd, (v) => deviation(v, X, Y))
  return { host, tensors, table, oldTable, setup, sigma, oldSigma }
}

function checkGaussianTableAndKl(device: Device): void {
  const size = 3
  const { host, tensors, table, oldTable, setup, sigma, oldSigma } = policy(device, size)
  const { mean, oldMean, weight } = tensors
  const rows: RowStep[] = [{ op: 'gaussianKl', oldMean, oldTable, mean, table, size, weight, sum: 1 }]
  each(device, { setup, rows, sums: 3 }, (count, sums) => {
    const means = rowsOf(host.mean, size)
    const terms = rowsOf(host.oldMean, size).map(
      (row, r) => host.weight[r] * gaussianKl(row, oldSigma, means[r], sigma),
    )
    const want = [sum(terms.slice(0, count)), sum(host.weight.subarray(0, count))]
    close(sums.subarray(1), want, 1e-9 * (1 + want[0]), 'KL and weight')
  })
  const slope = (v: number) => directional((t) => [Math.log(deviation(v + t, X, Y))], 1e-3)[0]
  const want = sigma.flatMap((s, j) => [s, Math.log(s), 1 / (s * s), slope(host.logStd[j])])
  close(device.read(table), want, (i) => 1e-11 * (1 + Math.abs(want[i])), 'table')
}

function checkGaussianSurrogate(device: Device): void {
  const size = 3
  const { host, tensors, table, setup, sigma, oldSigma } = policy(device, size)
  const actions = rowsOf(host.action, size)
  const old = Float32Array.from(rowsOf(host.oldMean, size), (row, r) => logProb(actions[r], row, oldSigma))
  const now = rowsOf(host.mean, size).map((row, r) => logProb(actions[r], row, sigma))
  const oldLogProb = f32(device, old)
  const [gmean, newLogProb, alone] = [ROWS * size, ROWS, ROWS].map((n) => device.tensor('f32', n))
  const gradient = device.tensor('f32', size)
  const { mean, action, factor, weight } = tensors
  for (const clip of [null, 0.2]) {
    const rows: RowStep[] = [
      {
        op: 'gaussianSurrogate',
        mean,
        table,
        size,
        action,
        oldLogProb,
        factor,
        weight,
        clip,
        sum: 0,
        gradient: { mean: gmean, logStd: 0 },
        logProb: newLogProb,
      },
      { op: 'gaussianLogProb', mean, action, table, size, logProb: alone },
    ]
    each(device, { setup, rows, gradient, sums: 3 }, (count, sums) => {
      const part = now.slice(0, count)
      close(
        head(device, newLogProb, count, 1),
        part,
        (r) => 2 * U * Math.abs(part[r]) + 1e-10,
        'log-probability',
      )
      assert.deepEqual(head(device, alone, count, 1), head(device, newLogProb, count, 1))
      const ratios = part.map((v, r) => Math.exp(v - old[r]))
      const terms = ratios.map((v, r) => host.weight[r] * surrogate(v, host.factor[r], clip))
      const error = 4 * U * (1 + largest(part))
      const size1 = sum(ratios.map((v, r) => v * Math.abs(host.factor[r])))
      const outside = ratios.filter(
        (v, r) => clip !== null && host.weight[r] > 0 && Math.abs(v - 1) > clip,
      ).length
      close(
        sums,
        [sum(terms), sum(host.weight.subarray(0, count)), outside],
        (i) => (i ? 0 : error * size1),
        'sums',
      )
      // d objective / d log pi is ratio M where the clip does not hold.
      const slopes = ratios.map((v, r) => {
        const [objective, free] = [surrogate(v, host.factor[r], clip), v * host.factor[r]]
        return objective < free ? 0 : host.weight[r] * free
      })
      const offsets = Array.from({ length: count * size }, (_, i) => host.action[i] - host.mean[i])
      const gmeans = offsets.map(
        (d, i) => (slopes[Math.floor(i / size)] * d) / (sigma[i % size] * sigma[i % size]),
      )
      close(head(device, gmean, count, size), gmeans, (i) => 2 * error * Math.abs(gmeans[i]) + 1e-30, 'gmean')
      const glogs = sigma.map((s, j) => {
        const slope = directional((t) => [Math.log(deviation(host.logStd[j] + t, X, Y))], 1e-3)[0]
        const each = slopes.map(
          (v, r) => v * ((offsets[r * size + j] / s) * (offsets[r * size + j] / s) - 1) * slope,
        )
        return [sum(each), sum(each.map(Math.abs)) + 1e-12] as const
      })
      const bound = (j: number) => (gamma(count) + 2 * error) * glogs[j][1]
      close(
        device.read(gradient),
        glogs.map(([v]) => v),
        bound,
        'glogStd',
      )
    })
  }
}

function checkGaussianFisher(device: Device): void {
  const size = 3
  const { host, tensors, table, setup, sigma } = policy(device, size)
  const [dlogStd, gmean] = [normals(size, 9), device.tensor('f32', ROWS * size)]
  const gradient = device.tensor('f32', size)
  const step: RowStep = {
    op: 'gaussianFisher',
    dmean: tensors.mean,
    dlogStd: f32(device, dlogStd),
    table,
    size,
    weight: tensors.weight,
    gmean,
    logStd: 0,
  }
  each(device, { setup, rows: [step], gradient }, (count) => {
    const want = Array.from(host.mean.subarray(0, count * size), (v, i) => {
      return (host.weight[Math.floor(i / size)] * v) / (sigma[i % size] * sigma[i % size])
    })
    close(head(device, gmean, count, size), want, (i) => 2 * U * Math.abs(want[i]), 'gmean')
    const total = sum(host.weight.subarray(0, count))
    const wanted = sigma.map((s, j) => {
      const slope = (1 - s / Y) / X
      return 2 * slope * slope * total * dlogStd[j]
    })
    close(device.read(gradient), wanted, (j) => 4 * U * Math.abs(wanted[j]) + 1e-12, 'glogStd')
  })
}

function checkGaussianSample(device: Device): void {
  const size = 3
  const { host, tensors, table, setup, sigma } = policy(device, size)
  const [streams, steps] = [device.tensor('i32', ROWS), device.tensor('i32', ROWS)]
  device.write(
    streams,
    Int32Array.from({ length: ROWS }, (_, r) => r % 20),
  )
  device.write(
    steps,
    Int32Array.from({ length: ROWS }, (_, r) => Math.floor(r / 20)),
  )
  const [action, drawn, out] = [ROWS * size, ROWS * size, ROWS].map((n) => device.tensor('f32', n))
  const shared = { mean: tensors.mean, table, size, seed: 2 ** 40 + 3, purpose: 1 }
  const step = (to: Tensor): RowStep => ({
    op: 'gaussianSample',
    ...shared,
    streams,
    steps,
    action: to,
    logProb: out,
  })
  each(device, { setup, rows: [step(action), step(drawn)] }, (count) => {
    const samples = head(device, action, count, size)
    assert.deepEqual(
      samples,
      head(device, drawn, count, size),
      'the noise depends on seed, stream and step alone',
    )
    const rows = rowsOf(host.mean, size)
    const want = rowsOf(samples, size).map((row, r) => logProb(row, rows[r], sigma))
    close(head(device, out, count, 1), want, (r) => 2 * U * Math.abs(want[r]) + 1e-10, 'log-probability')
  })
  const z = rowsOf(head(device, action, ROWS, size), size).flatMap((row, r) =>
    row.map((a, j) => (a - host.mean[r * size + j]) / sigma[j]),
  )
  // 900 standard normal numbers: four standard errors of their mean and variance.
  const { mean, variance } = moments(z)
  close([mean], [0], 4 / Math.sqrt(z.length), 'mean of the noise')
  close([variance], [1], 4 * Math.sqrt(2 / z.length), 'variance of the noise')
  assert.equal(new Set(z).size, z.length, 'no number twice')
}

function checkValueLoss(device: Device): void {
  const [v, old, target] = [normals(ROWS, 1), normals(ROWS, 2), normals(ROWS, 3, 8)]
  const weight = Float32Array.from({ length: ROWS }, (_, r) => (r % 4 ? 1 : 0))
  const tensors = {
    value: f32(device, v),
    old: f32(device, old),
    target: f32(device, target),
    weight: f32(device, weight),
  }
  const gvalue = device.tensor('f32', ROWS)
  for (const clip of [null, 0.2]) {
    const step: RowStep = { op: 'valueLoss', ...tensors, clip, huberDelta: 10, gvalue, sum: 0 }
    each(device, { rows: [step], sums: 2 }, (count, sums) => {
      const loss = (r: number, t: number) => weight[r] * valueLoss(v[r] + t, old[r], target[r], clip, 10)
      const losses = Array.from({ length: count }, (_, r) => loss(r, 0))
      close(sums, [sum(losses), sum(weight.subarray(0, count))], (i) => (i ? 0 : 1e-6 * sum(losses)), 'sums')
      const want = losses.map((_, r) => directional((t) => [loss(r, t)], 1e-6)[0])
      close(head(device, gvalue, count, 1), want, (r) => 4 * U * (Math.abs(want[r]) + 1) + 1e-7, 'gvalue')
    })
  }
}

/** Every run says the same, and a run leaves nothing behind that another one sees. */
function checkRepetition(device: Device): void {
  const [inputs, outputs] = [9, 17]
  const [x, gy] = [f32(device, normals(ROWS * inputs, 1)), f32(device, normals(ROWS * outputs, 2))]
  const gradient = device.tensor('f32', outputs * inputs + outputs)
  const weights: RowStep = { op: 'linearWeights', x, inputs, gy, outputs, weight: 0, bias: outputs * inputs }
  const program = device.compile({ rows: [weights], gradient }, ROWS)
  const other = device.tensor('f32', inputs * inputs + inputs)
  const square: RowStep = {
    op: 'linearWeights',
    x,
    inputs,
    gy: x,
    outputs: inputs,
    weight: 0,
    bias: inputs * inputs,
  }
  const disturb = device.compile({ rows: [square], gradient: other }, ROWS)
  const results = new Map<number, ReturnType<Device['read']>>()
  for (let i = 0; i < 60; i++) {
    const rows = COUNTS[i % COUNTS.length]
    device.run(program, rows)
    const got = device.read(gradient)
    device.run(disturb, ROWS - i)
    assert.deepEqual(device.read(gradient), got)
    if (results.has(rows)) assert.deepEqual(got, results.get(rows))
    else results.set(rows, got)
  }
}

const CHECKS: Readonly<Record<string, (device: Device) => void>> = {
  'tensors are written, read and sliced': checkTensors,
  'overlaid builders share memory with each other alone': checkOverlay,
  'wrong sizes, types and programs are errors': checkErrors,
  'vector operations': checkVectors,
  'standardise over the rows that count': checkStandardise,
  'Adam takes the published step': checkAdam,
  'gather and the input stage': checkInputAndGather,
  'linear layers, their adjoint and their gradient, scaled': checkLinear,
  'activations and products': checkActivations,
  'LayerNorm, its tangent, its adjoint and its gradient': checkLayerNorm,
  'the Gaussian table and KL': checkGaussianTableAndKl,
  'the surrogates and their gradient': checkGaussianSurrogate,
  'the Fisher product of the distribution': checkGaussianFisher,
  samples: checkGaussianSample,
  'the value loss': checkValueLoss,
  'runs repeat to the bit': checkRepetition,
}
