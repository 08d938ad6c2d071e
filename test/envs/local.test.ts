import assert from 'node:assert/strict'
import test from 'node:test'
import {
  EnvContext,
  listEnvs,
  makeEnvFactory,
  RUNNING,
  TRUNCATED,
  type EnvConfig,
  type MultiAgentEnv,
} from '../../src/envs/index.js'
import { jointGraph } from '../../src/envs/mamujoco/graph.js'
import { localElements, nodesByDistance, ownedNodes } from '../../src/envs/mamujoco/local.js'
import type { Mapping } from '../../src/envs/mamujoco/options.js'
import { partition } from '../../src/envs/mamujoco/partition.js'
import { findTask } from '../../src/envs/mamujoco/tasks.js'
import { cosine, sine } from '../../src/envs/trigonometry.js'

const context = new EnvContext()
const make = (config: EnvConfig) => makeEnvFactory(config).create(context)
const sizes = (config: EnvConfig) =>
  makeEnvFactory(config).spec.agents.map(({ observation }) => observation.size)

function play(env: MultiAgentEnv, steps: number): number[][] {
  return Array.from({ length: steps }, (_, step) => {
    env.actions.forEach((action, k) => action.fill(0.3 * ((step + k) % 3) - 0.3))
    if (env.step() !== RUNNING) env.reset(step)
    return [...env.rewards, ...env.state, ...env.observations.flatMap((o) => [...o])]
  })
}

for (const { id } of listEnvs().filter(({ id }) => id.startsWith('mamujoco/'))) {
  test(`${id}: local observations at every depth are finite, restorable and of the stated size`, async () => {
    for (const obs of [0, 1, 2]) {
      const config = { id, obs, partition: 'graph', mapping: obs === 1 ? 'farama' : 'corrected' }
      const env = await make(config)
      env.reset(4)
      play(env, 5)
      env.spec.agents.forEach(({ observation }, k) =>
        assert.equal(env.observations[k].length, observation.size),
      )
      const saved = env.saveState!()
      const seen = env.observations.map((o) => Array.from(o))
      const expected = play(env, 10)
      assert.ok(expected.flat().every(Number.isFinite))
      env.reset(9)
      env.loadState!(saved)
      assert.deepEqual(
        env.observations.map((o) => Array.from(o)),
        seen,
      )
      assert.deepEqual(play(env, 10), expected)
      env.dispose!()
    }
  })
}

test('nodes are found by their distance along the joint graph, sorted as text within each', () => {
  const at = (name: string, division: string, agent: number, depth: number, segments?: number) => {
    const task = findTask(name, 'v5', segments)!
    const graph = jointGraph(task, 'corrected')
    const owned = ownedNodes(graph, partition(task, division, 'graph')[agent])
    return nodesByDistance(graph, owned, depth).map((nodes) => nodes.map((n) => graph.nodes[n].label))
  }
  assert.deepEqual(at('HalfCheetah', '6x1', 2, 2), [['bthigh'], ['bshin', 'fthigh'], ['bfoot', 'fshin']])
  assert.deepEqual(at('Ant', '8x1', 1, 2), [['ankle1'], ['hip1'], ['hip2', 'hip3', 'hip4']])
  assert.deepEqual(at('ManySegmentSwimmer', '6x2', 5, 2, 12), [['rot10', 'rot11'], ['rot9'], ['rot8']])
  assert.deepEqual(at('ManySegmentAnt', '3x1', 1, 1, 3)[1], ['hip1_0', 'hip1_2', 'hip2_0', 'hip2_2'])
})

test('local observations have the sizes of Gymnasium-Robotics', () => {
  const farama = { protocol: 'farama' }
  assert.deepEqual(sizes({ id: 'mamujoco/Ant-4x2', ...farama }), [42, 42, 42, 42])
  assert.deepEqual(sizes({ id: 'mamujoco/Humanoid-9_8', ...farama }), [242, 170])
  assert.deepEqual(sizes({ id: 'mamujoco/Hopper-3x1', ...farama }), [8, 9, 8])
  assert.deepEqual(
    sizes({ id: 'mamujoco/ManySegmentSwimmer-10x2', ...farama }),
    [5, 6, 6, 6, 6, 6, 6, 6, 6, 5],
  )
})

test('categories and globals determine the observation', () => {
  const id = 'mamujoco/HalfCheetah-2x3'
  assert.deepEqual(sizes({ id, obs: 1 }), [12, 12])
  assert.deepEqual(sizes({ id, obs: 1, globals: 'none' }), [7, 7])
  assert.deepEqual(sizes({ id, obs: 1, categories: 'qvel/qpos,qvel', globals: 'qpos' }), [7, 7])
  assert.deepEqual(sizes({ id, obs: 2, categories: 'qpos', globals: 'none' }), [5, 5])
})

test('the mistakes of Gymnasium-Robotics are repeated with mapping=farama and corrected otherwise', () => {
  const elements = (name: string, division: string, agent: number, mapping: Mapping, segments?: number) => {
    const task = findTask(name, 'v5', segments)!
    const graph = jointGraph(task, mapping)
    const owned = partition(task, division, 'farama', mapping)[agent]
    return localElements(task, graph, owned, { depth: 0, categories: [['qpos', 'qvel']], globals: ['qvel'] })
  }
  const positions = (...args: Parameters<typeof elements>) =>
    elements(...args).flatMap(({ array, index }) => (array === 'qpos' ? [index] : []))
  const clips = (mapping: Mapping) =>
    new Set(elements('Walker2d', '2x3', 0, mapping).flatMap((e) => (e.array === 'qvel' ? [e.clip] : [])))
  assert.deepEqual(clips('corrected'), new Set([10]))
  assert.deepEqual(clips('farama'), new Set([Infinity]))
  // By label: bfoot, bshin, bthigh, ffoot, fshin, fthigh.
  assert.deepEqual(positions('CoupledHalfCheetah', '1p1', 0, 'corrected'), [5, 4, 3, 8, 7, 6])
  assert.deepEqual(positions('CoupledHalfCheetah', '1p1', 0, 'farama'), [14, 13, 12, 17, 16, 15])
  assert.deepEqual(positions('CoupledHalfCheetah', '1p1', 1, 'corrected'), [14, 13, 12, 17, 16, 15])
  // By label: abdomen_x, abdomen_y, abdomen_z; the model has z, y, x.
  assert.deepEqual(positions('Humanoid', '9_8', 0, 'corrected').slice(0, 3), [9, 8, 7])
  assert.deepEqual(positions('Humanoid', '9_8', 0, 'farama').slice(0, 3), [9, 7, 8])
  // By label: ankle1, ankle2, hip1, hip2 of each segment.
  assert.deepEqual(positions('ManySegmentAnt', '3x1', 0, 'corrected', 3), [8, 10, 7, 9])
  assert.deepEqual(positions('ManySegmentAnt', '3x1', 0, 'farama', 3), [5, 7, 4, 6])
  assert.deepEqual(positions('ManySegmentAnt', '3x1', 2, 'farama', 3), [16, 18, 15, 17])
  const ant = findTask('ManySegmentAnt', 'v5', 3)!
  assert.deepEqual(partition(ant, '3x1', 'farama', 'farama')[1], [6, 7, 4, 5])
  assert.deepEqual(partition(ant, '3x1', 'farama')[1], [4, 5, 6, 7])
})

test('the harl partition scales actions of -1 to 1 to the range of the controls; graph actions have that range', async () => {
  const run = async (order: string, value: number) => {
    const env = await make({ id: 'mamujoco/Humanoid-17x1', partition: order })
    const { action } = env.spec.agents[0]
    assert.ok(action.kind === 'box' && action.high[0] === (order === 'harl' ? 1 : 0.4))
    env.reset(3)
    for (const actions of env.actions) actions.fill(value)
    env.step()
    const seen = Array.from(env.state)
    env.dispose!()
    return seen
  }
  // 0.625 * 0.4 = 0.25, both exact in float32 except the last bit of 0.4.
  const harl = await run('harl', 0.625)
  const graph = await run('graph', 0.25)
  harl.forEach((x, i) => assert.ok(Math.abs(x - graph[i]) < 1e-4, `${i}: ${x} ${graph[i]}`))
  assert.deepEqual(await run('harl', 1.5), await run('harl', 1))
})

test('version v2 has the published sizes, with contact forces of 0 that cost nothing', async () => {
  for (const [id, size, forces] of [
    ['mamujoco/Ant-4x2', 111, 84],
    ['mamujoco/HumanoidStandup-17x1', 376, 84],
  ] as const) {
    const [v2, v4] = await Promise.all([make({ id, version: 'v2' }), make({ id })])
    assert.equal(v2.spec.stateSize, size)
    v2.reset(5)
    v4.reset(5)
    for (let step = 0; step < 30; step++) {
      v2.step()
      v4.step()
      const kept = size - forces
      assert.deepEqual(v2.state.subarray(0, kept), v4.state.subarray(0, kept))
      assert.ok(v2.state.subarray(kept).every((force) => force === 0))
    }
    v2.dispose!()
    v4.dispose!()
  }
})

test('reset noise and time limit can be set', async () => {
  const env = await make({ id: 'mamujoco/Ant-2x4', resetNoise: 0, timeLimit: 3 })
  env.reset(1)
  // Adding 0 turns -0, which the noise of 0 gives, into 0.
  assert.deepEqual(
    Array.from(env.state, (x) => x + 0),
    [0.75, 1, ...Array.from({ length: 25 }, () => 0)],
  )
  assert.equal(env.spec.timeLimit, 3)
  assert.deepEqual([env.step(), env.step(), env.step()], [RUNNING, RUNNING, TRUNCATED])
  env.dispose!()
})

test('an ant starts with its quaternion at length 1', async () => {
  const env = await make({ id: 'mamujoco/Ant-4x2' })
  for (let seed = 0; seed < 20; seed++) {
    env.reset(seed)
    const norm = Math.hypot(...env.state.subarray(1, 5))
    assert.ok(Math.abs(norm - 1) < 1e-6)
  }
  env.dispose!()
})

test('a reacher starts with its target within 0.2 m, a pusher with its object off the goal', async () => {
  const reacher = await make({ id: 'mamujoco/Reacher-2x1' })
  const pusher = await make({ id: 'mamujoco/Pusher-3p' })
  for (let seed = 0; seed < 50; seed++) {
    reacher.reset(seed)
    assert.ok(Math.hypot(reacher.state[4], reacher.state[5]) < 0.2)
    assert.ok(reacher.state.subarray(6, 8).every((v) => Math.abs(v) <= 0.005))
    assert.ok(reacher.state.subarray(2, 4).every((sine) => Math.abs(sine) <= Math.sin(0.1)))
    pusher.reset(seed)
    // Of tips, object and goal.
    const [object, goal] = [pusher.state.subarray(17, 20), pusher.state.subarray(20, 23)]
    assert.ok(Math.hypot(object[0] - goal[0], object[1] - goal[1]) > 0.17)
  }
  reacher.dispose!()
  pusher.dispose!()
})

test('sine and cosine are those of Math to the last digit or so', () => {
  for (let i = -2000; i <= 2000; i++) {
    const angle = i * 0.0317
    assert.ok(Math.abs(sine(angle) - Math.sin(angle)) < 3e-16, `sine of ${angle}`)
    assert.ok(Math.abs(cosine(angle) - Math.cos(angle)) < 3e-16, `cosine of ${angle}`)
  }
})
