import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { ACTIVATIONS } from '../../src/devices/steps.js'
import { policyModule, policyTemplates } from '../../src/export/wasm.js'
import { findHosts } from '../hosts/find.js'
import { actions } from './act.js'
import { Random, randomPolicy } from './random-policy.js'

const templates = await policyTemplates()
const script = fileURLToPath(new URL('./act.js', import.meta.url))

for (const host of Object.values(findHosts())) {
  test(`${host.name} computes the same actions and samples, bit for bit`, { skip: host.missing }, (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'hatrpo-hosts-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const random = new Random(1)
    const modules = ACTIVATIONS.map((activation, i) => {
      // Every third one chooses.
      const head = i % 3 === 1 ? { action: 2, sizes: [5, 3] } : { action: 5, dependent: i % 3 === 2 }
      const shape = { observation: 11 + i, hidden: [40, 33], ...head, activation, standardise: i % 2 === 1 }
      const bytes = policyModule(randomPolicy(shape, random), templates)
      const path = join(folder, `${activation}.wasm`)
      writeFileSync(path, bytes)
      return { path, bytes }
    })
    const paths = modules.map(({ path }) => path)
    const { stdout, stderr, status } = spawnSync(host.path, [...host.args, script, ...paths], {
      encoding: 'utf8',
    })
    assert.equal(status, 0, stderr)
    assert.deepEqual(
      stdout.trim().split('\n'),
      modules.map(({ bytes }) => actions(bytes)),
    )
  })
}
