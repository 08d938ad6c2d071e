// Fisher matrices on a sample of the rows, and their Kronecker-factored preconditioner.
import assert from 'node:assert/strict'
import test from 'node:test'
import { inputStage, layerNorm, linear } from '../../src/devices/reference/layers.js'
import type { Device } from '../../src/devices/device.js'
import { PolicyBatch } from '../../src/learner/batch.js'
import { KroneckerPreconditioner } from '../../src/learner/kfac.js'
import { PolicyEvaluation, trainedPolicy } from '../../src/learner/policy.js'
import { sampleRows } from '../../src/learner/row-sample.js'
import { TrustRegionStep, type TrustRegionOptions } from '../../src/learner/trust-region.js'
import { parameterEntry, parameterLayout } from '../../src/nn/layout.js'
import { Network } from '../../src/nn/network.js'
import { close } from '../reference/close.js'
import {
  ACTIVATE,
  deviation,
  dot,
  forward,
  gamma,
  gradient,
  largest,
  normals,
  rowsOf,
} from '../reference/dense.js'
import { actorSpec, DEVICES, edit, parametersOf, passError, tensorOf } from './setup.js'

const ROWS = 90
const DAMPING = 0.1
const OPTIONS: TrustRegionOptions = {
  damping: DAMPING,
  cgIterations: 10,
  cgTolerance: 1e-10,
  lineSearchSteps: 10,
  backtrack: 0.8,
  acceptRatio: 0.5,
}
const FAST: TrustRegionOptions = {
  ...OPTIONS,
  cgIterations: 3,
  fisherStride: 3,
  preconditioner: 'kfac',
  preconditionerAge: 2,
}

const spec = actorSpec({ layerNorm: true, hidden: [5, 4] }, 2)
const values = parametersOf(spec, 1)
const layout = parameterLayout(spec)
const raw = normals(ROWS * spec.input.size, 2)

/** A batch of which every fourth row does not count, and steps on it. */
function setup(device: Device, options: TrustRegionOptions) {
  const parameters = tensorOf(device, values)
  const batch = new PolicyBatch(device, ROWS, {
    observations: tensorOf(device, raw),
    actions: tensorOf(device, normals(ROWS * spec.head.size, 3)),
    logProb: device.tensor('f32', ROWS),
    factor: tensorOf(device, normals(ROWS, 4)),
    weight: tensorOf(
      device,
      Array.from({ length: ROWS }, (_, r) => (r % 4 ? 1 : 0)),
    ),
  })
  const policy = trainedPolicy(device, new Network(device, spec, ROWS), parameters)
  new PolicyEvaluation(policy, batch, false).evaluate(ROWS)
  device.copy(batch.newLogProb, batch.logProb)
  return { parameters, batch, policy, step: new TrustRegionStep(policy, batch, options) }
}

/** Product of a step's Fisher matrix with v. */
function product(device: Device, step: TrustRegionStep, v: ArrayLike<number>): number[] {
  const out = device.tensor('f32', v.length)
  step.fisherProduct(tensorOf(device, v), out)
  return Array.from(device.read(out))
}

for (const { name: on, open } of DEVICES) {
  test(`${on}: a sampled Fisher matrix is that of a batch of the sampled rows`, async () => {
    const device = await open()
    const { batch, policy, step } = setup(device, { ...OPTIONS, fisherStride: 3 })
    const index = new Int32Array(ROWS)
    const count = sampleRows(device.read(batch.weight), ROWS, 3, index)
    assert.equal(count, 23)
    const some = Array.from(index.subarray(0, count))
    const take = (from: ArrayLike<number>) =>
      rowsOf(from, from.length / ROWS).filter((_, r) => some.includes(r))
    const rows = {
      observations: tensorOf(device, take(raw).flat()),
      actions: tensorOf(device, take(device.read(batch.actions)).flat()),
      logProb: tensorOf(device, take(device.read(batch.logProb)).flat()),
    }
    const small = new PolicyBatch(device, count, rows)
    const other = trainedPolicy(device, new Network(device, spec, count), tensorOf(device, values))
    const want = new TrustRegionStep(other, small, OPTIONS)
    want.differentiate(count)
    step.differentiate(ROWS)
    const v = normals(layout.size, 6)
    const out = device.tensor('f32', v.length)
    want.fisherProduct(tensorOf(device, v), out)
    const wanted = Array.from(device.read(out))
    assert.deepEqual(product(device, step, v), wanted)

    // Independent of passes since then, and of the address of the parameters.
    policy.workspace.claim(null)
    edit(device, policy.parameters, (p) => p.fill(0.1))
    device.run(device.compile({ rows: policy.network.forward(policy.parameters, batch.input) }, ROWS), ROWS)
    assert.deepEqual(product(device, step, v), wanted)
  })

  test(`${on}: the preconditioner inverts damped Kronecker factors of every layer`, async () => {
    const device = await open()
    const { policy, parameters, batch } = setup(device, OPTIONS)
    const residual = tensorOf(device, normals(layout.size, 8))
    const weight = tensorOf(device, new Float32Array(ROWS).fill(1))
    const rows = { weight, maxRows: ROWS }
    const m = new KroneckerPreconditioner(policy, rows, parameters, residual, DAMPING)
    const head = policy.head.setup()
    device.run(
      device.compile({ setup: head, rows: policy.network.forward(parameters, batch.input) }, ROWS),
      ROWS,
    )
    policy.head.keep(ROWS)
    m.refresh(ROWS)
    for (const { program, rows: count } of m.passes) device.run(program, count)
    const image = Array.from(device.read(m.image))
    const given = Array.from(device.read(residual))
    const part = (of: number[], name: string) => {
      const { offset, size } = parameterEntry(layout, name)
      return of.slice(offset, offset + size)
    }

    for (const { name, norm, inputs, outputs, a, g } of factors()) {
      const mean = (matrix: number[][]) => matrix.reduce((sum, row, i) => sum + row[i], 0) / matrix.length
      const pi = Math.sqrt(mean(a) / mean(g))
      const root = Math.sqrt(0.1 * DAMPING)
      const shifted = (matrix: number[][], shift: number) =>
        matrix.map((row, i) => row.map((v, j) => v + (i === j ? shift : 0)))
      const [left, right] = [shifted(g, root / pi), shifted(a, pi * root)]
      // (G + root / pi) Z (A + pi root) = V
      const z = rowsOf(part(image, `${name}.weight`), inputs)
      const columns = right.map((column) => z.map((row) => dot(row, column)))
      const back = left.flatMap((row) => columns.map((column) => dot(row, column)))
      const condition = (largest(left.flat()) * largest(right.flat()) * inputs * outputs) / (0.1 * DAMPING)
      const bound = condition * passError(spec) * largest(given)
      close(back, part(given, `${name}.weight`), bound, `${name}.weight`)
      const stiff = 16 * (DAMPING + mean(g))
      for (const vector of [`${name}.bias`, `${norm}.weight`, `${norm}.bias`]) {
        const want = part(given, vector).map((v) => v / stiff)
        close(part(image, vector), want, passError(spec) * largest(want), vector)
      }
    }
    const { offset, size } = parameterEntry(layout, 'logStd')
    const { stdX, stdY } = spec.head
    const wanted = Array.from({ length: size }, (_, j) => {
      const slope = (1 - deviation(values[offset + j], stdX, stdY) / stdY) / stdX
      return given[offset + j] / (2 * slope * slope + DAMPING)
    })
    close(part(image, 'logStd'), wanted, gamma(8) * largest(wanted), 'logStd')
  })

  test(`${on}: a preconditioner changes the iterates of conjugate gradients, but not their solution`, async () => {
    const device = await open()
    const products = (['none', 'kfac'] as const).map((preconditioner) => {
      const options = { ...FAST, damping: 1, preconditioner, cgIterations: 160, cgTolerance: 1e-12 }
      const { step } = setup(device, options)
      step.differentiate(ROWS)
      const { residuals } = step.solve()
      const b = Array.from(device.read(step.gradient))
      const image = product(device, step, device.read(step.direction))
      const left = b.map((v, i) => v - image[i])
      // CG ends at 1e-6; the rest is rounding of the products.
      assert.ok(Math.sqrt(dot(left, left) / dot(b, b)) < 1e-4, preconditioner)
      return residuals.length
    })
    assert.notEqual(products[0], products[1])
  })

  test(`${on}: a fast step stays within its KL budget and has a gain`, async () => {
    const device = await open()
    const { step } = setup(device, FAST)
    const proposal = step.propose(ROWS)
    assert.equal(proposal.residuals.length, 3)
    const { accepted, kl, gain } = step.commit(proposal, 0.01)
    assert.ok(accepted && kl > 0 && kl <= 0.01 && gain > 0)
  })

  test(`${on}: the preconditioner is computed again at its maximum age, and not before`, async () => {
    const device = await open()
    const { step, parameters } = setup(device, FAST)
    const { carried } = step
    assert.ok(carried)
    const seen: string[] = []
    for (let i = 0; i < 5; i++) {
      edit(device, parameters, (p) => p.forEach((v, j) => (p[j] = 1.01 * v)))
      step.differentiate(ROWS)
      step.solve()
      seen.push(Array.from(device.read(carried.tensor)).join())
    }
    assert.deepEqual(
      seen.map((state) => seen.indexOf(state)),
      [0, 0, 2, 2, 4],
    )
  })

  test(`${on}: without valid rows there is no step and no preconditioner`, async () => {
    const device = await open()
    const { step, batch, parameters } = setup(device, FAST)
    device.fill(batch.weight, 0)
    const result = step.commit(step.propose(ROWS), 0.01)
    assert.equal(result.rejection, 'no-rows')
    assert.equal(step.carried?.age, 0)
    assert.deepEqual(Array.from(device.read(parameters)), Array.from(values))
  })
}

/** Second moments of every layer's inputs and of its outputs' adjoints, in f64, from the definition. */
function factors() {
  const layers = [...spec.hidden.map((_, i) => `hidden.${i}`), 'head']
  const { stdX, stdY } = spec.head
  const { offset } = parameterEntry(layout, 'logStd')
  const of = (name: string) => {
    const { offset, size } = parameterEntry(layout, name)
    return Array.from(values.subarray(offset, offset + size))
  }
  const inputsOf = (row: number[]): number[][] => {
    const normed = layerNorm(
      inputStage({ agentId: null, standardise: false }, row),
      of('input.norm.weight'),
      of('input.norm.bias'),
    )
    return spec.hidden.reduce(
      (all, _, i) => {
        const z = linear(all[i], of(`hidden.${i}.weight`), of(`hidden.${i}.bias`))
        const norm = `hidden.${i}.norm`
        return [...all, layerNorm(z.map(ACTIVATE[spec.activation]), of(`${norm}.weight`), of(`${norm}.bias`))]
      },
      [normed],
    )
  }
  const rows = rowsOf(raw, spec.input.size)
  const moment = (vectors: number[][]) =>
    vectors[0].map((_, i) =>
      vectors[0].map((__, j) => vectors.reduce((sum, v) => sum + v[i] * v[j], 0) / ROWS),
    )
  return layers.map((name, i) => {
    const inputs = rows.map((row) => inputsOf(row)[i])
    // The adjoint of an output at a layer's output is the output's derivative with respect to the layer's bias.
    const { offset: at, size } = parameterEntry(layout, `${name}.bias`)
    const adjoints = rows.flatMap((row) =>
      Array.from({ length: spec.head.size }, (_, k) => {
        const output = (bias: ArrayLike<number>) => {
          const moved = Float64Array.from(values)
          moved.set(Array.from(bias), at)
          return forward(spec, moved, row).output[k]
        }
        const sigma = deviation(values[offset + k], stdX, stdY)
        return Array.from(gradient(output, values.subarray(at, at + size), 1e-4), (v) => v / sigma)
      }),
    )
    const norm = i === 0 ? 'input.norm' : `hidden.${i - 1}.norm`
    return { name, norm, inputs: inputs[0].length, outputs: size, a: moment(inputs), g: moment(adjoints) }
  })
}
