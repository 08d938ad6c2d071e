import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { readMujoco } from '../../src/envs/mujoco/compile.js'
import { optimiseMujoco } from '../../src/envs/mujoco/optimise.js'
import { onePerTask, simulatedEnvs } from '../../src/envs/registry.js'

// Plays 100 steps of every task twice.
test('a copy of the binary has the same bits on every task', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hatrpo-optimise-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  process.env['XDG_CACHE_HOME'] = folder
  const copy = join(folder, 'copy.mjs')
  writeFileSync(
    copy,
    "import { copyFileSync } from 'node:fs'\ncopyFileSync(process.argv[2], process.argv.at(-1))\n",
  )
  const { file, compared } = await optimiseMujoco({ tool: copy })
  assert.equal(compared, onePerTask(simulatedEnvs()).length)
  assert.deepEqual(readFileSync(file), Buffer.from(await readMujoco()))
})
