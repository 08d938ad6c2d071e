// Training on discrete and multi-discrete actions with masks, where agents leave one by one.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import test from 'node:test'
import { exportPolicies } from '../../src/index.js'
import { evaluate } from '../../src/training/evaluate.js'
import { fixture, temporaryDirectory, tinyConfig, trained } from './runs.js'

const env = { id: fixture('outpost') }
const raw = ['actor', 'critic'].flatMap((who) => [`${who}.standardise=false`, `${who}.inputNorm=false`])
const settings = {
  hatrpo: ['algo=hatrpo', 'trustRegion.delta=0.02'],
  happo: ['algo=happo', 'clipped.lr=0.003', 'clipped.epochs=5', 'clipped.miniBatches=2'],
}

for (const algo of ['hatrpo', 'happo'] as const) {
  test(`${algo} learns to hold an outpost, and its bundle acts the same`, async (t) => {
    const dir = join(temporaryDirectory(t), 'run')
    const rollouts = ['envs=16', 'rolloutSteps=30', `steps=${20 * 16 * 30}`]
    const networks = ['actor.hidden=[16]', 'critic.hidden=[16]', 'critic.lr=0.005', ...raw]
    const evaluation = ['evaluation.every=1000', 'evaluation.episodes=100']
    const config = tinyConfig(env, 1, ...settings[algo], ...rollouts, ...networks, ...evaluation)
    const { records, evaluation: final, events } = await trained(t, config, { dir, workers: 0 })
    assert.deepEqual(events, [])
    t.diagnostic(`${records[0].episodeReturn!.mean} at first, ${final!.mean} at last`)
    assert.ok(final!.mean > records[0].episodeReturn!.mean + 0.5)
    assert.ok(records.at(-1)!.agents.every(({ entropy = NaN }) => entropy > 0 && entropy < 1.2))

    const out = join(dir, '../bundle')
    await exportPolicies({ run: dir, out, format: 'wasm', checkpoint: 'latest' })
    const [ofRun, ofBundle] = await Promise.all(
      [dir, out].map((source) => evaluate({ source, episodes: 20, seed: 9, workers: 0 })),
    )
    assert.deepEqual(ofBundle.returns, ofRun.returns)
    assert.ok(new Set(ofRun.returns).size > 1)
  })
}

test('agents with discrete actions share a policy: the same bits with 1 and 2 workers', async (t) => {
  const shared = ['algo=mappo', 'actor.sharing=shared', 'clipped.miniBatches=2']
  const config = tinyConfig({ id: 'games/skirmish', archers: 3, guards: 0 }, 3, ...shared)
  const [one, two] = await Promise.all([1, 2].map((workers) => trained(t, config, { workers })))
  assert.equal(one.parametersSha256, two.parametersSha256)
})

test('one policy for the team chooses for all, including dead units without choices', async (t) => {
  const { finished, events } = await trained(t, tinyConfig(env, 2, 'algo=trpo'), { workers: 0 })
  assert.deepEqual([finished, events], [true, []])
})

test('an active agent without an available action is an error of the environment', async (t) => {
  const config = tinyConfig({ ...env, stuck: 3 }, 1)
  await assert.rejects(
    trained(t, config, { workers: 0 }),
    /outpost: first is active and has no available action: availableActions must allow one, or active be 0/,
  )
})
