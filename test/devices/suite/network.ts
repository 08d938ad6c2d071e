import assert from 'node:assert/strict'
import type { Device } from '../../../src/devices/device.js'
import { ACTIVATIONS, type RowStep } from '../../../src/devices/steps.js'
import { close } from '../../reference/close.js'
import { ACTIVATE, U, directional, gamma, linear, normals, rowsOf, sum } from '../../reference/dense.js'
import { COUNTS, ROWS, each, f32, factorError, head, type Checks, type Subject } from './setup.js'

function checkLinear(device: Device, subject: Subject): void {
  const product = (n: number) => gamma(n) + factorError(subject)
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
      const bound = (i: number) => product(inputs + 1) * (size[i] + Math.abs(start[i]))
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
      close(head(device, gx, count, inputs), want, (i) => product(outputs) * sizes[i], 'gx')

      const slopes = Array.from({ length: outputs + outputs * inputs }, (_, at) => {
        const j = at < outputs ? at : Math.floor((at - outputs) / inputs)
        const terms = gRows.map((row, r) => row[j] * (at < outputs ? 1 : xRows[r][(at - outputs) % inputs]))
        return [-0.5 * sum(terms), 0.5 * sum(abs(terms))] as const
      })
      // At most a constant number of rows is summed in f32 at a time. gamma(count) covers every order of summation.
      close(
        device.read(gradient),
        slopes.map(([v]) => v),
        (i) => (i < outputs ? gamma(count) : product(count)) * slopes[i][1],
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

export const networkChecks: Checks = {
  'linear layers, their adjoint and their gradient, scaled': checkLinear,
  'activations and products': checkActivations,
}
