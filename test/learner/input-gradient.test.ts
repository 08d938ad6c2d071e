import assert from 'node:assert/strict'
import test from 'node:test'
import type { Device } from '../../src/devices/device.js'
import { Network } from '../../src/nn/network.js'
import type { NetworkSpec } from '../../src/nn/spec.js'
import { close } from '../reference/close.js'
import { directional, dot, forward, largest, normals } from '../reference/dense.js'
import { actorSpec, criticSpec, DEVICES, parametersOf, passError, tensorOf } from './setup.js'

const ROWS = 5
const COUNT = 3
/** Agent of each row. */
const AGENTS = Int32Array.of(0, 2, 1, 1, 2)

/** Outputs, and the gradients of sum(g output) with respect to input and parameters. */
function passes(device: Device, spec: NetworkSpec, g: ArrayLike<number>, ids?: Int32Array) {
  const network = new Network(device, spec, ROWS)
  const values = parametersOf(spec, 3)
  const raw = normals(ROWS * spec.input.size, 4)
  const parameters = tensorOf(device, values)
  const agentIds = ids && device.tensor('i32', ROWS)
  if (agentIds) device.write(agentIds, ids)
  const input = { raw: tensorOf(device, raw), agentIds }
  const inputGradient = device.tensor('f32', raw.length)
  const gradient = device.tensor('f32', values.length)
  device.run(device.compile({ rows: network.forward(parameters, input) }, ROWS), ROWS)
  const output = device.read(network.output)
  device.write(network.outputAdjoint, g)
  const rows = network.adjoint(parameters, { input, gradient: inputGradient })
  device.run(device.compile({ rows, gradient }, ROWS), ROWS)
  const withoutInput = device.tensor('f32', values.length)
  device.write(network.outputAdjoint, g)
  device.run(device.compile({ rows: network.adjoint(parameters), gradient: withoutInput }, ROWS), ROWS)
  return {
    values,
    raw,
    output,
    inputGradient: device.read(inputGradient),
    gradient: device.read(gradient),
    withoutInput: device.read(withoutInput),
  }
}

for (const { name: on, open } of DEVICES) {
  for (const standardise of [false, true]) {
    for (const layerNorm of [false, true]) {
      for (const agentId of [null, { index: 1, count: COUNT }, { index: null, count: COUNT }]) {
        const id = agentId && (agentId.index ?? 'column')
        test(`${on}: input gradient, standardise ${standardise}, LayerNorm ${layerNorm}, agent id ${id}`, async () => {
          const spec = criticSpec({ size: 4, hidden: [6, 5], standardise, layerNorm, agentId })
          const g = normals(ROWS, 9)
          const ids = agentId?.index === null ? AGENTS : undefined
          const { values, raw, inputGradient, gradient, withoutInput } = passes(await open(), spec, g, ids)
          assert.deepEqual(gradient, withoutInput, 'the gradient of the parameters is the same with it')
          const agentOf = (row: number) => (ids ? ids[row] : (agentId?.index ?? undefined))
          for (let r = 0; r < ROWS; r++) {
            const x = Float64Array.from(raw.subarray(4 * r, 4 * r + 4))
            const want = x.map((value, i) => {
              const [slope] = directional((t) => {
                x[i] = value + t
                const { output } = forward(spec, values, x, agentOf(r))
                x[i] = value
                return [g[r] * output[0]]
              }, 1e-5)
              return slope
            })
            // Standardised by a deviation of about 1, a slope is of the size of the others; differences leave 1e-16 / 1e-5.
            const got = inputGradient.subarray(4 * r, 4 * r + 4) as Float32Array
            close(got, want, passError(spec) * (1 + largest(want)) + 1e-9, `row ${r}`)
            assert.ok(largest(want) > 1e-3)
          }
        })
      }
    }
  }

  test(`${on}: a network without hidden layers passes the gradient through its head`, async () => {
    const spec = actorSpec({ hidden: [], size: 3 })
    const g = normals(ROWS * 2, 9)
    const { values, inputGradient } = passes(await open(), spec, g)
    // Parameters: logStd (2), then the head's weight (2 x 3).
    const weight = (j: number, i: number) => values[2 + 3 * j + i]
    const want = Float64Array.from({ length: ROWS * 3 }, (_, k) => {
      const [r, i] = [Math.floor(k / 3), k % 3]
      return dot([g[2 * r], g[2 * r + 1]], [weight(0, i), weight(1, i)])
    })
    close(inputGradient, want, passError(spec) * largest(want), 'gradient')
  })

  for (const layerNorm of [false, true]) {
    test(`${on}: a column of one id has the bits of that constant id, LayerNorm ${layerNorm}`, async () => {
      const shape = { size: 4, hidden: [6, 5], standardise: true, layerNorm }
      const g = normals(ROWS * 2, 9)
      const column = actorSpec({ ...shape, agentId: { index: null, count: COUNT } })
      const mixed = passes(await open(), column, g, AGENTS)
      for (let agent = 0; agent < COUNT; agent++) {
        const constant = passes(
          await open(),
          actorSpec({ ...shape, agentId: { index: agent, count: COUNT } }),
          g,
        )
        const same = passes(await open(), column, g, new Int32Array(ROWS).fill(agent))
        assert.deepEqual(same, constant)
        // Rows are independent, so each row of mixed agents equals that of its agent.
        for (let r = 0; r < ROWS; r++) {
          if (AGENTS[r] !== agent) continue
          const row = (values: ArrayLike<number>, width: number) =>
            Array.from(values).slice(r * width, (r + 1) * width)
          assert.deepEqual(row(mixed.output, 2), row(constant.output, 2))
          assert.deepEqual(row(mixed.inputGradient, 4), row(constant.inputGradient, 4))
        }
      }
    })
  }

  test(`${on}: a network whose id differs by row needs the column`, async () => {
    const device = await open()
    const network = new Network(device, criticSpec({ agentId: { index: null, count: COUNT } }), ROWS)
    const parameters = device.tensor('f32', network.layout.size)
    const raw = device.tensor('f32', ROWS * 3)
    assert.throws(() => network.forward(parameters, { raw }), /needs a column of ids$/)
  })
}
