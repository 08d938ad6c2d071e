import assert from 'node:assert/strict'
import test from 'node:test'
import { clipScale } from '../../src/learner/adam.js'
import { readGolden, type GoldenArray } from './golden.js'
import { bits, f32, generator, kernels } from './harness.js'

/** Runs Adam over a list of gradients. @returns parameters after each step */
function adam(
  start: ArrayLike<number>,
  gradients: ArrayLike<number>[],
  options: { lr: number; eps: number; gradScale?: number; pieces?: number[] },
): Float32Array[] {
  const n = start.length
  const [parameters, m, v] = [f32(start), f32(n), f32(n)]
  const { lr, eps, gradScale = 1, pieces = [0, n] } = options
  let power1 = 1
  let power2 = 1
  return gradients.map((values) => {
    const gradient = f32(values)
    power1 *= 0.9
    power2 *= 0.999
    for (let p = 0; p + 1 < pieces.length; p++) {
      const skip = 4 * pieces[p]
      const [a, b, c, d] = [parameters, gradient, m, v].map((x) => x.byteOffset + skip) as [
        number,
        number,
        number,
        number,
      ]
      kernels.adamStep(a, b, c, d, pieces[p + 1] - pieces[p], gradScale, lr, 0.9, 0.999, eps, power1, power2)
    }
    return Float32Array.from(parameters)
  })
}

const randomVector = (n: number, seed: number, scale = 1) => {
  const random = generator(seed)
  return Float32Array.from({ length: n }, () => scale * (2 * random() - 1))
}

interface HappoFile {
  header: { hyper_parameters: { lr: number; opti_eps: number; max_grad_norm: number } }
  inputs: { params: GoldenArray }
  harl: { epochs: { grad_norm: number; clipped_grad: GoldenArray; params: GoldenArray }[] }
  tolerance: Record<string, { suggest_atol: number }>
}

const GOLDEN = 'happo_update.stale_clipped.s2.json'

test(`${GOLDEN}: with PyTorch's gradients, the parameters after each step are PyTorch's`, (t) => {
  const { header, inputs, harl, tolerance } = readGolden<HappoFile>(GOLDEN)
  const { lr, opti_eps: eps } = header.hyper_parameters
  const steps = adam(
    inputs.params.data,
    harl.epochs.map((epoch) => epoch.clipped_grad.data),
    { lr, eps },
  )
  harl.epochs.forEach((epoch, k) => {
    const wanted = epoch.params.data.map(Math.fround)
    const error = Math.max(...steps[k].map((p, i) => Math.abs(p - wanted[i])))
    t.diagnostic(`step ${k + 1}: largest difference ${error}`)
    assert.ok(error <= tolerance[`epochs.${k}.params`].suggest_atol, `step ${k + 1}: ${error}`)
  })
})

test(`${GOLDEN}: clipScale gives PyTorch's clipped gradient norms`, () => {
  const { header, harl } = readGolden<HappoFile>(GOLDEN)
  for (const { grad_norm, clipped_grad } of harl.epochs) {
    const norm = Math.sqrt(clipped_grad.data.reduce((sum, g) => sum + g * g, 0))
    const clipped = grad_norm * clipScale(grad_norm, header.hyper_parameters.max_grad_norm)
    assert.ok(Math.abs(clipped - norm) < 1e-6 * norm, `${clipped} and ${norm}`)
  }
})

test('clipScale does not change small gradients', () => {
  assert.equal(clipScale(0, 10), 1)
  assert.equal(clipScale(9.9, 10), 1)
  assert.equal(clipScale(10, 10), 10 / (10 + 1e-6))
  assert.equal(clipScale(40, 10), 10 / (40 + 1e-6))
  assert.ok(Number.isNaN(clipScale(NaN, 10)))
  assert.equal(clipScale(1e9, null), 1)
})

test('twenty steps agree with the same recursion in f64', () => {
  const n = 103
  const start = randomVector(n, 1)
  const gradients = Array.from({ length: 20 }, (_, t) => randomVector(n, t + 2, 10 ** ((t % 5) - 2)))
  const { lr, eps } = { lr: 5e-4, eps: 1e-5 }
  const steps = adam(start, gradients, { lr, eps })
  const [p, m, v] = [Float64Array.from(start), new Float64Array(n), new Float64Array(n)]
  gradients.forEach((gradient, k) => {
    for (let i = 0; i < n; i++) {
      const g = gradient[i]
      m[i] = 0.9 * m[i] + 0.1 * g
      v[i] = 0.999 * v[i] + 0.001 * g * g
      const denominator = Math.sqrt(v[i]) / Math.sqrt(1 - 0.999 ** (k + 1)) + eps
      p[i] -= ((lr / (1 - 0.9 ** (k + 1))) * m[i]) / denominator
    }
    // A step is at most about lr; each rounds |p| <= 1 to f32 (6e-8) once and errs by a few 1e-7 of itself.
    steps[k].forEach((got, i) => assert.ok(Math.abs(got - p[i]) <= (k + 1) * 6.1e-8, `step ${k}, ${i}`))
  })
})

test('any split into ranges has the bits of the whole; gradScale = -1 ascends', () => {
  const n = 103
  const start = randomVector(n, 3)
  const gradients = [4, 5, 6].map((seed) => randomVector(n, seed))
  const options = { lr: 1e-2, eps: 1e-5 }
  const whole = adam(start, gradients, options)
  for (const pieces of [
    [0, 1, 2, 3, 50, n],
    [0, 63, n],
  ]) {
    adam(start, gradients, { ...options, pieces }).forEach((step, k) =>
      assert.deepEqual(bits(step), bits(whole[k])),
    )
  }
  const negated = gradients.map((g) => g.map((x) => -x))
  const ascent = adam(start, negated, { ...options, gradScale: -1 })
  ascent.forEach((step, k) => assert.deepEqual(bits(step), bits(whole[k])))
})
