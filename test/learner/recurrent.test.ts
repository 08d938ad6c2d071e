import assert from 'node:assert/strict'
import test from 'node:test'
import type { Device } from '../../src/devices/device.js'
import { Advantages } from '../../src/algorithms/advantages.js'
import { TRUNCATED } from '../../src/envs/contract.js'
import { Adam } from '../../src/learner/adam.js'
import { Workspace } from '../../src/learner/policy.js'
import type { RolloutLayout } from '../../src/rollout/index.js'
import { derivativesFor } from '../../src/nn/cost.js'
import { layerwise } from '../../src/nn/derivatives.js'
import { OutputJacobian } from '../../src/nn/jacobian.js'
import { Network } from '../../src/nn/network.js'
import { stateWidth, type NetworkSpec } from '../../src/nn/spec.js'
import { close } from '../reference/close.js'
import { directional, dot, largest, normals, rowsOf } from '../reference/dense.js'
import { forwardChunk } from '../reference/recurrent.js'
import { actorSpec, criticSpec, DEVICES, parametersOf, passError, tensorOf } from './setup.js'

const CHUNK = 4
const CHUNKS = 5
const ROWS = CHUNK * CHUNKS

const SPECS: readonly NetworkSpec[] = [
  { ...actorSpec({ layerNorm: true }), recurrent: { size: 6, layers: 1 } },
  { ...actorSpec({ hidden: [] }, 3), recurrent: { size: 4, layers: 2 } },
  { ...criticSpec({ hidden: [5], layerNorm: true, standardise: true }), recurrent: { size: 3, layers: 2 } },
]

/** Parameters, rows and the products with the Jacobian in f64. */
function referenceOf(spec: NetworkSpec) {
  const raw = normals(ROWS * spec.input.size, 1)
  const values = parametersOf(spec, 2)
  const states = normals(ROWS * stateWidth(spec), 3, 0.5)
  const starts = Float32Array.from({ length: ROWS }, (_, r) => (r % 7 === 5 ? 1 : 0))
  const [rows, before] = [rowsOf(raw, spec.input.size), rowsOf(states, stateWidth(spec))]
  const chunk = (parameters: ArrayLike<number>, c: number) => {
    const [from, to] = [c * CHUNK, (c + 1) * CHUNK]
    const given = { raw: rows.slice(from, to), state: before[from] }
    return forwardChunk(spec, parameters, { ...given, starts: Array.from(starts.slice(from, to), Boolean) })
  }
  const every = Array.from({ length: CHUNKS }, (_, c) => c)
  const at = (parameters: ArrayLike<number>) => every.flatMap((c) => chunk(parameters, c).outputs.flat())
  const v = normals(values.length, 8)
  const tangent = directional((t) => at(Float64Array.from(values, (p, i) => p + t * v[i])), 1e-4)
  const after = every.flatMap((c) => chunk(values, c).states.flat())
  return { raw, values, states, starts, at, outputs: at(values), after, v, tangent }
}

function compiled(device: Device, spec: NetworkSpec, known: ReturnType<typeof referenceOf>, chunk: number) {
  const network = new Network(device, spec, ROWS, chunk)
  const derivatives = derivativesFor(device, network, 10)
  const parameters = tensorOf(device, known.values)
  const direction = tensorOf(device, known.v)
  const gradient = device.tensor('f32', known.values.length)
  const next = device.tensor('f32', known.states.length)
  const sequence = { states: tensorOf(device, known.states), starts: tensorOf(device, known.starts), next }
  const input = { raw: tensorOf(device, known.raw), sequence }
  const run = {
    forward: device.compile({ rows: network.forward(parameters, input) }, ROWS),
    tangent: device.compile(derivatives.tangent(parameters, direction), ROWS),
    adjoint: device.compile({ ...derivatives.adjoint(parameters, gradient), gradient }, ROWS),
  }
  return { network, sequence, gradient, run }
}

for (const spec of SPECS) {
  const { size, layers } = spec.recurrent!
  const known = referenceOf(spec)
  // A pass through as many layers as the longest path has.
  const path = { ...spec, hidden: [...spec.hidden, ...new Array<number>(3 * layers * CHUNK).fill(size)] }
  const error = passError(path)
  for (const { name: on, open } of DEVICES) {
    test(`${on}: ${spec.head.kind} behind ${layers} recurrent layers of ${size}: forward, J v and J' g`, async () => {
      const device = await open()
      const { network, sequence, gradient, run } = compiled(device, spec, known, CHUNK)
      device.run(run.forward, ROWS)
      close(device.read(network.output), known.outputs, error * largest(known.outputs), 'output')
      close(device.read(sequence.next), known.after, error, 'states after the rows')
      device.run(run.tangent, ROWS)
      const tangent = device.read(network.outputTangent)
      close(tangent, known.tangent, error * largest(known.tangent) + 1e-9, 'J v')

      const g = normals(tangent.length, 9)
      device.write(network.outputAdjoint, g)
      device.run(run.adjoint, ROWS)
      const adjoint = device.read(gradient)
      const scale = Math.sqrt(dot(tangent, tangent) * dot(g, g))
      close([dot(known.v, adjoint)], [dot(tangent, g)], error * scale, "<J v, g> = <v, J' g>")
      const moved = Float64Array.from(known.values)
      for (let i = 0; i < moved.length; i += Math.ceil(moved.length / 15)) {
        const [slope] = directional((t) => {
          moved[i] = known.values[i] + t
          return [dot(known.at(moved), g)]
        }, 1e-4)
        moved[i] = known.values[i]
        close([adjoint[i]], [slope], error * largest(g) * ROWS * (1 + Math.abs(slope)), `gradient ${i}`)
      }
    })
  }
}

test('single rows, each with the state after the previous one, have the bits of whole chunks', async () => {
  const [spec] = SPECS
  const [{ open }] = DEVICES
  const known = referenceOf(spec)
  const device = await open()
  const whole = compiled(device, spec, known, CHUNK)
  device.run(whole.run.forward, ROWS)
  const single = compiled(device, spec, known, 1)
  const [want, states] = [whole.network.output, whole.sequence.next].map((tensor) => device.read(tensor))
  const width = stateWidth(spec)
  const before = known.states.slice()
  for (let r = 0; r < ROWS; r++)
    if (r % CHUNK !== 0) before.set(states.subarray((r - 1) * width, r * width), r * width)
  device.write(single.sequence.states, before)
  device.run(single.run.forward, ROWS)
  assert.deepEqual(device.read(single.network.output), want)
  assert.deepEqual(device.read(single.sequence.next), states)
})

test('values of a recurrent critic follow its states through a rollout, its truncations and the next rollout', async () => {
  const [steps, envs, truncations, gamma] = [6, 2, 1, 0.9]
  const spec = { ...SPECS[2], input: { ...SPECS[2].input, size: 2 } }
  const layout = { steps, envs, truncations, byEnvironment: true } as RolloutLayout
  const [rows, finals] = [steps * envs, envs * (1 + truncations)]
  for (const { name: on, open } of DEVICES) {
    const device = await open()
    const values = parametersOf(spec, 4)
    const parameters = tensorOf(device, values)
    const network = new Network(device, spec, rows, 3)
    const adam = new Adam(device, parameters, 1e-5)
    const critic = { device, network, parameters, adam, valueNorm: null, workspace: new Workspace() }
    const vector = (length: number, value: number) => tensorOf(device, new Float32Array(length).fill(value))
    // Environment 0 is truncated after its third step; environment 1 continues in the next rollout.
    const ends = new Uint8Array(rows)
    ends[2] = TRUNCATED
    const starts = Float32Array.from({ length: rows }, (_, r) => (r === 3 ? 1 : 0))
    const endsOn = device.tensor('u8', rows)
    device.write(endsOn, ends)
    const inputs = device.tensor('f32', rows * 2)
    const finalInputs = device.tensor('f32', finals * 2)
    const [valid, rewards] = [vector(rows, 1), vector(rows, 0)]
    const columns = {
      inputs,
      finalInputs,
      rewards,
      ends: endsOn,
      valid,
      weight: valid,
      starts: tensorOf(device, starts),
    }
    // With lambda 0 the advantage is gamma V(next) - V.
    const options = { gamma, lambda: 0, truncation: 'bootstrap' } as const
    const advantages = new Advantages(critic, columns, layout, ends, options)
    const error = 10 * passError({ ...spec, hidden: new Array<number>(12 * steps).fill(3) })
    let carried = [0, 1].map(() => new Array<number>(stateWidth(spec)).fill(0))
    for (const rollout of [0, 1]) {
      const [raw, last] = [normals(rows * 2, 50 + rollout), normals(finals * 2, 60 + rollout)]
      device.write(inputs, raw)
      device.write(finalInputs, last)
      advantages.compute()
      const [all, final] = [rowsOf(raw, 2), rowsOf(last, 2)]
      const ofEnv = <T>(list: readonly T[], e: number) => list.slice(e * steps, (e + 1) * steps)
      const found = [0, 1].map((e) => {
        const chunk = { raw: ofEnv(all, e), starts: ofEnv(Array.from(starts, Boolean), e), state: carried[e] }
        return forwardChunk(spec, values, chunk)
      })
      const after = (e: number, t: number, row: number) => {
        const chunk = { raw: [final[row]], starts: [false], state: found[e].states[t] }
        return forwardChunk(spec, values, chunk).outputs[0][0]
      }
      const want = found.flatMap(({ outputs }) => outputs.map(([value]) => value))
      close(device.read(advantages.values), want, error, `${on}: values of rollout ${rollout}`)
      const next = want.map((_, r) => want[r + 1])
      next[2] = after(0, 2, envs)
      next[steps - 1] = after(0, steps - 1, 0)
      next[2 * steps - 1] = after(1, steps - 1, 1)
      const delta = want.map((value, r) => gamma * next[r] - value)
      close(device.read(advantages.advantages), delta, error, `${on}: advantages of rollout ${rollout}`)
      carried = found.map(({ states }) => states.at(-1)!)
      const states = rowsOf(Array.from(device.read(advantages.memory!.states)), stateWidth(spec))
      close(states[4], found[0].states[3], error, 'state before a row')
    }
  }
})

test('a recurrent network stores no Jacobian, and needs states', async () => {
  const [{ open }] = DEVICES
  const device = await open()
  const network = new Network(device, SPECS[0], ROWS, CHUNK)
  assert.throws(() => new OutputJacobian(device, network), /^Error: the outputs of a recurrent network/)
  assert.equal(derivativesFor(device, network, 10).tangent.toString(), layerwise(network).tangent.toString())
  const parameters = device.tensor('f32', network.layout.size)
  assert.throws(() => network.forward(parameters, { raw: parameters }), /^Error: a recurrent network needs/)
})
