// Kernels compiled to 256-bit vectors have the bits of the kernels compiled to 128-bit ones.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import test from 'node:test'
import { WasmDevice } from '../../src/devices/wasm/device.js'
import type { Operation } from '../../src/devices/operations/operation.js'
import { OPERATIONS } from '../../src/devices/operations/table.js'
import { firstDifference } from '../../src/devices/wasm/wide/compare.js'
import { KERNEL_CASES } from '../../src/devices/wasm/wide/kernel-cases.js'
import { everyOperation } from '../../src/devices/wasm/wide/operation-cases.js'
import {
  createKernelMemory,
  HEADER,
  loadKernels,
  PHASE,
  PHASE_KIND,
  readAssembly,
  type KernelExports,
  type Kernels,
} from '../../src/kernels/index.js'
import { findHosts } from '../hosts/find.js'

const operations = Object.entries(OPERATIONS) as [string, Operation][]

/** Names of the operations of the program at an address. */
function operationsAt(memory: WebAssembly.Memory, program: number): Set<string> {
  const word = (address: number) => new Int32Array(memory.buffer)[address / 4]
  const found = new Set<string>()
  const readList = (at: number) => {
    for (let code = word(at); code !== 0; code = word(at)) {
      const [name, { words }] = operations[code - 1]
      found.add(name)
      at += 4
      for (const { kind } of Object.values(words)) at += kind === 'real' ? 8 : 4
    }
  }
  for (let i = 0; i < word(program + HEADER.phases); i++) {
    const phase = program + HEADER.bytes + i * PHASE.bytes
    const [kind, start, count] = [PHASE.kind, PHASE.operations, PHASE.count].map((field) =>
      word(phase + field),
    )
    if (kind === PHASE_KIND.rows) readList(start)
    else for (let task = 0; task < count; task++) readList(word(start + 4 * task))
  }
  return found
}

test('the comparison runs every operation of the table and every exported kernel', async () => {
  const device = new WasmDevice(await loadKernels())
  const options = { rows: 3, chunk: 1, sizes: [5, 16], steps: 4, fill: () => undefined }
  const program = device.compile(everyOperation(device, options), 3)
  const names = operations.map(([name]) => name).sort()
  assert.deepEqual([...operationsAt(device.kernels.memory, device.entryOf(program))].sort(), names)

  const called = operations.flatMap(([, { calls }]) => calls.map((call) => call.slice(0, call.indexOf('('))))
  const run = ['heapBase', 'runAlone', 'runShared', 'help', 'dismiss', 'solve']
  const exported = Object.entries(device.kernels.exports).filter(([, value]) => typeof value === 'function')
  const compared = new Set([...Object.keys(KERNEL_CASES), ...called, ...run])
  assert.deepEqual(
    exported.map(([name]) => name).filter((name) => !compared.has(name)),
    [],
  )
})

/** Kernels in which every f32 constant of one value is replaced by another. */
async function withConstant(value: number, other: number): Promise<Kernels> {
  const bytes = await readAssembly('kernels')
  const [from, to] = [value, other].map((number) => [...new Uint8Array(Float32Array.of(number).buffer)])
  let count = 0
  for (let i = 0; i + 4 <= bytes.length; i++) {
    if (!from.every((byte, j) => bytes[i + j] === byte)) continue
    bytes.set(to, i)
    count++
  }
  assert.ok(count > 0, `no constant ${value}`)
  const memory = createKernelMemory()
  const module = await WebAssembly.compile(bytes)
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } })
  return { exports: exports as unknown as KernelExports, memory, module }
}

test('the build finds functions that take or return vectors, and the kernels have none', async () => {
  const url = new URL('../../../scripts/signatures.mjs', import.meta.url).href
  const { functionsWithVectors } = (await import(url)) as {
    functionsWithVectors: (bytes: Uint8Array) => number[]
  }
  assert.ok(functionsWithVectors(await readAssembly('policy')).length > 0)
  for (const name of ['kernels', 'kernels-wide'] as const)
    assert.deepEqual(functionsWithVectors(await readAssembly(name)), [])
})

test('the module for wide vectors gives the bits of the other module on any engine', async () => {
  const module = await WebAssembly.compile(await readAssembly('kernels-wide'))
  assert.equal(firstDifference(await loadKernels(), await loadKernels({ module })), null)
})

test('the comparison finds a kernel with different bits', async () => {
  const kernels = await loadKernels()
  // The first coefficient of the logarithm, and the epsilon of LayerNorm, which only programs use.
  assert.match(
    firstDifference(kernels, await withConstant(0.666666627, 0.6667)) ?? '',
    /^logArray, \d elements$/,
  )
  assert.equal(
    firstDifference(kernels, await withConstant(1e-5, 1.0001e-5)),
    'a program of all operations, 1 rows',
  )
})

const hosts = findHosts()
const script = join(import.meta.dirname, 'try-wide.js')
/** Output of a script of this folder on an engine with some flags. */
function output(path: string, flags: readonly string[], attempt: string): string {
  const { status, stdout, stderr } = spawnSync(path, [...flags, script, attempt], { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  return stdout
}
const { node26 } = hosts

test(
  'Node 26 gives the bits of narrow kernels, or the reason why it cannot use wide ones',
  { skip: node26.missing },
  () => {
    const [same, withoutAvx2, killed] = JSON.parse(output(node26.path, [], 'check')) as (string | null)[]
    assert.equal(same, null)
    assert.equal(withoutAvx2, 'the processor or the engine does not make 256-bit vectors')
    assert.match(killed ?? '', /^Node 26\S* stops when it compiles the kernels$/)
  },
)

test('Node 26 compiles every function with wide vectors', { skip: node26.missing }, () => {
  const eager = ['--no-liftoff', '--no-wasm-lazy-compilation']
  const flags = ['--experimental-wasm-revectorize', '--trace-wasm-revectorize', ...eager]
  const trace = output(node26.path, flags, 'compile')
  assert.match(trace, /"compiled"/)
  // At least the tiles of products and the column sums are joined.
  const joined = trace.match(/^Revec: .*Decided to vectorize, [1-9]/gm) ?? []
  assert.ok(joined.length >= 3, `${joined.length} times`)
})

const others = [
  { ...hosts.bun, says: 'Bun' },
  { ...hosts.deno, says: 'Deno' },
  {
    name: 'Node 20',
    path: process.execPath,
    args: [],
    missing: process.version.startsWith('v20.') ? false : `this is Node ${process.version}`,
    says: 'Node',
  },
]
for (const { name, path, args, missing, says } of others) {
  test(`${name} refuses wide vectors in one line`, { skip: missing }, () => {
    const line = JSON.parse(output(path, args, 'open')) as string
    assert.match(
      line,
      new RegExp(
        `^HatrpoError: simd is "wide": ${says} [0-9.]+ has no 256-bit vectors for WebAssembly; .*"baseline".*$`,
      ),
    )
  })
}
