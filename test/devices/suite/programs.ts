import assert from 'node:assert/strict'
import type { Device } from '../../../src/devices/device.js'
import type { ProgramSpec, RowStep } from '../../../src/devices/steps.js'
import { scratch, type Operand, type Tensor } from '../../../src/devices/tensor.js'
import { close } from '../../reference/close.js'
import { dot, largest, normals, sum, U } from '../../reference/dense.js'
import { COUNTS, f32, factorError, head, ROWS, same, type Checks, type Subject } from './setup.js'

/** Each step reads the result of the step before it. */
function checkOrder(device: Device): void {
  const width = 3
  // Integers, whose fourth powers are exact.
  const values = Float32Array.from({ length: ROWS * width }, (_, i) => (i % 7) - 3)
  const [a, b] = [f32(device, values), device.tensor('f32', values.length)]
  const square: RowStep = { op: 'multiply', a, b: a, out: a, width }
  const rows: RowStep[] = [square, { op: 'copy', x: a, out: b, width }, square]
  const program = device.compile({ rows }, ROWS)
  for (const count of COUNTS) {
    device.write(a, values)
    device.run(program, count)
    const part = Array.from(values.subarray(0, count * width))
    const squares = part.map((v) => v * v)
    assert.deepEqual(head(device, b, count, width), squares)
    assert.deepEqual(
      head(device, a, count, width),
      squares.map((v) => v * v),
    )
  }
}

interface Alias {
  readonly what: string
  readonly width: number
  /** Step from one operand to the other. The contract allows them to be the same. */
  readonly step: (from: Operand, to: Operand) => RowStep
  /** Further matrices that the step writes, with their widths. */
  readonly kept?: readonly (readonly [Tensor, number])[]
}

/** Every pair of operands that the contract allows to be the same. */
function aliases(device: Device): Alias[] {
  const width = 6
  const random = (n: number, seed: number) => f32(device, normals(n, seed))
  const [gamma, beta, dgamma, dbeta] = [1, 2, 3, 4].map((seed) => random(width, seed))
  const other = random(ROWS * width, 5)
  const [xhat, rstd] = [random(ROWS * width, 6), f32(device, normals(ROWS, 7).map(Math.abs))]
  const kept = { xhat: device.tensor('f32', ROWS * width), rstd: device.tensor('f32', ROWS) }
  const derivative = device.tensor('f32', ROWS * width)
  const table = device.tensor('f64', 4 * width)
  device.write(
    table,
    Array.from({ length: 4 * width }, (_, i) => 0.5 + (i % 4)),
  )
  const weight = random(ROWS, 8)
  return [
    {
      what: 'layerNorm: out is x',
      width,
      kept: [
        [kept.xhat, width],
        [kept.rstd, 1],
      ],
      step: (x, out) => ({ op: 'layerNorm', x, gamma, beta, ...kept, out, width }),
    },
    {
      what: 'layerNorm that keeps nothing: out is x',
      width,
      step: (x, out) => ({ op: 'layerNorm', x, gamma, beta, xhat: null, rstd: null, out, width }),
    },
    {
      what: 'layerNormTangent: out is dx',
      width,
      step: (dx, out) => ({ op: 'layerNormTangent', dx, xhat, rstd, gamma, dgamma, dbeta, out, width }),
    },
    {
      what: 'layerNormAdjoint: gx is g',
      width,
      step: (g, gx) => ({ op: 'layerNormAdjoint', g, xhat, rstd, gamma, gx, width }),
    },
    {
      what: 'layerNormAdjoint of two vectors per row: gx is g',
      width: 2 * width,
      step: (g, gx) => ({ op: 'layerNormAdjoint', repeat: 2, g, xhat, rstd, gamma, gx, width }),
    },
    {
      what: 'activation: y is z',
      width,
      kept: [[derivative, width]],
      step: (z, y) => ({ op: 'activation', z, y, derivative, width, kind: 'gelu' }),
    },
    {
      what: 'activation without derivative: y is z',
      width,
      step: (z, y) => ({ op: 'activation', z, y, derivative: null, width, kind: 'selu' }),
    },
    {
      what: 'multiply: out is a',
      width,
      step: (a, out) => ({ op: 'multiply', a, b: other, out, width }),
    },
    {
      what: 'multiply of two vectors per row: out is a',
      width: 2 * width,
      step: (a, out) => ({ op: 'multiply', repeat: 2, a, b: other, out, width }),
    },
    {
      what: 'multiply: out is b',
      width,
      step: (b, out) => ({ op: 'multiply', a: other, b, out, width }),
    },
    {
      what: 'gaussianFisher: gmean is dmean',
      width,
      step: (dmean, gmean) => ({
        op: 'gaussianFisher',
        dmean,
        dlogStd: gamma,
        table,
        size: width,
        weight,
        gmean,
        logStd: 0,
      }),
    },
  ]
}

function checkAliases(device: Device, subject: Subject): void {
  for (const { what, width, step, kept = [] } of aliases(device)) {
    const values = normals(ROWS * width, 9)
    const [from, to, shared] = [f32(device, values), device.tensor('f32', values.length), f32(device, values)]
    const gradient = device.tensor('f32', width)
    const apart = device.compile({ rows: [step(from, to)], gradient }, ROWS)
    const together = device.compile({ rows: [step(shared, shared)], gradient }, ROWS)
    const hidden = scratch(width)
    const out = device.tensor('f32', values.length)
    const inScratch: RowStep[] = [
      { op: 'copy', x: from, out: hidden, width },
      step(hidden, hidden),
      { op: 'copy', x: hidden, out, width },
    ]
    const scratched = device.compile({ rows: inScratch, gradient }, ROWS)
    for (const count of COUNTS) {
      device.run(apart, count)
      const want = head(device, to, count, width)
      const readKept = () => kept.flatMap(([tensor, columns]) => head(device, tensor, count, columns))
      const wantKept = readKept()
      for (const [tensor] of kept) device.fill(tensor, 7)
      const bound = 8 * U * largest(want)
      device.write(shared, values)
      device.run(together, count)
      same(subject, head(device, shared, count, width), want, bound, what)
      same(subject, readKept(), wantKept, 8 * U * largest([1, ...wantKept]), `${what}: kept matrices`)
      device.run(scratched, count)
      same(subject, head(device, out, count, width), want, bound, `${what}, in scratch memory`)
      assert.deepEqual(
        Array.from(device.read(from)),
        Array.from(values),
        `${what}: operands that are read are unchanged`,
      )
    }
  }
}

function klStep(device: Device, mean: Tensor, weight: Tensor, sums: readonly [string, string]): RowStep {
  const table = device.tensor('f64', 4)
  device.write(table, [1, 0, 1, 0.5])
  return {
    op: 'gaussianKl',
    oldMean: device.tensor('f32', ROWS),
    oldTable: table,
    mean,
    table,
    size: 1,
    weight,
    sums,
  }
}

function checkSums(device: Device): void {
  const [mean, other] = [normals(ROWS, 1), normals(ROWS, 2)]
  const [all, half] = [device.tensor('f32', ROWS), device.tensor('f32', ROWS)]
  device.fill(all, 1)
  device.write(
    half,
    Array.from({ length: ROWS }, (_, r) => (r % 2 ? 1 : 0)),
  )
  const first = klStep(device, f32(device, mean), all, ['one', 'n'])
  const second = klStep(device, f32(device, other), half, ['two', 'm'])
  const program = device.compile({ rows: [first, second] }, ROWS)
  for (const count of [...COUNTS, ...COUNTS]) {
    const sums = device.run(program, count)
    assert.deepEqual(Object.keys(sums), ['one', 'n', 'two', 'm'])
    assert.equal(sums.n, count)
    assert.equal(sums.m, Math.floor(count / 2))
    // With unit deviations, the divergence is half of the squared distance.
    const squares = (v: Float32Array, skip: boolean) =>
      sum(Array.from(v.subarray(0, count), (x, r) => (skip && r % 2 === 0 ? 0 : 0.5 * x * x)))
    close([sums.one, sums.two], [squares(mean, false), squares(other, true)], 1e-12 * count, 'sums by name')
  }
  assert.deepEqual(device.run(device.compile({ rows: [] }, 1), 1), {}, 'no sums')
  const named = (...names: [string, string][]): ProgramSpec => ({
    rows: names.map((sums) => klStep(device, all, all, sums)),
  })
  for (const spec of [named(['a', 'a']), named(['a', 'b'], ['c', 'a'])])
    assert.throws(() => device.compile(spec, ROWS), /two sums of a program are called a/)
}

/** Every run has the same results, and a run does not affect later runs. */
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

/** A run uses the parameters and tables at the time of the run. */
function checkParameters(device: Device, subject: Subject): void {
  const width = 4
  const values = normals(ROWS * width, 1)
  const x = f32(device, values)
  const [weight, y] = [device.tensor('f32', width), device.tensor('f32', ROWS)]
  const linear: RowStep = {
    op: 'linear',
    x,
    inputs: width,
    weight,
    bias: null,
    y,
    outputs: 1,
    accumulate: false,
  }
  const program = device.compile({ rows: [linear] }, ROWS)
  for (const seed of [2, 3]) {
    const w = normals(width, seed)
    device.write(weight, w)
    device.run(program, ROWS)
    const want = Array.from({ length: ROWS }, (_, r) => dot(w, values.subarray(r * width, (r + 1) * width)))
    // Sum of four products of at most 20.
    close(device.read(y), want, (8 * U + factorError(subject)) * 20 * width, 'y')
  }
}

export const programChecks: Checks = {
  'steps run in order': checkOrder,
  'operands may be the same where the contract allows it': checkAliases,
  'sums have names': checkSums,
  'runs repeat to the bit': checkRepetition,
  'a run reads the current parameters': checkParameters,
}
