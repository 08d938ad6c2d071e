// Properties of a run that connect its parts: what reaches the learner from the rollout, from the configuration, and from
// the schedule. Each compares runs that must agree, or must not.
import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { evaluate, type EvaluationRecord } from '../../src/index.js'
import { fixture, tinyConfig, trained } from './runs.js'

const plainInput = ['actor.standardise=false', 'critic.standardise=false']
const modes = ['bootstrap', 'harl', 'terminate'] as const

/** Trains on the cart of fixtures/rough, which counts its own episodes: one worker, so that carts keep their numbers. */
function run(t: TestContext, iterations: number, options: Record<string, number | string>, ...set: string[]) {
  const config = tinyConfig({ id: fixture('rough'), ...options }, iterations, ...plainInput, ...set)
  return trained(t, config, { workers: 1 })
}

/** One iteration, in which every environment makes one whole episode, cut off by its time limit. */
async function oneEpisode(
  t: TestContext,
  truncation: (typeof modes)[number],
  options: { final?: number; restart?: number } = {},
): Promise<string> {
  const env = { limit: 6, edge: 100, ...options }
  const set = ['rolloutSteps=6', 'steps=24', `truncation=${truncation}`]
  const { parametersSha256, records } = await run(t, 1, env, ...set)
  assert.equal(records[0].episodeReturn?.count, 4)
  return parametersSha256
}

test('the target of a step at a time limit includes the value of its final state, and not of the next episode', async (t) => {
  const plain = await oneEpisode(t, 'bootstrap')
  assert.notEqual(await oneEpisode(t, 'bootstrap', { final: 1 }), plain)
  assert.equal(await oneEpisode(t, 'bootstrap', { restart: 1 }), plain)
})

test('with harl and terminate, the target at a time limit includes no value, and the two differ', async (t) => {
  const plain = new Map<string, string>()
  for (const truncation of modes) plain.set(truncation, await oneEpisode(t, truncation))
  assert.equal(new Set(plain.values()).size, modes.length)
  for (const truncation of ['harl', 'terminate'] as const) {
    const other = await oneEpisode(t, truncation, { final: 1, restart: 1 })
    assert.equal(other, plain.get(truncation), truncation)
  }
})

test('an evaluation during training gives the returns of the policies in its checkpoint', async (t) => {
  const evaluations: EvaluationRecord[] = []
  const set = ['evaluation.every=1', 'evaluation.episodes=2', 'checkpoint.keepEvery=1', ...plainInput]
  // Without noise and with one initial state, every episode of a policy has the same return for any seed.
  const config = tinyConfig({ id: fixture('rough'), start: 0.5, noise: 0 }, 3, ...set)
  const { dir } = await trained(t, config, {
    workers: 0,
    onEvaluation: (record) => evaluations.push(record),
  })
  assert.deepEqual(
    evaluations.map(({ iteration }) => iteration),
    [1, 2, 3],
  )
  for (const { iteration, returns } of evaluations) {
    const again = await evaluate({ source: dir, checkpoint: iteration, episodes: 2, seed: 7, workers: 0 })
    assert.deepEqual(again.returns, returns, `iteration ${iteration}`)
  }
  assert.equal(new Set(evaluations.map(({ mean }) => mean)).size, 3, 'no two policies have the same return')
})

/** A clipped update with a learning rate that moves no weight: rollouts depend on the iteration alone. */
const frozenActors = ['algo=happo', 'clipped.lr=1e-30']

async function criticRecords(t: TestContext, ...set: string[]) {
  const { records } = await run(t, 4, {}, ...frozenActors, ...set)
  return records.map(({ critic }) => critic)
}

test("the critic's learning rate is full in the first iteration and falls from the second on", async (t) => {
  // With one epoch, an iteration's loss is that of the parameters before its step.
  const set = ['critic.epochs=1', 'critic.lr=0.01']
  const constant = await criticRecords(t, ...set)
  const decaying = await criticRecords(t, ...set, 'clipped.lrDecay=true')
  assert.deepEqual(decaying.slice(0, 2), constant.slice(0, 2))
  assert.notEqual(decaying[2].loss, constant[2].loss)
})

test('the critic is clipped by its own setting, not by that of the policies', async (t) => {
  const set = ['critic.lr=0.01', 'critic.clip=0.01']
  const records = await criticRecords(t, ...set, 'clipped.clip=0.1')
  assert.deepEqual(await criticRecords(t, ...set, 'clipped.clip=0.3'), records)
  const wide = await criticRecords(t, 'critic.lr=0.01', 'critic.clip=10', 'clipped.clip=0.1')
  assert.notDeepEqual(wide, records)
  assert.notDeepEqual(await criticRecords(t, 'critic.lr=0.01', 'critic.clippedLoss=false'), records)
})

for (const algo of ['hatrpo', 'happo']) {
  test(`${algo}: observations of an agent after it has left do not affect learning`, async (t) => {
    const set = [`algo=${algo}`, 'critic.miniBatches=2']
    const { parametersSha256, records } = await run(t, 3, { leaves: 3 }, ...set)
    const other = await run(t, 3, { leaves: 3, gone: 5 }, ...set)
    assert.deepEqual(
      other.records.map(({ agents }) => agents),
      records.map(({ agents }) => agents),
    )
    assert.equal(other.parametersSha256, parametersSha256)
    const stays = await run(t, 3, { leaves: 100 }, ...set)
    assert.notEqual(stays.parametersSha256, parametersSha256)
  })
}
