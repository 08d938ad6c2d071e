import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'node:test'
import { loadEnvFactory } from '../../src/envs/index.js'
import { freshProgress } from '../../src/rollout/index.js'
import { RolloutPool } from '../../src/rollout/local/pool.js'
import { WorkerThreads } from '../../src/rollout/local/threads.js'
import { PulseWatch } from '../../src/rollout/local/watch.js'
import { TeamLearner } from '../../src/training/learner.js'
import { fixture, tinyConfig } from './runs.js'

const config = tinyConfig({ id: fixture('team') }, 1)
const starts = freshProgress(config.envs)

/** Words of the control block of shared updates (assembly/threads.ts). */
const [NEXT, TICKETS, GENERATION, PROGRAM] = [0, 1, 3, 4]

test('a helper that fails while it has no work of the update is replaced, and the update remains valid', async () => {
  const { spec } = await loadEnvFactory(config.env)
  const learner = await TeamLearner.create(config, spec)
  const events: string[] = []
  const { host } = learner
  const onEvent = (message: string) => events.push(message)
  const options = { workers: 2, envs: config.envs, seed: 1, env: config.env, oneReward: true, onEvent }
  const pool = new RolloutPool(host, learner.storage, new WorkerThreads(options), options)
  try {
    const policies = learner.workerPolicies(pool.shares.map(({ count }) => count))
    policies.prepare()
    const first = await pool.collect(policies, starts, 0)
    const control = new Int32Array(host.kernels.memory.buffer, host.control, 6)
    const outcome = await pool.assist(async () => {
      // A program beyond the memory: the helper that takes its ticket traps.
      Atomics.store(control, PROGRAM, -16)
      Atomics.store(control, NEXT, 0)
      Atomics.store(control, TICKETS, 1)
      Atomics.add(control, GENERATION, 1)
      Atomics.notify(control, GENERATION)
      while (Atomics.load(control, NEXT) === 0) await sleep(5)
      return 'updated'
    })
    assert.equal(outcome, 'updated')
    assert.equal(pool.restarts, 1)
    assert.deepEqual(events, [
      'a worker failed (memory access out of bounds) while it helped with an update: the workers were replaced',
    ])
    const { progress, episodes } = await pool.collect(policies, starts, 0)
    assert.deepEqual({ progress, episodes }, { progress: first.progress, episodes: first.episodes })
    await assert.rejects(
      pool.assist(() => Promise.reject(new Error('the update itself failed'))),
      /the update itself failed/,
    )
  } finally {
    await pool.close()
  }
})

test('a worker counts as hanging if it makes no step, not if it takes long', async () => {
  const pulses = new Int32Array(new SharedArrayBuffer(8))
  const hung = new Array<number>()
  // The first worker steps on; the second stops when it has begun, and a third that has not begun is given a minute.
  const watch = new PulseWatch(pulses, 200, (worker) => hung.push(worker))
  const stepping = setInterval(() => Atomics.add(pulses, 0, 1), 10)
  await sleep(800)
  assert.equal(hung.length, 0, 'the second has not begun')
  Atomics.store(pulses, 1, 1)
  await sleep(800)
  assert.deepEqual(hung, [1])
  watch.stop()

  Atomics.store(pulses, 1, 1)
  const answered = new PulseWatch(pulses, 200, (worker) => hung.push(worker))
  answered.answered(1)
  await sleep(800)
  clearInterval(stepping)
  answered.stop()
  assert.deepEqual(hung, [1], 'a worker that has answered is left alone')
})
