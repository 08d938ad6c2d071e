import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import type { HostArray } from '../../src/devices/tensor.js'
import { attachHead } from '../../src/learner/heads/table.js'
import { Network } from '../../src/nn/network.js'
import type { AgentColumn } from '../../src/rollout/columns.js'
import { freshProgress } from '../../src/rollout/index.js'
import { evaluate } from '../../src/training/evaluate.js'
import { exportPolicies } from '../../src/training/export.js'
import { ALL_NEEDS, ENVS, open, STEPS } from '../rollout/setup.js'
import { course } from './command.js'
import { EPISODE } from './fixtures/cue.js'
import { fixture, temporaryDirectory, tinyConfig, trained } from './runs.js'

// Two numbers less their mean, over their deviation, are only ever 1 and -1.
const raw = ['actor', 'critic'].flatMap((who) => [`${who}.standardise=false`, `${who}.inputNorm=false`])
const memoryOf = (...networks: readonly ('actor' | 'critic')[]) =>
  networks.flatMap((who) => [`${who}.gruLayers=1`, `${who}.gruSize=6`, `${who}.chunk=10`])
/** Episodes that a rollout of 20 steps cuts, longer than a chunk by less than another. */
const cut = { id: fixture('cue'), limit: 13 }
const ITERATIONS = 3

const methods = {
  hatrpo: [
    ...memoryOf('actor', 'critic'),
    ...['trustRegion.miniBatches=2', 'actor.gruLayers=2', 'critic.miniBatches=4', 'critic.chunk=5'],
  ],
  mappo: [
    ...memoryOf('actor'),
    ...['actor.sharing=shared', 'actor.agentId=true', 'clipped.miniBatches=2', 'advantageNorm=agent'],
  ],
  // Feed-forward policies beside recurrent critics.
  itrpo: memoryOf('critic'),
}

for (const [algo, set] of Object.entries(methods)) {
  test(`${algo}: the bits of a recurrent run depend neither on workers nor on interruptions`, async (t) => {
    const whole = tinyConfig(cut, ITERATIONS, `algo=${algo}`, ...set, ...raw, 'checkpoint.every=1')
    const dir = join(temporaryDirectory(t), 'whole')
    const expected = await trained(t, whole, { workers: 2, dir })
    const broken = join(temporaryDirectory(t), 'broken')
    const stop = new AbortController()
    const onIteration = ({ iteration }: { iteration: number }) => iteration === 2 && stop.abort()
    const { signal } = stop
    const part = await trained(t, whole, { workers: 0, dir: broken, signal, onIteration })
    assert.equal(part.finished, false)
    // As after a kill in the second iteration.
    rmSync(join(broken, 'checkpoints', '000002'), { recursive: true })
    const rest = await trained(t, whole, { workers: 0, dir: broken, resume: true })
    assert.equal(rest.parametersSha256, expected.parametersSha256)
    assert.deepEqual(course(broken), course(dir))
  })
}

test('chunks from the recorded states have the log-probabilities of the rollout, bit for bit', async () => {
  const needs = { ...ALL_NEEDS, byEnvironment: true }
  // Episodes that end, are cut and break, in the middle of chunks.
  const env = { id: fixture('breaking'), what: 'policy', every: 2 }
  const { host, storage, source, specs, policies, parameters } = await open(0, env, { needs })
  try {
    const { progress } = await source.collect(policies, freshProgress(ENVS), 0)
    await source.collect(policies, progress, STEPS)
    const { valid, episodeStarts } = storage.team
    specs.forEach((spec, i) => {
      const [rows, chunk] = [storage.rows, STEPS / 2]
      const network = new Network(host, spec, rows, chunk)
      const head = attachHead(host, network, parameters[i])
      const column = (name: AgentColumn) => host.mirror(storage.agentColumn(name, [i])).tensor
      const sequence = { states: column('hidden'), starts: host.mirror(episodeStarts).tensor }
      const logProb = host.tensor('f32', rows)
      const forward = network.forward(parameters[i], { raw: column('observations'), sequence })
      const steps = [...forward, ...head.logProb(column('actions'), logProb)]
      host.run(host.compile({ setup: head.setup(), rows: steps }, rows), rows)
      const counted = (values: HostArray) => Array.from(values).filter((_, r) => valid[r] !== 0)
      assert.deepEqual(counted(host.read(logProb)), counted(storage.agentColumn('logProb', [i])))
    })
    const marks = Array.from({ length: storage.rows }, (_, r) => r).filter((r) => episodeStarts[r] !== 0)
    assert.ok(marks.some((r) => r % (STEPS / 2) !== 0) && valid.includes(0))
    const states = storage.agentColumn('hidden', [0])
    assert.ok(
      marks.every((r) => states.subarray(r * needs.hidden, (r + 1) * needs.hidden).every((h) => h === 0)),
    )
  } finally {
    await source.close()
  }
})

test('agents learn to remember an observation, and so do their exported policies', async (t) => {
  const rollouts = ['envs=16', 'rolloutSteps=20', `steps=${20 * 320}`]
  const networks = ['actor.hidden=[8]', 'critic.hidden=[16]', 'trustRegion.delta=0.03', 'critic.lr=0.005']
  const config = tinyConfig(
    { id: fixture('cue') },
    1,
    ...memoryOf('actor', 'critic'),
    ...raw,
    ...networks,
    ...rollouts,
  )
  const dir = join(temporaryDirectory(t), 'run')
  const { records } = await trained(t, config, { dir, workers: 0 })
  const { mean, returns } = await evaluate({ source: dir, episodes: 100, seed: 7, workers: 0 })
  // Without memory the mean return is at most 0, with it at most EPISODE - 1.
  t.diagnostic(`first ${records[0].episodeReturn!.mean}, evaluated at ${mean}`)
  assert.ok(mean > (EPISODE - 1) / 2, `evaluated at ${mean}`)

  const bundle = join(temporaryDirectory(t), 'bundle')
  await exportPolicies({ run: dir, out: bundle, format: 'wasm', checkpoint: 'latest' })
  const exported = await evaluate({ source: bundle, episodes: 100, seed: 7 })
  assert.deepEqual(exported.returns, returns)
})
