import assert from 'node:assert/strict'
import { gzipSync } from 'node:zlib'
import test from 'node:test'
import { WasmDevice } from '../../src/devices/wasm/device.js'
import { CUSTOM, DATA, readSections, writeSections } from '../../src/export/binary.js'
import { policyModule, policyTemplates, type AgentPolicy } from '../../src/export/wasm.js'
import { PURPOSE } from '../../src/kernels/index.js'
import { deterministicHead } from '../../src/learner/heads/deterministic.js'
import { attachActingHead, attachHead } from '../../src/learner/heads/table.js'
import { parameterEntry, parameterLayout } from '../../src/nn/layout.js'
import { Network } from '../../src/nn/network.js'
import { stateWidth } from '../../src/nn/spec.js'
import { createPolicy } from '../../src/runtime/index.js'
import { box, everyShape, Random, randomPolicy, type Shape } from './random-policy.js'

const templates = await policyTemplates()
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
  return new WebAssembly.Module(policyModule(policy, templates))
}

/** Exports of a policy, and views of the memory that a host reads and writes. */
function instantiate(policy: AgentPolicy) {
  const exports = new WebAssembly.Instance(compile(policy)).exports as unknown as RawPolicy
  const { memory, observation, action } = exports
  return {
    exports,
    observation: new Float32Array(memory.buffer, observation.value, policy.spec.input.size),
    action: new Float32Array(memory.buffer, action.value, policy.spec.head.size),
  }
}

/**
 * Results of the trainer for raw observations: [rows, action] means, and samples of stream `stream`, steps 0, 1, ... The
 * rows are the steps of one chunk for a recurrent policy, whose state is reset where `starts` is 1.
 */
function trainer(
  device: WasmDevice,
  { spec, parameters }: AgentPolicy,
  raw: Float32Array,
  noise: { seed: number; stream: number } = { seed: 0, stream: 0 },
  mask?: Uint8Array,
  starts = new Float32Array(raw.length / spec.input.size),
) {
  const rows = raw.length / spec.input.size
  const { size } = spec.head
  const network = new Network(device, spec, rows, spec.recurrent ? rows : 1)
  const first = device.tensor('f32', rows)
  device.write(first, starts)
  const sequence = { states: device.tensor('f32', rows * stateWidth(spec)), starts: first }
  const weights = device.tensor('f32', parameters.length)
  const input = device.tensor('f32', raw.length)
  const streams = device.tensor('i32', rows)
  const steps = device.tensor('i32', rows)
  const { width } = spec.head.action
  const [action, mode] = [0, 1].map(() => device.tensor('f32', rows * width))
  const available = mask && device.tensor('u8', mask.length)
  if (available) device.write(available, mask)
  const logProb = device.tensor('f32', rows)
  const outputs = device.tensor('f32', rows * size)
  device.write(weights, parameters)
  device.write(input, raw)
  device.write(streams, new Int32Array(rows).fill(noise.stream))
  device.write(
    steps,
    Int32Array.from({ length: rows }, (_, step) => step),
  )
  const head = attachHead(device, network, weights)
  const key = { seed: noise.seed, purpose: PURPOSE.exported, streams, steps }
  const program = device.compile(
    {
      setup: head.setup(),
      rows: [
        ...network.forward(weights, { raw: input, sequence }),
        { op: 'copy', x: network.output, out: outputs, width: size },
        ...head.restrict(available),
        ...head.sample(key, action, logProb),
        ...head.mode(mode),
      ],
    },
    rows,
  )
  device.run(program, rows)
  return {
    /** The network's outputs, before masks. */
    mean: device.read(outputs) as Float32Array,
    mode: device.read(mode) as Float32Array,
    sample: device.read(action) as Float32Array,
  }
}

const bits = (values: Float32Array) => Array.from(new Uint32Array(values.slice().buffer))

test("the mode has the trainer's bits: every activation, 1 to 4 layers, odd widths, every input stage", async () => {
  const device = await WasmDevice.create()
  const random = new Random(1)
  const rows = 3
  let compared = 0
  for (const shape of everyShape(random, 4)) {
    const policy = randomPolicy(shape, random)
    const raw = random.vector(rows * shape.observation, 3)
    const expected = trainer(device, policy, raw).mean
    const { exports, observation, action } = instantiate(policy)
    for (let r = 0; r < rows; r++) {
      observation.set(raw.subarray(r * shape.observation, (r + 1) * shape.observation))
      assert.equal(exports.act(), 0)
      const row = expected.subarray(r * shape.action, (r + 1) * shape.action)
      assert.deepEqual(bits(action), bits(row), JSON.stringify(shape))
      compared += row.length
    }
  }
  assert.ok(compared > 5000)
})

test('a recurrent policy has the bits of the trainer over 1,000 steps, reset or not', async () => {
  const device = await WasmDevice.create()
  const random = new Random(11)
  const shapes: Shape[] = [
    { observation: 5, hidden: [13], action: 3, recurrent: { size: 10, layers: 1 } },
    { observation: 7, hidden: [], action: 1, recurrent: { size: 17, layers: 2 }, standardise: true },
    { observation: 3, hidden: [9, 4], action: 2, recurrent: { size: 4, layers: 3 }, layerNorm: false },
  ]
  for (const shape of shapes) {
    const policy = randomPolicy(shape, random)
    const rows = 1000
    const raw = random.vector(rows * shape.observation, 3)
    const starts = Float32Array.from({ length: rows }, (_, r) => (r === 400 || r === 401 ? 1 : 0))
    const noise = { seed: 3, stream: 0 }
    const [expected, { mean: unbroken }] = [
      trainer(device, policy, raw, noise, undefined, starts),
      trainer(device, policy, raw, noise),
    ]
    const { exports, observation, action } = instantiate(policy)
    const run = (act: () => number, resets: ArrayLike<number>) =>
      Array.from({ length: rows }, (_, r) => {
        if (resets[r] || r === 0) exports.reset()
        observation.set(raw.subarray(r * shape.observation, (r + 1) * shape.observation))
        assert.equal(act(), 0)
        return bits(action)
      }).flat()
    assert.deepEqual(run(exports.act, starts), bits(expected.mean), JSON.stringify(shape))
    assert.deepEqual(run(exports.act, []), bits(unbroken))
    exports.seed(3, 0)
    assert.deepEqual(run(exports.sample, starts), bits(expected.sample))
    const at = 401 * shape.action
    assert.notDeepEqual(bits(unbroken.subarray(at)), bits(expected.mean.subarray(at)), 'the state matters')
  }
})

test('a refused observation does not change the state of a recurrent policy', () => {
  const shape = { observation: 2, hidden: [4], action: 1, recurrent: { size: 5, layers: 1 } }
  const { exports, observation, action } = instantiate(randomPolicy(shape, new Random(12)))
  const steps = (refuse: boolean) => {
    exports.reset()
    return [1, 2, 3].flatMap((value) => {
      if (refuse) {
        observation.fill(NaN)
        assert.equal(exports.act(), 1)
      }
      observation.fill(value).fill(-value, 1)
      assert.equal(exports.act(), 0)
      return bits(action)
    })
  }
  assert.deepEqual(steps(true), steps(false))
})

test('a deterministic policy has the bits of the trainer, within its bounds; its samples have no noise', async () => {
  const device = await WasmDevice.create()
  const random = new Random(11)
  const rows = 3
  for (const size of [1, 3, 4, 9, 17]) {
    const shape = { observation: 5, hidden: [7], action: size, activation: 'elu' } as const
    const policy = randomPolicy(shape, random)
    const action = box(size, -0.7, 3)
    const head = deterministicHead(action, { noise: 0.1, warmup: 0 }, 'agent')
    const parameters = random.vector(parameterLayout({ ...policy.spec, head }).size, 2)
    const squashed = { ...policy, spec: { ...policy.spec, head }, parameters, action }
    const raw = random.vector(rows * 5, 3)
    const network = new Network(device, squashed.spec, rows)
    const [weights, input] = [parameters, raw].map((values) => {
      const tensor = device.tensor('f32', values.length)
      device.write(tensor, values)
      return tensor
    })
    const mode = device.tensor('f32', rows * size)
    const acting = attachActingHead(device, network, weights)
    const steps = [...network.forward(weights, { raw: input }), ...acting.mode(mode)]
    device.run(device.compile({ setup: acting.setup(), rows: steps }, rows), rows)
    const expected = device.read(mode) as Float32Array
    assert.ok(expected.every((a) => a > -0.71 && a < 3.01))
    const { exports, observation, action: acted } = instantiate(squashed)
    for (let r = 0; r < rows; r++) {
      observation.set(raw.subarray(r * 5, (r + 1) * 5))
      for (const act of [exports.act, exports.sample]) {
        acted.fill(0)
        assert.equal(act(), 0)
        assert.deepEqual(bits(acted), bits(expected.subarray(r * size, (r + 1) * size)), `${size} actions`)
      }
    }
  }
})

test('extreme observations keep the bits: zeros, constants, subnormals and large values', async () => {
  const device = await WasmDevice.create()
  const random = new Random(2)
  const rows: Float32Array[] = [0, -0, 1, 1e-40, 1e15].map((value) => new Float32Array(17).fill(value))
  rows.push(random.vector(17, 1e-38), random.vector(17, 1e18))
  const raw = new Float32Array(rows.length * 17)
  rows.forEach((row, r) => raw.set(row, r * 17))
  for (const standardise of [false, true]) {
    const policy = randomPolicy({ ...halfCheetah, standardise }, random)
    const { mean } = trainer(device, policy, raw)
    const { exports, observation, action } = instantiate(policy)
    rows.forEach((row, r) => {
      observation.set(row)
      assert.equal(exports.act(), 0)
      assert.deepEqual(bits(action), bits(mean.subarray(3 * r, 3 * r + 3)))
    })
  }
})

test("samples have the bits of the trainer's sampling kernel, and restart with the seed", async () => {
  const device = await WasmDevice.create()
  const random = new Random(3)
  const policy = randomPolicy({ ...halfCheetah, activation: 'tanh', action: 5 }, random, 2)
  const steps = 50
  const raw = random.vector(steps * 17, 2)
  const seed = 2 ** 40 + 12345
  const { sample } = trainer(device, policy, raw, { seed, stream: policy.agent.index })
  const { exports, observation, action } = instantiate(policy)
  for (let episode = 0; episode < 2; episode++) {
    exports.seed(seed % 2 ** 32, Math.floor(seed / 2 ** 32))
    for (let step = 0; step < steps; step++) {
      observation.set(raw.subarray(step * 17, (step + 1) * 17))
      assert.equal(exports.sample(), 0)
      assert.deepEqual(bits(action), bits(sample.subarray(step * 5, (step + 1) * 5)))
    }
  }
})

test('without a seed the samples are those of seed 0; reset and a refused observation do not move the sequence', () => {
  const random = new Random(4)
  const policy = randomPolicy(halfCheetah, random)
  const fresh = instantiate(policy)
  const seeded = instantiate(policy)
  seeded.exports.seed(0, 0)
  for (let i = 0; i < 4; i++) {
    const observation = random.vector(17, 1)
    fresh.observation.set(observation)
    seeded.observation.fill(NaN)
    assert.equal(seeded.exports.sample(), 1)
    seeded.exports.reset()
    seeded.observation.set(observation)
    assert.equal(fresh.exports.sample(), 0)
    assert.equal(seeded.exports.sample(), 0)
    assert.deepEqual(bits(seeded.action), bits(fresh.action))
  }
})

test('samples are normal around the mode with sigma = y sigmoid(log_std / x)', () => {
  const random = new Random(5)
  const policy = randomPolicy({ ...halfCheetah, hidden: [16], action: 2 }, random)
  const { exports, observation, action } = instantiate(policy)
  observation.set(random.vector(17, 1))
  exports.act()
  const mean = Float64Array.from(action)
  const { offset } = parameterEntry(parameterLayout(policy.spec), 'logStd')
  const n = 40_000
  const moments = [0, 1].map(() => ({ sum: 0, squares: 0, fourths: 0 }))
  let product = 0
  exports.seed(7, 0)
  for (let i = 0; i < n; i++) {
    exports.sample()
    const z = [0, 1].map((j) => {
      const sigma = 0.5 / (1 + Math.exp(-policy.parameters[offset + j]))
      return (action[j] - mean[j]) / sigma
    })
    product += z[0] * z[1]
    moments.forEach((moment, j) => {
      moment.sum += z[j]
      moment.squares += z[j] * z[j]
      moment.fourths += z[j] ** 4
    })
  }
  // Five standard errors: z has variance 1, z^2 variance 2, z^4 variance 96, the product of two variance 1.
  const bound = (variance: number) => 5 * Math.sqrt(variance / n)
  for (const { sum, squares, fourths } of moments) {
    assert.ok(Math.abs(sum / n) < bound(1))
    assert.ok(Math.abs(squares / n - 1) < bound(2))
    assert.ok(Math.abs(fourths / n - 3) < bound(96))
  }
  assert.ok(Math.abs(product / n) < bound(1))
})

test('agents with one seed draw different noise', () => {
  const policies = [0, 1].map((index) => randomPolicy(halfCheetah, new Random(6), index))
  const [first, second] = policies.map((policy) => {
    const { exports, action } = instantiate(policy)
    exports.seed(3, 0)
    exports.sample()
    return bits(action)
  })
  assert.notDeepEqual(first, second)
})

test('a non-finite observation returns 1 and does not change the action, at any index', () => {
  const { exports, observation, action } = instantiate(randomPolicy(halfCheetah, new Random(7)))
  observation.fill(0.5)
  exports.act()
  const before = bits(action)
  for (let i = 0; i < 17; i++) {
    for (const value of [NaN, Infinity, -Infinity]) {
      observation.fill(0.25)
      observation[i] = value
      assert.equal(exports.act(), 1)
      assert.equal(exports.sample(), 1)
      assert.deepEqual(bits(action), before)
    }
  }
  observation.set(new Random(8).vector(17, 1))
  assert.equal(exports.act(), 0)
  assert.notDeepEqual(bits(action), before)
})

test('the module is valid, has no imports, a fixed memory, and exactly the documented exports', () => {
  for (const hidden of [[8], [128, 128], [300, 200]]) {
    const policy = randomPolicy({ ...halfCheetah, hidden }, new Random(8))
    const bytes = policyModule(policy, templates)
    assert.ok(WebAssembly.validate(bytes))
    const module = new WebAssembly.Module(bytes)
    assert.deepEqual(WebAssembly.Module.imports(module), [])
    const exported = WebAssembly.Module.exports(module).map(({ name, kind }) => `${kind} ${name}`)
    assert.deepEqual(exported.sort(), [
      'function act',
      'function reset',
      'function sample',
      'function seed',
      'global action',
      'global observation',
      'memory memory',
    ])
    const { exports } = instantiate(policy)
    const pages = exports.memory.buffer.byteLength / 65536
    const weights = policy.parameters.length * 4
    assert.ok(pages * 65536 >= weights && pages * 65536 < 1.5 * weights + 2 * 65536)
    assert.throws(() => exports.memory.grow(1), RangeError)
    assert.throws(() => (exports.observation.value = 0), TypeError)
    assert.throws(() => (exports.action.value = 0), TypeError)
  }
})

test('the same policy gives the same bytes, another one different bytes', () => {
  const make = (seed: number) => policyModule(randomPolicy(halfCheetah, new Random(seed)), templates)
  assert.deepEqual(make(9), make(9))
  assert.notDeepEqual(make(9), make(10))
})

test('the section describes the policy; unbounded actions are null', () => {
  const policy = randomPolicy({ ...halfCheetah, agentId: { index: 1, count: 2 } }, new Random(11), 1)
  const action = box(3, -0.4, Infinity)
  action.low[1] = -Infinity
  const module = compile({ ...policy, action })
  const [section] = WebAssembly.Module.customSections(module, 'hatrpo')
  assert.deepEqual(JSON.parse(new TextDecoder().decode(section)), {
    format: 'hatrpo-policy',
    version: 1,
    agent: { index: 1, id: 'agent_1' },
    observation: {
      size: 17,
      input: { agentId: { index: 1, count: 2 }, standardise: false, layerNorm: true },
    },
    action: { kind: 'box', size: 3, low: [-0.4, null, -0.4], high: [null, null, null] },
    network: { hidden: [128, 128], activation: 'relu' },
    provenance: { algorithm: 'hatrpo', seed: 1 },
    checksums: 'hatrpo.crc32c',
  })
  assert.deepEqual(createPolicy(module).info.action, {
    kind: 'box',
    size: 3,
    low: [-0.4, -Infinity, -0.4],
    high: [Infinity, Infinity, Infinity],
  })
})

test('the code beyond weights and description is at most 3 KB, gzip', () => {
  for (const shape of [halfCheetah, { ...halfCheetah, action: 1, sizes: [5] }]) {
    const sections = readSections(policyModule(randomPolicy(shape, new Random(12)), templates))
    const code = writeSections(sections.filter(({ id }) => id !== DATA && id !== CUSTOM))
    const size = gzipSync(code, { level: 9 }).length
    assert.ok(size <= 3 * 1024, `${size} bytes`)
  }
})

test('parameters that do not fit are refused by name', () => {
  const policy = randomPolicy(halfCheetah, new Random(13))
  const wrong = (change: Partial<AgentPolicy>) => () => policyModule({ ...policy, ...change }, templates)
  assert.throws(wrong({ parameters: new Float32Array(5) }), /agent_0 has 5 parameters: its network takes \d+/)
  const infinite = policy.parameters.slice()
  infinite[7] = Infinity
  assert.throws(wrong({ parameters: infinite }), /parameter 7 of agent agent_0 is Infinity/)
  assert.throws(wrong({ action: box(4) }), /action of 4 numbers: its network gives 3/)
})

/** Shapes of policies that choose, or whose deviation depends on the state. */
const CHOOSING: readonly number[][] = [[1], [2], [5], [19], [3, 2], [1, 4, 17]]

test("choices and logits have the trainer's bits for any mask", async () => {
  const device = await WasmDevice.create()
  const random = new Random(14)
  const rows = 24
  for (const [i, sizes] of CHOOSING.entries()) {
    const width = sizes.reduce((sum, n) => sum + n, 0)
    const shape = { observation: 7 + i, hidden: [9, 5].slice(i % 2), action: sizes.length, sizes }
    const policy = randomPolicy({ ...shape, standardise: i > 2 }, random, i)
    const raw = random.vector(rows * shape.observation, 3)
    const mask = Uint8Array.from({ length: rows * width }, () => random.whole(0, 2) && 1)
    let first = 0
    // Something is available of each.
    for (const n of sizes) {
      for (let r = 0; r < rows; r++) mask[r * width + first + random.whole(0, n - 1)] = 1
      first += n
    }
    const noise = { seed: 2 ** 40 + 7, stream: i }
    const expected = trainer(device, policy, raw, noise, mask)
    const run = createPolicy(compile(policy))
    run.seed(noise.seed)
    for (let r = 0; r < rows; r++) {
      const row = <T extends Float32Array | Uint8Array>(values: T, n: number) =>
        values.slice(r * n, (r + 1) * n) as T
      const [observation, available] = [row(raw, shape.observation), row(mask, width)]
      assert.deepEqual(run.act(observation, undefined, available), row(expected.mode, sizes.length))
      assert.deepEqual(bits(run.logits), bits(row(expected.mean, width)))
      assert.deepEqual(run.sample(observation, undefined, available), row(expected.sample, sizes.length))
    }
    assert.equal(run.logits.length, width)
  }
})

test('a recurrent policy with discrete actions has the bits of the trainer', async () => {
  const device = await WasmDevice.create()
  const random = new Random(17)
  const [rows, sizes, width] = [1000, [4, 3], 7]
  const shape = { observation: 5, hidden: [6], action: 2, sizes, recurrent: { size: 7, layers: 1 } }
  const policy = randomPolicy(shape, random)
  const raw = random.vector(rows * shape.observation, 3)
  const mask = Uint8Array.from({ length: rows * width }, (_, i) =>
    (i % width) % 4 === 0 ? 1 : random.whole(0, 1),
  )
  const expected = trainer(device, policy, raw, undefined, mask)
  const run = createPolicy(compile(policy))
  for (let r = 0; r < rows; r++) {
    const observation = raw.subarray(r * shape.observation, (r + 1) * shape.observation)
    const chosen = run.act(observation, undefined, mask.slice(r * width, (r + 1) * width))
    assert.deepEqual(chosen, expected.mode.slice(2 * r, 2 * r + 2))
    assert.deepEqual(bits(run.logits), bits(expected.mean.subarray(r * width, (r + 1) * width)))
  }
})

test('a state-dependent standard deviation gives the bits of the trainer', async () => {
  const device = await WasmDevice.create()
  const random = new Random(15)
  for (const action of [1, 3, 9]) {
    const policy = randomPolicy({ observation: 6, hidden: [11], action, dependent: true }, random)
    const raw = random.vector(20 * 6, 2)
    const { mode, sample } = trainer(device, policy, raw, { seed: 5, stream: 0 })
    const run = createPolicy(compile(policy))
    run.seed(5)
    for (let r = 0; r < 20; r++) {
      const observation = raw.subarray(6 * r, 6 * r + 6)
      const row = (values: Float32Array) => bits(values.subarray(r * action, (r + 1) * action))
      assert.deepEqual(bits(run.act(observation)), row(mode))
      assert.deepEqual(bits(run.sample(observation)), row(sample))
    }
    assert.equal(run.logits.length, 0)
  }
})

interface RawChooser extends RawPolicy {
  available: WebAssembly.Global<'i32'>
}

test('a discrete policy without an available action returns 1 and does not change the action; initially all are available', () => {
  const policy = randomPolicy({ observation: 4, hidden: [6], action: 2, sizes: [3, 2] }, new Random(16))
  const module = compile(policy)
  const exported = WebAssembly.Module.exports(module).map(({ name, kind }) => `${kind} ${name}`)
  assert.deepEqual(exported.filter((name) => name.startsWith('global')).sort(), [
    'global action',
    'global available',
    'global observation',
  ])
  assert.deepEqual(WebAssembly.Module.imports(module), [])
  const exports = new WebAssembly.Instance(module).exports as unknown as RawChooser
  const { buffer } = exports.memory
  const observation = new Float32Array(buffer, exports.observation.value, 4).fill(0.5)
  const mask = new Uint8Array(buffer, exports.available.value, 5)
  const action = new Int32Array(buffer, exports.action.value, 7)
  assert.deepEqual([...mask], [1, 1, 1, 1, 1])
  assert.equal(exports.act(), 0)
  assert.ok(action[0] < 3 && action[1] < 2)
  const before = [...action]
  const refused = () => {
    assert.deepEqual([exports.act(), exports.sample()], [1, 1])
    assert.deepEqual([...action], before)
  }
  mask.set([1, 1, 1, 0, 0])
  refused()
  mask.set([0, 0, 0, 1, 1])
  refused()
  mask.set([0, 1, 0, 0, 1])
  observation[2] = NaN
  refused()
  observation[2] = 0.5
  assert.deepEqual([exports.act(), action[0], action[1]], [0, 1, 1])
  const run = createPolicy(module)
  assert.throws(
    () => run.act([1, 2, 3, 4], undefined, [0, 0, 0, 1, 1]),
    /no action of agent agent_0 is available/,
  )
  assert.throws(
    () => run.act([1, 2, 3, 4], undefined, [1]),
    /available has 1 entries: agent agent_0 has 5 choices/,
  )
  assert.deepEqual(run.info.action, { kind: 'multiDiscrete', sizes: [3, 2] })
  const one = createPolicy(
    compile(randomPolicy({ observation: 4, hidden: [6], action: 1, sizes: [3] }, new Random(17))),
  )
  assert.deepEqual(one.info.action, { kind: 'discrete', n: 3 })
})
