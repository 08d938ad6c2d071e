import assert from 'node:assert/strict'
import { gzipSync } from 'node:zlib'
import test from 'node:test'
import { WasmDevice } from '../../src/devices/wasm/device.js'
import { DATA, readSections, writeSections } from '../../src/export/binary.js'
import { SAMPLE_PURPOSE } from '../../src/export/memory.js'
import { policyModule, policyTemplate, type AgentPolicy } from '../../src/export/wasm.js'
import { Network } from '../../src/learner/network.js'
import { parameterEntry, parameterLayout } from '../../src/nn/layout.js'
import { createPolicy } from '../../src/runtime/index.js'
import { box, everyShape, Random, randomPolicy, type Shape } from './random-policy.js'

const template = await policyTemplate()
const halfCheetah: Shape = { observation: 17, hidden: [128, 128], action: 3 }

interface RawPolicy {
  memory: WebAssembly.Memory
  observation: WebAssembly.Global<'i32'>
  action: WebAssembly.Global<'i32'>
  act(): number
  sample(): number
  reset(): void
  seed(low: number, high: number): void
}

function compile(policy: AgentPolicy): WebAssembly.Module {
  return new WebAssembly.Module(policyModule(policy, template))
}

/** The exports of a policy, and views of what a host reads and writes. */
function instantiate(policy: AgentPolicy) {
  const exports = new WebAssembly.Instance(compile(policy)).exports as unknown as RawPolicy
  const { memory, observation, action } = exports
  return {
    exports,
    observation: new Float32Array(memory.buffer, observation.value, policy.spec.input.size),
    action: new Float32Array(memory.buffer, action.value, policy.spec.head.size),
  }
}

/** The trainer's outputs, [rows, action], for raw observations [rows, observation]. */
function trainerForward(
  device: WasmDevice,
  { spec, parameters }: AgentPolicy,
  raw: Float32Array,
): Float32Array {
  const rows = raw.length / spec.input.size
  const network = new Network(device, spec, rows)
  const weights = device.tensor('f32', parameters.length)
  device.write(weights, parameters)
  const input = device.tensor('f32', raw.length)
  device.write(input, raw)
  const steps = network.forward(weights, input)
  device.run(device.compile({ phases: networkPhases(network, weights, steps) }, rows), rows)
  return device.read(network.output) as Float32Array
}
