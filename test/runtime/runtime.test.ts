import assert from 'node:assert/strict'
import { mkdtempSync, openAsBlob, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import test from 'node:test'
import { pathToFileURL } from 'node:url'
import { bundleFiles } from '../../src/export/bundle.js'
import { policyModule, policyTemplates } from '../../src/export/wasm.js'
import { customSection, readSections, writeSections, CUSTOM, DATA } from '../../src/export/binary.js'
import {
  createPolicy,
  loadBundle,
  loadPolicy,
  PolicyError,
  type BundleInfo,
} from '../../src/runtime/index.js'
import { Random, randomPolicy } from '../export/random-policy.js'

const templates = await policyTemplates()
const shape = { observation: 5, hidden: [16], action: 2, activation: 'tanh' as const }
const bytes = policyModule(randomPolicy(shape, new Random(1), 1), templates)
const module = new WebAssembly.Module(bytes)
const observation = [0.1, -0.2, 0.3, 0.4, -0.5]

/** Description of the module. */
function description(): Record<string, unknown> {
  const [own] = WebAssembly.Module.customSections(module, 'hatrpo')
  return JSON.parse(new TextDecoder().decode(own)) as Record<string, unknown>
}

const refused = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof PolicyError, String(error))
  assert.match(error.message, pattern)
  assert.doesNotMatch(error.message, /\n/)
  return true
}

/** A host that knows nothing of this package. */
function bareHost(wasm: WebAssembly.Module, values: readonly number[], seed?: number): Float32Array {
  const {
    memory,
    observation,
    action,
    act,
    sample,
    seed: restart,
  } = new WebAssembly.Instance(wasm).exports as {
    memory: WebAssembly.Memory
    observation: WebAssembly.Global<'i32'>
    action: WebAssembly.Global<'i32'>
    act(): number
    sample(): number
    seed(low: number, high: number): void
  }
  new Float32Array(memory.buffer, observation.value, values.length).set(values)
  if (seed !== undefined) restart(seed, 0)
  assert.equal(seed === undefined ? act() : sample(), 0)
  return new Float32Array(memory.buffer, action.value, 2).slice()
}

test('bytes, views of them, modules and responses give the same policy as a bare host', async () => {
  const expected = bareHost(module, observation)
  const view = new Uint8Array(bytes.length + 8).subarray(8)
  view.set(bytes)
  const sources = [
    bytes,
    view,
    bytes.buffer,
    module,
    // A server that does not know the type.
    new Response(bytes, { headers: { 'content-type': 'text/plain' } }),
    Promise.resolve(bytes),
  ]
  for (const source of sources) {
    const policy = await loadPolicy(source)
    assert.deepEqual(policy.act(observation), expected)
    assert.deepEqual(policy.act(Float32Array.from(observation)), expected)
  }
  assert.deepEqual(createPolicy(module).act(observation), expected)
})

test('each call returns a new array unless it is given one', () => {
  const policy = createPolicy(module)
  const first = policy.act(observation)
  const kept = first.slice()
  policy.act([1, 1, 2, 3, 5])
  assert.deepEqual(first, kept)
  const out = new Float32Array(2)
  assert.equal(policy.act(observation, out), out)
  assert.deepEqual(out, kept)
})

test('samples repeat with the seed, as on a bare host, and seeds use all 64 bits', () => {
  const policy = createPolicy(module)
  const draw = (seed: number | bigint) => {
    policy.seed(seed)
    return [policy.sample(observation), policy.sample(observation)].map((sample) => Array.from(sample))
  }
  assert.deepEqual(draw(7), draw(7n))
  assert.deepEqual(draw(7)[0], Array.from(bareHost(module, observation, 7)))
  const seeds = [0, 1, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2n ** 64n - 1n]
  const drawn = seeds.map((seed) => String(draw(seed)))
  assert.equal(new Set(drawn).size, seeds.length)
  for (const seed of [-1, 0.5, NaN, 2 ** 53, -1n, 2n ** 64n]) {
    assert.throws(() => policy.seed(seed), refused(/seed is .*: it must be an integer from 0 to 2\^64 - 1/))
  }
  policy.reset()
})

test('wrong observations are named', () => {
  const policy = createPolicy(module)
  const message = /the observation has 4 entries: agent agent_1 takes 5/
  assert.throws(() => policy.act([1, 2, 3, 4]), refused(message))
  for (const decide of [policy.act, policy.sample]) {
    assert.throws(
      () => decide([0, 0, NaN, 0, 0]),
      refused(/observation\[2\] is NaN: every entry must be finite/),
    )
    // Finite as a number, but not as f32.
    assert.throws(() => decide([0, 0, 0, 0, 1e39]), refused(/observation\[4\] is 1e\+39: .* finite as f32/))
  }
  assert.throws(
    () => policy.act(observation, new Float32Array(3)),
    refused(/out has 3 entries: the action has 2/),
  )
  assert.deepEqual(policy.act(observation), bareHost(module, observation))
})

test('modules that are not exported policies are refused', async () => {
  const sections = readSections(bytes)
  const withInfo = (text: string) =>
    writeSections([
      ...sections.filter(({ id }) => id !== CUSTOM),
      customSection('hatrpo', new TextEncoder().encode(text)),
    ])
  const { checksums: _none, ...info } = description()
  const cases: [Uint8Array<ArrayBuffer>, RegExp][] = [
    [new Uint8Array([1, 2, 3]), /the policy cannot be compiled/],
    [bytes.subarray(0, bytes.length - 5), /the policy cannot be compiled/],
    [
      writeSections(sections.filter(({ id }) => id !== CUSTOM)),
      /no section hatrpo: it is not an exported policy/,
    ],
    [withInfo('{'), /section hatrpo is damaged: it is not JSON/],
    [withInfo('[]'), /section hatrpo is not of format hatrpo-policy/],
    [withInfo(JSON.stringify({ ...info, version: 2 })), /version 2: this package reads version 1/],
    [
      withInfo(JSON.stringify({ ...info, agent: { index: 0 } })),
      /damaged: agent must hold an index and an id/,
    ],
    [withInfo(JSON.stringify({ ...info, observation: {} })), /damaged: observation must hold a size/],
    [
      withInfo(JSON.stringify({ ...info, action: { kind: 'box', size: 2, low: [0], high: [0, 0] } })),
      /damaged: action must be a box/,
    ],
    [withInfo(JSON.stringify({ ...info, network: null })), /damaged: network and provenance/],
    [
      withInfo(JSON.stringify({ ...info, observation: { size: 1e9, input: {} } })),
      /observation of size 1000000000 lies outside its memory/,
    ],
    [
      writeSections([{ id: 0, content: readSections(withInfo(JSON.stringify(info))).at(-1)!.content }]),
      /does not export the memory memory/,
    ],
  ]
  for (const [source, pattern] of cases) await assert.rejects(loadPolicy(source), refused(pattern))
  const missing = new Response(null, { status: 404 })
  await assert.rejects(loadPolicy(missing), refused(/HTTP status 404/))
})

test('a flipped bit is an error, or changes nothing', async () => {
  const expected = bareHost(module, observation)
  const random = new Random(5)
  let refusals = 0
  for (let n = 0; n < 200; n++) {
    // Of the weights, of the checksums at the end, and of anything else.
    const from = n % 4 === 0 ? bytes.length - 30 : 0
    const at = from + Math.floor(random.uniform() * (bytes.length - from))
    const flipped = bytes.slice()
    flipped[at] ^= 1 << Math.floor(random.uniform() * 8)
    try {
      assert.deepEqual((await loadPolicy(flipped)).act(observation), expected, `byte ${at}`)
    } catch (error) {
      refused(/^the (module is damaged|policy cannot be compiled)/)(error)
      refusals++
    }
  }
  assert.ok(refusals > 150, String(refusals))
})

test('weights of a compiled module that differ from their checksum are refused; older modules have no checksum', () => {
  const weights = readSections(bytes).find(({ id }) => id === DATA)!.content
  const flipped = bytes.slice()
  const at = Buffer.from(bytes).indexOf(weights) + weights.length - 100
  flipped[at] ^= 1
  const damaged = new WebAssembly.Module(flipped)
  assert.throws(() => createPolicy(damaged), refused(/^the module is damaged: its weights differ/))
  const cut = writeSections(readSections(bytes).slice(0, -1))
  assert.throws(
    () => createPolicy(new WebAssembly.Module(cut)),
    refused(/damaged: its section hatrpo\.crc32c is not at its end/),
  )
  const about = new TextEncoder().encode(JSON.stringify({ ...description(), checksums: undefined }))
  const sections = readSections(cut).slice(0, -1)
  const older = new WebAssembly.Module(writeSections([...sections, customSection('hatrpo', about)]))
  assert.deepEqual(createPolicy(older).act(observation), bareHost(module, observation))
})

const origin = {
  packageVersion: '0.1.0',
  environment: { id: 'mamujoco/HalfCheetah-2x3' },
  algorithm: 'hatrpo',
  seed: 1,
  steps: 4000,
  iteration: 1,
  evaluation: null,
}

async function bundle() {
  const policies = [0, 1].map((index) => randomPolicy(shape, new Random(10 + index), index))
  const files = await bundleFiles(policies, origin)
  return { policies, files: new Map(files.map((file) => [file.name, file.bytes])) }
}

test('a bundle loads over HTTP, from its folder, its file and a function', async (t) => {
  const { files, policies } = await bundle()
  const server = createServer(({ url = '' }, response) => {
    const file = files.get(url.replace('/robot/', ''))
    response.statusCode = file ? 200 : 404
    response.end(file)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  t.after(() => server.close())
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/robot`
  const modules = (name: string) => {
    const content = files.get(name)!
    if (name.endsWith('.wasm')) return new WebAssembly.Module(content)
    return JSON.parse(new TextDecoder().decode(content)) as BundleInfo
  }
  const sources = [
    base,
    `${base}/`,
    new URL(`${base}/bundle.json`),
    (name: string) => files.get(name)!,
    modules,
  ]
  for (const source of sources) {
    const { info, agents } = await loadBundle(source)
    assert.equal(info.algorithm, 'hatrpo')
    assert.deepEqual(
      agents.map((agent) => agent.info.agent.id),
      ['agent_0', 'agent_1'],
    )
    policies.forEach((policy, i) => {
      const expected = createPolicy(new WebAssembly.Module(policyModule(policy, templates))).act(observation)
      assert.deepEqual(agents[i].act(observation), expected)
    })
  }
  await assert.rejects(loadBundle(`${base}/other/`), refused(/other\/bundle\.json: HTTP status 404/))
})

test('a bundle loads from the disk: file URLs, folder names, a reader', async (t) => {
  const { files } = await bundle()
  const folder = mkdtempSync(join(tmpdir(), 'hatrpo bundle-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const [name, content] of files) writeFileSync(join(folder, name), content)
  const sources = [
    folder,
    `${folder}/`,
    relative('.', folder),
    join(folder, 'bundle.json'),
    pathToFileURL(folder),
    pathToFileURL(folder).href,
    (name: string) => readFile(join(folder, name)),
    (name: string) => openAsBlob(join(folder, name)),
  ]
  for (const source of sources) assert.equal((await loadBundle(source)).agents.length, 2, String(source))
  rmSync(join(folder, 'agent_1.wasm'))
  await assert.rejects(
    loadBundle(folder),
    refused(/^file:.*agent_1\.wasm cannot be read \(ENOENT.*of a bundle$/),
  )
})

test('every failure to load a bundle is a PolicyError of one line', async () => {
  const { files } = await bundle()
  const instead = (name: string, content: unknown) => (asked: string) =>
    (asked === name ? content : files.get(asked)!) as Uint8Array<ArrayBuffer>
  const used = new Response('{}')
  await used.text()
  const cases: [Parameters<typeof loadBundle>[0], RegExp][] = [
    ['./no-such-folder', /no-such-folder\/bundle\.json cannot be read \(ENOENT/],
    ['http://127.0.0.1:1/robot', /^http:.*\/robot\/bundle\.json cannot be read \(fetch failed\)/],
    ['http://[', /^http:\/\/\[ is not a URL: it must be/],
    [() => Promise.reject(new Error('no\nsignal')), /^bundle\.json cannot be read \(no\): it must be/],
    [instead('bundle.json', undefined), /^bundle\.json is not of format hatrpo-bundle$/],
    [instead('bundle.json', used), /^bundle\.json cannot be read \(.*\): it must be/],
    [instead('agent_1.wasm', undefined), /^agent_1\.wasm is of type undefined: it must be bytes/],
    [instead('agent_1.wasm', 'text'), /^agent_1\.wasm is of type string: it must be bytes/],
  ]
  for (const [source, pattern] of cases) {
    await assert.rejects(loadBundle(source), (error: Error) => {
      assert.ok(error instanceof PolicyError && !error.message.includes('\n'))
      assert.match(error.message, pattern)
      return true
    })
  }
})

test('a module of another agent, or of another bundle, is refused', async () => {
  const { files } = await bundle()
  const other = files.get('agent_1.wasm')!
  const swapped = (name: string) => (name === 'agent_0.wasm' ? other : files.get(name)!)
  await assert.rejects(loadBundle(swapped), refused(/agent_0\.wasm (has \d+ bytes|is not the file)/))
  const compiled = (name: string) =>
    name === 'agent_0.wasm' ? new WebAssembly.Module(other) : files.get(name)!
  await assert.rejects(loadBundle(compiled), refused(/agent_0\.wasm is not the policy of agent agent_0/))
})
