import assert from 'node:assert/strict'
import type { Device, LinearSystem } from '../../../src/devices/device.js'
import { conjugateGradient } from '../../../src/devices/solve.js'
import type { RowStep } from '../../../src/devices/steps.js'
import { scratch } from '../../../src/devices/tensor.js'
import { close } from '../../reference/close.js'
import { dot, gamma, largest, normals, rowsOf } from '../../reference/dense.js'
import { f32, factorError, ROWS, same, type Checks, type Subject } from './setup.js'

const INPUTS = 11
/** Weights and a bias. */
const N = INPUTS + 1
const DAMPING = 0.1

/** F = 1/rows sum over rows of w (x, 1) (x, 1)', as a program and as a matrix. */
export function linearSystem(device: Device, rows: number, rightSide: ArrayLike<number>) {
  const x = normals(ROWS * INPUTS, 1)
  const weight = Float32Array.from({ length: ROWS }, (_, r) => (r % 5 ? 1 : 0))
  const vector = () => device.tensor('f32', N)
  const [direction, product] = [vector(), vector()]
  const [xs, ws, y] = [f32(device, x), f32(device, weight), scratch(1)]
  const steps: RowStep[] = [
    {
      op: 'linear',
      x: xs,
      inputs: INPUTS,
      weight: device.slice(direction, 0, INPUTS),
      bias: device.slice(direction, INPUTS, 1),
      y,
      outputs: 1,
      accumulate: false,
    },
    { op: 'multiply', a: y, b: ws, out: y, width: 1 },
    { op: 'linearWeights', x: xs, inputs: INPUTS, gy: y, outputs: 1, weight: 0, bias: INPUTS },
  ]
  const linear: LinearSystem = {
    program: device.compile({ rows: steps, gradient: product }, ROWS),
    rows,
    scale: 1 / rows,
    damping: DAMPING,
    direction,
    product,
    residual: vector(),
    b: f32(device, rightSide),
    x: vector(),
    preconditioner: null,
  }
  const jacobian = rowsOf(x.subarray(0, rows * INPUTS), INPUTS).map((row) => [...row, 1])
  const matrix = Array.from({ length: N }, (_, i) =>
    Array.from({ length: N }, (__, j) => {
      const terms = jacobian.map((row, r) => (weight[r] * row[i] * row[j]) / rows)
      return terms.reduce((total, v) => total + v, i === j ? DAMPING : 0)
    }),
  )
  return { linear, matrix }
}

/** x with matrix x = b by Gaussian elimination with pivots. */
function eliminate(matrix: readonly (readonly number[])[], b: ArrayLike<number>): number[] {
  const rows = matrix.map((row, i) => [...row, b[i]])
  rows.forEach((_, k) => {
    const pivot = rows.slice(k).reduce((best, row) => (Math.abs(row[k]) > Math.abs(best[k]) ? row : best))
    const at = rows.indexOf(pivot)
    ;[rows[k], rows[at]] = [rows[at], rows[k]]
    for (const row of rows.slice(k + 1)) {
      const factor = row[k] / pivot[k]
      for (let j = k; j <= rows.length; j++) row[j] -= factor * pivot[j]
    }
  })
  const x = new Array<number>(rows.length).fill(0)
  for (let k = rows.length - 1; k >= 0; k--)
    x[k] = (rows[k][rows.length] - dot(rows[k].slice(0, -1), x)) / rows[k][k]
  return x
}

function checkSolution(device: Device): void {
  const b = normals(N, 2)
  for (const rows of [60, ROWS]) {
    const { linear, matrix } = linearSystem(device, rows, b)
    device.fill(linear.x, 5)
    const { residuals, curvature } = device.solve(linear, { iterations: 40, tolerance: 1e-12 })
    const want = eliminate(matrix, b)
    // The condition of the matrix is below 10. Each product rounds sums over the rows in f32.
    const bound = 10 * gamma(rows) * largest(want)
    close(device.read(linear.x), want, bound, 'solution')
    assert.ok(residuals.length <= N + 2, `${residuals.length} products for ${N} unknowns`)
    close([residuals[0]], [dot(b, b)], 1e-12 * dot(b, b), "first r'r")
    const products = matrix.map((row) => dot(row, want))
    close([curvature], [dot(want, products)], 10 * gamma(rows) * dot(want, products), 'curvature')
  }
}

/** Accepts f32 products in solves of a TF32 device. The condition, below 10, amplifies the rounding of factors. */
const definitionBound = (subject: Subject) => 1e-4 + 10 * factorError(subject)

/** A device's version gives the results of the definition and ends at the same iteration. */
function checkDefinition(device: Device, subject: Subject): void {
  const b = normals(N, 3)
  const { linear } = linearSystem(device, ROWS, b)
  const bound = definitionBound(subject)
  for (const options of [
    { iterations: 0, tolerance: 0 },
    { iterations: 1, tolerance: 0 },
    { iterations: 5, tolerance: 1e-10 },
    { iterations: 30, tolerance: 1e-3 },
    { iterations: 30, tolerance: 1e6 },
  ]) {
    const want = conjugateGradient(device, linear, options)
    const wanted = device.read(linear.x)
    device.fill(linear.x, 7)
    device.fill(linear.direction, 7)
    const got = device.solve(linear, options)
    assert.equal(got.residuals.length, want.residuals.length)
    assert.ok(got.residuals.length <= options.iterations)
    // Differences in rounding grow with the iterations. Residuals are compared relative to the first one.
    same(subject, got.residuals, want.residuals, bound * dot(b, b), "r'r")
    same(subject, device.read(linear.x), wanted, bound * (1 + largest(wanted)), 'x')
    same(subject, [got.curvature], [want.curvature], bound * (1 + Math.abs(want.curvature)), 'curvature')
    assert.deepEqual(Array.from(device.read(linear.b)), Array.from(b), 'b stays')
  }
  const early = device.solve(linear, { iterations: 30, tolerance: 1e6 })
  assert.equal(early.residuals.length, 1, 'ends below the tolerance')
}

/** Passes of one row that multiply by a symmetric matrix. */
function preconditioned(device: Device, plain: LinearSystem, m: readonly number[][]): LinearSystem {
  const image = device.tensor('f32', N)
  const step: RowStep = {
    op: 'linear',
    x: plain.residual,
    inputs: N,
    weight: f32(device, m.flat()),
    bias: null,
    y: image,
    outputs: N,
    accumulate: false,
  }
  const passes = [{ program: device.compile({ rows: [step] }, 1), rows: 1 }]
  return { ...plain, preconditioner: { passes, image } }
}

/** A preconditioner changes the iterations but not the solution. With the exact inverse, one product is enough. */
function checkPreconditioner(device: Device, subject: Subject): void {
  const b = normals(N, 4)
  const { linear, matrix } = linearSystem(device, ROWS, b)
  const want = eliminate(matrix, b)
  const bound = 10 * gamma(ROWS) * largest(want)
  const unit = (i: number) => Array.from({ length: N }, (_, j) => (i === j ? 1 : 0))
  const diagonal = matrix.map((row, i) => unit(i).map((v) => v / row[i]))
  const inverse = matrix.map((_, i) => eliminate(matrix, unit(i)))
  for (const [m, iterations] of [
    [diagonal, 40],
    [inverse, 1],
  ] as const) {
    const withM = preconditioned(device, linear, m)
    const options = { iterations, tolerance: 1e-12 }
    const defined = conjugateGradient(device, withM, options)
    const expected = device.read(linear.x)
    const { residuals, curvature } = device.solve(withM, options)
    close(device.read(linear.x), want, bound, 'solution')
    close([curvature], [dot(b, want)], 10 * gamma(ROWS) * dot(b, want), 'curvature')
    assert.equal(residuals.length, defined.residuals.length)
    same(
      subject,
      device.read(linear.x),
      expected,
      definitionBound(subject) * (1 + largest(want)),
      'x of the definition',
    )
  }
  const backwards = preconditioned(
    device,
    linear,
    matrix.map((_, i) => unit(i).map((v) => -v)),
  )
  assert.deepEqual(
    device.solve(backwards, { iterations: 5, tolerance: 0 }),
    { residuals: [], curvature: 0 },
    'a preconditioner that is not positive gives no direction',
  )
}

/** For a right-hand side of 0 the solution is 0, without a product. */
function checkZero(device: Device): void {
  const { linear } = linearSystem(device, ROWS, new Float32Array(N))
  device.fill(linear.x, 5)
  assert.deepEqual(device.solve(linear, { iterations: 10, tolerance: 0 }), { residuals: [], curvature: 0 })
  assert.deepEqual(Array.from(device.read(linear.x)), new Array(N).fill(0))
}

export const solveChecks: Checks = {
  'solve finds the solution of the damped system': checkSolution,
  'solve agrees with the definition': checkDefinition,
  'solve with a preconditioner': checkPreconditioner,
  'solve with a right-hand side of 0': checkZero,
}
