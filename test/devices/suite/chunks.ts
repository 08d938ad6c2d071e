import type { Device } from '../../../src/devices/device.js'
import type { RowStep } from '../../../src/devices/steps.js'
import type { Tensor } from '../../../src/devices/tensor.js'
import { close } from '../../reference/close.js'
import { gamma, gradient as slopes, largest, normals, rowsOf, sum, U } from '../../reference/dense.js'
import { COUNTS, f32, factorError, head, ROWS, type Checks, type Subject } from './setup.js'

/**
 * Two steps of a recurrent layer, h_t = tanh(W x_t + U h_{t-1} + b) with h_0 = 0, unrolled over slices, and the adjoint of
 * g . h_2 through time. A row is a chunk of two steps.
 */
function checkChunks(device: Device, subject: Subject): void {
  const [inputs, units] = [3, 4]
  const [atW, atU, atB] = [0, units * inputs, units * inputs + units * units]
  const theta = normals(atB + units, 1, 0.5)
  const x = normals(2 * ROWS * inputs, 2)
  const g = normals(ROWS * units, 3)
  const parameters = f32(device, theta)
  const part = (at: number, n: number) => device.slice(parameters, at, n)
  const [weight, recurrent, bias] = [part(atW, atU), part(atU, units * units), part(atB, units)]
  const xs = f32(device, x)
  // [2, ROWS, width]: slice t contains step t of every chunk.
  const time = (tensor: Tensor, width: number, t: number) =>
    device.slice(tensor, t * ROWS * width, ROWS * width)
  const matrix = () => device.tensor('f32', 2 * ROWS * units)
  const [hidden, slope, gz] = [matrix(), matrix(), matrix()]
  const gh = device.tensor('f32', ROWS * units)
  const step = (t: number): RowStep[] => {
    const h = time(hidden, units, t)
    const from: RowStep[] = [
      {
        op: 'linear',
        x: time(xs, inputs, t),
        inputs,
        weight,
        bias,
        y: h,
        outputs: units,
        accumulate: false,
      },
    ]
    if (t > 0) {
      const before = time(hidden, units, t - 1)
      from.push({
        op: 'linear',
        x: before,
        inputs: units,
        weight: recurrent,
        bias: null,
        y: h,
        outputs: units,
        accumulate: true,
      })
    }
    return [
      ...from,
      { op: 'activation', z: h, y: h, derivative: time(slope, units, t), width: units, kind: 'tanh' },
    ]
  }
  const back = (t: number, cotangent: Tensor): RowStep[] => [
    { op: 'multiply', a: cotangent, b: time(slope, units, t), out: time(gz, units, t), width: units },
    {
      op: 'linearWeights',
      x: time(xs, inputs, t),
      inputs,
      gy: time(gz, units, t),
      outputs: units,
      weight: atW,
      bias: atB,
    },
  ]
  // The product with the recurrent weight has no bias. Its column sums are written to otherwise unused entries.
  const spare = theta.length
  const all = device.tensor('f32', theta.length + units)
  const rows: RowStep[] = [
    ...step(0),
    ...step(1),
    ...back(1, f32(device, g)),
    {
      op: 'linearWeights',
      x: time(hidden, units, 0),
      inputs: units,
      gy: time(gz, units, 1),
      outputs: units,
      weight: atU,
      bias: spare,
    },
    { op: 'linearAdjoint', gy: time(gz, units, 1), outputs: units, weight: recurrent, gx: gh, inputs: units },
    ...back(0, gh),
  ]
  const program = device.compile({ rows, gradient: all }, ROWS)
  const state = (p: ArrayLike<number>, x_t: readonly number[], h: readonly number[]) =>
    Array.from({ length: units }, (_, j) => {
      let z = p[atB + j]
      x_t.forEach((v, i) => (z += p[atW + j * inputs + i] * v))
      h.forEach((v, i) => (z += p[atU + j * units + i] * v))
      return Math.tanh(z)
    })
  const [first, second] = [0, 1].map((t) =>
    rowsOf(x.subarray(t * ROWS * inputs, (t + 1) * ROWS * inputs), inputs),
  )
  const last = (p: ArrayLike<number>, r: number) => state(p, second[r], state(p, first[r], []))
  // With TF32 factors: errors e of a layer's sums, relative to the sizes of their terms. U propagates them to the second step.
  const e = factorError(subject)
  const norm = (at: number, columns: number) =>
    largest(rowsOf(theta.subarray(at, at + units * columns), columns).map((row) => sum(row.map(Math.abs))))
  const through = norm(atU, units)
  const layer = norm(atW, inputs) * largest(x) + through + largest(theta.subarray(atB))
  const state2 = e * layer * (1 + through)
  for (const count of COUNTS) {
    device.run(program, count, 0.5)
    const chunks = Array.from({ length: count }, (_, r) => r)
    const want = chunks.flatMap((r) => last(theta, r))
    // Two layers of at most 8 products each and a tanh of 4 roundings.
    close(head(device, time(hidden, units, 1), count, units), want, 64 * U + state2, 'h_2')
    const objective = (p: Float64Array) =>
      0.5 * sum(chunks.map((r) => sum(last(p, r).map((h, j) => h * g[r * units + j]))))
    const wanted = slopes(objective, theta, 1e-3)
    const size = sum(Array.from(g.subarray(0, count * units), Math.abs)) * (1 + largest(x))
    close(
      device.read(device.slice(all, 0, theta.length)),
      wanted,
      // A slope 1 - h^2 changes by 2 h dh. The gradient of each step has one such factor or two, and two products.
      (gamma(units) + 1e-9 + (2 * state2 + e) * (1 + 2 * through)) * size,
      'gradient through time',
    )
  }
}

export const chunkChecks: Checks = {
  'a row that is a chunk of time': checkChunks,
}
