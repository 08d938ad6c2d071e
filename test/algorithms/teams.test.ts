// One policy for a team, groups that share a policy, the critics that a configuration asks for, and teams.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { planMethod } from '../../src/algorithms/assemble.js'
import { resolveConfig, type TrainConfig } from '../../src/config/index.js'
import {
  box,
  defineEnv,
  discrete,
  loadEnvFactory,
  multiDiscrete,
  RUNNING,
  type ActionSpace,
  type EnvSpec,
} from '../../src/envs/index.js'
import { HatrpoError } from '../../src/errors.js'
import { openHost } from '../../src/devices/open.js'
import {
  BASIC_NEEDS,
  freshProgress,
  joinAgents,
  joinedSpec,
  openSource,
  RolloutStorage,
} from '../../src/rollout/index.js'
import { Recorder } from '../../src/rollout/recorder.js'
import { readCheckpoint } from '../../src/runs/checkpoint.js'
import { loadPolicy } from '../../src/runtime/index.js'
import { evaluate } from '../../src/training/evaluate.js'
import { exportPolicies } from '../../src/training/export.js'
import { TeamLearner } from '../../src/training/learner.js'
import { fixture, temporaryDirectory, tiny, trained } from '../training/runs.js'

type Options = Record<string, number | string>

/** A tiny run of 80 steps an iteration on the cart of fixtures/line. */
function configOf(algo: string, options: Options, iterations: number, ...set: string[]): TrainConfig {
  const flags = { env: { id: fixture('line'), ...options }, steps: iterations * 80 }
  const plain = ['actor.standardise=false', 'critic.standardise=false', 'checkpoint.every=1']
  return resolveConfig({ flags, set: [`algo=${algo}`, ...tiny, ...plain, ...set] }).config
}

async function specOf(options: Options = {}): Promise<EnvSpec> {
  return (await loadEnvFactory({ id: fixture('line'), ...options })).spec
}

/** A usage error of one line. */
function usage(message: RegExp) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof HatrpoError, String(error))
    assert.equal(error.exitCode, 2)
    assert.match(error.message, message)
    assert.ok(!error.message.includes('\n'))
    return true
  }
}

/** Trains in one go and, with other workers, with a stop after the first half. @returns the folder of the latter */
async function resumes(t: TestContext, config: TrainConfig, workers = 0): Promise<string> {
  const whole = await trained(t, config, { workers: 0 })
  assert.deepEqual(whole.events, [])
  const dir = join(temporaryDirectory(t), 'run')
  const stop = new AbortController()
  const onIteration = ({ iteration }: { iteration: number }) => void (iteration === 1 && stop.abort())
  const half = await trained(t, config, { workers: 0, dir, signal: stop.signal, onIteration })
  assert.deepEqual([half.finished, half.iterations], [false, 1])
  const resumed = await trained(t, config, { workers, dir, resume: true })
  assert.equal(resumed.parametersSha256, whole.parametersSha256)
  assert.deepEqual(
    resumed.records.map(({ agents, critic }) => ({ agents, critic })),
    whole.records.map(({ agents, critic }) => ({ agents, critic })),
  )
  return dir
}

for (const algo of ['trpo', 'ppo']) {
  test(`${algo}: one policy acts for the team; runs resume, and bundles act the same`, async (t) => {
    const options = { agents: 3 }
    const dir = await resumes(t, configOf(algo, options, 2), algo === 'trpo' ? 1 : 0)
    const { tensors } = readCheckpoint(dir, 2)
    assert.deepEqual(
      Object.keys(tensors).filter((name) => name.startsWith('actors/')),
      ['actors/agent_0'],
    )
    const records = readFileSync(join(dir, 'metrics.jsonl'), 'utf8').trim().split('\n')
    for (const record of records) {
      const { agents } = JSON.parse(record) as { agents: { id: string }[] }
      assert.deepEqual(
        agents.map(({ id }) => id),
        ['team'],
      )
    }

    const out = join(temporaryDirectory(t), 'bundle')
    await exportPolicies({ run: dir, out, format: 'wasm', checkpoint: 'latest' })
    const { info } = await loadPolicy(readFileSync(join(out, 'agent_0.wasm')))
    assert.deepEqual(info.agent, {
      index: 0,
      id: 'team',
      controls: [0, 1, 2].map((at) => ({ id: `agent_${at}`, at, size: 1 })),
    })
    assert.equal(info.observation.size, (await specOf(options)).stateSize)
    const episodes = { episodes: 3, seed: 9 }
    const ofRun = await evaluate({ source: dir, workers: 0, ...episodes })
    assert.equal(new Set(ofRun.returns).size, 3)
    assert.deepEqual((await evaluate({ source: out, ...episodes })).returns, ofRun.returns)
  })
}

/** Two agents of some action spaces, with masks, one of which leaves. Rewards are what both did. */
function pairOf(first: ActionSpace, second: ActionSpace) {
  return defineEnv({
    spec: {
      id: 'pair',
      agents: [first, second].map((action, i) => ({ id: 'ab'[i], observation: box(1), action })),
      stateSize: 2,
      timeLimit: 4,
      mode: 'cooperative',
    },
    memory: () => ({ sum: new Float64Array(2) }),
    reset: () => {},
    step({ memory: { sum }, actions, rewards }) {
      actions.forEach((action, i) => (sum[i] = action.reduce((total, x) => 10 * total + x, 0)))
      rewards.fill(sum[0] - sum[1])
      return RUNNING
    },
    observe({ memory: { sum }, state, active, availableActions }) {
      state.set(sum)
      if (sum[0] > 0) active.set([0, 1])
      if (sum[0] > 1000) active.fill(0)
      availableActions.forEach((mask, i) => mask.length > 0 && (mask[0] = i))
    },
  })()
}

test('joined agents have the actions, masks and rewards of one agent', () => {
  const env = joinAgents(pairOf(discrete(3), multiDiscrete([2, 4])))
  const [agent] = env.spec.agents
  assert.deepEqual(agent, { id: 'team', observation: box(2), action: multiDiscrete([3, 2, 4]) })
  env.reset(1)
  assert.equal(env.observations[0], env.state)
  assert.deepEqual([...env.availableActions![0]], [0, 1, 1, 1, 1, 1, 1, 1, 1])
  assert.deepEqual([...env.active!], [1])
  env.actions[0].set([2, 1, 3])
  env.submit!()
  assert.equal(env.step(), RUNNING)
  assert.deepEqual([...env.state], [2, 13])
  assert.deepEqual([...env.rewards], [-11])
  assert.deepEqual([...env.active!], [1], 'one of them still plays')
  const saved = env.saveState!()
  env.reset(2)
  assert.deepEqual([...env.state], [0, 0])
  env.loadState!(saved)
  assert.deepEqual([...env.state], [2, 13])

  const spec = joinAgents(pairOf(box(1, -1, 2), box(2, [0, -3], [1, 3]))).spec
  assert.deepEqual(spec.agents[0].action, box(3, [-1, 0, -3], [2, 1, 3]))
  assert.throws(
    () => joinedSpec(pairOf(box(1), discrete(2)).spec),
    usage(
      /^environment pair: a has a box action and b a discrete one: one policy for the team needs actions of one kind/,
    ),
  )
})

test('one policy chooses for all agents, some of which leave', async (t) => {
  const flags = { env: { id: fixture('outpost') }, steps: 80 }
  const raw = ['actor.standardise=false', 'critic.standardise=false']
  const { config } = resolveConfig({ flags, set: ['algo=ppo', ...tiny, ...raw] })
  const { dir, events } = await trained(t, config, { workers: 0 })
  assert.deepEqual(events, [])
  const out = join(temporaryDirectory(t), 'bundle')
  await exportPolicies({ run: dir, out, format: 'wasm', checkpoint: 'latest' })
  const episodes = { episodes: 5, seed: 9 }
  const ofRun = await evaluate({ source: dir, workers: 0, ...episodes })
  assert.deepEqual((await evaluate({ source: out, ...episodes })).returns, ofRun.returns)
})

test('one policy for the team is refused if agents have separate rewards', async (t) => {
  const general = configOf('ppo', { unequal: 1, mode: 'general' }, 1)
  const refused =
    /^environment line has mode general: ppo has one policy for all agents, it must be cooperative$/
  await assert.rejects(trained(t, general, { workers: 0 }), usage(refused))
  await assert.rejects(trained(t, configOf('ppo', { unequal: 1 }, 1), { workers: 0 }), {
    message: /^line: agent_0 got the reward \S+ and agent_1 \S+ in one step: /,
  })
})

const OUTER = 'actor.sharing={"outer":["agent_2","agent_0"],"inner":["agent_1"]}'

test('agents of a named group share a policy; runs resume, and bundles act the same', async (t) => {
  const config = configOf('itrpo', { agents: 3 }, 2, OUTER)
  const dir = await resumes(t, config)
  const { tensors } = readCheckpoint(dir, 2)
  assert.deepEqual(
    Object.keys(tensors).filter((name) => name.startsWith('actors/')),
    ['actors/inner', 'actors/outer'],
  )
  const [record] = readFileSync(join(dir, 'metrics.jsonl'), 'utf8').split('\n')
  const { agents } = JSON.parse(record) as { agents: { id: string }[] }
  assert.deepEqual(
    agents.map(({ id }) => id),
    ['outer', 'inner'],
  )
  const out = join(temporaryDirectory(t), 'bundle')
  await exportPolicies({ run: dir, out, format: 'wasm', checkpoint: 'latest' })
  const episodes = { episodes: 2, seed: 9 }
  const ofRun = await evaluate({ source: dir, workers: 0, ...episodes })
  assert.deepEqual((await evaluate({ source: out, ...episodes })).returns, ofRun.returns)
})

test('groups of one agent equal separate policies, and a single group equals a shared policy, bit for bit', async (t) => {
  const hashOf = async (...set: string[]) =>
    (await trained(t, configOf('ippo', {}, 2, ...set), { workers: 0 })).parametersSha256
  const alone = 'actor.sharing={"a":["agent_0"],"b":["agent_1"]}'
  assert.equal(await hashOf(alone), await hashOf())
  const together = ['actor.sharing.all=["agent_0","agent_1"]']
  assert.equal(await hashOf(...together), await hashOf('actor.sharing=shared'))
})

test('groups that do not hold every agent once, or differ in their spaces, are refused', async () => {
  const spec = await specOf({ agents: 3 })
  const plan = (sharing: string, over = spec, algo = 'mappo') =>
    planMethod(configOf(algo, {}, 1, `actor.sharing=${sharing}`), over)
  assert.throws(
    () => plan('{"a":["agent_0","agent_1"]}'),
    usage(/^actor\.sharing has "agent_2" in no group: every agent is in one group$/),
  )
  assert.throws(
    () => plan('{"a":["agent_0","agent_1"],"b":["agent_2","agent_1"]}'),
    usage(/^actor\.sharing has "agent_1" in a and b: every agent is in one group$/),
  )
  assert.throws(
    () => plan('{"a":["agent_0","agent_7"]}'),
    usage(/^actor\.sharing\.a names "agent_7": the agents of line that learn are agent_0, agent_1, agent_2$/),
  )
  const wide = await specOf({ agents: 3, wide: 2 })
  assert.throws(
    () => plan('{"a":["agent_1"],"b":["agent_0","agent_2"]}', wide),
    usage(
      /^actor\.sharing\.b is \["agent_0","agent_2"\]: a group must have agents with equal spaces for line, whose agents differ: agent_0 has 2 observations and 1 actions, agent_2 3 observations/,
    ),
  )
  assert.equal(plan('{"a":["agent_2"],"b":["agent_0","agent_1"]}', wide).groups.length, 2)
  // The factor of a turn weighs the samples of one agent.
  assert.throws(
    () => plan('{"a":["agent_0","agent_1","agent_2"]}', spec, 'happo'),
    usage(/^actor\.sharing is \{.*\}: happo needs "own"$/),
  )
  for (const value of ['{}', '{"a":[]}', '{"1a":["agent_0"]}', '[["agent_0"]]', 'both'])
    assert.throws(() => plan(value), usage(/^actor\.sharing is .*: it must be own, shared, or groups /))
})

test('critics have the configured inputs, and runs resume with the actions of the previous step', async (t) => {
  const options = { agents: 2, wide: 1 }
  const spec = await specOf(options)
  for (const [algo, set, sizes] of [
    ['hatrpo', 'critic.sharing=own', [2, 2]],
    ['mappo', 'critic.input=observations', [5]],
    ['ippo', 'critic.input=observationsAndActions', [7, 7]],
  ] as const) {
    const { critics } = planMethod(configOf(algo, options, 2, set), spec)
    assert.deepEqual(
      critics.map((critic) => critic.spec.input.size),
      sizes,
    )
  }
  const config = configOf('hatrpo', options, 2, 'critic.sharing=own', 'critic.input=observationsAndActions')
  const { tensors } = readCheckpoint(await resumes(t, config, 2), 2)
  assert.equal(Object.keys(tensors).filter((name) => name.startsWith('critics/')).length, 2)
})

test('input and sharing of critics change results only if they make a difference', async (t) => {
  const run = (...set: string[]) => trained(t, configOf('mappo', { agents: 1 }, 2, ...set), { workers: 0 })
  const team = await run()
  // For one agent whose observation is the state, all critics are the same for any input.
  for (const set of ['critic.sharing=own', 'critic.input=observations', 'critic.input=observation'])
    assert.equal((await run(set)).parametersSha256, team.parametersSha256, set)
  const two = async (...set: string[]) =>
    (await trained(t, configOf('mappo', {}, 2, ...set), { workers: 0 })).parametersSha256
  const own = await two('critic.sharing=own')
  assert.equal(await two('critic.input=observation', 'critic.sharing=own'), own, 'agents observe the state')
  assert.equal(new Set([own, await two(), await two('critic.input=observations')]).size, 3)
})

test('critics of observations and actions see the actions of the previous step', async () => {
  const config = configOf(
    'mappo',
    { limit: 3 },
    2,
    'critic.input=observationsAndActions',
    'envs=1',
    'rolloutSteps=4',
  )
  const learner = await TeamLearner.create(config, await specOf({ limit: 3 }))
  const { host, storage, plan } = learner
  const { envs, seed, env } = config
  const source = openSource(host, storage, { workers: 0, envs, seed, env, ...plan.play })
  const policies = learner.workerPolicies([1])
  policies.prepare()
  const actions = [0, 1].map((agent) => storage.agentColumn('actions', [agent]))
  /** Observations of both agents and their actions of a step. */
  const row = (array: ArrayLike<number>, at: number) => Array.from(array).slice(6 * at, 6 * at + 6)
  const seen = (t: number) => row(storage.team.jointHistory, t)
  const last = (t: number) => (t < 0 ? [0, 0] : [actions[0][t], actions[1][t]])
  let progress = freshProgress(1)
  for (const rollout of [0, 1]) {
    const before = last(3)
    progress = [...(await source.collect(policies, progress, 4 * rollout)).progress]
    const states = Array.from({ length: 4 }, (_, t) => [...storage.team.states.slice(2 * t, 2 * t + 2)])
    // Episodes of three steps start at steps 0, 3, 6.
    const expected =
      rollout === 0 ? [last(-1), last(0), last(1), last(-1)] : [before, last(0), last(-1), last(2)]
    expected.forEach((acted, t) =>
      assert.deepEqual(seen(t), [...states[t], ...states[t], ...acted], `${rollout} ${t}`),
    )
    // The rollout ends in the middle of an episode; its truncation cut off the state after steps 2 and 5.
    const finals = storage.team.finalJointHistory
    assert.deepEqual(row(finals, 0).slice(4), last(3))
    assert.deepEqual(row(finals, 1).slice(4), last(rollout === 0 ? 2 : 1))
  }
  await source.close()
})

test('choices are observed as one-hot vectors', async () => {
  const host = await openHost()
  const env = pairOf(discrete(3), multiDiscrete([2, 4]))
  const storage = new RolloutStorage(host, env.spec, 1, 2, { ...BASIC_NEEDS, jointHistory: true })
  const agent = { writeAction: () => {}, logProb: [0] }
  const recorder = new Recorder(host.kernels.memory.buffer, storage.layout)
  const record = (row: number, starts: boolean) =>
    recorder.choice(row, { env, actors: { agents: [agent, agent] } as never, k: 0, starts, end: RUNNING })
  env.reset(1)
  env.actions[0].set([2])
  env.actions[1].set([1, 3])
  record(0, true)
  record(1, false)
  const blank = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
  assert.deepEqual([...storage.team.jointHistory], [...blank, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1])
})

test('a critic shared by agents cannot use the observation of one', async () => {
  const config = configOf('mappo', {}, 1, 'critic.input=observation')
  const spec = await specOf()
  assert.throws(
    () => planMethod(config, spec),
    usage(
      /^critic\.input is observation: a critic that several agents share needs one of state, observations, observationsAndActions, or critic\.sharing=own$/,
    ),
  )
})

test('each team has a critic of its reward; agents may have separate critics', async (t) => {
  const teams = { agents: 4, unequal: 1, mode: 'general', teams: 1 }
  const { records, events, dir } = await trained(t, configOf('happo', teams, 2), { workers: 0 })
  assert.deepEqual(events, [])
  for (const { critics } of records) {
    assert.equal(critics!.length, 2)
    assert.notEqual(critics![0].loss, critics![1].loss)
  }
  const { state } = readCheckpoint(dir, 2)
  assert.equal((state as { valueNorms: unknown[] }).valueNorms.length, 2)

  // Each agent without a team is a team; the reward of one does not affect the critics of others.
  const runs = [0, 1].map((unequal) => configOf('happo', { unequal, mode: 'general' }, 1))
  const [alike, own] = await Promise.all(
    runs.map(async (config) => readCheckpoint((await trained(t, config, { workers: 0 })).dir, 1).tensors),
  )
  assert.deepEqual(own['critics/critic_0'], alike['critics/critic_0'])
  assert.notDeepEqual(own['critics/critic_1'], alike['critics/critic_1'])
  const config = configOf('happo', { agents: 4, unequal: 1, mode: 'general', teams: 2 }, 1)
  await assert.rejects(trained(t, config, { workers: 0 }), {
    message: /^line: agent_0 got the reward \S+ and agent_2 \S+ in one step: a critic of a team needs /,
  })
})
