import assert from 'node:assert/strict'
import type { Device, Program } from '../../../src/devices/device.js'
import type { RowStep } from '../../../src/devices/steps.js'
import { isScratch, scratch, type Operand, type Tensor } from '../../../src/devices/tensor.js'
import { generator } from '../../kernels/harness.js'
import { normals } from '../../reference/dense.js'
import { COUNTS, f32, head, ROWS, same, type Checks, type Subject } from './setup.js'

const WIDTHS = [3, 5, 17] as const

/** Numbers +-1, for which products and signed permutations are exact. */
const signs = (n: number, random: () => number) =>
  Float32Array.from({ length: n }, () => (random() < 0.5 ? -1 : 1))

interface RandomProgram {
  readonly program: Program
  readonly outputs: { readonly tensor: Tensor; readonly width: number; readonly want: Float32Array }[]
}

/**
 * Program of `length` random steps over scratch matrices of several widths, and the expected outputs. Matrices have
 * lifetimes of all lengths: each step may read any matrix written before, some matrices are overwritten in place, and a
 * third of them is copied to the outputs at the end.
 */
function randomProgram(device: Device, seed: number, length: number): RandomProgram {
  const random = generator(seed)
  const below = (n: number) => Math.floor(n * random())
  const any = <T>(list: readonly T[]): T => list[below(list.length)]
  const rows: RowStep[] = []
  const matrices: { operand: Operand; width: number; values: Float32Array }[] = WIDTHS.map((width) => {
    const values = signs(ROWS * width, random)
    return { operand: f32(device, values), width, values }
  })
  for (let i = 0; i < length; i++) {
    const x = any(matrices)
    const { width } = x
    const other = any(matrices.filter((matrix) => matrix.width === width))
    const out = scratch(width)
    const kind = below(4)
    if (kind === 0) {
      rows.push({ op: 'copy', x: x.operand, out, width })
      matrices.push({ operand: out, width, values: x.values.slice() })
    } else if (kind === 1) {
      rows.push({ op: 'multiply', a: x.operand, b: other.operand, out, width })
      matrices.push({ operand: out, width, values: x.values.map((v, at) => v * other.values[at]) })
    } else if (kind === 2 && isScratch(x.operand)) {
      rows.push({ op: 'multiply', a: x.operand, b: other.operand, out: x.operand, width })
      x.values = x.values.map((v, at) => v * other.values[at])
    } else {
      const outputs = any(WIDTHS)
      const picks = Array.from({ length: outputs }, () => ({ from: below(width), sign: any([-1, 1]) }))
      const weight = new Float32Array(outputs * width)
      picks.forEach(({ from, sign }, j) => (weight[j * width + from] = sign))
      const y = scratch(outputs)
      rows.push({
        op: 'linear',
        x: x.operand,
        inputs: width,
        weight: f32(device, weight),
        bias: null,
        y,
        outputs,
        accumulate: false,
      })
      const values = Float32Array.from({ length: ROWS * outputs }, (_, at) => {
        const { from, sign } = picks[at % outputs]
        return sign * x.values[Math.floor(at / outputs) * width + from]
      })
      matrices.push({ operand: y, width: outputs, values })
    }
  }
  const outputs = matrices
    .filter(({ operand }) => isScratch(operand) && random() < 0.34)
    .map(({ operand, width, values }) => {
      const tensor = device.tensor('f32', ROWS * width)
      rows.push({ op: 'copy', x: operand, out: tensor, width })
      return { tensor, width, want: values }
    })
  return { program: device.compile({ rows }, ROWS), outputs }
}

/** Many matrices with lifetimes of all lengths. Alternating programs do not affect each other. */
function checkRandomPrograms(device: Device): void {
  const programs = [2, 10, 40, 80, 120].map((length, seed) => randomProgram(device, seed + 1, length))
  for (let turn = 0; turn < 3; turn++) {
    for (const { program, outputs } of programs) {
      const count = COUNTS[(turn + outputs.length) % COUNTS.length]
      for (const { tensor } of outputs) device.fill(tensor, 9)
      device.run(program, count)
      for (const { tensor, width, want } of outputs)
        assert.deepEqual(head(device, tensor, count, width), Array.from(want.subarray(0, count * width)))
    }
  }
  assert.ok(programs.every(({ outputs }, i) => i === 0 || outputs.length > 0))
}

/** A layer and its adjoint have the same results with scratch matrices as with tensors. */
function checkEquivalence(device: Device, subject: Subject): void {
  const [inputs, units] = [7, 6]
  const parameter = (n: number, seed: number) => f32(device, normals(n, seed))
  const raw = parameter(ROWS * inputs, 1)
  const [weight, bias, gamma, beta] = [units * inputs, units, units, units].map((n, i) => parameter(n, i + 2))
  const g = parameter(ROWS * units, 9)
  const tensors = (width: number): Operand => device.tensor('f32', ROWS * width)
  const results = [tensors, (width: number): Operand => scratch(width)].map((matrix) => {
    const [x, z, slope, xhat] = [inputs, units, units, units].map((width) => matrix(width))
    const [rstd, gz, gx] = [1, units, inputs].map((width) => matrix(width))
    const [out, graw] = [device.tensor('f32', ROWS * units), device.tensor('f32', ROWS * inputs)]
    const gradient = device.tensor('f32', units * inputs + 3 * units)
    const stage = { raw, size: inputs, agentId: null, standardise: true }
    const rows: RowStep[] = [
      { op: 'input', ...stage, out: x },
      { op: 'linear', x, inputs, weight, bias, y: z, outputs: units, accumulate: false },
      { op: 'activation', z, y: z, derivative: slope, width: units, kind: 'silu' },
      { op: 'layerNorm', x: z, gamma, beta, xhat, rstd, out, width: units },
      { op: 'layerNormWeights', g, xhat, width: units, gamma: 0, beta: units },
      { op: 'layerNormAdjoint', g, xhat, rstd, gamma, gx: gz, width: units },
      { op: 'multiply', a: gz, b: slope, out: gz, width: units },
      { op: 'linearWeights', x, inputs, gy: gz, outputs: units, weight: 3 * units, bias: 2 * units },
      { op: 'linearAdjoint', gy: gz, outputs: units, weight, gx, inputs },
      { op: 'inputAdjoint', ...stage, g: gx, graw },
    ]
    const program = device.compile({ rows, gradient }, ROWS)
    return COUNTS.flatMap((count) => {
      device.run(program, count)
      return [head(device, out, count, units), head(device, graw, count, inputs), device.read(gradient)]
    })
  })
  // The operations are the same. A device may order sums differently; the longest sum is over the rows.
  results[0].forEach((want, i) =>
    same(subject, results[1][i], want, (at) => 1e-4 * (1 + Math.abs(want[at])), 'in scratch memory'),
  )
}

export const scratchChecks: Checks = {
  'scratch matrices of many programs': checkRandomPrograms,
  'scratch matrices are equivalent to tensors': checkEquivalence,
}
