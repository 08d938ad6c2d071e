import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHash } from 'node:crypto'
import test, { type TestContext } from 'node:test'
import { HatrpoError } from '../../src/errors.js'
import { bundleFiles } from '../../src/export/bundle.js'
import { readBundle } from '../../src/export/read.js'
import { writeBundle } from '../../src/export/write.js'
import { parseBundleInfo } from '../../src/runtime/index.js'
import { ORIGIN as origin, Random, randomPolicy } from './random-policy.js'

function policies(seed: number, count = 2) {
  const random = new Random(seed)
  const shape = { observation: 17, hidden: [32, 16], action: 3 }
  return Array.from({ length: count }, (_, index) => randomPolicy(shape, random, index))
}

/** A folder of the test's own, and the files beside the bundle `out` in it. */
function workplace(t: TestContext) {
  const parent = mkdtempSync(join(tmpdir(), 'hatrpo-bundle-'))
  t.after(() => rmSync(parent, { recursive: true, force: true }))
  return { parent, out: join(parent, 'out'), beside: () => readdirSync(parent).sort() }
}

const contents = (folder: string) =>
  Object.fromEntries(
    readdirSync(folder)
      .sort()
      .map((name) => [name, readFileSync(join(folder, name)).toString('base64')]),
  )

/** An error whose message is one line that matches. */
const line = (pattern: RegExp, exitCode: 1 | 2) => (error: unknown) => {
  assert.ok(error instanceof HatrpoError, String(error))
  assert.match(error.message, pattern)
  assert.doesNotMatch(error.message, /\n/)
  assert.equal(error.exitCode, exitCode)
  return true
}

test('a bundle has one module per agent and their descriptions', async (t) => {
  const { out, beside } = workplace(t)
  const written = await writeBundle(out, policies(1), origin)
  assert.deepEqual(beside(), ['out'])
  assert.deepEqual(readdirSync(out).sort(), ['agent_0.wasm', 'agent_1.wasm', 'bundle.json'])
  const info = parseBundleInfo(readFileSync(join(out, 'bundle.json'), 'utf8'))
  const { agents, format, version, ...rest } = info
  assert.deepEqual({ format, version, ...rest }, { format: 'hatrpo-bundle', version: 1, ...origin })
  assert.deepEqual(agents[1], {
    index: 1,
    id: 'agent_1',
    file: 'agent_1.wasm',
    bytes: written.files[1].bytes,
    sha256: createHash('sha256')
      .update(readFileSync(join(out, 'agent_1.wasm')))
      .digest('hex'),
    observation: { size: 17, input: { agentId: null, standardise: false, layerNorm: true } },
    action: { kind: 'box', size: 3, low: [-1, -1, -1], high: [1, 1, 1] },
  })
  for (const { name, bytes } of written.files) {
    assert.equal(readFileSync(join(out, name)).length, bytes)
  }
  const bundle = await readBundle(out)
  assert.equal(bundle.agents.length, 2)
  const { provenance } = bundle.agents[0].info
  assert.deepEqual(provenance, origin)
})

test('the same policies give the same bundle, byte for byte', async () => {
  const make = (seed: number) => bundleFiles(policies(seed), origin)
  assert.deepEqual(await make(2), await make(2))
  assert.notDeepEqual(await make(2), await make(3))
})

test('an earlier bundle is replaced completely, an empty folder is filled', async (t) => {
  const { out, beside } = workplace(t)
  mkdirSync(out)
  await writeBundle(out, policies(4, 3), origin)
  await writeBundle(out, policies(5, 2), origin)
  assert.deepEqual(beside(), ['out'])
  assert.deepEqual(readdirSync(out).sort(), ['agent_0.wasm', 'agent_1.wasm', 'bundle.json'])
  assert.equal((await readBundle(out)).agents.length, 2)
})

test('folders with other files are refused and not changed', async (t) => {
  const { parent, out } = workplace(t)
  mkdirSync(out)
  writeFileSync(join(out, 'thesis.tex'), 'years of work')
  await assert.rejects(writeBundle(out, policies(6), origin), line(/out is not empty \(thesis\.tex\)/, 2))
  assert.deepEqual(readdirSync(out), ['thesis.tex'])

  const bundle = join(parent, 'bundle')
  await writeBundle(bundle, policies(6), origin)
  writeFileSync(join(bundle, 'index.html'), '<!doctype html>')
  const before = contents(bundle)
  await assert.rejects(writeBundle(bundle, policies(7), origin), line(/another file \(index\.html\)/, 2))
  assert.deepEqual(contents(bundle), before)

  const file = join(parent, 'file')
  writeFileSync(file, '')
  await assert.rejects(writeBundle(file, policies(6), origin), line(/file is a file: name a new/, 2))

  const here = process.cwd()
  process.chdir(bundle)
  t.after(() => process.chdir(here))
  await assert.rejects(writeBundle('', policies(6), origin), line(/^--out is "": name a new or empty/, 2))
  assert.deepEqual(contents(bundle), before)
})

test('a failed write leaves the earlier bundle and nothing else', async (t) => {
  const { parent, out, beside } = workplace(t)
  await writeBundle(out, policies(8), origin)
  const before = contents(out)
  const broken = policies(9)
  broken[1].parameters[0] = NaN
  await assert.rejects(writeBundle(out, broken, origin), line(/parameter 0 of agent agent_1 is NaN/, 1))
  assert.deepEqual(contents(out), before)
  assert.deepEqual(beside(), ['out'])
  writeFileSync(join(parent, 'file'), '')
  const below = join(parent, 'file', 'out')
  await assert.rejects(
    writeBundle(below, policies(9), origin),
    line(/cannot write the bundle .*file already exists/, 1),
  )
  await assert.rejects(
    writeBundle('/proc/none/out', policies(9), origin),
    line(/^cannot write the bundle \/proc\/none\/out: \w+: [^\n]*$/, 1),
  )
})

test('remains of a killed export do not get into the bundle', async (t) => {
  const { out, beside } = workplace(t)
  mkdirSync(`${out}.new-${process.pid}`)
  writeFileSync(join(`${out}.new-${process.pid}`, 'agent_7.wasm'), '')
  await writeBundle(out, policies(12), origin)
  assert.deepEqual(readdirSync(out).sort(), ['agent_0.wasm', 'agent_1.wasm', 'bundle.json'])
  assert.deepEqual(beside(), ['out'])
})

test(
  'a full disk leaves the earlier bundle and no other files',
  { skip: process.platform === 'win32' },
  async (t) => {
    const { out, beside } = workplace(t)
    await writeBundle(out, policies(13), origin)
    const before = contents(out)
    const module = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)
    const script = `
      const { writeBundle } = await import(${module('../../src/export/write.js')})
      const { Random, randomPolicy } = await import(${module('./random-policy.js')})
      const policy = randomPolicy({ observation: 17, hidden: [64, 64], action: 3 }, new Random(1))
      const error = await writeBundle(${JSON.stringify(out)}, [policy], ${JSON.stringify(origin)}).catch((e) => e)
      console.log(error.name, error.message)`
    // Writes beyond 8 blocks fail, as they do on a full disk.
    const limited = ['-c', 'ulimit -f 8 && exec "$0" --input-type=module -e "$1"', process.execPath, script]
    const { stdout } = spawnSync('sh', limited, { encoding: 'utf8' })
    assert.match(stdout, /^HatrpoError cannot write the bundle .*EFBIG.*\n$/)
    assert.deepEqual(contents(out), before)
    assert.deepEqual(beside(), ['out'])
  },
)

test('policies out of order are refused before anything is written', async (t) => {
  const { out } = workplace(t)
  const swapped = policies(10).reverse()
  await assert.rejects(writeBundle(out, swapped, origin), line(/agent_1 has index 1: it must be 0/, 1))
  assert.ok(!existsSync(out))
})

test('reading names missing, torn or changed files', async (t) => {
  const { parent, out } = workplace(t)
  await assert.rejects(
    readBundle(join(parent, 'none')),
    line(/none holds no bundle: it has no bundle\.json/, 2),
  )
  const damage = async (change: (path: (name: string) => string) => void, pattern: RegExp) => {
    rmSync(out, { recursive: true, force: true })
    await writeBundle(out, policies(11), origin)
    change((name) => join(out, name))
    await assert.rejects(readBundle(out), line(pattern, 1))
  }
  await damage((path) => rmSync(path('agent_1.wasm')), /damaged: agent_1\.wasm is missing/)
  await damage((path) => {
    const bytes = readFileSync(path('agent_1.wasm'))
    writeFileSync(path('agent_1.wasm'), bytes.subarray(0, 1000))
  }, /agent_1\.wasm has 1000 bytes: bundle\.json describes one of \d+/)
  await damage((path) => {
    const bytes = readFileSync(path('agent_0.wasm'))
    // One bit of one weight: still a valid module, but not the policy that was exported.
    bytes[bytes.length - 2000] ^= 1
    writeFileSync(path('agent_0.wasm'), bytes)
  }, /agent_0\.wasm is not the file that bundle\.json describes: sha256 differs/)
  await damage(
    (path) => writeFileSync(path('bundle.json'), '{"format":'),
    /bundle\.json is damaged: it is not JSON/,
  )
  const edit = (change: (info: Record<string, unknown>) => void) => (path: (name: string) => string) => {
    const info = JSON.parse(readFileSync(path('bundle.json'), 'utf8')) as Record<string, unknown>
    change(info)
    writeFileSync(path('bundle.json'), JSON.stringify(info))
  }
  await damage(
    edit((info) => (info['version'] = 2)),
    /bundle\.json is of version 2: this package reads version 1/,
  )
  await damage(
    edit((info) => (info['format'] = 'other')),
    /bundle\.json is not of format hatrpo-bundle/,
  )
  await damage(
    edit((info) => ((info['agents'] as { file: string }[])[0].file = '../agent_0.wasm')),
    /agents\[0\] is malformed/,
  )
  await damage(
    edit((info) => ((info['agents'] as { sha256: unknown }[])[0].sha256 = { toString: 1, valueOf: 1 })),
    /agents\[0\] is malformed/,
  )
  await damage(
    edit((info) => (info['agents'] as unknown[]).reverse()),
    /agents\[0\] is malformed/,
  )
})
