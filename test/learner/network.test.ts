import assert from 'node:assert/strict'
import test from 'node:test'
import { ACTIVATIONS } from '../../src/devices/steps.js'
import type { Device } from '../../src/devices/device.js'
import { OutputJacobian } from '../../src/nn/jacobian.js'
import { Network } from '../../src/nn/network.js'
import type { NetworkSpec } from '../../src/nn/spec.js'
import { close } from '../reference/close.js'
import { directional, dot, forward, largest, normals, rowsOf } from '../reference/dense.js'
import {
  actorSpec,
  criticSpec,
  DEVICES,
  parametersOf,
  passError,
  tensorOf,
  waysOf,
  type Way,
} from './setup.js'

const ROWS = 21

const SPECS: readonly NetworkSpec[] = [
  ...ACTIVATIONS.map((activation) => actorSpec({ activation, layerNorm: true })),
  actorSpec({ hidden: [] }),
  actorSpec({ hidden: [], layerNorm: true }),
  actorSpec({ hidden: [6] }, 3),
  actorSpec({ hidden: [7, 3, 9], standardise: true, size: 5 }, 1),
  actorSpec({
    hidden: [8, 8, 8, 8],
    agentId: { index: 1, count: 3 },
    standardise: true,
    layerNorm: true,
    activation: 'relu',
  }),
  actorSpec({ hidden: [4, 11, 4, 6], layerNorm: true, activation: 'gelu' }, 5),
  criticSpec({ hidden: [6, 5], activation: 'elu', layerNorm: true }),
  // More units than one task on parameters takes, and widths with and without a rest beyond 4 and 16.
  actorSpec({ hidden: [37, 18], layerNorm: true, agentId: { index: null, count: 3 } }, 3),
  actorSpec({ hidden: [20, 35], agentId: { index: 0, count: 2 }, activation: 'silu' }, 1),
]

const describe = ({ input, hidden, activation, head }: NetworkSpec) =>
  [
    head.kind,
    `of ${head.size}`,
    activation,
    hidden.join('-'),
    input.layerNorm && 'input norm',
    input.standardise && 'standardised',
  ]
    .filter(Boolean)
    .join(' ')

/** A network's outputs and their derivatives in f64, which every device is compared with. */
function referenceOf(spec: NetworkSpec, seed: number) {
  const raw = normals(ROWS * spec.input.size, seed)
  const values = parametersOf(spec, seed + 1)
  const agents = Array.from({ length: ROWS }, (_, r) => (2 * r) % (spec.input.agentId?.count ?? 1))
  const at = (parameters: ArrayLike<number>) =>
    rowsOf(raw, spec.input.size).flatMap((row, r) => forward(spec, parameters, row, agents[r]).output)
  const outputs = at(values)
  const v = normals(values.length, 8)
  const tangent = directional((t) => at(Float64Array.from(values, (p, i) => p + t * v[i])), 1e-5)
  const g = normals(outputs.length, 9)
  // Entries of J' g by the difference along their own axis, where a test by one product could cancel.
  const stride = Math.max(3, Math.ceil(values.length / 100))
  const slopes = new Map<number, number>()
  const moved = Float64Array.from(values)
  for (let i = 0; i < values.length; i += stride) {
    const [slope] = directional((t) => {
      moved[i] = values[i] + t
      return [dot(at(moved), g)]
    }, 1e-5)
    moved[i] = values[i]
    slopes.set(i, slope)
  }
  return { raw, values, agents, outputs, v, tangent, g, slopes }
}

/** A network with its passes compiled, the products in one way. */
function compiled(
  device: Device,
  spec: NetworkSpec,
  { raw, values, agents }: Pick<ReturnType<typeof referenceOf>, 'raw' | 'values' | 'agents'>,
  { derive }: Way,
) {
  const network = new Network(device, spec, ROWS)
  const derivatives = derive(device, network)
  const parameters = tensorOf(device, values)
  const direction = device.tensor('f32', values.length)
  const gradient = device.tensor('f32', values.length)
  const agentIds = spec.input.agentId?.index === null ? device.tensor('i32', ROWS) : undefined
  if (agentIds) device.write(agentIds, agents)
  const input = { raw: tensorOf(device, raw), ...(agentIds && { agentIds }) }
  const kept = [...network.forward(parameters, input), ...derivatives.keep(parameters)]
  const run = {
    forward: device.compile({ rows: kept }, ROWS),
    tangent: device.compile(derivatives.tangent(parameters, direction), ROWS),
    adjoint: device.compile({ ...derivatives.adjoint(parameters, gradient), gradient }, ROWS),
  }
  return { network, direction, gradient, run }
}

for (const spec of SPECS) {
  let known: ReturnType<typeof referenceOf> | undefined
  for (const { name: on, open } of DEVICES) {
    test(`${on}: ${describe(spec)}: forward, J v and J' g`, async () => {
      known ??= referenceOf(spec, 5)
      const { outputs, v, tangent: want, g, slopes } = known
      const error = passError(spec)
      for (const way of waysOf(spec)) {
        const device = await open()
        const { network, direction, gradient, run } = compiled(device, spec, known, way)
        device.run(run.forward, ROWS)
        close(device.read(network.output), outputs, error * largest(outputs), 'output')

        device.write(direction, v)
        device.run(run.tangent, ROWS)
        const tangent = device.read(network.outputTangent)
        // Differences of order 4 in f64 leave about 1e-16 / 1e-5.
        close(tangent, want, error * largest(want) + 1e-9, `J v ${way.way}`)

        device.write(network.outputAdjoint, g)
        device.run(run.adjoint, ROWS)
        const adjoint = device.read(gradient)
        const size = Math.sqrt(dot(tangent, tangent) * dot(g, g))
        close([dot(v, adjoint)], [dot(tangent, g)], error * size, `<J v, g> = <v, J' g> ${way.way}`)
        for (const [i, slope] of slopes) {
          const bound = error * largest(g) * ROWS * (1 + Math.abs(slope)) + 1e-8
          close([adjoint[i]], [slope], bound, `gradient ${i} ${way.way}`)
        }
      }
    })
  }
}

for (const { name: on, open } of DEVICES) {
  test(`${on}: log_std moves no output, and no output moves log_std`, async () => {
    const spec = actorSpec()
    const given = referenceOf(spec, 5)
    for (const way of waysOf(spec)) {
      const device = await open()
      const { network, direction, gradient, run } = compiled(device, spec, given, way)
      const { offset, size } = network.layout.entries.find(({ name }) => name === 'logStd')!
      device.run(run.forward, ROWS)
      device.write(direction, new Float32Array(given.values.length).fill(1, offset, offset + size))
      device.run(run.tangent, ROWS)
      assert.ok(device.read(network.outputTangent).every((x) => x === 0))
      device.write(network.outputAdjoint, given.g)
      device.run(run.adjoint, ROWS)
      assert.ok(device.read(device.slice(gradient, offset, size)).every((x) => x === 0))
    }
  })
}

test('a network without hidden layers stores no Jacobian', async () => {
  const [{ open }] = DEVICES
  const device = await open()
  const network = new Network(device, actorSpec({ hidden: [] }), ROWS)
  assert.throws(() => new OutputJacobian(device, network), /^Error: a network without hidden layers/)
})
