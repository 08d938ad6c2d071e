import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { assembleMethod, planMethod } from '../../src/algorithms/assemble.js'
import { partsOf, trainableAlgorithms } from '../../src/algorithms/parts.js'
import { algorithmNames, algorithms, type Algorithm, type AlgorithmName } from '../../src/algorithms/table.js'
import { resolveConfig, type TrainConfig } from '../../src/config/index.js'
import { openDevice, openHost } from '../../src/devices/open.js'
import { loadEnvFactory, type EnvSpec } from '../../src/envs/index.js'
import { HatrpoError } from '../../src/errors.js'
import { freshProgress, openSource, RolloutStorage, WorkerPolicies } from '../../src/rollout/index.js'
import { readCheckpoint } from '../../src/runs/checkpoint.js'
import { parametersSha256 } from '../../src/runs/sha256.js'
import { evaluate } from '../../src/training/evaluate.js'
import { exportPolicies } from '../../src/training/export.js'
import { fixture, temporaryDirectory, tiny, trained } from '../training/runs.js'

/** Methods that learn from rollouts. */
const BUILT = [
  'hatrpo',
  'happo',
  'itrpo',
  'ippo',
  'matrpo',
  'mappo',
  'hatrpo-w',
  'hatrpo-g',
  'trpo',
  'ppo',
  'maddpg',
] as const

/** Settings with which a method learns in a tiny run. */
const SETTINGS: Partial<Record<AlgorithmName, string[]>> = {
  maddpg: ['offPolicy.warmup=20', 'offPolicy.batchSize=10'],
}

/** A tiny run of 80 steps an iteration on the cart of fixtures/line. */
function configOf(
  algo: AlgorithmName,
  options: Record<string, number | string> = {},
  iterations = 2,
  ...set: string[]
): TrainConfig {
  const flags = { env: { id: fixture('line'), ...options }, algo, steps: iterations * 80 }
  // All standardised pairs of numbers are 1 and -1.
  const plain = ['actor.standardise=false', 'critic.standardise=false', 'checkpoint.every=1']
  return resolveConfig({ flags, set: [...tiny, ...plain, ...set] }).config
}

async function hashOf(t: TestContext, ...args: Parameters<typeof configOf>): Promise<string> {
  const { parametersSha256: sha256, events } = await trained(t, configOf(...args), { workers: 0 })
  assert.deepEqual(events, [])
  return sha256
}

async function specOf(options: Record<string, number | string> = {}): Promise<EnvSpec> {
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

test('exactly the rows with implemented parts can be trained', () => {
  const trainable: readonly string[] = [...BUILT, 'policy-iteration']
  assert.deepEqual([...trainableAlgorithms].sort(), [...trainable].sort())
  for (const name of algorithmNames) {
    const built = trainable.includes(name)
    assert.equal(partsOf(algorithms[name]) !== undefined, built, name)
  }
})

test('an unknown or unimplemented value is refused in one line, in every field', async () => {
  const spec = await specOf()
  const config = configOf('happo')
  const changes: Record<keyof Algorithm, readonly string[]> = {
    update: ['offPolicy', 'exact', 'none', ''],
    schedule: ['single', 'greedy', 'none', ''],
    critic: ['perAgentJoint', 'exact', 'none', ''],
    actors: ['one', 'shared', ''],
    // A clip range is not a KL that could be split.
    klBudget: ['kkt', 'greedy', 'penalty', 'none', ''],
  }
  assert.ok(partsOf(algorithms.happo))
  for (const [field, values] of Object.entries(changes)) {
    for (const value of values) {
      const row = { ...algorithms.happo, [field]: value } as Algorithm
      assert.equal(partsOf(row), undefined, `${field} ${value}`)
      assert.throws(() => planMethod(config, spec, row), usage(/^algo is happo: it cannot be trained yet$/))
    }
  }
  const unfit: Partial<Algorithm>[] = [
    { klBudget: 'none' },
    // The agent with the largest share must be first.
    { klBudget: 'greedy' },
    { schedule: 'simultaneous', klBudget: 'kkt' },
    // Advantages follow from values of states.
    { critic: 'perAgentJoint' },
  ]
  for (const change of unfit) assert.equal(partsOf({ ...algorithms.hatrpo, ...change }), undefined)
  const exact = algorithms['policy-iteration']
  assert.ok(partsOf(exact))
  for (const change of [{ critic: 'state' }, { schedule: 'simultaneous' }, { klBudget: 'fixed' }] as const)
    assert.equal(partsOf({ ...exact, ...change }), undefined, JSON.stringify(change))
  assert.equal(partsOf({ ...algorithms.maddpg, critic: 'state' }), undefined)
})

test('each method trains, and no two methods end with the same parameters', async (t) => {
  const hashes = new Map<string, string>()
  for (const algo of BUILT) hashes.set(algo, await hashOf(t, algo, {}, 2, ...(SETTINGS[algo] ?? [])))
  for (const algo of ['mappo', 'matrpo', 'ippo', 'itrpo'] as const)
    hashes.set(`${algo} shared`, await hashOf(t, algo, {}, 2, 'actor.sharing=shared'))
  assert.equal(new Set(hashes.values()).size, hashes.size, JSON.stringify([...hashes]))
})

// With one agent the factor of the sequential schedule is 1, and a product with 1 is exact; the one order is that of the
// one policy; all else is the same code on the same keys. Where its observation is the state, so is its own critic's input.
for (const family of [
  ['happo', 'mappo', 'ippo', 'ppo'],
  ['hatrpo', 'matrpo', 'itrpo', 'hatrpo-w', 'hatrpo-g', 'trpo'],
] as const) {
  test(`one agent: ${family.join(', ')} are the same method, bit for bit`, async (t) => {
    const hashes = await Promise.all(family.map((algo) => hashOf(t, algo, { agents: 1 }, 3)))
    assert.equal(new Set(hashes).size, 1)
  })
}

test('agents that share parameters have one policy, whose input identifies the agent', async (t) => {
  const set = ['actor.sharing=shared', 'actor.headGain=1', 'clipped.epochs=1', 'clipped.miniBatches=1']
  const config = configOf('mappo', { agents: 3 }, 3, ...set)
  const { dir, records, parametersSha256: sha256 } = await trained(t, config, { workers: 1 })
  const { tensors } = readCheckpoint(dir, 3)
  const actors = Object.keys(tensors).filter((name) => name.startsWith('actors/'))
  assert.deepEqual(actors, ['actors/shared'])
  assert.deepEqual(
    records.map(({ agents }) => agents.map(({ id }) => id)),
    [['shared'], ['shared'], ['shared']],
  )
  // The first step of an update sees ratios of 1: rollout and learner agree on the policy of every row's agent.
  for (const { agents } of records) assert.equal(agents[0].clipFraction, 0)
  const own = tensors['actors/shared'] as Float32Array
  const vectors = [own, tensors['critics/critic_0'] as Float32Array]
  assert.equal(parametersSha256(vectors), sha256)

  // Two agents with one observation act differently by the id alone.
  const spec = await specOf({ agents: 3 })
  for (const [agentId, different] of [
    [true, true],
    [false, false],
  ]) {
    const actor = { ...config.actor, agentId }
    const plan = planMethod({ ...config, actor }, spec)
    const host = await openHost()
    const storage = new RolloutStorage(host, spec, 1, 2, plan.needs)
    const method = assembleMethod(plan, { ...config, actor }, host, host, storage)
    const parameters = plan.actors.map((_, agent) => method.actingParameters(agent))
    assert.equal(new Set(parameters).size, 1, 'one vector')
    const policies = new WorkerPolicies(host, plan.actors, parameters, [1], 1)
    policies.prepare()
    const modes = policies.addresses[0].map(({ observations, mode, actions }) => {
      const { buffer } = host.kernels.memory
      new Float32Array(buffer, observations, 2).set([0.5, -0.3])
      host.kernels.exports.runAlone(mode)
      return new Float32Array(buffer, actions, 1)[0]
    })
    assert.equal(new Set(modes).size, different ? 3 : 1)
  }
})

test('parameters are shared only where the method and the agents allow it', async () => {
  const same = await specOf()
  const shared = (algo: AlgorithmName) => configOf(algo, {}, 2, 'actor.sharing=shared')
  for (const algo of ['hatrpo', 'happo'] as const) {
    const refused = usage(new RegExp(`^actor\\.sharing is "shared": ${algo} needs "own"$`))
    assert.throws(() => planMethod(shared(algo), same), refused)
  }
  const wide = await specOf({ wide: 1 })
  assert.throws(
    () => planMethod(shared('ippo'), wide),
    usage(
      /^actor\.sharing is "shared": it must be "own", or groups of agents with equal spaces, for line, whose agents differ: agent_0 has 2 observations and 1 actions, agent_1 3 observations and 1 actions$/,
    ),
  )
  assert.equal(planMethod(shared('ippo'), same).groups.length, 1)

  // The sequential schedule multiplies the ratios of one agent's batch at a time.
  const inTurn: Algorithm = { ...algorithms.matrpo, schedule: 'sequential' }
  const refused = usage(/^actor\.sharing is "shared": matrpo needs "own"$/)
  assert.throws(() => planMethod(shared('matrpo'), same, inTurn), refused)
  assert.equal(planMethod(configOf('matrpo'), same, inTurn).groups.length, 2)
})

test('one agent: a shared policy equals a separate one, bit for bit', async (t) => {
  for (const set of [[], ['clipped.miniBatches=2']]) {
    const [own, shared] = await Promise.all([
      hashOf(t, 'mappo', { agents: 1 }, 2, ...set),
      hashOf(t, 'mappo', { agents: 1 }, 2, 'actor.sharing=shared', ...set),
    ])
    assert.equal(shared, own)
  }
})

test('a bundle of agents with separate rewards has the return of its run: their mean', async (t) => {
  const config = configOf('ippo', { unequal: 1, mode: 'general' }, 1)
  const { dir } = await trained(t, config, { workers: 0 })
  const out = join(temporaryDirectory(t), 'bundle')
  await exportPolicies({ run: dir, out, format: 'wasm', checkpoint: 'latest' })
  const options = { episodes: 3, seed: 9 }
  const ofRun = await evaluate({ source: dir, workers: 0, ...options })
  assert.deepEqual((await evaluate({ source: out, ...options })).returns, ofRun.returns)
})

for (const algo of ['itrpo', 'ippo'] as const) {
  test(`${algo}: every agent has its own critic, which learns from the rewards of the agent`, async (t) => {
    for (const mode of ['cooperative', 'general']) {
      const config = configOf(algo, { unequal: 1, mode }, 2)
      const { dir, records, events } = await trained(t, config, { workers: 1 })
      assert.deepEqual(events, [])
      const { tensors, state } = readCheckpoint(dir, 2)
      for (const name of [
        'critics/critic_0',
        'critics/critic_1',
        'optimisers/critic_0.m',
        'optimisers/critic_1.m',
      ])
        assert.ok(tensors[name] instanceof Float32Array, name)
      const { valueNorms } = state as { valueNorms: number[][] }
      assert.equal(valueNorms.length, 2)
      assert.notDeepEqual(valueNorms[0], valueNorms[1])
      for (const { critics } of records) {
        assert.equal(critics!.length, 2)
        assert.notEqual(critics![0].loss, critics![1].loss)
      }
    }
  })
}

test('a separate reward affects only its agent', async (t) => {
  const actorsOf = async (unequal: number) => {
    const config = configOf('ippo', { unequal, mode: 'general' }, 1)
    const { dir } = await trained(t, config, { workers: 0 })
    const { tensors } = readCheckpoint(dir, 1)
    return ['actors/agent_0', 'critics/critic_0', 'actors/agent_1', 'critics/critic_1'].map(
      (name) => tensors[name],
    )
  }
  // Only the second agent's reward has an unequal part.
  const [plain, changed] = [await actorsOf(0), await actorsOf(1)]
  assert.deepEqual(changed.slice(0, 2), plain.slice(0, 2))
  assert.notDeepEqual(changed[2], plain[2])
  assert.notDeepEqual(changed[3], plain[3])
})

for (const algo of ['mappo', 'happo'] as const) {
  test(`${algo}: different rewards are refused in one line, and leave no folder`, async (t) => {
    const folder = temporaryDirectory(t)
    const made = mkdtempSync(join(folder, 'empty'))
    for (const [dir, workers] of [
      [join(folder, 'new'), algo === 'mappo' ? 1 : 0],
      [made, 0],
    ] as const) {
      const refused = usage(/^line: agent_0 got the reward \S+ and agent_1 \S+ in one step: /)
      await assert.rejects(trained(t, configOf(algo, { unequal: 1 }), { dir, workers }), refused)
      assert.deepEqual(existsSync(dir) ? readdirSync(dir) : null, dir === made ? [] : null)
    }
  })
}

for (const [algo, ...set] of [
  ['ippo', 'clipped.miniBatches=2', 'critic.miniBatches=2'],
  ['mappo', 'actor.sharing=shared', 'clipped.miniBatches=2'],
  ['itrpo', 'trustRegion.miniBatches=2'],
  // The preconditioner's age counts forecasts, too.
  ['hatrpo-w', 'env.agents=3', 'order=score', 'trustRegion.solver=fast', 'trustRegion.preconditionerAge=3'],
  ['hatrpo-g', 'env.agents=3'],
] as const) {
  test(`${algo} ${set.join(' ')}: a stopped and resumed run ends like an uninterrupted one`, async (t) => {
    const config = configOf(algo, {}, 4, ...set)
    const whole = await trained(t, config, { workers: 0 })
    const dir = join(temporaryDirectory(t), 'run')
    const stop = new AbortController()
    const onIteration = ({ iteration }: { iteration: number }) => void (iteration === 2 && stop.abort())
    const half = await trained(t, config, { workers: 0, dir, signal: stop.signal, onIteration })
    assert.deepEqual([half.finished, half.iterations], [false, 2])
    const resumed = await trained(t, config, { workers: 2, dir, resume: true })
    assert.equal(resumed.parametersSha256, whole.parametersSha256)
    assert.deepEqual(
      resumed.records.map(({ agents, critic }) => ({ agents, critic })),
      whole.records.map(({ agents, critic }) => ({ agents, critic })),
    )
  })
}

test('one budget is split by predicted gains; its division, use and order are in the records', async (t) => {
  const delta = 0.01
  const configs: [AlgorithmName, ...string[]][] = [
    ['hatrpo-w', 'allocation.rescore=all', 'allocation.max=1.5'],
    ['hatrpo-w', 'allocation.rescore=once', 'allocation.min=0.5'],
    ['hatrpo-g'],
    ['hatrpo', 'order=score'],
  ]
  for (const [algo, ...set] of configs) {
    const { records } = await trained(t, configOf(algo, { agents: 3 }, 3, ...set), { workers: 0 })
    for (const { agents } of records) {
      const turns = [...agents].sort((a, b) => a.turn! - b.turn!)
      assert.deepEqual(
        turns.map(({ turn }) => turn),
        [1, 2, 3],
      )
      let left = 3 * delta
      for (const { klUsed, klAllowed, score } of turns) {
        assert.ok(score! > 0)
        assert.ok(klAllowed! <= left && klUsed! <= klAllowed!)
        if (algo === 'hatrpo') assert.equal(klAllowed, delta)
        if (algo === 'hatrpo-g') assert.equal(klAllowed, left < 1e-3 * delta ? 0 : left)
        if (set.includes('allocation.max=1.5')) assert.ok(klAllowed! <= 1.5 * delta)
        if (set.includes('allocation.min=0.5')) assert.ok(klAllowed! >= 0.5 * delta)
        left = Math.max(0, left - klUsed!)
      }
    }
  }
})

test('steps that cannot be compared in advance are refused with the setting and the valid value', async () => {
  const spec = await specOf()
  const refused: [RegExp, AlgorithmName, string][] = [
    [
      /^trustRegion\.miniBatches is 2: .* it must be 1 for hatrpo-w$/,
      'hatrpo-w',
      'trustRegion.miniBatches=2',
    ],
    [
      /^trustRegion\.miniBatches is 2: .* it must be 1 for hatrpo-g$/,
      'hatrpo-g',
      'trustRegion.miniBatches=2',
    ],
    [/^order is "score": .* it must be random or fixed for happo$/, 'happo', 'order=score'],
  ]
  for (const [message, algo, set] of refused)
    assert.throws(() => planMethod(configOf(algo, {}, 2, set), spec), usage(message))
  planMethod(configOf('hatrpo', {}, 2, 'trustRegion.miniBatches=2'), spec)
})

test('a row of existing parts is trained without further code', async () => {
  const row: Algorithm = {
    update: 'trustRegion',
    schedule: 'sequential',
    critic: 'perAgent',
    actors: 'own',
    klBudget: 'fixed',
  }
  assert.ok(!Object.values(algorithms).some((known) => JSON.stringify(known) === JSON.stringify(row)))
  const spec = await specOf({ unequal: 1, mode: 'general' })
  const config = configOf('hatrpo', { unequal: 1, mode: 'general' })
  const course = async (made: Algorithm) => {
    const plan = planMethod(config, spec, made)
    assert.deepEqual(
      plan.critics.map(({ agents }) => agents),
      [[0], [1]],
    )
    const host = await openHost()
    const device = await openDevice(config.device, host)
    const storage = new RolloutStorage(host, spec, config.envs, config.rolloutSteps, plan.needs)
    const method = assembleMethod(plan, config, host, device, storage)
    const { envs, seed, env } = config
    const { oneReward } = plan.play
    const source = openSource(host, storage, { workers: 0, envs, seed, env, oneReward })
    const parameters = plan.actors.map((_, agent) => method.actingParameters(agent))
    const policies = new WorkerPolicies(host, plan.actors, parameters, [envs], seed)
    let progress = freshProgress(envs)
    const spreads: number[] = []
    for (let iteration = 1; iteration <= 3; iteration++) {
      policies.prepare()
      const rollout = await source.collect(policies, progress, (iteration - 1) * config.rolloutSteps)
      progress = [...rollout.progress]
      const { turns, critics } = method.improve(iteration, 0)
      assert.equal(critics.length, 2)
      for (const { klUsed, accepted, factorSpread } of turns) {
        assert.ok(klUsed <= (made.klBudget === 'fixed' ? 1 : 2) * config.trustRegion.delta)
        assert.ok(accepted)
        if (factorSpread) spreads.push(factorSpread.sd)
      }
    }
    await source.close()
    return { sha256: parametersSha256(method.parameters()), spreads }
  }
  const { sha256, spreads } = await course(row)
  assert.ok(Math.max(...spreads) > 0, 'the second agent of a turn is weighted by the ratios of the first')
  assert.deepEqual(await course(row), { sha256, spreads })
  // The example of docs/ARCHITECTURE.md.
  const shared = await course({ ...row, schedule: 'greedy', klBudget: 'kkt' })
  assert.notEqual(shared.sha256, sha256)
  const simultaneous = await course(algorithms.itrpo)
  assert.notEqual(simultaneous.sha256, sha256)
  assert.deepEqual(simultaneous.spreads, [])
})
