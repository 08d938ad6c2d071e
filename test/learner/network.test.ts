import assert from 'node:assert/strict'
import test from 'node:test'
import { ACTIVATIONS } from '../../src/devices/steps.js'
import type { Device } from '../../src/devices/device.js'
import { Network } from '../../src/nn/network.js'
import type { NetworkSpec } from '../../src/nn/spec.js'
import { close } from '../reference/close.js'
import { directional, dot, forward, largest, normals, rowsOf } from '../reference/dense.js'
import { actorSpec, criticSpec, DEVICES, parametersOf, passError, tensorOf } from './setup.js'

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
]

const describe = ({ input, hidden, activation, head }: NetworkSpec) =>
  [
    head.kind,
    activation,
    hidden.join('-'),
    input.layerNorm && 'input norm',
    input.standardise && 'standardised',
  ]
    .filter(Boolean)
    .join(' ')

/** A network with its three passes compiled. */
function compiled(device: Device, spec: NetworkSpec, seed: number) {
  const raw = normals(ROWS * spec.input.size, seed)
  const values = parametersOf(spec, seed + 1)
  const network = new Network(device, spec, ROWS)
  const parameters = tensorOf(device, values)
  const direction = device.tensor('f32', values.length)
  const gradient = device.tensor('f32', values.length)
  const input = { raw: tensorOf(device, raw) }
  const run = {
    forward: device.compile({ rows: network.forward(parameters, input) }, ROWS),
    tangent: device.compile({ rows: network.tangent(parameters, direction) }, ROWS),
    adjoint: device.compile({ rows: network.adjoint(parameters), gradient }, ROWS),
  }
  const reference = (at: ArrayLike<number>) =>
    rowsOf(raw, spec.input.size).flatMap((row) => forward(spec, at, row).output)
  return { network, values, direction, gradient, run, reference }
}

for (const { name: on, open } of DEVICES) {
  for (const spec of SPECS) {
    test(`${on}: ${describe(spec)}: forward, J v and J' g`, async () => {
      const device = await open()
      const { network, values, direction, gradient, run, reference } = compiled(device, spec, 5)
      const error = passError(spec)
      device.run(run.forward, ROWS)
      const outputs = reference(values)
      close(device.read(network.output), outputs, error * largest(outputs), 'output')

      const v = normals(values.length, 8)
      device.write(direction, v)
      device.run(run.tangent, ROWS)
      const tangent = device.read(network.outputTangent)
      const want = directional((t) => reference(Float64Array.from(values, (p, i) => p + t * v[i])), 1e-5)
      // Differences of order 4 in f64 leave about 1e-16 / 1e-5.
      close(tangent, want, error * largest(want) + 1e-9, 'J v')

      const g = normals(tangent.length, 9)
      device.write(network.outputAdjoint, g)
      device.run(run.adjoint, ROWS)
      const adjoint = device.read(gradient)
      const size = Math.sqrt(dot(tangent, tangent) * dot(g, g))
      close([dot(v, adjoint)], [dot(tangent, g)], error * size, "<J v, g> = <v, J' g>")

      // Every entry of J' g against the difference along its own axis, where a test by one product could cancel.
      device.run(run.forward, ROWS)
      for (let i = 0; i < values.length; i += 3) {
        const moved = Float64Array.from(values)
        const slope = directional((t) => {
          moved[i] = values[i] + t
          return [dot(reference(moved), g)]
        }, 1e-5)
        close(
          [adjoint[i]],
          slope,
          error * largest(g) * ROWS * (1 + Math.abs(slope[0])) + 1e-8,
          `gradient ${i}`,
        )
      }
    })
  }

  test(`${on}: log_std moves no output`, async () => {
    const device = await open()
    const { network, values, direction, run } = compiled(device, actorSpec(), 5)
    const { offset, size } = network.layout.entries.find(({ name }) => name === 'logStd')!
    device.run(run.forward, ROWS)
    device.write(direction, new Float32Array(values.length).fill(1, offset, offset + size))
    device.run(run.tangent, ROWS)
    assert.ok(device.read(network.outputTangent).every((x) => x === 0))
  })
}
