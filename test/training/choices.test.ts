// Training on discrete and multi-discrete actions with masks, where agents leave one by one.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import test from 'node:test'
import { exportPolicies } from '../../src/index.js'
import { evaluate } from '../../src/training/evaluate.js'
import { course } from './command.js'
import { fixture, temporaryDirectory, tinyConfig, trained } from './runs.js'

const env = { id: fixture('skirmish') }
const raw = ['actor', 'critic'].flatMap((who) => [`${who}.standardise=false`, `${who}.inputNorm=false`])
const settings = {
  hatrpo: ['algo=hatrpo', 'trustRegion.delta=0.02'],
  happo: ['algo=happo', 'clipped.lr=0.003', 'clipped.epochs=5', 'clipped.miniBatches=2'],
}

for (const algo of ['hatrpo', 'happo'] as const) {
  test(`${algo} learns to win a skirmish, and its bundle fights as it does`, async (t) => {
    const dir = join(temporaryDirectory(t), 'run')
    const rollouts = ['envs=16', 'rolloutSteps=30', `steps=${20 * 16 * 30}`]
    const networks = ['actor.hidden=[16]', 'critic.hidden=[16]', 'critic.lr=0.005', ...raw]
    const evaluation = ['evaluation.every=1000', 'evaluation.episodes=100']
    const config = tinyConfig(env, 1, ...settings[algo], ...rollouts, ...networks, ...evaluation)
    const { records, evaluation: final, events } = await trained(t, config, { dir })
    assert.deepEqual(events, [])
    t.diagnostic(`${records[0].episodeReturn!.mean} at first, ${final!.mean} at last`)
    assert.ok(final!.mean > records[0].episodeReturn!.mean + 0.5)
    assert.ok(records.at(-1)!.agents.every(({ entropy }) => entropy > 0 && entropy < 1.2))

    const out = join(dir, '../bundle')
    await exportPolicies({ run: dir, out, format: 'wasm', checkpoint: 'latest' })
    const [ofRun, ofBundle] = await Promise.all(
      [dir, out].map((source) => evaluate({ source, episodes: 20, seed: 9, workers: 0 })),
    )
    assert.deepEqual(ofBundle.returns, ofRun.returns)
    assert.ok(new Set(ofRun.returns).size > 1)
  })
}

for (const [name, set] of Object.entries({
  hatrpo: [...settings.hatrpo, 'trustRegion.solver=fast'],
  happo: settings.happo,
})) {
  test(`${name}: workers and stops in between change no bit of a run with masks`, async (t) => {
    const config = tinyConfig(env, 4, ...set, 'checkpoint.every=1')
    const dir = join(temporaryDirectory(t), 'run')
    const whole = await trained(t, config, { dir, workers: 1 })
    const stopped = join(dir, '../stopped')
    const controller = new AbortController()
    const onIteration = ({ iteration }: { iteration: number }) => {
      if (iteration === 2) controller.abort()
    }
    const part = await trained(t, config, {
      dir: stopped,
      workers: 2,
      signal: controller.signal,
      onIteration,
    })
    assert.equal(part.finished, false)
    const rest = await trained(t, config, { dir: stopped, workers: 2, resume: true })
    assert.equal(rest.parametersSha256, whole.parametersSha256)
    assert.deepEqual(course(stopped), course(dir))
  })
}

test('an agent that plays and has no available action is an error of the environment', async (t) => {
  const config = tinyConfig({ ...env, stuck: 3 }, 1)
  await assert.rejects(
    trained(t, config, { workers: 0 }),
    /skirmish: first has no available action while it plays: availableActions must allow one, or active be 0/,
  )
})
