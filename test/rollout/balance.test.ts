// A rollout that one worker begins and others end.
import assert from 'node:assert/strict'
import test from 'node:test'
import { EnvContext, loadEnvFactory, type EnvConfig } from '../../src/envs/index.js'
import { Collector } from '../../src/rollout/collector.js'
import { freshProgress } from '../../src/rollout/index.js'
import { Balance, type Workers } from '../../src/rollout/local/balance.js'
import type { CollectResult, CollectTask } from '../../src/rollout/messages.js'
import { collectTasks, joinRollout, workerSetup } from '../../src/rollout/source.js'
import { fixture } from '../training/runs.js'
import { ALL_NEEDS, ENVS, open, recorded, SEED, STEPS } from './setup.js'

/**
 * A rollout on this thread in which all environments are moved before certain steps. @returns its records and reports
 */
async function collectInParts(env: EnvConfig, cuts: readonly number[]) {
  const { host, storage, source, policies } = await open(0, env, { needs: ALL_NEEDS })
  const setup = workerSetup(host, storage, 1, { workers: 1, envs: ENVS, seed: SEED, env, oneReward: true })
  let [task] = collectTasks(source.shares, policies, freshProgress(ENVS), 0, storage)
  const results: CollectResult[] = []
  for (const cut of [...cuts, STEPS]) {
    const { create } = await loadEnvFactory(env)
    const context = new EnvContext()
    const envs = await Promise.all(Array.from({ length: ENVS }, () => create(context)))
    let step = task.from
    const stopped = () => step++ === cut
    const result = new Collector(host.kernels, envs, setup, { pulse: () => {}, stopped }).collect(task)
    assert.equal(result.to, cut)
    results.push({ ...result, restarts: [] })
    task = { ...task, courses: result.courses, from: result.to }
    for (const each of envs) each.dispose?.()
  }
  await source.close()
  const { progress, episodes, faults } = joinRollout(results, 1)
  const columns = recorded(storage).map(({ name, values }) => [name, [...values]])
  return { progress, episodes, faults, columns }
}

for (const [what, env] of [
  ['ends and truncations', { id: fixture('rough'), edge: 0.8 }],
  // Not moved between a broken step and its reset, because the fixture does not save the broken state.
  ['broken steps', { id: fixture('breaking'), what: 'policy', every: 2 }],
] as const) {
  test(`moving environments to another worker within a rollout changes nothing: ${what}`, async () => {
    const whole = await collectInParts(env, [])
    assert.ok(whole.episodes.length + whole.faults.length > 0)
    assert.deepEqual(await collectInParts(env, [0, 5, 6, 11, 19]), whole)
  })
}

/** Workers whose tasks a test finishes. */
function workersUnderTest(count: number) {
  const started: { task: CollectTask; finish: (to: number, restore?: number) => void }[] = []
  const workers: Workers = {
    pulses: new Int32Array(count),
    stops: new Int32Array(count),
    run: (task) =>
      new Promise((resolve) => {
        const finish = (to: number, restore = 0) =>
          resolve({
            first: task.first,
            courses: task.courses,
            to,
            episodes: [],
            faults: [],
            restarts: [],
            time: { physics: 0, policy: 0, restore, total: 0 },
          })
        started.push({ task, finish })
      }),
  }
  return { workers, started }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

/** Tasks of `count` workers with 4 environments each. */
function tasksOf(count: number): CollectTask[] {
  const counters = { episode: 0, episodeReturn: 0, episodeSteps: 0, truncations: 0, broken: 0 }
  const course = { state: null, ...counters, hidden: new Float32Array() }
  return Array.from({ length: count }, (_, worker) => ({
    kind: 'collect',
    worker,
    first: 4 * worker,
    courses: Array.from({ length: 4 }, () => course),
    from: 0,
    startStep: 0,
    policies: [],
  }))
}

/** A balance that has seen a rollout, in which an environment took `move` ms to be restored. */
async function balanceThatKnows(move: number, workers: number): Promise<Balance> {
  const balance = new Balance(1000)
  const first = workersUnderTest(workers)
  const collected = balance.collect(tasksOf(workers), first.workers)
  for (const { finish } of first.started) {
    await settled()
    assert.deepEqual([...first.workers.stops], Array(workers).fill(0), 'nothing is known of the cost yet')
    finish(1000, 4 * move)
  }
  await collected
  return balance
}

const sharesOf = (started: readonly { task: CollectTask }[]) =>
  started.map(({ task: { worker, first, courses, from } }) => [worker, first, courses.length, from])

test('the remaining environments of the slowest worker are divided among the finished ones', async () => {
  const balance = await balanceThatKnows(0, 3)
  const { workers, started } = workersUnderTest(3)
  const collected = balance.collect(tasksOf(3), workers)
  await new Promise((resolve) => setTimeout(resolve, 5))
  // Environments are restored first: 400 and 40 steps of 4 environments.
  workers.pulses.set([0, 4 + 1600, 4 + 160])
  started[0].finish(1000)
  await settled()
  assert.deepEqual([...workers.stops], [0, 0, 1])
  started[1].finish(1000)
  await settled()
  started[2].finish(41)
  await settled()
  assert.deepEqual([...workers.stops], [0, 0, 0])
  assert.deepEqual(sharesOf(started.slice(3)), [
    [0, 8, 1, 41],
    [1, 9, 1, 41],
    [2, 10, 2, 41],
  ])
  for (const { finish } of started.slice(3)) finish(1000)
  const results = await collected
  assert.deepEqual(
    results.map(({ first, to }) => [first, to]),
    [
      [0, 1000],
      [4, 1000],
      [8, 41],
      [8, 1000],
      [9, 1000],
      [10, 1000],
    ],
  )
})

test('a worker that finishes despite a request to end early leaves nothing to share', async () => {
  const balance = await balanceThatKnows(0, 2)
  const { workers, started } = workersUnderTest(2)
  const collected = balance.collect(tasksOf(2), workers)
  await new Promise((resolve) => setTimeout(resolve, 5))
  workers.pulses[1] = 4 + 40
  started[0].finish(1000)
  await settled()
  assert.deepEqual([...workers.stops], [0, 1])
  started[1].finish(1000)
  assert.equal((await collected).length, 2)
  assert.deepEqual([...workers.stops], [0, 0])
})

test('environments that take long to restore are not moved', async () => {
  const balance = await balanceThatKnows(1e6, 2)
  const { workers, started } = workersUnderTest(2)
  const collected = balance.collect(tasksOf(2), workers)
  await new Promise((resolve) => setTimeout(resolve, 5))
  workers.pulses[1] = 4 + 40
  started[0].finish(1000)
  await settled()
  assert.deepEqual([...workers.stops], [0, 0])
  started[1].finish(1000)
  await collected
})

test('the error of a task is that of the rollout', async () => {
  const { workers } = workersUnderTest(2)
  const fails = { ...workers, run: () => Promise.reject(new Error('a worker failed')) }
  await assert.rejects(new Balance(10).collect(tasksOf(2), fails), /^Error: a worker failed$/)
})
