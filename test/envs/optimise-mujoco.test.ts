import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { compileMujoco, makeEnvFactory } from '../../src/envs/index.js'
import { readMujoco } from '../../src/envs/mujoco/compile.js'
import { optimiseMujoco } from '../../src/envs/mujoco/optimise.js'
import { optimisedFile, optimisedFolder } from '../../src/envs/mujoco/optimised.js'
import { onePerTask, simulatedEnvs } from '../../src/envs/registry.js'
import { HatrpoError } from '../../src/errors.js'

const ENVS = ['mamujoco/Reacher-2x1']
/** Custom section by which a module is recognised. */
const MARK = 'marked'
let folder = ''

/** A replacement of wasm-opt: edits `bytes`, and writes them with a custom section. */
function tool(name: string, edit: string): string {
  const path = join(folder, `${name}.mjs`)
  const program = `import { readFileSync, writeFileSync } from 'node:fs'
const bytes = readFileSync(process.argv[2])
${edit}
const mark = Buffer.from('${MARK}')
const section = Buffer.from([0, mark.length + 1, mark.length, ...mark])
writeFileSync(process.argv.at(-1), Buffer.concat([bytes, section]))`
  writeFileSync(path, program)
  return path
}

const isMarked = (module: WebAssembly.Module) => WebAssembly.Module.customSections(module, MARK).length > 0

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'hatrpo-optimise-'))
  process.env['XDG_CACHE_HOME'] = folder
})
after(() => rmSync(folder, { recursive: true, force: true }))

test('a binary with the same bits is stored, and used instead of the original', async () => {
  assert.ok(!isMarked(await compileMujoco()))
  const {
    file,
    before: size,
    after: marked,
    compared,
  } = await optimiseMujoco({
    tool: tool('same', ''),
    envs: ENVS,
  })
  assert.equal(file, optimisedFile(await readMujoco()))
  assert.equal(marked, size + MARK.length + 3)
  assert.equal(compared, 1)
  assert.deepEqual(readdirSync(optimisedFolder()), [file.slice(optimisedFolder().length + 1)])
  assert.ok(isMarked(await compileMujoco()))
})

test('one division of every task that MuJoCo simulates is compared', () => {
  const ids = onePerTask(simulatedEnvs())
  for (const id of ids)
    assert.ok(
      makeEnvFactory({ id }).spec.agents.every(({ action }) => action.kind === 'box'),
      id,
    )
  assert.deepEqual(
    ids.map((id) => id.replace(/-.*/, '')),
    [...new Set(simulatedEnvs().map((id) => id.replace(/-.*/, '')))],
  )
  assert.ok(ids.length > 5 && ids.every((id) => id.startsWith('mamujoco/')))
})

test('the optimised form of another binary is not used', async () => {
  rmSync(optimisedFolder(), { recursive: true })
  const other = new Uint8Array([...(await readMujoco()).subarray(0, 100)])
  assert.notEqual(optimisedFile(other), optimisedFile(await readMujoco()))
  await optimiseMujoco({ tool: tool('same', ''), envs: [] })
  const [file] = readdirSync(optimisedFolder())
  const renamed = optimisedFile(other)
  writeFileSync(renamed, await readMujoco())
  rmSync(join(optimisedFolder(), file))
  assert.ok(!isMarked(await compileMujoco()))
})

test('a binary that gives different bits is refused and not stored', async () => {
  rmSync(optimisedFolder(), { recursive: true, force: true })
  // The engine has the constant in many places, the integration of quaternions among them.
  const edit = `const constant = (x) => { const b = Buffer.alloc(9, 0x44); b.writeDoubleLE(x, 1); return b }
for (let at = bytes.indexOf(constant(0.5)); at >= 0; at = bytes.indexOf(constant(0.5), at)) constant(0.5000001).copy(bytes, at)`
  await assert.rejects(optimiseMujoco({ tool: tool('wrong', edit), envs: ENVS }), {
    message: /^the optimised binary gives different bits than MuJoCo's \(mamujoco\/Reacher-2x1, step \d+\)/,
  })
  assert.deepEqual(readdirSync(optimisedFolder()), [])
})

test('failures of the optimiser, and a damaged file, are reported in one line', async () => {
  const failing = tool('failing', "console.error('no such pass'); process.exit(3)")
  await assert.rejects(optimiseMujoco({ tool: failing, envs: ENVS }), {
    name: 'HatrpoError',
    message: `${failing} failed with exit code 3: no such pass`,
  })
  const damaged = tool('damaged', 'bytes.fill(0, 100, 200)')
  await assert.rejects(
    optimiseMujoco({ tool: damaged, envs: ENVS }),
    /^HatrpoError: the optimised binary cannot be compiled: /,
  )
  assert.deepEqual(readdirSync(optimisedFolder()), [])
  const file = optimisedFile(await readMujoco())
  writeFileSync(file, 'damaged')
  await assert.rejects(compileMujoco(), (error: unknown) => {
    assert.ok(error instanceof HatrpoError)
    assert.match(
      error.message,
      /^\S+\.wasm cannot be compiled \(.+\): delete it, or run hatrpo optimise-mujoco again$/,
    )
    return true
  })
})
