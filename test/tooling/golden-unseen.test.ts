import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import type { DerivativesName } from '../../scripts/golden/derivatives.js'
import { checkLearnerFile } from '../../scripts/golden/kinds.js'
import {
  activationNames,
  dot,
  forward,
  gradientOf,
  noise,
  parametersOf,
  plus,
  ReferencePolicy,
  type ReferenceNetwork,
} from './harl-reference.js'

// Golden files that the command has not seen: other activations, depths, sizes and switches than HARL's files have,
// made by the float64 reference. Bounds are relative to a quantity's largest number: float32 keeps 1e-7 of it, sums
// over a network lose some tens of that, and CG amplifies them (as in HARL's own files, up to 1e-3).
const DIRECT = 2e-5
const AFTER_CG = 2e-3

const SHAPES: readonly { hidden: number[]; featureNorm: boolean; activeMasks: boolean }[] = [
  { hidden: [9], featureNorm: true, activeMasks: true },
  { hidden: [7, 6, 5], featureNorm: true, activeMasks: false },
  { hidden: [8, 8], featureNorm: false, activeMasks: true },
  { hidden: [6, 5, 7, 4], featureNorm: true, activeMasks: true },
]

interface Case {
  readonly policy: ReferencePolicy
  readonly params: Float64Array
  readonly old: number[][]
  readonly advantages: number[]
  readonly factor: number[]
  readonly active: number[]
}

const ROWS = 20
/**
 * Picked, as the data of HARL's files were: policies so wide that the damping dominates the Fisher matrix and CG takes
 * as many iterations in float32 as in float64, and advantages so large that it does not stop at once.
 */
const STD = { x: 1.2, y: 10 }
const ADVANTAGE_SCALE = 20

function makeCase(activation: string, shape: (typeof SHAPES)[number], seed: number): Case {
  const net: ReferenceNetwork = { inputs: 5, outputs: 2, activation, gaussian: true, ...shape }
  const size = parametersOf(net).reduce((sum, parameter) => sum + parameter.size, 0)
  const rows = (width: number, at: number) =>
    Array.from({ length: ROWS }, (_, r) => noise(seed * 1000 + at + r, width, 2))
  const policy = new ReferencePolicy(net, STD, rows(5, 100), rows(2, 200))
  const params = Float64Array.from(noise(seed, size, 1))
  return {
    policy,
    params,
    old: policy.logProbs(params).map((row) => row.map(Math.fround)),
    advantages: noise(seed + 1, ROWS, ADVANTAGE_SCALE),
    factor: noise(seed + 2, ROWS, 0.4).map((x) => Math.fround(1 + x)),
    active: Array.from({ length: ROWS }, (_, r) => (r % 6 === 4 ? 0 : 1)),
  }
}

const tensor = (data: ArrayLike<number>, ...shape: number[]) => ({ shape, data: Array.from(data) })
const matrix = (rows: readonly number[][]) => tensor(rows.flat(), rows.length, rows[0].length)
const flat = (data: ArrayLike<number>) => tensor(data, data.length)

function actorInputs({ policy, params, old, advantages, factor, active }: Case): Record<string, unknown> {
  return {
    params: flat(params),
    obs: matrix(policy.observations),
    actions: matrix(policy.actions),
    old_log_probs: matrix(old),
    advantages: tensor(advantages, ROWS, 1),
    factor: tensor(factor, ROWS, 1),
    active_masks: tensor(active, ROWS, 1),
  }
}

function actorKeys({ policy }: Case): Record<string, unknown> {
  return {
    hidden_sizes: policy.net.hidden,
    activation_func: policy.net.activation,
    use_feature_normalization: policy.net.featureNorm,
    std_x_coef: policy.stdX,
    std_y_coef: policy.stdY,
  }
}

/** Numbers of a nested block by dotted name. */
function scales(value: unknown, name = ''): [string, number][] {
  if (typeof value === 'number') return [[name, Math.abs(value)]]
  if (typeof value !== 'object' || value === null) return []
  if ('data' in value) return [[name, Math.max(...(value.data as number[]).map(Math.abs))]]
  return Object.entries(value).flatMap(([key, inner]) => scales(inner, name ? `${name}.${key}` : key))
}

/** Writes the file, and asserts that all of it is within its bounds. */
async function check(
  t: TestContext,
  header: Record<string, unknown>,
  inputs: unknown,
  harl: unknown,
  relative: (name: string) => number,
  stages: readonly string[] = [],
  ways: readonly DerivativesName[] = ['chosen'],
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'hatrpo-golden-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const bound = (share: number, scale: number) => ({ suggest_atol: share * scale + 2e-6 })
  const all = scales(harl)
  const file = {
    header: { golden: 'harl', ...header },
    inputs,
    harl,
    tolerance: Object.fromEntries(all.map(([name, scale]) => [name, bound(relative(name), scale)])),
    tolerance_stagewise: Object.fromEntries(
      all
        .filter(([name]) => stages.some((stage) => name.startsWith(stage)))
        .filter(([name]) => !name.endsWith('fraction') && !name.endsWith('expected_improve'))
        .map(([name, scale]) => [name, bound(DIRECT, scale)]),
    ),
  }
  const path = join(folder, 'file.json')
  writeFileSync(path, JSON.stringify(file))
  for (const way of ways) {
    const { comparisons } = await checkLearnerFile(path, undefined, way)
    assert.ok(comparisons.length >= all.length)
    for (const { quantity, maxAbs, bound } of comparisons) {
      assert.ok(maxAbs <= bound, `${quantity}, derivatives ${way}: ${maxAbs} > ${bound}`)
    }
  }
}

/** HATRPO's step by its definition. */
function trustRegionStep({ policy, params, old, advantages, factor, active }: Case, activeMasks: boolean) {
  const weight = activeMasks ? active : active.map(() => 1)
  const valid = weight.reduce((sum, w) => sum + w, 0)
  const surrogate = (p: ArrayLike<number>) =>
    policy.ratios(p, old).reduce((sum, ratio, r) => sum + weight[r] * ratio * factor[r] * advantages[r], 0) /
    valid
  const gradient = gradientOf(surrogate, params)
  const multiply = policy.fisher(params, 0.1)
  let x = new Float64Array(params.length)
  let residual = Float64Array.from(gradient)
  let direction = Float64Array.from(gradient)
  const rdotr: number[] = []
  for (let i = 0; i < 10; i++) {
    rdotr.push(dot(residual, residual))
    const product = multiply(direction)
    const alpha = rdotr[i] / dot(direction, product)
    x = plus(x, alpha, direction)
    residual = plus(residual, -alpha, product)
    const next = dot(residual, residual)
    if (next < 1e-10) break
    direction = plus(residual, next / rdotr[i], direction)
  }
  const delta = 0.02
  const shs = 0.5 * dot(x, multiply(x))
  const stepSize = 1 / Math.sqrt(shs / delta)
  const fullStep = x.map((value) => value * stepSize)
  const expected = dot(gradient, fullStep)
  const loss = surrogate(params)
  const trials = []
  let final = params
  for (let i = 0, fraction = 1; i < 10; i++, fraction *= 0.8) {
    const moved = plus(params, fraction, fullStep)
    const kl = policy.kl(params, moved)
    const gain = surrogate(moved) - loss
    const accepted = kl < delta && gain / (expected * fraction) > 0.5 && gain > 0
    trials.push({ fraction, kl, loss_improve: gain, expected_improve: expected * fraction, accepted })
    if (accepted) {
      final = moved
      break
    }
  }
  const v = noise(77, params.length, 1)
  return {
    v,
    golden: {
      fvp_of_v: flat(multiply(v)),
      loss,
      loss_grad: flat(gradient),
      cg_solution: flat(x),
      cg_rdotr: flat(rdotr),
      fvp_of_cg_solution: flat(multiply(x)),
      shs,
      step_size: stepSize,
      full_step: flat(fullStep),
      expected_improve: expected,
      trials,
      final_params: flat(final),
      new_log_probs: matrix(policy.logProbs(final)),
    },
  }
}

activationNames.forEach((activation, i) => {
  const shape = SHAPES[i % SHAPES.length]
  test(`trust region: ${activation}, hidden ${shape.hidden.join('-')}`, async (t) => {
    const given = makeCase(activation, shape, i + 1)
    const { v, golden } = trustRegionStep(given, shape.activeMasks)
    const header = {
      fixture: 'hatrpo_update_gaussian',
      params: given.policy.parameters,
      hyper_parameters: {
        ...actorKeys(given),
        kl_threshold: 0.02,
        ls_step: 10,
        accept_ratio: 0.5,
        backtrack_coeff: 0.8,
        use_policy_active_masks: shape.activeMasks,
      },
    }
    const direct = new Set(['fvp_of_v', 'loss', 'loss_grad'])
    await check(
      t,
      header,
      { ...actorInputs(given), v: flat(v) },
      golden,
      (name) => (direct.has(name) ? DIRECT : AFTER_CG),
      ['fvp_of_cg_solution', 'trials.', 'new_log_probs'],
      ['layerwise', 'jacobian'],
    )
  })
})

/** torch's Adam on a gradient whose norm is limited first. */
function adam(params: Float64Array, lr: number, eps: number, maxNorm: number | null) {
  const m = params.map(() => 0)
  const v = params.map(() => 0)
  let t = 0
  return (gradient: Float64Array) => {
    t++
    const norm = Math.sqrt(dot(gradient, gradient))
    const clip = maxNorm === null ? 1 : Math.min(1, maxNorm / (norm + 1e-6))
    const clipped = gradient.map((g) => g * clip)
    params.forEach((p, i) => {
      m[i] = 0.9 * m[i] + 0.1 * clipped[i]
      v[i] = 0.999 * v[i] + 0.001 * clipped[i] ** 2
      params[i] = p - ((lr / (1 - 0.9 ** t)) * m[i]) / (Math.sqrt(v[i] / (1 - 0.999 ** t)) + eps)
    })
    return { norm, clipped }
  }
}

for (const [maxNorm, activeMasks] of [
  [null, false],
  [0.1, true],
] as const) {
  test(`clipped update: gelu, norm limit ${String(maxNorm)}, active masks ${activeMasks}`, async (t) => {
    const given = makeCase('gelu', SHAPES[1], 21)
    const { policy, advantages, factor, active } = given
    // Ratios on both sides of the clip range.
    const old = given.old.map((row, r) => row.map((x) => Math.fround(x + 0.3 * Math.sin(r))))
    const weight = activeMasks ? active : active.map(() => 1)
    const valid = weight.reduce((sum, w) => sum + w, 0)
    const loss = (p: ArrayLike<number>) =>
      -policy.ratios(p, old).reduce((sum, ratio, r) => {
        const bounded = Math.min(Math.max(ratio, 0.9), 1.1)
        return sum + weight[r] * factor[r] * Math.min(ratio * advantages[r], bounded * advantages[r])
      }, 0) / valid
    const params = given.params.slice()
    const step = adam(params, 0.003, 1e-5, maxNorm)
    const epochs = Array.from({ length: 3 }, () => {
      const before = { policy_loss: loss(params), dist_entropy: policy.entropy(params) }
      const ratio = tensor(policy.ratios(params, old), ROWS, 1)
      const { norm, clipped } = step(gradientOf((p) => loss(p) - 0.02 * policy.entropy(p), params))
      return { ...before, ratio, grad_norm: norm, clipped_grad: flat(clipped), params: flat(params) }
    })
    const header = {
      fixture: 'happo_update',
      params: policy.parameters,
      hyper_parameters: {
        ...actorKeys(given),
        ppo_epoch: 3,
        clip_param: 0.1,
        entropy_coef: 0.02,
        use_max_grad_norm: maxNorm !== null,
        max_grad_norm: maxNorm ?? 10,
        lr: 0.003,
        opti_eps: 1e-5,
        use_policy_active_masks: activeMasks,
      },
    }
    await check(t, header, actorInputs({ ...given, old }), { epochs }, () => DIRECT)
  })
}

for (const [clippedLoss, huberLoss, normalised] of [
  [false, false, true],
  [true, false, false],
  [false, true, true],
] as const) {
  test(`critic: clipped loss ${clippedLoss}, Huber ${huberLoss}, value normalisation ${normalised}`, async (t) => {
    const net = {
      inputs: 6,
      outputs: 1,
      hidden: [7, 5, 4],
      activation: 'silu',
      featureNorm: false,
      gaussian: false,
    }
    const parameters = parametersOf(net)
    const params = Float64Array.from(noise(31, parameters.at(-1)!.offset + 1, 1))
    const initial = params.slice()
    const states = Array.from({ length: ROWS }, (_, r) => noise(400 + r, 6, 2))
    const oldValues = states.map((state, r) =>
      Math.fround(forward(net, params, state)[0] + 0.3 * Math.cos(r)),
    )
    const returns = noise(33, ROWS, 6)
    const state = [0.002, 0.05, 0.0025].map(Math.fround)
    const error = (e: number) => (huberLoss && Math.abs(e) > 0.7 ? 0.7 * (Math.abs(e) - 0.35) : (e * e) / 2)
    const step = adam(params, 0.002, 1e-5, null)
    const epochs = Array.from({ length: 3 }, () => {
      let [mean, deviation] = [0, 1]
      if (normalised) {
        const moments = [1, 2].map((power) => returns.reduce((sum, x) => sum + x ** power, 0) / ROWS)
        ;[...moments, 1].forEach((x, i) => (state[i] = 0.99999 * state[i] + 0.00001 * x))
        mean = state[0] / state[2]
        deviation = Math.sqrt(Math.max(state[1] / state[2] - mean * mean, 0.01))
      }
      const targets = returns.map((x) => (x - mean) / deviation)
      const loss = (p: ArrayLike<number>) =>
        states.reduce((sum, input, r) => {
          const value = forward(net, p, input)[0]
          const clipped = oldValues[r] + Math.min(Math.max(value - oldValues[r], -0.15), 0.15)
          const plain = error(targets[r] - value)
          return sum + (clippedLoss ? Math.max(plain, error(targets[r] - clipped)) : plain)
        }, 0) / ROWS
      const before = loss(params)
      const { norm, clipped } = step(gradientOf((p) => 1.5 * loss(p), params))
      return {
        value_loss: before,
        grad_norm: norm,
        clipped_grad: flat(clipped),
        params: flat(params),
        ...(normalised ? { valuenorm_state: flat(state), valuenorm_mean_std: flat([mean, deviation]) } : {}),
      }
    })
    const header = {
      fixture: 'critic_update',
      params: parameters,
      hyper_parameters: {
        hidden_sizes: net.hidden,
        activation_func: net.activation,
        use_feature_normalization: false,
        critic_epoch: 3,
        clip_param: 0.15,
        use_clipped_value_loss: clippedLoss,
        use_huber_loss: huberLoss,
        huber_delta: 0.7,
        value_loss_coef: 1.5,
        use_max_grad_norm: false,
        max_grad_norm: 10,
        critic_lr: 0.002,
        opti_eps: 1e-5,
      },
    }
    const inputs = {
      params: flat(initial),
      obs: matrix(states),
      value_preds: tensor(oldValues, ROWS, 1),
      returns: tensor(returns, ROWS, 1),
      ...(normalised ? { valuenorm_state: flat([0.002, 0.05, 0.0025].map(Math.fround)) } : {}),
    }
    await check(t, header, inputs, { epochs }, () => DIRECT)
  })
}
