import assert from 'node:assert/strict'
import test from 'node:test'
import { FIGURE_1, productReturn, productStep, type Means } from '../../examples/theory/games.js'
import { assembleMethod, planMethod } from '../../src/algorithms/assemble.js'
import { resolveConfig } from '../../src/config/index.js'
import { openHost } from '../../src/devices/open.js'
import { loadEnvFactory } from '../../src/envs/index.js'
import { parameterEntry, parameterLayout } from '../../src/nn/layout.js'
import { freshProgress, openSource, RolloutStorage, WorkerPolicies } from '../../src/rollout/index.js'
import { fixture, trained } from '../training/runs.js'
import { near } from './theory-checks.js'

/** Standard deviation 1: sigmoid(1) times this. */
const STD_Y = 1 + Math.exp(-1)
const ENVS = 20
const STEPS = 200
/** Error of a mean, from 4000 samples. */
const NOISE = 0.25

/** Means of the policies after one update by a method, on samples, from the means of Figure 1. */
async function trainedStep(algo: 'hatrpo' | 'matrpo', seed: number): Promise<Means> {
  const flags = { env: { id: fixture('product') }, algo, seed, envs: ENVS, steps: ENVS * STEPS }
  const set = [
    ...['inputNorm', 'standardise', 'agentId'].map((key) => `actor.${key}=false`),
    ...[
      'actor.stdX=1',
      `actor.stdY=${STD_Y}`,
      'critic.hidden=[4]',
      'critic.epochs=1',
      `rolloutSteps=${STEPS}`,
    ],
    ...[`trustRegion.delta=${FIGURE_1.delta}`, 'trustRegion.damping=0'],
  ]
  const { config } = resolveConfig({ flags, set })
  // A mean that nothing but its bias moves.
  const options = { ...config, order: 'fixed' as const, actor: { ...config.actor, hidden: [] } }
  const { spec } = await loadEnvFactory(config.env)
  const plan = planMethod(options, spec)
  const host = await openHost()
  const storage = new RolloutStorage(host, spec, config.envs, config.rolloutSteps, plan.needs)
  const method = assembleMethod(plan, options, host, host, storage)
  const biases = plan.actors.map((actor) => parameterEntry(parameterLayout(actor), 'head.bias').offset)
  method.policies.forEach(({ parameters }, agent) => {
    const values = method.read(parameters.tensor).slice()
    values[biases[agent]] = FIGURE_1.start[agent]
    host.write(parameters.tensor, values)
    parameters.download()
  })
  const source = openSource(host, storage, { workers: 0, envs: ENVS, seed, env: config.env, oneReward: true })
  const acting = plan.actors.map((_, agent) => method.actingParameters(agent))
  const policies = new WorkerPolicies(host, plan.actors, acting, [ENVS], seed)
  policies.prepare()
  await source.collect(policies, freshProgress(ENVS), 0)
  for (const { accepted } of method.improve(1, 0).turns) assert.ok(accepted)
  await source.close()
  const [first, second] = method.policies.map(
    ({ parameters }, i) => method.read(parameters.tensor)[biases[i]],
  )
  return [first, second]
}

test('Figure 1 from samples: simultaneous moves lower the return, sequential moves raise it', async () => {
  const { start, delta } = FIGURE_1
  for (const seed of [1, 2]) {
    const simultaneous = await trainedStep('matrpo', seed)
    const sequential = await trainedStep('hatrpo', seed)
    assert.ok(productReturn(simultaneous) < productReturn(start))
    assert.ok(productReturn(sequential) > productReturn(start))
    // The first agent's step is the same; steps on samples are those of the exact gradients with noise.
    assert.equal(simultaneous[0], sequential[0])
    productStep(start, delta, null).forEach((mean, i) => near(simultaneous[i], mean, NOISE))
    productStep(start, delta, [0, 1]).forEach((mean, i) => near(sequential[i], mean, NOISE))
  }
})

test('Proposition 1 from samples: separate policies return 1, a shared one at most 2 / 2^n', async (t) => {
  const agents = 4
  const course = async (algo: 'hatrpo' | 'matrpo', iterations: number, ...set: string[]) => {
    const flags = { env: { id: 'games/proposition-1', agents }, algo, steps: iterations * 400 }
    const small = [
      'actor.hidden=[8]',
      'critic.hidden=[8]',
      'envs=10',
      'rolloutSteps=40',
      'evaluation.every=0',
    ]
    const { config } = resolveConfig({ flags, set: [...small, ...set] })
    const { records } = await trained(t, config, { workers: 0 })
    return records.map(({ episodeReturn }) => episodeReturn!)
  }
  const own = await course('hatrpo', 30)
  assert.ok(own.at(-1)!.mean > 0.99, `own policies earn ${own.at(-1)!.mean}`)

  const shared = await course('matrpo', 30, 'actor.sharing=shared', 'actor.agentId=false')
  const last = shared.slice(-20)
  const count = last.reduce((sum, episodes) => sum + episodes.count, 0)
  const mean = last.reduce((sum, episodes) => sum + episodes.count * episodes.mean, 0) / count
  const most = 2 / 2 ** agents
  // Four standard deviations of the mean over the episodes, with a reward of 1 at the best probability.
  assert.ok(mean <= most + 4 * Math.sqrt((most * (1 - most)) / count), `a shared policy earns ${mean}`)
})
