// One policy action, batch 1, 17-128-128-3: the exported module against the same network in plain JavaScript.
//   node dist/bench/inference.js [--json]
import { policyModule, policyTemplate } from '../src/export/wasm.js'
import { gaussianHead, type GaussianHeadSpec } from '../src/learner/heads/gaussian.js'
import { createPolicy } from '../src/runtime/index.js'
import { parameterEntry, parameterLayout } from '../src/nn/layout.js'
import type { NetworkSpec } from '../src/nn/spec.js'
import { host, asJson, result, type Result } from '../src/bench/report.js'

/** Calls timed at once: short enough to fall between the time slices of a busy machine. */
const CALLS = 200
const WARM_UP = 200
const REPEATS = 1001

const spec: NetworkSpec<GaussianHeadSpec> = {
  input: { size: 17, agentId: null, standardise: false, layerNorm: true },
  hidden: [128, 128],
  activation: 'relu',
  head: gaussianHead(3, { stdX: 1, stdY: 0.5 }),
}

/** Numbers of a trained network's size, the same on every run. */
function numbers(length: number): Float32Array {
  let state = 1
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state / 4294967296 - 0.5) * 0.4
  })
}

/** The network as straightforward JavaScript on Float32Arrays. */
function plainPolicy(parameters: Float32Array): (observation: Float32Array) => Float32Array {
  const layout = parameterLayout(spec)
  const named = (name: string) => {
    const { offset, size } = parameterEntry(layout, name)
    return parameters.subarray(offset, offset + size)
  }
  const layers = ['hidden.0', 'hidden.1', 'head'].map((name) => ({
    weight: named(`${name}.weight`),
    bias: named(`${name}.bias`),
    gamma: name === 'head' ? null : named(`${name}.norm.weight`),
    beta: name === 'head' ? null : named(`${name}.norm.bias`),
    y: new Float32Array(named(`${name}.bias`).length),
  }))
  const input = new Float32Array(spec.input.size)
  const inputGamma = named('input.norm.weight')
  const inputBeta = named('input.norm.bias')
  const normalise = (x: Float32Array, gamma: Float32Array, beta: Float32Array) => {
    let mean = 0
    for (let i = 0; i < x.length; i++) mean += x[i]
    mean /= x.length
    let variance = 0
    for (let i = 0; i < x.length; i++) variance += (x[i] - mean) * (x[i] - mean)
    const scale = 1 / Math.sqrt(variance / x.length + 1e-5)
    for (let i = 0; i < x.length; i++) x[i] = (x[i] - mean) * scale * gamma[i] + beta[i]
  }
  return (observation) => {
    input.set(observation)
    normalise(input, inputGamma, inputBeta)
    let x = input
    for (const { weight, bias, gamma, beta, y } of layers) {
      for (let j = 0; j < y.length; j++) {
        let sum = bias[j]
        for (let i = 0; i < x.length; i++) sum += weight[j * x.length + i] * x[i]
        y[j] = gamma && sum < 0 ? 0 : sum
      }
      if (gamma && beta) normalise(y, gamma, beta)
      x = y
    }
    return x
  }
}

/** Microseconds a call of each function, measured in turns so that all of them meet the same machine. */
function measure(functions: Readonly<Record<string, () => unknown>>): Result[] {
  const times = new Map(Object.keys(functions).map((name) => [name, [] as number[]]))
  for (let repeat = -WARM_UP; repeat < REPEATS; repeat++) {
    for (const [name, call] of Object.entries(functions)) {
      const start = performance.now()
      for (let i = 0; i < CALLS; i++) call()
      if (repeat >= 0) times.get(name)!.push(((performance.now() - start) * 1000) / CALLS)
    }
  }
  return [...times].map(([name, values]) => result(name, 'us', values))
}

const parameters = numbers(parameterLayout(spec).size)
const space = {
  kind: 'box' as const,
  size: 3,
  low: new Float64Array(3).fill(-1),
  high: new Float64Array(3).fill(1),
}
const bytes = policyModule(
  { agent: { index: 0, id: 'agent_0' }, spec, parameters, action: space, provenance: {} },
  await policyTemplate(),
)
const module = new WebAssembly.Module(bytes)
const raw = new WebAssembly.Instance(module).exports as unknown as {
  memory: WebAssembly.Memory
  observation: WebAssembly.Global
  act(): number
  sample(): number
}
const observation = numbers(17)
new Float32Array(raw.memory.buffer, raw.observation.value as number, 17).set(observation)
const policy = createPolicy(module)
const action = new Float32Array(3)
const plain = plainPolicy(parameters)

const results = measure({
  'act(), bare module': () => raw.act(),
  'sample(), bare module': () => raw.sample(),
  'act(observation, out), hatrpo/runtime': () => policy.act(observation, action),
  'plain JavaScript': () => plain(observation),
})
if (process.argv.includes('--json')) console.log(asJson(results))
else {
  console.log(`policy 17-128-128-3, batch 1, us a call (${host.cpu}, Node ${host.node})`)
  for (const { name, median, min, max } of results) {
    const ratio = results.at(-1)!.min / min
    const figures = [median, min, max].map((value) => value.toFixed(2).padStart(8)).join('')
    console.log(
      `${name.padEnd(40)} median, min, max ${figures}   ${ratio.toFixed(1)}x plain JavaScript (of the minima)`,
    )
  }
}
