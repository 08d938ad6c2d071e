// Contract of every head of a policy (src/learner/heads/head.ts), against its own distribution in f64.
import assert from 'node:assert/strict'
import test from 'node:test'
import type { Device } from '../../src/devices/device.js'
import { categoricalHead } from '../../src/learner/heads/categorical.js'
import { gaussianHead } from '../../src/learner/heads/gaussian.js'
import { HEAD_SUMS, type PolicyHeadSpec, type PolicySpec } from '../../src/learner/heads/head.js'
import { rowGaussianHead } from '../../src/learner/heads/row-gaussian.js'
import { attachHead } from '../../src/learner/heads/table.js'
import { parameterLayout } from '../../src/nn/layout.js'
import { Network } from '../../src/nn/network.js'
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
} from '../reference/dense.js'
import { actorSpec, DEVICES, parametersOf, passError, tensorOf } from './setup.js'

/** A distribution of actions at one row. */
interface Distribution {
  logProb(action: ArrayLike<number>): number
  /** KL from this one to another of its kind. */
  kl(other: Distribution): number
  readonly entropy: number
  readonly mode: readonly number[]
  /** Mean and variance of each entry of an action. */
  readonly mean: readonly number[]
  readonly variance: readonly number[]
}

interface HeadCase {
  readonly name: string
  readonly spec: PolicyHeadSpec
  /** Mask of the available actions of each row. */
  readonly mask?: Uint8Array
  /** Distribution for the network's outputs and the head's own vectors, in a row. */
  distribution(
    outputs: readonly number[],
    vectors: Readonly<Record<string, number[]>>,
    row: number,
  ): Distribution
  /** Possible actions, [rows, width]. */
  actions(rows: number): Float32Array
}

interface GaussianDistribution extends Distribution {
  readonly sigma: readonly number[]
}

function gaussianOf(mean: readonly number[], sigma: readonly number[]): GaussianDistribution {
  return {
    logProb: (action) => logProb(action, mean, sigma),
    kl: (other) => gaussianKl(mean, sigma, other.mean, (other as GaussianDistribution).sigma),
    entropy: sum(sigma.map((s) => 0.5 * Math.log(2 * Math.PI * Math.E * s * s))),
    mode: mean,
    mean,
    variance: sigma.map((s) => s * s),
    sigma,
  }
}

const gaussian = (size: number, stdX: number, stdY: number): HeadCase => ({
  name: `gaussian of ${size}`,
  spec: gaussianHead(size, { stdX, stdY }),
  distribution: (mean, { logStd }) =>
    gaussianOf(
      mean,
      logStd.map((value) => deviation(value, stdX, stdY)),
    ),
  actions: (rows) => normals(rows * size, 6),
})

const rowGaussian = (size: number, stdX: number, stdY: number): HeadCase => ({
  name: `gaussian of ${size} with a deviation per row`,
  spec: rowGaussianHead(size, { stdX, stdY }),
  distribution: (outputs) =>
    gaussianOf(
      outputs.slice(0, size),
      outputs.slice(size).map((value) => deviation(value, stdX, stdY)),
    ),
  actions: (rows) => normals(rows * size, 6),
})

interface CategoricalDistribution extends Distribution {
  /** Of each factor, 0 for choices that are not available. */
  readonly p: readonly (readonly number[])[]
}

const ROWS = 12
const CLIP = 0.2

/** Two choices or more of each factor are available in every row. */
function maskFor(sizes: readonly number[]): Uint8Array {
  const rows = Array.from({ length: ROWS }, (_, r) =>
    sizes.flatMap((n) => Array.from({ length: n }, (_, k) => (n < 3 || (k + r) % 3 ? 1 : 0))),
  )
  return Uint8Array.from(rows.flat())
}

function categorical(sizes: readonly number[], masked: boolean): HeadCase {
  const width = sum(sizes)
  const mask = masked ? maskFor(sizes) : new Uint8Array(ROWS * width).fill(1)
  const starts = sizes.map((_, i) => sum(sizes.slice(0, i)))
  const open = (row: number, i: number) => (k: number) => mask[row * width + starts[i] + k] !== 0
  const plog = (p: readonly number[], q = p) => sum(p.map((v, k) => (v > 0 ? v * Math.log(q[k]) : 0)))
  return {
    name: `choices of ${sizes.join(' and ')}${masked ? ', masked' : ''}`,
    spec: categoricalHead(sizes),
    ...(masked && { mask }),
    distribution(outputs, _vectors, row): CategoricalDistribution {
      const p = sizes.map((n, i) => {
        const z = outputs.slice(starts[i], starts[i] + n)
        const parts = z.map((v, k) => (open(row, i)(k) ? Math.exp(v) : 0))
        return parts.map((part) => part / sum(parts))
      })
      const mean = p.map((q) => sum(q.map((v, k) => v * k)))
      return {
        logProb: (action) => sum(p.map((q, i) => Math.log(q[action[i]]))),
        kl: (other) => sum(p.map((q, i) => plog(q) - plog(q, (other as CategoricalDistribution).p[i]))),
        entropy: -sum(p.map((q) => plog(q))),
        mode: p.map((q) => q.indexOf(Math.max(...q))),
        mean,
        variance: p.map((q, i) => sum(q.map((v, k) => v * (k - mean[i]) * (k - mean[i])))),
        p,
      }
    },
    actions: (rows) =>
      Float32Array.from({ length: rows * sizes.length }, (_, at) => {
        const [row, i] = [Math.floor(at / sizes.length), at % sizes.length]
        const choices = Array.from({ length: sizes[i] }, (_, k) => k).filter(open(row, i))
        return choices[row % choices.length]
      }),
  }
}

/** Every head, in the shapes that matter to it. */
const HEADS: readonly HeadCase[] = [
  gaussian(2, 1, 0.5),
  gaussian(1, 0.7, 1.3),
  rowGaussian(2, 2, 3),
  categorical([5], true),
  categorical([2, 4, 3], true),
  categorical([3], false),
]

function setup(device: Device, head: HeadCase) {
  const spec: PolicySpec = { ...actorSpec({ hidden: [4], layerNorm: true }), head: head.spec }
  const { entries, size } = parameterLayout(spec)
  const values = parametersOf(spec, 1)
  const raw = normals(ROWS * spec.input.size, 2)
  const at = (parameters: ArrayLike<number>): Distribution[] => {
    const flat = Array.from(parameters)
    const vectors = Object.fromEntries(
      head.spec.vectors.map(({ name }) => {
        const entry = entries.find((candidate) => candidate.name === name)!
        return [name, flat.slice(entry.offset, entry.offset + entry.size)]
      }),
    )
    return rowsOf(raw, spec.input.size).map((row, r) =>
      head.distribution(forward(spec, flat, row).output, vectors, r),
    )
  }
  const network = new Network(device, spec, ROWS)
  const parameters = tensorOf(device, values)
  const policy = attachHead(device, network, parameters)
  const { width } = head.spec.action
  const actions = head.actions(ROWS)
  const action = rowsOf(actions, width)
  const old = at(values).map((distribution, r) => distribution.logProb(action[r]))
  // Ratios on either side of the clip range.
  const shift = normals(ROWS, 5, 0.3)
  const samples = {
    actions: tensorOf(device, actions),
    logProb: tensorOf(
      device,
      old.map((v, r) => v + shift[r]),
    ),
    factor: tensorOf(device, normals(ROWS, 7)),
    weight: tensorOf(
      device,
      Float32Array.from({ length: ROWS }, (_, r) => (r % 4 ? 1 : 0)),
    ),
    newLogProb: device.tensor('f32', ROWS),
  }
  const read = Object.fromEntries(
    Object.entries(samples).map(([name, tensor]) => [name, Array.from(device.read(tensor))]),
  ) as Record<keyof typeof samples, number[]>
  const available = head.mask && device.tensor('u8', head.mask.length)
  if (available && head.mask) device.write(available, head.mask)
  const forwardSteps = [
    ...network.forward(parameters, { raw: tensorOf(device, raw) }),
    ...policy.restrict(available),
  ]
  const run = (
    rows: Parameters<Device['compile']>[0]['rows'],
    out?: ReturnType<Device['tensor']>,
    scale = 1,
  ) =>
    device.run(
      device.compile(
        { setup: policy.setup(), rows: [...forwardSteps, ...rows], ...(out && { gradient: out }) },
        ROWS,
      ),
      ROWS,
      scale,
    )
  return {
    spec,
    size,
    values,
    at,
    network,
    parameters,
    policy,
    action,
    samples,
    read,
    run,
    error: passError(spec),
  }
}

for (const { name: on, open } of DEVICES) {
  for (const head of HEADS) {
    test(`${on}, ${head.name}: log-probability and mode`, async () => {
      const device = await open()
      const { values, at, policy, action, samples, run, error } = setup(device, head)
      run(policy.logProb(samples.actions, samples.newLogProb))
      const want = at(values).map((distribution, r) => distribution.logProb(action[r]))
      close(device.read(samples.newLogProb), want, error * (10 + largest(want)), 'log-probability')
      run(policy.mode(samples.actions))
      const mode = at(values).flatMap((distribution) => [...distribution.mode])
      close(device.read(samples.actions), mode, error * largest(mode), 'mode')
    })

    for (const clip of [null, CLIP]) {
      test(`${on}, ${head.name}: surrogate, clip ${clip}, and its gradient`, async () => {
        const device = await open()
        const { size, values, at, network, parameters, policy, action, samples, read, run, error } = setup(
          device,
          head,
        )
        const objective = (parametersAt: ArrayLike<number>) =>
          sum(
            at(parametersAt).map((distribution, r) => {
              const ratio = Math.exp(distribution.logProb(action[r]) - read.logProb[r])
              return read.weight[r] * surrogate(ratio, read.factor[r], clip)
            }),
          )
        const out = device.tensor('f32', size)
        const sums = run([...policy.surrogate(samples, clip, true), ...network.adjoint(parameters)], out)
        assert.deepEqual(Object.keys(sums), [...HEAD_SUMS.surrogate])
        const outside = at(values).filter((distribution, r) => {
          const ratio = Math.exp(distribution.logProb(action[r]) - read.logProb[r])
          return clip !== null && read.weight[r] !== 0 && Math.abs(ratio - 1) > clip
        })
        assert.deepEqual([sums.weight, sums.clipped], [sum(read.weight), outside.length])
        if (clip !== null) assert.ok(outside.length > 0)
        close([sums.objective], [objective(values)], 10 * ROWS * error, 'objective')
        const want = gradient(objective, values, 1e-6)
        close(device.read(out), want, error * largest(want) + 1e-8, 'gradient')
        const logs = device.read(samples.newLogProb)
        const wantLogs = at(values).map((distribution, r) => distribution.logProb(action[r]))
        close(logs, wantLogs, error * (10 + largest(wantLogs)), 'new log-probabilities')
        // Without the gradient the sums are the same.
        assert.deepEqual(run(policy.surrogate(samples, clip, false)), sums)
      })
    }

    test(`${on}, ${head.name}: KL from the old distribution, whose Hessian is the Fisher matrix`, async () => {
      const device = await open()
      const { size, values, at, network, parameters, policy, samples, read, run, error } = setup(device, head)
      const old = at(values)
      const kl = (parametersAt: ArrayLike<number>) =>
        sum(at(parametersAt).map((distribution, r) => read.weight[r] * old[r].kl(distribution)))
      run([])
      policy.keep(ROWS)
      const same = run(policy.kl(samples.weight))
      assert.deepEqual(Object.keys(same), [...HEAD_SUMS.kl])
      close([same.kl], [0], ROWS * 1e-12, 'KL of the same')
      assert.equal(same.klWeight, sum(read.weight))

      const v = normals(size, 8)
      const direction = tensorOf(device, v)
      const out = device.tensor('f32', size)
      const rows = [
        ...network.tangent(parameters, direction),
        ...policy.fisher(direction, samples.weight),
        ...network.adjoint(parameters),
      ]
      run(rows, out)
      const along = (t: number) => Float64Array.from(values, (p, i) => p + t * v[i])
      const want = directional((t) => [...gradient(kl, along(t), 1e-4)], 1e-4)
      close(device.read(out), want, (error + 1e-6) * largest(want), 'Fisher product')
      assert.ok(dot(device.read(out), v) > 0)

      const moved = along(0.05)
      device.write(parameters, moved)
      const { kl: found } = run(policy.kl(samples.weight))
      const rounded = Float32Array.from(moved)
      // A KL is a sum of squares of differences that are good to `error`.
      close([Math.sqrt(found)], [Math.sqrt(kl(rounded))], 10 * ROWS * error, 'root of the KL')
    })

    test(`${on}, ${head.name}: entropy and its gradient`, async () => {
      const device = await open()
      const { size, values, at, policy, run, network, parameters, samples, read, error } = setup(device, head)
      const counted = sum(read.weight)
      const entropy = (parametersAt: ArrayLike<number>) =>
        sum(at(parametersAt).map((distribution, r) => read.weight[r] * distribution.entropy)) / counted
      const found = policy.meanEntropy(run(policy.entropy(samples.weight, null)))
      close([found], [entropy(values)], error * (1 + Math.abs(entropy(values))), 'entropy')
      // The part of the surrogate, to which that of the entropy is added.
      device.fill(network.outputAdjoint, 0)
      const out = device.tensor('f32', size)
      run([...policy.entropy(samples.weight, 0.7), ...network.adjoint(parameters)], out, 1 / counted)
      policy.addEntropyGradient(out, 0.7)
      const want = gradient(entropy, values, 1e-5).map((slope) => 0.7 * slope)
      close(device.read(out), want, 4 * error * largest(want) + 1e-8, 'gradient')
      assert.ok(largest(want) > 0.01)
      const once = device.read(out)
      policy.addEntropyGradient(out, 0.7)
      const own = head.spec.vectors.length > 0
      assert.equal(Buffer.compare(Buffer.from(once.buffer), Buffer.from(device.read(out).buffer)) !== 0, own)
    })

    test(`${on}, ${head.name}: samples have the distribution's moments and its log-probabilities`, async () => {
      const device = await open()
      const { values, at, policy, samples, run, error } = setup(device, head)
      const { width } = head.spec.action
      const [streams, steps] = [device.tensor('i32', ROWS), device.tensor('i32', ROWS)]
      const program = policy.sample(
        { seed: 3, purpose: 1, streams, steps },
        samples.actions,
        samples.newLogProb,
      )
      const distributions = at(values)
      const draws = 400
      const total = new Float64Array(width)
      const squares = new Float64Array(width)
      for (let draw = 0; draw < draws; draw++) {
        device.write(
          streams,
          Int32Array.from({ length: ROWS }, (_, r) => r),
        )
        device.write(steps, new Int32Array(ROWS).fill(draw))
        run(program)
        const drawn = rowsOf(device.read(samples.actions), width)
        const logs = device.read(samples.newLogProb)
        drawn.forEach((action, r) => {
          const { mean, variance } = distributions[r]
          if (draw < 3) close([logs[r]], [distributions[r].logProb(action)], 100 * error, 'log-probability')
          action.forEach((a, j) => {
            const z = (a - mean[j]) / Math.sqrt(variance[j])
            total[j] += z
            squares[j] += z * z
          })
        })
      }
      // Five standard errors of n standardised numbers: 1 for the mean, below 2 for the mean square.
      const n = draws * ROWS
      close(
        total.map((t) => t / n),
        total.map(() => 0),
        5 / Math.sqrt(n),
        'mean',
      )
      close(
        squares.map((s) => s / n),
        squares.map(() => 1),
        10 / Math.sqrt(n),
        'variance',
      )
    })
  }
}
