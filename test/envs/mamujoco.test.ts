import assert from 'node:assert/strict'
import test from 'node:test'
import {
  EnvContext,
  listEnvs,
  makeEnvFactory,
  PhysicsError,
  RUNNING,
  TERMINATED,
  TRUNCATED,
  type EnvConfig,
  type MultiAgentEnv,
} from '../../src/envs/index.js'
import { observeStep, play, BITS } from './bits.js'
import { TaskSimulation } from '../../src/envs/mamujoco/simulation.js'
import { partition } from '../../src/envs/mamujoco/partition.js'
import { findTask } from '../../src/envs/mamujoco/tasks.js'

const context = new EnvContext()
const make = (config: EnvConfig, where = context) => makeEnvFactory(config).create(where)
const ids = listEnvs()
  .map(({ id }) => id)
  .filter((id) => id.startsWith('mamujoco/'))

/** The first division of every robot. */
const robots = ids.filter((id, i) => ids.findIndex((other) => other.split('-')[0] === id.split('-')[0]) === i)
for (const id of robots) {
  for (const [what, check] of Object.entries(BITS)) test(`${id}: ${what}`, () => check(id))
}

for (const id of ids) {
  test(`${id}: the views match the specification`, async () => {
    const factory = makeEnvFactory({ id })
    const env = await factory.create(context)
    assert.equal(env.spec, factory.spec)
    assert.equal(env.state.length, env.spec.stateSize)
    assert.equal(env.rewards.length, env.spec.agents.length)
    env.spec.agents.forEach((agent, k) => {
      assert.equal(env.observations[k].length, agent.observation.size)
      assert.ok(agent.action.kind === 'box' && agent.action.size === env.actions[k].length)
    })
    const before = [env.state, env.rewards, ...env.observations, ...env.actions]
    const steps = play(env, 1, 5)
    assert.deepEqual(before, [env.state, env.rewards, ...env.observations, ...env.actions])
    assert.ok(
      before.every((view, i) => view === [env.state, env.rewards, ...env.observations, ...env.actions][i]),
    )
    // Every agent sees the whole state, and all get the same reward.
    for (const observation of env.observations) assert.deepEqual(observation, env.state)
    assert.equal(new Set(env.rewards).size, 1)
    assert.ok(steps.every((seen) => seen.every(Number.isFinite)))
    env.dispose!()
  })

  test(`${id}: loading restores the views`, async () => {
    const env = await make({ id })
    play(env, 3, 5)
    const saved = env.saveState!()
    const seen = [Array.from(env.state), Array.from(env.rewards), Array.from(env.observations[0])]
    play(env, 4, 5)
    env.loadState!(saved)
    assert.deepEqual([Array.from(env.state), Array.from(env.rewards), Array.from(env.observations[0])], seen)
    env.dispose!()
  })
}

test('an episode of HalfCheetah is truncated at 1000 steps, and keeps its last state', async () => {
  const env = await make({ id: 'mamujoco/HalfCheetah-2x3' })
  env.reset(1)
  for (let step = 1; step < 1000; step++) assert.equal(env.step(), RUNNING)
  const before = Array.from(env.state)
  assert.equal(env.step(), TRUNCATED)
  assert.notDeepEqual(Array.from(env.state), before)
  assert.throws(() => env.step(), {
    message: /HalfCheetah-2x3: step\(\) outside an episode: call reset\(seed\) first/,
  })
  env.reset(1)
  assert.equal(env.step(), RUNNING)
  env.dispose!()
})

test('a restored episode is truncated when the saved one would have been', async () => {
  const env = await make({ id: 'mamujoco/HalfCheetah-2x3' })
  env.reset(1)
  for (let step = 0; step < 990; step++) env.step()
  const saved = env.saveState!()
  env.reset(2)
  env.loadState!(saved)
  for (let step = 991; step < 1000; step++) assert.equal(env.step(), RUNNING)
  assert.equal(env.step(), TRUNCATED)
  env.dispose!()
})

test('Hopper and Walker2d end when they fall, with the alive bonus until then', async () => {
  for (const id of ['mamujoco/Hopper-3x1', 'mamujoco/Walker2d-2x3']) {
    const env = await make({ id })
    env.reset(1)
    let status = RUNNING
    let steps = 0
    while (status === RUNNING) {
      status = env.step()
      steps++
      // Limp, so it pays no control cost: the reward is 1 and the velocity.
      assert.ok(Math.abs(env.rewards[0] - 1) < 3)
    }
    assert.equal(status, TERMINATED)
    assert.ok(steps > 10 && steps < 500, `${id} fell after ${steps} steps`)
    env.dispose!()
  }
})

test('bounds of the healthy range are unhealthy', async () => {
  const task = findTask('Hopper', 'v4')!
  const hopper = new TaskSimulation(task, await context.model(task.xml), 'test')
  const endsAt = (change: (qpos: number[], qvel: number[]) => void) => {
    const qpos = [...task.initialPositions]
    const qvel = qpos.map(() => 0)
    change(qpos, qvel)
    hopper.start(qpos, qvel)
    return hopper.step()
  }
  assert.equal(
    endsAt(() => {}),
    false,
  )
  assert.equal(
    endsAt((qpos) => (qpos[2] = 0.25)),
    true,
  )
  assert.equal(
    endsAt((qpos) => (qpos[2] = -0.25)),
    true,
  )
  assert.equal(
    endsAt((_, qvel) => (qvel[5] = 150)),
    true,
  )
  assert.equal(
    endsAt((qpos) => (qpos[0] = 1e6)),
    false,
  )
})

test('observed velocities are clipped to 10 in Hopper and Walker2d, but not in HalfCheetah', async () => {
  for (const [name, expected] of [
    ['Hopper', 10],
    ['Walker2d', 10],
    ['HalfCheetah', 30],
  ] as const) {
    const task = findTask(name, 'v4')!
    const simulation = new TaskSimulation(task, await context.model(task.xml), 'test')
    simulation.start(
      task.initialPositions,
      task.initialPositions.map(() => 30),
    )
    assert.deepEqual(
      Array.from(simulation.observation.subarray(task.initialPositions.length - 1)),
      task.initialPositions.map(() => expected),
    )
  }
})

test('episodes start within the published noise', async () => {
  for (const [id, positions, noise] of [
    ['mamujoco/Hopper-3x1', 6, 0.005],
    ['mamujoco/Walker2d-2x3', 9, 0.005],
    ['mamujoco/HalfCheetah-2x3', 9, 0.1],
  ] as const) {
    const env = await make({ id })
    const initial = findTask(id.slice('mamujoco/'.length).split('-')[0], 'v4')!.initialPositions
    const largest = { position: 0, velocity: 0 }
    for (let seed = 0; seed < 300; seed++) {
      env.reset(seed)
      for (let i = 0; i < positions - 1; i++) {
        largest.position = Math.max(largest.position, Math.abs(env.state[i] - initial[i + 1]))
      }
      for (let i = positions - 1; i < env.state.length; i++) {
        largest.velocity = Math.max(largest.velocity, Math.abs(env.state[i]))
      }
    }
    // Beyond the bound by no more than f32 rounding of the observation, and not far below it.
    assert.ok(largest.position <= noise * 1.0001 && largest.position > noise * 0.98)
    if (id.includes('HalfCheetah')) assert.ok(largest.velocity > 3 * noise && largest.velocity < 6 * noise)
    else assert.ok(largest.velocity <= noise * 1.0001 && largest.velocity > noise * 0.98)
    env.dispose!()
  }
})

test('actions reach MuJoCo unchanged: it limits them, the control cost does not', async () => {
  const reach = async (value: number) => {
    const env = await make({ id: 'mamujoco/HalfCheetah-6x1' })
    env.reset(5)
    for (const action of env.actions) action.fill(value)
    env.step()
    const seen = { state: Array.from(env.state), reward: env.rewards[0] }
    env.dispose!()
    return seen
  }
  const limit = await reach(1)
  const beyond = await reach(3)
  assert.deepEqual(beyond.state, limit.state)
  assert.ok(Math.abs(limit.reward - beyond.reward - 0.1 * 6 * (9 - 1)) < 1e-6)
})

test('partitions assign the actuators as published', () => {
  const named = (name: string, division: string, order: 'graph' | 'harl') => {
    const task = findTask(name, 'v4')!
    return partition(task, division, order).map((owned) =>
      owned.map((i) => task.actuators[i].replace('_joint', '')),
    )
  }
  assert.deepEqual(named('HalfCheetah', '2x3', 'harl'), [
    ['bthigh', 'bshin', 'bfoot'],
    ['fthigh', 'fshin', 'ffoot'],
  ])
  assert.deepEqual(named('HalfCheetah', '2x3', 'graph'), [
    ['bfoot', 'bshin', 'bthigh'],
    ['ffoot', 'fshin', 'fthigh'],
  ])
  assert.deepEqual(named('HalfCheetah', '3x2', 'harl'), [
    ['bthigh', 'bshin'],
    ['bfoot', 'fthigh'],
    ['fshin', 'ffoot'],
  ])
  assert.deepEqual(named('HalfCheetah', '3x2', 'graph'), [
    ['bfoot', 'bshin'],
    ['bthigh', 'ffoot'],
    ['fshin', 'fthigh'],
  ])
  assert.deepEqual(named('HalfCheetah', '6x1', 'graph').flat(), [
    'bfoot',
    'bshin',
    'bthigh',
    'ffoot',
    'fshin',
    'fthigh',
  ])
  assert.deepEqual(named('Walker2d', '2x3', 'graph'), [
    ['foot', 'leg', 'thigh'],
    ['foot_left', 'leg_left', 'thigh_left'],
  ])
  assert.deepEqual(named('Hopper', '3x1', 'graph'), named('Hopper', '3x1', 'harl'))
})

test('the partition only determines which joint an action drives', async () => {
  const run = async (order: string, actions: number[][]) => {
    const env = await make({ id: 'mamujoco/HalfCheetah-3x2', partition: order })
    env.reset(2)
    env.actions.forEach((action, k) => action.set(actions[k]))
    for (let step = 0; step < 10; step++) env.step()
    const seen = Array.from(env.state)
    env.dispose!()
    return seen
  }
  // The same torques: bthigh .1, bshin .2, bfoot .3, fthigh .4, fshin .5, ffoot .6.
  const harl = await run('harl', [
    [0.1, 0.2],
    [0.3, 0.4],
    [0.5, 0.6],
  ])
  const graph = await run('graph', [
    [0.3, 0.2],
    [0.1, 0.6],
    [0.5, 0.4],
  ])
  assert.deepEqual(graph, harl)
})

for (const { part, offset, bad } of [
  { part: 'qpos', offset: 0, bad: NaN },
  { part: 'qpos', offset: 4, bad: Infinity },
  { part: 'qvel', offset: 2, bad: NaN },
  { part: 'qvel', offset: 1, bad: 1e11 },
] as const) {
  test(`a ${part}[${offset}] of ${bad} is a PhysicsError, and reset recovers`, async () => {
    const id = 'mamujoco/HalfCheetah-2x3'
    const env = await make({ id })
    const other = await make({ id })
    const expected = play(other, 6, 20)
    env.reset(6)
    other.reset(6)
    env.loadState!(corrupt(env, part, offset, bad))
    assert.throws(
      () => env.step(),
      (error: unknown) => {
        assert.ok(error instanceof PhysicsError)
        assert.equal(error.envId, id)
        assert.equal(error.quantity, part)
        assert.match(error.message, new RegExp(`^${id}: .*${part}\\[${offset}\\] = `))
        return true
      },
    )
    assert.throws(() => env.step(), /call reset/)
    assert.deepEqual(
      Array.from({ length: 20 }, (_, step) => observeStep(other, 6, step)),
      expected,
    )
    assert.deepEqual(play(env, 6, 20), expected)
    env.dispose!()
    other.dispose!()
  })
}

test('a state that diverges within a step is a PhysicsError, not a silent reset', async () => {
  const env = await make({ id: 'mamujoco/Hopper-3x1' })
  env.reset(1)
  env.loadState!(corrupt(env, 'qvel', 3, 9e9))
  assert.throws(() => env.step(), PhysicsError)
  env.dispose!()
})

test('an action that is not finite is named', async () => {
  const env = await make({ id: 'mamujoco/Walker2d-2x3' })
  env.reset(1)
  env.actions[1][2] = NaN
  assert.throws(() => env.step(), {
    name: 'PhysicsError',
    quantity: 'action',
    message: 'mamujoco/Walker2d-2x3: the action of agent_1 for foot_left_joint is NaN',
  })
  env.dispose!()
})

test('environments that submit their steps together give the same bits as separately', async () => {
  const id = 'mamujoco/Humanoid-9_8'
  const [alone, together, other] = await Promise.all([make({ id }), make({ id }), make({ id })])
  for (const env of [alone, together, other]) {
    env.reset(env === other ? 2 : 1)
    for (const action of env.actions) action.fill(0.2)
  }
  for (let step = 0; step < 5; step++) {
    for (const env of [other, together]) env.submit!()
    assert.throws(() => together.saveState!(), /between submit\(\) and step\(\)/)
    other.step()
    assert.equal(together.step(), alone.step())
    assert.deepEqual(together.saveState!(), alone.saveState!())
    assert.deepEqual(together.observations, alone.observations)
  }
  together.actions[0][0] = NaN
  together.submit!()
  assert.throws(() => together.step(), { name: 'PhysicsError', quantity: 'action' })
  together.reset(1)
  alone.reset(1)
  together.actions[0][0] = alone.actions[0][0]
  together.submit!()
  together.reset(1)
  assert.deepEqual(together.saveState!(), alone.saveState!())
})

test('a saved state of the wrong size or of another environment is refused', async () => {
  const cheetah = await make({ id: 'mamujoco/HalfCheetah-2x3' })
  const walker = await make({ id: 'mamujoco/Walker2d-2x3' })
  cheetah.reset(1)
  const saved = cheetah.saveState!()
  assert.throws(() => walker.loadState!(saved), /Walker2d-2x3: the saved state is another environment's/)
  assert.throws(() => cheetah.loadState!(saved.subarray(8)), /saved state has \d+ bytes, must have \d+/)
})

test('wrong ids and options are refused in one line with the valid ones', () => {
  const message = (config: EnvConfig) => {
    try {
      makeEnvFactory(config)
    } catch (error) {
      assert.equal((error as { exitCode: number }).exitCode, 2)
      assert.ok(!(error as Error).message.includes('\n'))
      return (error as Error).message
    }
    return assert.fail('accepted')
  }
  const id = 'mamujoco/HalfCheetah-2x3'
  assert.match(
    message({ id: 'HalfCheetah' }),
    /^environment HalfCheetah: no such environment, and no installed package of that name; there are mamujoco\/Half/,
  )
  assert.match(
    message({ id: 'mamujoco/HalfCheetah-4x4' }),
    /mamujoco\/HalfCheetah-4x4: no such environment; did you mean mamujoco\/HalfCheetah-/,
  )
  assert.match(message({ id: 'mamujoco/constructor' }), /must be one of/)
  assert.equal(
    message({ id, colour: 'red' }),
    'env.colour=red: no such option; options are version, obs, partition, mapping, protocol, categories, globals, resetNoise, timeLimit',
  )
  assert.equal(message({ id, obs: 3 }), 'env.obs=3: must be full or 0 or 1 or 2')
  assert.equal(message({ id, version: 'v3' }), 'env.version=v3: must be v2 or v4 or v5')
  assert.equal(message({ id, partition: 'tree' }), 'env.partition=tree: must be harl or graph or farama')
  assert.equal(
    message({ id: 'mamujoco/Ant-8x1', partition: 'farama' }),
    'env.partition=farama: Gymnasium-Robotics has no Ant 8x1; must be harl or graph',
  )
  assert.equal(
    message({ id, mapping: 'farama' }),
    'env.mapping=farama: concerns local observations only; must come with env.obs=0, 1 or 2',
  )
  assert.match(
    message({ id, obs: 1, categories: 'qpos,colour' }),
    /^env\.categories=qpos,colour: must be lists of/,
  )
  assert.match(
    message({ id, obs: 0, categories: 'cfrc_ext', globals: 'none' }),
    /agent_0 .* would observe nothing/,
  )
  assert.match(message({ id, obs: 1, globals: '' }), /^env\.globals=: must be none or a list of/)
  assert.equal(message({ id, resetNoise: -1 }), 'env.resetNoise=-1: must be a number from 0')
  assert.equal(message({ id, timeLimit: 0.5 }), 'env.timeLimit=0.5: must be a whole number from 1')
  for (const size of ['0x3', '1x1', '20x20', '2x', '2x3x1']) {
    const id = `mamujoco/ManySegmentSwimmer-${size}`
    assert.match(message({ id }), /: (must be one of|no such environment; did you mean) mamujoco\//)
  }
  assert.match(message({ id, partition: 'graph', protocol: 'harl' }), /contradicts env.protocol=harl/)
})

test('a configuration is filled in with the defaults', () => {
  const id = 'mamujoco/HalfCheetah-2x3'
  assert.deepEqual(makeEnvFactory({ id }).config, { id, version: 'v4', obs: 'full', partition: 'harl' })
  assert.deepEqual(makeEnvFactory({ id, protocol: 'harl' }).config, makeEnvFactory({ id }).config)
  assert.deepEqual(
    makeEnvFactory(makeEnvFactory({ id, partition: 'graph' }).config).config.partition,
    'graph',
  )
})

/** Numbers before MuJoCo's in a saved state: four of ours, then its time. */
const BEFORE_QPOS = 5

/** A saved state of `env`, with one number replaced. */
function corrupt(env: MultiAgentEnv, part: 'qpos' | 'qvel', offset: number, value: number): Uint8Array {
  const numbers = new Float64Array(env.saveState!().buffer)
  const positions = (env.spec.stateSize + 1) / 2
  numbers[BEFORE_QPOS + (part === 'qvel' ? positions : 0) + offset] = value
  return new Uint8Array(numbers.buffer)
}
