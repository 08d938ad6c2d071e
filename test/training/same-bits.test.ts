import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import test from 'node:test'
import { findHosts } from '../hosts/find.js'
import { fixture, temporaryDirectory, tiny, tinyConfig, trained } from './runs.js'

const env = { id: 'mamujoco/HalfCheetah-2x3' }
const ITERATIONS = 5

/** Two mini-batches everywhere for the clipped update; default settings for the trust region. */
const algorithms = {
  hatrpo: ['algo=hatrpo'],
  happo: ['algo=happo', 'clipped.miniBatches=2', 'critic.miniBatches=3'],
}

/**
 * Parameters after five iterations of `tiny` runs, seed 1.
 *
 * A change of one of these is a change of numerics: it must be intended, and listed in CHANGELOG.md under Numerics.
 */
const known: Record<keyof typeof algorithms, string> = {
  hatrpo: '5f4970dfa103704402f84d5e0e2fcfe080ec584c1a538224fab84249db0a07f2',
  happo: 'b6c0a2b21ab1d5125e608fe9e09355b1b43c54ee5b6705a23d83e39953bcdd9d',
}

const main = join(import.meta.dirname, '../../lib/cli/main.js')

for (const name of ['hatrpo', 'happo'] as const) {
  const set = algorithms[name]

  test(`${name}: the same seed gives the same bits with 1, 2 and 4 workers`, async (t) => {
    for (const workers of [1, 2, 4]) {
      const { parametersSha256 } = await trained(t, tinyConfig(env, ITERATIONS, ...set), { workers })
      assert.equal(parametersSha256, known[name], `${workers} workers`)
    }
    const other = tinyConfig(env, ITERATIONS, ...set, 'seed=2')
    const { parametersSha256 } = await trained(t, other, { workers: 0 })
    assert.notEqual(parametersSha256, known[name])
  })
}

// The updates of every algorithm are compared between engines in pinned.test.ts.
for (const host of Object.values(findHosts())) {
  test(`the command in ${host.name} gives the same bits`, { skip: host.missing }, (t) => {
    const out = join(temporaryDirectory(t), 'run')
    const settings = [`env.id=${env.id}`, ...algorithms.hatrpo, ...tiny, `steps=${ITERATIONS * 80}`]
    const flags = ['--env', env.id, '--algo', 'hatrpo', '--out', out, '--workers', '2']
    const args = [main, 'train', ...flags, '--set', ...settings]
    const { status, stdout, stderr } = spawnSync(host.path, [...host.args, ...args], { encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    assert.equal(stdout.trim().split('\n').at(-1), `parameters sha256 ${known.hatrpo}`)
  })
}

test('mini-batches of the trust region, LayerNorm, standardisation: the same bits with 1 and 3 workers', async (t) => {
  const set = [
    'trustRegion.miniBatches=2',
    'actor.inputNorm=true',
    'actor.standardise=true',
    'actor.agentId=true',
  ]
  const config = tinyConfig({ id: fixture('team') }, ITERATIONS, ...set)
  const [one, three] = await Promise.all([1, 3].map((workers) => trained(t, config, { workers })))
  assert.equal(one.parametersSha256, three.parametersSha256)
})
