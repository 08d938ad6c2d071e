import assert from 'node:assert/strict'
import { join } from 'node:path'
import test from 'node:test'
import { HatrpoError } from '../../src/errors.js'
import { train } from '../../src/training/train.js'
import { fixture, isNarrow, temporaryDirectory, tinyConfig, trained } from './runs.js'

const ITERATIONS = 3
/** The breaking team breaks at step 7 of an episode, in the first rollout. */
const breaking = (options: Record<string, string | number>) => ({ id: fixture('breaking'), ...options })
const restarts = (records: readonly { faults: { workerRestarts: number; brokenSteps: number } }[]) =>
  records.reduce((sum, { faults }) => sum + faults.workerRestarts, 0)

const said = {
  throw: /something is not a function/,
  exit: /exited with code: 3/,
  hang: /made no step for 2 s/,
}

for (const what of ['throw', 'exit', 'hang'] as const) {
  test(`a worker that ${what}s in a rollout does not change the result`, async (t) => {
    const untouched = await trained(t, tinyConfig({ id: fixture('team') }, ITERATIONS), { workers: 0 })
    const once = join(temporaryDirectory(t), 'happened')
    const config = tinyConfig(breaking({ what, once }), ITERATIONS)
    const run = await trained(t, config, { workerPatience: 2000 })
    assert.equal(run.parametersSha256, untouched.parametersSha256)
    assert.equal(run.finished, true)
    assert.equal(restarts(run.records), 1)
    assert.equal(run.events.length, 1, run.events.join('\n'))
    assert.match(run.events[0], said[what])
    assert.match(run.events[0], /in the rollout from step 0, which is done again: the workers were replaced$/)
    assert.deepEqual(untouched.events, [])
  })
}

test('a worker that fails repeatedly ends the run in one line, and the run can be resumed', async (t) => {
  const dir = join(temporaryDirectory(t), 'run')
  // The broken episode is not the first of any environment: some iterations come before it.
  const config = tinyConfig(breaking({ what: 'throw', every: 5 }), 6, 'checkpoint.every=100', 'seed=4')
  const events: string[] = []
  const failing = (resume: boolean) =>
    train({ config, dir, resume, workers: 2, onEvent: (event) => isNarrow(event) || events.push(event) })
  const ends = (error: Error) => {
    assert.ok(error instanceof HatrpoError)
    assert.match(
      error.message,
      /^the rollout from step \d+ failed 3 times; last error: a worker failed \(.*: step\(\) threw TypeError: something is not a function \(.*\.js:\d+\)\)$/,
    )
    return true
  }
  await assert.rejects(failing(false), ends)
  assert.equal(events.length, 2)
  // The iterations before it are kept.
  await assert.rejects(failing(true), ends)
  assert.match(events[2], /^resuming from checkpoint .*00000\d$/)
})

for (const what of ['physics', 'reward', 'observation', 'state'] as const) {
  test(`a broken step (${what}) is reported, counted and excluded, with any number of workers`, async (t) => {
    const config = tinyConfig(breaking({ what, every: 3 }), ITERATIONS, 'rolloutSteps=40')
    const runs = [1, 2].map((workers) => trained(t, config, { workers }))
    const [one, two] = await Promise.all(runs)
    assert.equal(one.parametersSha256, two.parametersSha256)
    assert.deepEqual(one.events, two.events)
    const resets = one.records.reduce((sum, { faults }) => sum + faults.brokenSteps, 0)
    assert.ok(resets > 0)
    assert.equal(one.events.length, resets)
    const named = {
      physics: 'team: a position is not finite',
      reward: 'team: the reward is NaN',
      observation: 'team: the observation of right is not finite',
      state: 'team: the state is not finite',
    }[what]
    for (const event of one.events) {
      assert.match(event, /^environment \d, step \d+: /)
      assert.ok(event.endsWith(`: ${named}; the environment was reset`), event)
    }
    assert.equal(restarts(one.records), 0)
    // All ways to break at the same steps leave the same steps to learn from.
    const other = tinyConfig(breaking({ what: 'physics', every: 3 }), ITERATIONS, 'rolloutSteps=40')
    assert.equal((await trained(t, other, { workers: 0 })).parametersSha256, one.parametersSha256)
  })
}

test('a policy whose action is not finite is reported, counted and excluded', async (t) => {
  const set = ['rolloutSteps=40', 'actor.standardise=false', 'actor.inputNorm=false']
  const config = tinyConfig(breaking({ what: 'policy', every: 3 }), ITERATIONS, ...set)
  const [one, two] = await Promise.all([1, 2].map((workers) => trained(t, config, { workers })))
  assert.ok(one.events.length > 0)
  for (const event of one.events)
    assert.match(
      event,
      /^environment \d, step \d+: the policy of right gave a non-finite action; the environment was reset$/,
    )
  assert.equal(one.parametersSha256, two.parametersSha256)
  assert.ok(one.records.every(({ agents }) => agents.every(({ accepted }) => accepted)))
})

test('an environment that breaks repeatedly ends the run in one line', async (t) => {
  const config = tinyConfig(breaking({ what: 'physics', every: 1 }), ITERATIONS, 'rolloutSteps=40')
  await assert.rejects(trained(t, config), {
    name: 'HatrpoError',
    message: /^environment \d, step 31: team: a position is not finite, again after 3 resets: giving up$/,
  })
})

test('a broken evaluation episode is restarted; one that always breaks ends the run', async (t) => {
  const evaluated = (every: number) => {
    const set = ['evaluation.every=1', 'evaluation.episodes=12', 'rolloutSteps=5']
    return tinyConfig(breaking({ what: 'reward', every }), 1, 'steps=20', ...set)
  }
  const [one, two] = await Promise.all([1, 2].map((workers) => trained(t, evaluated(3), { workers })))
  assert.ok(one.events.length > 0)
  for (const event of one.events)
    assert.match(
      event,
      /^evaluation episode \d+, step 7: team: the reward is NaN; the episode was started again$/,
    )
  assert.deepEqual(one.evaluation, two.evaluation)
  assert.deepEqual(one.events, two.events)
  assert.ok(Number.isFinite(one.evaluation?.mean))
  await assert.rejects(trained(t, evaluated(1), { workers: 0 }), {
    message: /^evaluation episode \d+, step 7: team: the reward is NaN, again after 3 resets: giving up$/,
  })
})
