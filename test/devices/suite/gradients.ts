import assert from 'node:assert/strict'
import type { Device } from '../../../src/devices/device.js'
import type { RowStep } from '../../../src/devices/steps.js'
import type { Tensor } from '../../../src/devices/tensor.js'
import { close } from '../../reference/close.js'
import { gamma, normals } from '../../reference/dense.js'
import { COUNTS, f32, ROWS, type Checks } from './setup.js'

const WIDTH = 3

/** Small integers, so that sums over rows are exact in f32. */
const whole = (n: number, seed: number) => Float32Array.from(normals(n, seed), (v) => Math.round(2 * v))

/** Sum over rows of a[r] b[r]'. */
function products(a: Float32Array, b: Float32Array, count: number): number[] {
  return Array.from({ length: WIDTH * WIDTH }, (_, at) => {
    const [j, i] = [Math.floor(at / WIDTH), at % WIDTH]
    let total = 0
    for (let r = 0; r < count; r++) total += a[r * WIDTH + j] * b[r * WIDTH + i]
    return total
  })
}

const columns = (a: Float32Array, count: number): number[] =>
  Array.from({ length: WIDTH }, (_, j) => {
    let total = 0
    for (let r = 0; r < count; r++) total += a[r * WIDTH + j]
    return total
  })

const add = (a: readonly number[], b: readonly number[]) => a.map((v, i) => v + b[i])
/** Replaces -0 by 0. */
const unsigned = (values: ArrayLike<number>) => Array.from(values, (v) => v + 0)

/** The gradient of a weight used by two steps is the sum of both. Entries that no step writes are 0. */
function checkAccumulation(device: Device): void {
  const [x, g, x2, g2] = [1, 2, 3, 4].map((seed) => whole(ROWS * WIDTH, seed))
  const [tx, tg, tx2, tg2] = [x, g, x2, g2].map((v) => f32(device, v))
  // Gaps before, between and after the entries that are written.
  const [weight, bias, gamma, beta, length] = [2, 13, 18, 22, 30]
  const gradient = device.tensor('f32', length)
  const linear = (input: Tensor, gy: Tensor): RowStep => ({
    op: 'linearWeights',
    x: input,
    inputs: WIDTH,
    gy,
    outputs: WIDTH,
    weight,
    bias,
  })
  const norm = (cotangent: Tensor, xhat: Tensor): RowStep => ({
    op: 'layerNormWeights',
    g: cotangent,
    xhat,
    width: WIDTH,
    gamma,
    beta,
  })
  const rows = [linear(tx, tg), norm(tg, tx), linear(tx2, tg2), norm(tg2, tx2)]
  const program = device.compile({ rows, gradient }, ROWS)
  const garbage = device.compile(
    { rows: [{ ...linear(tx, tg), weight: 0, bias: 20 } as RowStep], gradient },
    ROWS,
  )
  const diagonal = (matrix: readonly number[]) => [0, 1, 2].map((i) => matrix[i * WIDTH + i])
  for (const count of COUNTS) {
    for (const leave of [
      () => device.fill(gradient, 9),
      () => device.run(garbage, ROWS),
      () => device.run(program, ROWS),
    ]) {
      leave()
      device.run(program, count, -2)
      const want = new Array<number>(length).fill(0)
      const put = (at: number, values: readonly number[]) => values.forEach((v, i) => (want[at + i] = -2 * v))
      const [first, second] = [products(g, x, count), products(g2, x2, count)]
      put(weight, add(first, second))
      put(bias, add(columns(g, count), columns(g2, count)))
      put(gamma, add(diagonal(first), diagonal(second)))
      put(beta, add(columns(g, count), columns(g2, count)))
      assert.deepEqual(unsigned(device.read(gradient)), unsigned(want))
    }
  }
  device.fill(gradient, 9)
  device.run(device.compile({ rows: [], gradient }, ROWS), ROWS)
  assert.deepEqual(unsigned(device.read(gradient)), new Array(length).fill(0), 'no step writes')
}

/** Steps of the distribution accumulate their gradients too. */
function checkDistribution(device: Device): void {
  const size = 2
  const table = device.tensor('f64', 4 * size)
  const [logStd, weight] = [f32(device, [0.3, -0.4]), device.tensor('f32', ROWS)]
  device.fill(weight, 1)
  const random = (n: number, seed: number) => f32(device, normals(n, seed))
  const gmean = device.tensor('f32', ROWS * size)
  const common = { table, size, weight }
  const surrogate = (seed: number, name: string): RowStep => ({
    op: 'gaussianSurrogate',
    mean: random(ROWS * size, seed),
    action: random(ROWS * size, seed + 1),
    oldLogProb: f32(
      device,
      normals(ROWS, seed + 2, 0.5).map((v) => v - 3),
    ),
    factor: random(ROWS, seed + 3),
    clip: null,
    gradient: { mean: gmean, logStd: 1 },
    logProb: null,
    sums: [`${name} objective`, `${name} weight`, `${name} clipped`],
    ...common,
  })
  const fisher: RowStep = {
    op: 'gaussianFisher',
    dmean: random(ROWS * size, 20),
    dlogStd: logStd,
    gmean,
    logStd: 1,
    ...common,
  }
  const steps = [surrogate(1, 'first'), surrogate(5, 'second'), fisher]
  const setup = [{ op: 'gaussianTable', logStd, x: 1, y: 2, table, size }] as const
  const gradient = device.tensor('f32', 2 + size)
  const gradientOf = (rows: RowStep[]) => {
    device.fill(gradient, 9)
    device.run(device.compile({ setup, rows, gradient }, ROWS), ROWS, 1 / ROWS)
    return Array.from(device.read(gradient))
  }
  const parts = steps.map((step) => gradientOf([step]))
  const got = gradientOf(steps)
  assert.deepEqual([got[0], got[3]].map(Math.abs), [0, 0], 'entries that no step writes')
  // Means over the rows, in any order, of three terms with an average of at most 5.
  const want = got.map((_, i) => parts[0][i] + parts[1][i] + parts[2][i])
  close(got, want, gamma(3 * ROWS) * 5, 'sum of the steps')
  assert.ok(parts.every((part) => Math.abs(part[1]) > 1e-2 && Math.abs(part[2]) > 1e-2))
}

/** `scale` multiplies the gradient only. */
function checkScale(device: Device): void {
  const [x, g] = [whole(ROWS * WIDTH, 1), whole(ROWS * WIDTH, 2)]
  const gradient = device.tensor('f32', WIDTH * WIDTH + WIDTH)
  const y = device.tensor('f32', ROWS * WIDTH)
  const [tx, tg] = [f32(device, x), f32(device, g)]
  const rows: RowStep[] = [
    { op: 'linearWeights', x: tx, inputs: WIDTH, gy: tg, outputs: WIDTH, weight: 0, bias: WIDTH * WIDTH },
    { op: 'copy', x: tx, out: y, width: WIDTH },
  ]
  const program = device.compile({ rows, gradient }, ROWS)
  for (const scale of [undefined, 1, -0.25, 0]) {
    device.run(program, ROWS, scale)
    const sums = [...products(g, x, ROWS), ...columns(g, ROWS)]
    assert.deepEqual(unsigned(device.read(gradient)), unsigned(sums.map((v) => (scale ?? 1) * v)))
    assert.deepEqual(device.read(y), x)
  }
}

export const gradientChecks: Checks = {
  'gradients are zeroed, then accumulated': checkAccumulation,
  "gradients of the distribution's parameters are accumulated": checkDistribution,
  'a run scales its gradient': checkScale,
}
