import assert from 'node:assert/strict'
import test from 'node:test'
import type { Device } from '../../src/devices/device.js'
import type { Tensor } from '../../src/devices/tensor.js'
import { PolicyBatch } from '../../src/learner/batch.js'
import type { GaussianHeadSpec } from '../../src/learner/heads/gaussian.js'
import { PolicyEvaluation, trainedPolicy } from '../../src/learner/policy.js'
import { TrustRegionStep, type TrustRegionOptions } from '../../src/learner/trust-region.js'
import { Network } from '../../src/nn/network.js'
import type { NetworkSpec } from '../../src/nn/spec.js'
import { bits } from '../kernels/harness.js'
import { close } from '../reference/close.js'
import {
  deviation,
  directional,
  dot,
  forward,
  gaussianKl,
  gradient,
  largest,
  logProb,
  normals,
  rowsOf,
  sum,
  surrogate,
  U,
} from '../reference/dense.js'
import { actorSpec, edit, DEVICES, parametersOf, passError, tensorOf, waysOf } from './setup.js'

const ROWS = 30

const DELTA = 0.01

const OPTIONS: TrustRegionOptions = {
  damping: 0.1,
  cgIterations: 10,
  cgTolerance: 1e-10,
  lineSearchSteps: 10,
  backtrack: 0.8,
  acceptRatio: 0.5,
}

/** A batch sampled near the current policy, every fourth row invalid, and its update. */
function setup(
  device: Device,
  options: Partial<TrustRegionOptions> = {},
  spec = actorSpec({ layerNorm: true }),
  rows = ROWS,
  { derive } = waysOf(spec)[0],
) {
  const values = parametersOf(spec, 1)
  const parameters = tensorOf(device, values)
  const raw = normals(rows * spec.input.size, 2)
  const { mean, sigma } = policyOf(spec, values, raw)
  const noise = normals(mean.length, 3)
  const actions = Float32Array.from(mean, (v, i) => v + sigma[i % sigma.length] * noise[i])
  const action = rowsOf(actions, spec.head.size)
  const old = rowsOf(mean, spec.head.size).map((row, r) => logProb(action[r], row, sigma) + 0.02 * noise[r])
  const batch = new PolicyBatch(device, rows, {
    observations: tensorOf(device, raw),
    actions: tensorOf(device, actions),
    logProb: tensorOf(device, old),
  })
  const factor = normals(rows, 4)
  const weight = Float32Array.from({ length: rows }, (_, r) => (r % 4 ? 1 : 0))
  device.write(batch.factor, factor)
  device.write(batch.weight, weight)
  const network = new Network(device, spec, rows)
  const policy = trainedPolicy(device, network, parameters, { derivatives: derive(device, network) })
  const step = new TrustRegionStep(policy, batch, { ...OPTIONS, ...options })
  const update = (delta = DELTA) => step.commit(step.propose(rows), delta)

  const valid = sum(weight)
  const objective = (at: ArrayLike<number>) => {
    const now = policyOf(spec, at, raw)
    const terms = rowsOf(now.mean, spec.head.size).map((row, r) => {
      const ratio = Math.exp(logProb(action[r], row, now.sigma) - Math.fround(old[r]))
      return weight[r] * surrogate(ratio, factor[r], null)
    })
    return sum(terms) / valid
  }
  const kl = (at: ArrayLike<number>) => {
    const now = policyOf(spec, at, raw)
    const moved = rowsOf(now.mean, spec.head.size)
    const terms = rowsOf(mean, spec.head.size).map(
      (row, r) => weight[r] * gaussianKl(row, sigma, moved[r], now.sigma),
    )
    return sum(terms) / valid
  }
  const logProbs = (at: ArrayLike<number>) => {
    const now = policyOf(spec, at, raw)
    return rowsOf(now.mean, spec.head.size).map((row, r) => logProb(action[r], row, now.sigma))
  }
  return { spec, values, parameters, batch, policy, step, update, objective, kl, logProbs, rows }
}

/** Means [rows, actions] and deviations in f64. */
function policyOf(
  spec: NetworkSpec<GaussianHeadSpec>,
  parameters: ArrayLike<number>,
  raw: ArrayLike<number>,
) {
  const found = rowsOf(raw, spec.input.size).map((row) => forward(spec, parameters, row))
  const { stdX, stdY } = spec.head
  return {
    mean: found.flatMap(({ output }) => output),
    sigma: found[0].logStd.map((v) => deviation(v, stdX, stdY)),
  }
}

const FISHER_SPECS = [
  actorSpec({ layerNorm: true, hidden: [4] }),
  actorSpec({ hidden: [3, 4], activation: 'silu' }),
  actorSpec({ hidden: [5, 4, 5], activation: 'gelu', layerNorm: true }, 1),
  actorSpec({ hidden: [5, 3], agentId: { index: 1, count: 2 } }, 3),
  actorSpec({ hidden: [], standardise: true }),
]
/** Of each spec: the Hessian of the mean KL times a vector, without damping. */
const hessians = new Map<NetworkSpec, number[]>()

/** Derivative of the gradient of `kl` along v. */
function hessianProduct(kl: (at: ArrayLike<number>) => number, values: Float32Array, v: Float32Array) {
  return directional((t) => {
    const moved = Float64Array.from(values, (p, i) => p + t * v[i])
    return Array.from(gradient(kl, moved, 1e-4))
  }, 1e-4)
}

for (const { name: on, open } of DEVICES) {
  test(`${on}: the gradient is that of the mean of ratio M over valid rows`, async () => {
    const spec = actorSpec({ layerNorm: true })
    let want: ArrayLike<number> | undefined
    for (const way of waysOf(spec)) {
      const device = await open()
      const { values, step, objective, rows } = setup(device, {}, spec, ROWS, way)
      const { surrogate: found, valid } = step.differentiate(rows)
      assert.equal(valid, rows - Math.ceil(rows / 4))
      close([found], [objective(values)], passError(spec) * 4, 'surrogate')
      want ??= gradient(objective, values, 1e-4)
      const bound = passError(spec) * largest(want) + 1e-8
      close(device.read(step.gradient), want, bound, `gradient ${way.way}`)
    }
  })

  test(`${on}: the Fisher product is the Hessian of the mean KL plus damping, symmetric and positive`, async () => {
    for (const spec of FISHER_SPECS) {
      for (const way of waysOf(spec)) {
        const damping = 0.3
        const device = await open()
        const { values, step, kl, rows } = setup(device, { damping }, spec, 20, way)
        step.differentiate(rows)
        const n = values.length
        const product = (v: ArrayLike<number>) => {
          const out = device.tensor('f32', n)
          step.fisherProduct(tensorOf(device, v), out)
          return device.read(out)
        }
        const [v, w] = [normals(n, 10), normals(n, 11)]
        const [hv, hw] = [product(v), product(w)]
        const error = passError(spec)
        const size = Math.sqrt(dot(hv, hv) * dot(w, w)) + Math.sqrt(dot(hw, hw) * dot(v, v))
        close([dot(w, hv)], [dot(v, hw)], error * size, `w'Hv = v'Hw ${way.way}`)
        assert.ok(dot(v, hv) >= damping * dot(v, v) * (1 - error), "v'Hv is not below the damping")

        const hessian = hessians.get(spec) ?? hessianProduct(kl, values, v)
        hessians.set(spec, hessian)
        const want = hessian.map((x, i) => x + damping * v[i])
        // Differences of differences in f64 leave 1e-4^4 times sixth derivatives, and 1e-16 / 1e-4^2 of rounding.
        close(hv, want, error * largest(want) + 1e-6 * largest(want), `H v ${way.way}`)
      }
    }
  })

  test(`${on}: H x of the solution is the gradient, and the curvature x (H + cI) x`, async () => {
    for (const way of waysOf(actorSpec({ layerNorm: true }))) {
      const device = await open()
      const options = { cgIterations: 60, cgTolerance: 1e-14 }
      const { step, rows, spec } = setup(device, options, undefined, ROWS, way)
      step.differentiate(rows)
      const { curvature } = step.solve()
      const product = device.tensor('f32', step.direction.length)
      const g = Array.from(device.read(step.gradient))
      step.fisherProduct(step.direction, product)
      const [x, hx] = [device.read(step.direction), device.read(product)]
      close(hx, g, passError(spec) * largest(g) * 10, `(H + cI) x ${way.way}`)
      close([curvature], [dot(x, hx)], passError(spec) * Math.abs(curvature) * 10, 'curvature')
    }
  })

  test(`${on}: an accepted step keeps the KL within delta and gains at least half of what was predicted`, async () => {
    for (const delta of [1e-4, 1e-3, 0.01, 0.05]) {
      const device = await open()
      const { spec, values, parameters, batch, step, update, objective, kl, logProbs } = setup(device)
      const result = update(delta)
      assert.equal(result.accepted, true)
      assert.equal(result.rejection, null)
      const now = device.read(parameters)
      const error = passError(spec)
      assert.ok(result.kl > 0 && result.kl <= delta)
      // The KL is a sum of squares of differences of means that are good to `error`: sqrt(KL) is good to about that.
      close([Math.sqrt(result.kl)], [Math.sqrt(kl(now))], 10 * error, 'KL')
      close([result.gain], [objective(now) - objective(values)], 10 * error, 'gain')
      assert.ok(result.gain > 0.5 * result.predictedGain)
      const last = result.trials.at(-1)!
      assert.deepEqual([last.kl, last.gain, last.accepted], [result.kl, result.gain, true])
      assert.ok(result.trials.slice(0, -1).every(({ accepted }) => !accepted))
      const scale = last.fraction * result.stepScale
      const direction = device.read(step.direction)
      const move = Array.from(direction, (d) => Math.fround(Math.fround(scale) * d))
      const want = Array.from(values, (v, i) => Math.fround(v + move[i]))
      // Devices differ in how often they round: the scale, the product and the sum, or once.
      const rounding = (i: number) =>
        on === 'wasm' ? 0 : 2 * U * (Math.abs(want[i]) + 2 * Math.abs(move[i]))
      close(now, want, rounding, 'parameters are old + step')
      close([result.stepScale], [Math.sqrt((2 * delta) / result.curvature)], 1e-12, 'scale of the full step')
      const logs = logProbs(now)
      close(device.read(batch.newLogProb), logs, error * (10 + largest(logs)), 'new log-probabilities')
    }
  })

  test(`${on}: trials shrink by the backtracking factor until one is accepted`, async () => {
    // Far steps leave the quadratic model, so the first trials break the bound on the KL.
    const { update } = setup(await open(), { damping: 1e-3, lineSearchSteps: 40 })
    const { trials, accepted } = update(3)
    assert.ok(accepted && trials.length > 1, `${trials.length} trials`)
    trials.forEach(({ fraction, predictedGain }, j) => {
      close([fraction], [0.8 ** j], 1e-12, 'fraction')
      close([predictedGain], [fraction * trials[0].predictedGain], 1e-12, 'predicted gain')
    })
  })

  /** Everything that must be as if the update had not been tried. */
  function assertRejected(
    device: Device,
    options: Partial<TrustRegionOptions>,
    rejection: string,
    spoil?: Float32Array,
  ) {
    const { values, parameters, batch, policy, update, rows, logProbs, spec } = setup(device, options)
    if (spoil) device.write(batch.factor, spoil)
    const result = update()
    assert.equal(result.accepted, false)
    assert.equal(result.rejection, rejection)
    assert.deepEqual([result.kl, result.gain, result.predictedGain], [0, 0, 0])
    assert.deepEqual(
      bits(device.read(parameters) as Float32Array),
      bits(values),
      'parameters are restored bit for bit',
    )
    const got = device.read(batch.newLogProb) as Float32Array
    close(got, logProbs(values), passError(spec) * 20, 'log-probabilities at the old parameters')
    new PolicyEvaluation(policy, batch, false).evaluate(rows)
    assert.deepEqual(bits(got), bits(device.read(batch.newLogProb) as Float32Array))
    return result
  }

  test(`${on}: a line search without an acceptable trial restores the old parameters`, async () => {
    // No step can have twice the gain of the linear model ten times in a row.
    const { trials, curvature } = assertRejected(await open(), { acceptRatio: 100 }, 'line-search')
    assert.equal(trials.length, 10)
    assert.ok(trials.every(({ accepted }) => !accepted))
    assert.ok(curvature > 0)
    assertRejected(await open(), { lineSearchSteps: 0 }, 'line-search')
  })

  test(`${on}: curvature that is not positive restores the old parameters`, async () => {
    const { curvature, trials } = assertRejected(await open(), { damping: -1e4 }, 'curvature')
    assert.ok(curvature < 0)
    assert.deepEqual(trials, [])
    assertRejected(await open(), {}, 'curvature', new Float32Array(ROWS))
  })

  test(`${on}: numbers that are not finite restore the old parameters`, async () => {
    for (const bad of [NaN, Infinity, -Infinity]) {
      const factor = normals(ROWS, 4)
      factor[5] = bad
      assertRejected(await open(), {}, 'non-finite', factor)
    }
    assertRejected(await open(), { damping: Infinity }, 'non-finite')
    assertRejected(await open(), {}, 'non-finite', new Float32Array(ROWS).fill(3e38))
  })

  test(`${on}: invalid rows change nothing`, async () => {
    const [plain, spoilt] = [await open(), await open()]
    const first = setup(plain)
    const want = first.update()
    const second = setup(spoilt)
    const { factor, logProb, actions } = second.batch
    const spoil = (tensor: Tensor, every: number, value: number) =>
      edit(spoilt, tensor, (values) => {
        for (let i = 0; i < values.length; i += every) values[i] = value
      })
    spoil(factor, 4, 1e20)
    spoil(logProb, 4, -50)
    spoil(actions, 8, 1e3)
    assert.deepEqual(second.update(), want)
    assert.deepEqual(spoilt.read(second.parameters), plain.read(first.parameters))
  })

  test(`${on}: klRows 'all' averages the KL over every row`, async () => {
    const device = await open()
    const { spec, update, parameters, rows } = setup(device, { klRows: 'all' })
    const { accepted, kl } = update()
    assert.equal(accepted, true)
    const now = device.read(parameters)
    const [before, after] = [parametersOf(spec, 1), now].map((at) => policyOf(spec, at, normals(rows * 3, 2)))
    const moved = rowsOf(after.mean, spec.head.size)
    const terms = rowsOf(before.mean, spec.head.size).map((row, r) =>
      gaussianKl(row, before.sigma, moved[r], after.sigma),
    )
    close([Math.sqrt(kl)], [Math.sqrt(sum(terms) / rows)], 10 * passError(spec), 'KL')
  })
}
