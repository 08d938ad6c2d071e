import assert from 'node:assert/strict'
import test from 'node:test'
import { makeEnvFactory, EnvContext, RUNNING, toParallelEnv } from '../../src/envs/index.js'
import { corridor, LENGTH } from './corridor.js'

/** Actions that bring both runners right as fast as they can, without wind. */
const run = { first: 2, second: [2, 1], wind: 0 }

test('before reset no agent is active; spaces are defined', () => {
  const env = toParallelEnv(corridor())
  assert.deepEqual(env.possibleAgents, ['first', 'second', 'wind'])
  assert.deepEqual(env.agents, [])
  assert.deepEqual(env.actionSpace('second'), { kind: 'multiDiscrete', sizes: [3, 2] })
  assert.equal(env.observationSpace('wind').size, 2)
  assert.throws(() => env.step(run), /corridor: no agent plays: call reset first/)
  assert.throws(() => env.actionSpace('third'), /there is no agent third; there are first, second, wind/)
})

test('an agent that leaves is terminated and inactive; at the end all are', () => {
  const env = toParallelEnv(corridor())
  const [observations, infos] = env.reset({ seed: 3 })
  assert.deepEqual(Object.keys(observations), ['first', 'second', 'wind'])
  assert.deepEqual([observations.first[0], observations.second[0]], Array.from(env.state()).slice(0, 2))
  assert.deepEqual(Object.keys(infos), ['first', 'second', 'wind'])

  const start = Array.from(observations.wind)
  const fast = Math.ceil((LENGTH - start[1]) / 2)
  const slow = LENGTH - start[0]
  assert.ok(fast < slow)
  for (let step = 1; step <= slow; step++) {
    const acted = [...env.agents]
    const { first, ...others } = run
    const actions = step <= fast ? run : { first, wind: others.wind }
    const result = env.step(actions)
    for (const part of Object.values(result)) assert.deepEqual(Object.keys(part as object), acted)
    assert.equal(result.terminations.first, step === slow)
    assert.equal(result.rewards.first, step === slow ? 1 : 0)
    assert.equal(result.terminations.wind, step === slow)
    assert.deepEqual(new Set(Object.values(result.truncations)), new Set([false]))
    if (step <= fast) assert.equal(result.terminations.second, step === fast)
    assert.deepEqual(
      env.agents,
      step === slow ? [] : step >= fast ? ['first', 'wind'] : ['first', 'second', 'wind'],
    )
    if (step === fast) assert.throws(() => env.step(run), /an action of second, which does not play any more/)
  }
  assert.throws(() => env.step(run), /no agent plays/)
})

test('a time limit truncates the active agents', () => {
  const env = toParallelEnv(corridor({ limit: 3 }))
  env.reset({ seed: 3 })
  const stay = { first: 1, second: [1, 0], wind: [0.5] }
  assert.deepEqual(env.step(stay).truncations, { first: false, second: false, wind: false })
  env.step(stay)
  const { truncations, terminations } = env.step(stay)
  assert.deepEqual(truncations, { first: true, second: true, wind: true })
  assert.deepEqual(terminations, { first: false, second: false, wind: false })
  assert.deepEqual(env.agents, [])
})

test('infos have masks for agents with discrete actions', () => {
  const env = toParallelEnv(corridor())
  let infos = env.reset({ seed: 0 })[1]
  for (let seed = 1; env.state()[0] !== 0 || env.state()[1] === 0; seed++) infos = env.reset({ seed })[1]
  assert.deepEqual(infos, {
    first: { action_mask: Uint8Array.of(0, 1, 1) },
    second: { action_mask: Uint8Array.of(1, 1, 1, 1, 1) },
    wind: {},
  })
  assert.deepEqual(env.step({ first: 2, second: [1, 0], wind: 0 }).infos.first, {
    action_mask: Uint8Array.of(1, 1, 1),
  })
})

test('dictionaries are new objects whose values do not change later', () => {
  const env = toParallelEnv(corridor())
  const [before] = env.reset({ seed: 3 })
  const kept = structuredClone(before)
  const state = env.state()
  const stateKept = state.slice()
  const { observations } = env.step(run)
  assert.deepEqual(before, kept)
  assert.deepEqual(state, stateKept)
  assert.notDeepEqual(observations, before)
})

test('without a seed, episodes have the seeds 0, 1, 2, or those after a given seed', () => {
  const env = toParallelEnv(corridor())
  const start = (options?: { seed: number }) => Array.from(env.reset(options)[0].wind)
  const starts = [0, 1, 2, 40, 41].map((seed) => start({ seed }))
  const fresh = toParallelEnv(corridor())
  const drawn = [undefined, undefined, undefined, { seed: 40 }, undefined].map((options) =>
    Array.from(fresh.reset(options)[0].wind),
  )
  assert.deepEqual(drawn, starts)
})

test('wrong actions are refused in one line, and the state does not change', () => {
  const env = toParallelEnv(corridor())
  env.reset({ seed: 3 })
  const before = env.state()
  const refused: [object, RegExp][] = [
    [{ first: 1, wind: 0 }, /^HatrpoError: corridor: there is no action of second$/],
    [{ ...run, third: 0 }, /there is no agent third/],
    [{ ...run, first: 3 }, /the action of first is 3: it must be a whole number from 0 to 2$/],
    [{ ...run, second: [2, 2] }, /the action of second is 2: it must be a whole number from 0 to 1$/],
    [{ ...run, second: 2 }, /the action of second has 1 numbers: it must have 2$/],
    [{ ...run, wind: NaN }, /the action of wind is NaN: it must be finite$/],
  ]
  for (const [actions, message] of refused) {
    assert.throws(() => env.step(actions as typeof run), message)
    assert.deepEqual(env.state(), before)
  }
  assert.deepEqual(env.agents, ['first', 'second', 'wind'])
})

test('its steps equal those of the environment', async () => {
  const factory = makeEnvFactory({ id: 'mamujoco/Reacher-2x1' })
  const context = new EnvContext()
  const [bare, inner] = [await factory.create(context), await factory.create(context)]
  const env = toParallelEnv(inner)
  bare.reset(5)
  assert.deepEqual(env.reset({ seed: 5 })[0].agent_1, bare.observations[1])
  for (let step = 0; step < 50; step++) {
    bare.actions[0][0] = 0.5
    bare.actions[1][0] = -0.25
    const end = bare.step()
    const result = env.step({ agent_0: 0.5, agent_1: Float32Array.of(-0.25) })
    assert.deepEqual(result.observations, { agent_0: bare.observations[0], agent_1: bare.observations[1] })
    assert.deepEqual(result.rewards, { agent_0: bare.rewards[0], agent_1: bare.rewards[1] })
    assert.deepEqual(env.state(), bare.state)
    assert.equal(result.truncations.agent_0, end !== RUNNING)
  }
  assert.deepEqual(env.agents, [])
  env.close()
  bare.dispose?.()
})
