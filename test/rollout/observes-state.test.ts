// Environments whose agents observe the state: a rollout stores it once.
import assert from 'node:assert/strict'
import test from 'node:test'
import { partsOf, trainableAlgorithms } from '../../src/algorithms/parts.js'
import { algorithms } from '../../src/algorithms/table.js'
import { openHost } from '../../src/devices/open.js'
import { EnvContext, loadEnvFactory, RUNNING } from '../../src/envs/index.js'
import { Actors } from '../../src/rollout/acting.js'
import { BASIC_NEEDS, freshProgress, openSource, RolloutStorage } from '../../src/rollout/index.js'
import { Recorder } from '../../src/rollout/recorder.js'
import { resetSoundly } from '../../src/rollout/stepping.js'
import { TeamLearner } from '../../src/training/learner.js'
import { Team } from '../training/fixtures/team.js'
import { fixture, tinyConfig } from '../training/runs.js'

const AGENTS = 3
const line = { id: fixture('line'), agents: AGENTS }

/** Two iterations of a method. @returns the parameters' digest, and the number of columns for states and observations */
async function train(observesState: number, ...set: string[]) {
  const config = tinyConfig({ ...line, observesState }, 2, ...set)
  const { spec } = await loadEnvFactory(config.env)
  const learner = await TeamLearner.create(config, spec)
  const { host, storage, method, plan } = learner
  const { envs, seed, env } = config
  const options = { workers: 0, envs, seed, env, ...plan.play }
  const source = openSource(host, storage, options)
  try {
    const policies = learner.workerPolicies(source.shares.map(({ count }) => count))
    let progress = freshProgress(envs)
    for (const iteration of [1, 2]) {
      policies.prepare()
      const startStep = (iteration - 1) * config.rolloutSteps
      progress = [...(await source.collect(policies, progress, startStep)).progress]
      method.improve(iteration, 0)
    }
  } finally {
    await source.close()
  }
  const places = [
    storage.team.states,
    ...plan.env.agents.map((_, i) => storage.agentColumn('observations', [i])),
  ]
  const columns = new Set(places.map(({ byteOffset }) => byteOffset)).size
  return { sha256: learner.sha256(), columns }
}

/** Methods that read tables do not learn from rollouts; those with a replay buffer have a separate learner. */
const learnFromRollouts = trainableAlgorithms.filter((algo) => {
  const { tables, replay } = partsOf(algorithms[algo])!.update
  return !tables && !replay
})

for (const algo of learnFromRollouts) {
  for (const sharing of partsOf(algorithms[algo])!.sharing) {
    test(`${algo}, ${sharing} policies: one column gives the bits of separate observations`, async () => {
      // Agents of a group are adjacent in memory, for any agent numbers.
      const value = sharing === 'groups' ? '{"outer":["agent_0","agent_2"],"inner":["agent_1"]}' : sharing
      const settings = [`algo=${algo}`, `actor.sharing=${value}`]
      const { joined = false } = partsOf(algorithms[algo])!.schedule
      const [own, one] = [await train(0, ...settings), await train(1, ...settings)]
      assert.equal(one.sha256, own.sha256)
      assert.equal(own.columns, joined ? 1 : 1 + AGENTS)
      // The batch of a shared policy is the agents' observations one after another.
      assert.equal(one.columns, sharing === 'own' ? 1 : 1 + AGENTS)
    })
  }
}

test('exactly the fully observed tasks declare observesState', async () => {
  for (const [obs, observesState] of [
    ['full', true],
    ['1', false],
  ] as const) {
    const { spec } = await loadEnvFactory({ id: 'mamujoco/HalfCheetah-2x3', obs })
    assert.equal(spec.observesState, observesState)
  }
})

test('a broken step keeps its state, unless the state may have caused an action that is not finite', async () => {
  const host = await openHost()
  const { spec, create } = await loadEnvFactory({ ...line, observesState: 1 })
  const env = await create(new EnvContext())
  env.reset(3)
  const storage = new RolloutStorage(host, spec, 1, 2, BASIC_NEEDS)
  const recorder = new Recorder(host.kernels.memory.buffer, storage.layout)
  const actors = new Actors(host.kernels, [], [], 1)
  const instant = { env, actors, k: 0, starts: true, end: RUNNING }
  const seen = [...env.state]
  storage.team.states.set([...seen, ...seen])
  recorder.broken(0, false)
  recorder.broken(1, true)
  assert.deepEqual([...storage.agentColumn('observations', [2])], [...seen, 0, 0])
  recorder.finished(0, instant)
  assert.deepEqual([...storage.team.finalStates].slice(0, 2), seen)
})

test('a wrong observesState is refused when an episode starts', () => {
  class Wrong extends Team {
    override readonly spec = { ...new Team().spec, observesState: true }
    override reset(seed: number): void {
      super.reset(seed)
      this.observations[1][0] += 1
    }
  }
  assert.throws(
    () => resetSoundly(new Wrong(), 3),
    /^HatrpoError: team: spec\.observesState is true, but observations\[1\]\[0\] is \S+ and state\[0\] is \S+ after reset\(3\): leave observesState out$/,
  )
})
