import assert from 'node:assert/strict'
import test from 'node:test'
import { openHost } from '../../src/devices/open.js'
import { RUNNING, type MultiAgentEnv } from '../../src/envs/index.js'
import { Actors } from '../../src/rollout/acting.js'
import { BASIC_NEEDS } from '../../src/rollout/columns.js'
import { RolloutStorage } from '../../src/rollout/index.js'
import { Recorder } from '../../src/rollout/recorder.js'
import { corridor, LIMIT } from '../envs/corridor.js'

const ENVS = 2

/** A recorder of two corridors for two steps, whose agents chose 10 i + the row, with the log-probability -i. */
async function setup() {
  const host = await openHost()
  const env: MultiAgentEnv = corridor({})
  env.reset(1)
  const storage = new RolloutStorage(host, env.spec, ENVS, 2, BASIC_NEEDS)
  const policies = env.spec.agents.map(({ observation }, i) => {
    const width = [1, 2, 1][i]
    const place = (type: 'f32' | 'i32' | 'u8', length: number, fill: (k: number) => number) => {
      const tensor = host.tensor(type, length)
      host.write(
        tensor,
        Array.from({ length }, (_, k) => fill(k)),
      )
      return host.addressOf(tensor)
    }
    return {
      sample: 0,
      mode: 0,
      observations: place('f32', ENVS * observation.size, () => 0),
      available: place('u8', ENVS * 5, () => 1),
      choices: [3, 5, 0][i],
      streams: place('i32', ENVS, () => 0),
      steps: place('i32', ENVS, () => 0),
      actions: place('f32', ENVS * width, (k) => 10 * i + k),
      actionWidth: width,
      logProb: place('f32', ENVS, () => -i),
      states: 0,
      next: 0,
      stateWidth: 0,
    }
  })
  const actors = new Actors(host.kernels, env.spec.agents, policies, ENVS)
  const recorder = new Recorder(host.kernels.memory.buffer, storage.layout)
  const instant = (k: number) => ({ env, actors, k, starts: true, end: RUNNING })
  return { env, storage, recorder, instant }
}

test('discrete actions are recorded as indices, with a mask of available ones', async () => {
  const { env, storage, recorder, instant } = await setup()
  const masks = env.availableActions!
  assert.deepEqual(
    masks.map(({ length }) => length),
    [3, 5, 0],
  )
  masks[0].set([0, 1, 1])
  masks[1].set([1, 0, 1, 1, 0])
  recorder.choice(1, instant(1))
  assert.deepEqual([...storage.agentColumn('availableActions', [0])].slice(3, 6), [0, 1, 1])
  assert.deepEqual([...storage.agentColumn('availableActions', [1])].slice(5, 10), [1, 0, 1, 1, 0])
  assert.equal(storage.agentColumn('availableActions', [2]).length, 0, 'a Box has no mask')
  assert.deepEqual([...storage.agentColumn('actions', [0])].slice(0, 2), [0, 1])
  assert.deepEqual([...storage.agentColumn('actions', [1])].slice(2, 4), [12, 13])
  assert.deepEqual([...storage.agentColumn('logProb', [2])].slice(0, 2), [0, -2])

  recorder.broken(1, false)
  assert.deepEqual([...storage.agentColumn('availableActions', [1])].slice(5, 10), [1, 1, 1, 1, 1])
  assert.deepEqual([...storage.agentColumn('actions', [1])].slice(2, 4), [0, 0])
})

test('without masks all actions are available', async () => {
  const { env, storage, recorder, instant } = await setup()
  const unmasked = Object.create(env, { availableActions: { value: undefined } }) as MultiAgentEnv
  recorder.choice(0, { ...instant(0), env: unmasked })
  assert.deepEqual([...storage.agentColumn('availableActions', [0])], [1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0])
})

test('more truncations than the time limit allows are refused', async () => {
  const { recorder, instant } = await setup()
  recorder.truncated(0, instant(0))
  recorder.truncated(1, instant(1))
  assert.throws(
    () => recorder.truncated(1, instant(1)),
    new RegExp(`^HatrpoError: corridor truncated an episode before its time limit of ${LIMIT}: declare`),
  )
})
