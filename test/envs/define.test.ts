import assert from 'node:assert/strict'
import test from 'node:test'
import {
  box,
  checkEnv,
  defineEnv,
  RandomStream,
  RUNNING,
  TERMINATED,
  TRUNCATED,
  type EnvSpec,
} from '../../src/envs/index.js'
import { corridor, LENGTH, LIMIT } from './corridor.js'

const spec: EnvSpec = {
  id: 'counter',
  agents: [{ id: 'one', observation: box(1), action: box(1, -1, 1) }],
  stateSize: 1,
  timeLimit: 3,
  mode: 'cooperative',
}

/** Sums the actions; ends at 2. */
const counter = defineEnv({
  spec,
  memory: () => ({ sum: new Float64Array(1) }),
  reset: () => {},
  step({ memory: { sum }, actions, rewards, steps }) {
    sum[0] += actions[0][0]
    rewards[0] += steps
    return sum[0] >= 2 ? TERMINATED : RUNNING
  },
  observe({ memory: { sum }, observations, state }) {
    observations[0][0] = state[0] = sum[0]
  },
})

test('steps are counted, and the episode is truncated at the time limit', () => {
  const env = counter()
  env.reset(1)
  env.actions[0][0] = 0.25
  assert.deepEqual([env.step(), env.step(), env.step()], [RUNNING, RUNNING, TRUNCATED])
  // `steps` are those taken before; rewards start from 0 in every step.
  assert.equal(env.rewards[0], 2)
  assert.equal(env.state[0], 0.75)
})

test('an end by the definition takes precedence over the time limit in its last step', () => {
  const env = counter()
  env.reset(1)
  env.actions[0][0] = 1
  assert.deepEqual([env.step(), env.step()], [RUNNING, TERMINATED])
  env.reset(1)
  env.actions[0][0] = 0.75
  assert.deepEqual([env.step(), env.step(), env.step()], [RUNNING, RUNNING, TERMINATED])
})

test('a step outside an episode is refused', () => {
  const env = counter()
  const refused = {
    name: 'HatrpoError',
    message: 'counter: step() outside an episode: call reset(seed) first',
  }
  assert.throws(() => env.step(), refused)
  env.reset(1)
  env.actions[0][0] = 2
  assert.equal(env.step(), TERMINATED)
  assert.throws(() => env.step(), refused)
  env.reset(1)
  assert.equal(env.state[0], 0)
})

test('after a step that throws, the environment must be reset', () => {
  let broken = true
  const env = defineEnv({
    spec,
    memory: () => ({}),
    reset: () => {},
    step: () => {
      if (broken) throw new TypeError('oops')
      return RUNNING
    },
    observe: () => {},
  })()
  env.reset(1)
  assert.throws(() => env.step(), TypeError)
  broken = false
  assert.throws(() => env.step(), /call reset\(seed\) first/)
  env.reset(1)
  assert.equal(env.step(), RUNNING)
})

test('every environment has separate memory and views', () => {
  const [a, b] = [counter(), counter()]
  a.reset(1)
  b.reset(1)
  a.actions[0][0] = 0.5
  b.actions[0][0] = 0.125
  a.step()
  b.step()
  assert.deepEqual([a.state[0], b.state[0]], [0.5, 0.125])
})

test('a saved state restores memory, random numbers, steps and views, and is a copy', () => {
  const env = corridor()
  env.reset(9)
  const act = () => {
    env.actions[2][0] = 1
    env.actions[0][0] = env.actions[1][0] = 2
    return env.step()
  }
  act()
  const saved = env.saveState!()
  const kept = saved.slice()
  const course = () => {
    const seen: number[] = []
    for (let end = RUNNING as number; end === RUNNING;) seen.push((end = act()), ...env.state, ...env.rewards)
    return seen
  }
  const first = course()
  assert.deepEqual(saved, kept)
  const other = corridor()
  other.loadState!(saved)
  assert.deepEqual(
    other.observations.map((view) => view[0]),
    [other.state[0], other.state[1], other.state[0]],
  )
  env.loadState!(saved)
  assert.deepEqual(course(), first)
  assert.throws(() => env.loadState!(saved.subarray(1)), /corridor: saved state has \d+ bytes, must have \d+/)
})

test('the definition receives options', () => {
  assert.equal(corridor().spec.timeLimit, LIMIT)
  assert.equal(corridor({ limit: 4 }).spec.timeLimit, 4)
})

test('check-env finds nothing in defined environments, with masks and leaving agents', async () => {
  const report = await checkEnv(() => corridor(), { episodes: 20 })
  assert.deepEqual(report.findings, [])
  assert.deepEqual(new Set(report.episodes.map(({ end }) => end)), new Set(['terminated', 'truncated']))
  assert.ok(report.episodes.every(({ returns }) => returns[0] <= 1 && returns[1] <= 1))
  assert.equal(LENGTH, 5)
})

test('a random stream continues from a saved state', () => {
  const stream = new RandomStream(2 ** 40 + 7, 3)
  for (let k = 0; k < 7; k++) stream.uniform()
  const words = new Uint32Array(RandomStream.SAVED_WORDS)
  stream.save(words)
  const next = Array.from({ length: 9 }, () => stream.normal())
  const other = new RandomStream(1, 1)
  other.load(words)
  assert.deepEqual(
    Array.from({ length: 9 }, () => other.normal()),
    next,
  )
})
