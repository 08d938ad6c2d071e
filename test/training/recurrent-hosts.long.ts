// The same recurrent run on every engine.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import test from 'node:test'
import { findHosts } from '../hosts/find.js'
import { fixture, temporaryDirectory, tiny, tinyConfig, trained } from './runs.js'

const ITERATIONS = 5
const env = { id: fixture('cue'), limit: 13 }
const set = ['actor', 'critic'].flatMap((who) => [
  `${who}.gruLayers=1`,
  `${who}.gruSize=10`,
  `${who}.chunk=5`,
])
const main = join(import.meta.dirname, '../../lib/cli/main.js')

for (const host of Object.values(findHosts())) {
  test(`${host.name} gives the bits of this engine`, { skip: host.missing }, async (t) => {
    const { parametersSha256 } = await trained(t, tinyConfig(env, ITERATIONS, ...set))
    const settings = ['env.limit=13', ...set, ...tiny, `steps=${ITERATIONS * 80}`]
    const out = join(temporaryDirectory(t), 'run')
    const flags = ['--env', env.id, '--algo', 'hatrpo', '--out', out, '--workers', '2']
    const args = [main, 'train', ...flags, '--set', ...settings]
    const { status, stdout, stderr } = spawnSync(host.path, [...host.args, ...args], { encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    assert.equal(stdout.trim().split('\n').at(-1), `parameters sha256 ${parametersSha256}`)
  })
}
