import assert from 'node:assert/strict'
import test from 'node:test'
import { algorithms, type AlgorithmName } from '../../src/algorithms/table.js'
import { configKeys, presetNames, resolveConfig } from '../../src/config/index.js'
import { choosePreset } from '../../src/config/presets.js'
import { MARLLIB, PAPER, publishedValues } from '../../src/config/published.js'
import { saying } from '../runs/fixtures.js'

function resolve(name: string, algo: 'hatrpo' | 'happo' | 'maddpg', preset?: string) {
  return resolveConfig({ flags: { env: { id: `mamujoco/${name}` }, algo }, preset })
}

/** HARL, tuned_configs/mujoco/<task>/hatrpo: kl_threshold. */
const hatrpo: Record<string, number> = {
  'HalfCheetah-2x3': 0.01,
  'Walker2d-2x3': 0.01,
  'Walker2d-6x1': 0.005,
  'Ant-4x2': 0.005,
  'Hopper-3x1': 0.001,
}

/** HARL, .../happo: clip, ppo and critic epochs, mini-batches, entropy coefficient, lr and critic lr, linear decay. */
const happo: Record<string, [number, number, number, number, number, boolean]> = {
  'HalfCheetah-2x3': [0.05, 15, 1, 0.01, 5e-4, false],
  'Walker2d-2x3': [0.05, 5, 2, 0, 1e-3, true],
  'Walker2d-6x1': [0.1, 5, 1, 0.01, 5e-4, false],
  'Ant-4x2': [0.1, 5, 1, 0, 5e-4, false],
  'Hopper-3x1': [0.05, 10, 1, 0, 5e-4, true],
  'Humanoid-17x1': [0.1, 5, 1, 0, 5e-4, true],
}

test('--preset harl gives HATRPO the tuned row of the task', () => {
  for (const [name, delta] of Object.entries(hatrpo)) {
    const { config, tunedFor, preset } = resolve(name, 'hatrpo', 'harl')
    assert.equal(tunedFor, name)
    assert.equal(preset, 'harl')
    assert.deepEqual(config.trustRegion, {
      delta,
      damping: 0.1,
      cgIterations: 10,
      cgTolerance: 1e-10,
      lineSearchSteps: 10,
      backtrack: 0.8,
      acceptRatio: 0.5,
      miniBatches: 1,
      fisherStride: 1,
      preconditioner: 'none',
      preconditionerAge: 1,
    })
    const { lr, epochs, clip, miniBatches } = config.critic
    assert.deepEqual([lr, epochs, clip, miniBatches], [5e-4, 5, 0.2, 1])
  }
})

test('--preset harl gives HAPPO the tuned row of the task, for actors and critic', () => {
  for (const [name, [clip, epochs, miniBatches, entropyCoef, lr, lrDecay]] of Object.entries(happo)) {
    const { config, tunedFor } = resolve(name, 'happo', 'harl')
    assert.equal(tunedFor, name)
    assert.deepEqual(
      config.clipped,
      { clip, epochs, miniBatches, entropyCoef, lr, lrDecay, maxGradNorm: 10 },
      name,
    )
    const { critic } = config
    assert.deepEqual(
      [critic.clip, critic.epochs, critic.miniBatches, critic.lr],
      [clip, epochs, miniBatches, lr],
    )
  }
})

test('--preset harl gives the settings common to all tuned rows', () => {
  const { config } = resolve('HalfCheetah-2x3', 'hatrpo', 'harl')
  const { actor, critic } = config
  assert.deepEqual(actor, {
    hidden: [128, 128, 128],
    activation: 'relu',
    inputNorm: true,
    standardise: true,
    agentId: true,
    stdX: 1,
    stdY: 0.5,
    headGain: 0.01,
    sharing: 'own',
    std: 'independent',
    gruLayers: 0,
    gruSize: 64,
    chunk: 10,
  })
  assert.deepEqual(critic.hidden, [128, 128, 128])
  assert.deepEqual(
    [critic.huberDelta, critic.maxGradNorm, critic.valueNorm, critic.clippedLoss],
    [10, 10, true, true],
  )
  assert.deepEqual([config.envs, config.rolloutSteps, config.steps], [20, 200, 10_000_000])
  assert.deepEqual([config.gamma, config.lambda, config.adamEps, config.order], [0.99, 0.95, 1e-5, 'random'])
  assert.deepEqual([config.truncation, config.advantageNorm], ['harl', 'agent'])
  assert.deepEqual(config.evaluation, { every: 25, episodes: 40 })
})

test('without a preset the tuned row is used with the textbook computation', () => {
  const { config, tunedFor, preset } = resolve('Hopper-3x1', 'hatrpo')
  assert.equal(tunedFor, 'Hopper-3x1')
  assert.equal(preset, undefined)
  assert.deepEqual(
    [config.trustRegion.delta, config.actor.hidden, config.truncation, config.advantageNorm],
    [0.001, [128, 128, 128], 'bootstrap', 'joint'],
  )
})

test('another division of the same robot uses the nearest tuned row and names it', () => {
  const rows = {
    'HalfCheetah-6x1': 'HalfCheetah-2x3',
    'HalfCheetah-3x2': 'HalfCheetah-2x3',
    'Walker2d-3x2': 'Walker2d-2x3',
    'Ant-2x4': 'Ant-4x2',
    'Ant-2x4d': 'Ant-4x2',
    'Ant-8x1': 'Ant-4x2',
  }
  for (const [name, row] of Object.entries(rows))
    assert.equal(resolve(name, 'hatrpo', 'harl').tunedFor, row, name)
  assert.equal(resolve('Humanoid-9_8', 'happo', 'harl').tunedFor, 'Humanoid-17x1')
})

test('a task without a tuned row has general defaults and refuses --preset harl', () => {
  for (const [name, algo] of [
    ['ManySegmentSwimmer-10x2', 'happo'],
    ['HumanoidStandup-17x1', 'happo'],
    ['Humanoid-17x1', 'hatrpo'],
  ] as const) {
    const { config, tunedFor } = resolve(name, algo)
    assert.equal(tunedFor, undefined)
    assert.deepEqual(
      [config.trustRegion.delta, config.actor.hidden, config.critic.epochs],
      [0.01, [128, 128], 5],
    )
    assert.throws(() => resolve(name, algo, 'harl'), saying('--preset harl', name, 'HalfCheetah'))
  }
})

test('a preset selects the tuned row by the update rule of the method and names the method of the row', () => {
  for (const [algo, like, group] of [
    ['matrpo', 'hatrpo', 'trustRegion'],
    ['mappo', 'happo', 'clipped'],
  ] as const) {
    for (const preset of [undefined, 'harl']) {
      const chosen = choosePreset(preset, 'mamujoco/Hopper-3x1', algo)
      const tuned = choosePreset(preset, 'mamujoco/Hopper-3x1', like)
      assert.ok(tuned.layers.some(({ settings }) => settings[group] !== undefined))
      const settings = (choice: typeof tuned) => choice.layers.map((layer) => layer.settings)
      assert.deepEqual(settings(chosen), settings(tuned))
      assert.equal(tuned.tunedFor, 'Hopper-3x1')
      assert.equal(chosen.tunedFor, `Hopper-3x1 with ${like}`)
    }
  }
})

/** HARL, .../maddpg: n-step, exploration noise, updates per step; the same with and without its name. */
const maddpg: Record<string, [number, number, number]> = {
  'HalfCheetah-2x3': [20, 0.1, 1],
  'Walker2d-2x3': [10, 0.1, 1],
  'Walker2d-6x1': [20, 0.1, 1],
  'Ant-4x2': [20, 0.05, 0.5],
  'Hopper-3x1': [20, 0.1, 1],
}

test('a method with a replay buffer uses the tuned row of the task, and its own settings on others', () => {
  for (const [name, [nStep, noise, updatesPerStep]] of Object.entries(maddpg)) {
    for (const preset of [undefined, 'harl']) {
      const { config, tunedFor } = resolve(name, 'maddpg', preset)
      assert.equal(tunedFor, name)
      assert.deepEqual(config.offPolicy, {
        lr: 5e-4,
        batchSize: 1000,
        bufferSize: 1_000_000,
        warmup: 1000,
        updatesPerStep,
        nStep,
        polyak: 0.005,
        noise,
      })
      const { actor, critic, envs, rolloutSteps, truncation } = config
      assert.deepEqual([actor.hidden, critic.hidden, critic.lr], [[256, 256], [256, 256], 1e-3])
      assert.deepEqual([envs, rolloutSteps, truncation], [10, 50, 'bootstrap'])
    }
  }
  const { config, tunedFor } = resolve('Swimmer-2x1', 'maddpg')
  assert.equal(tunedFor, undefined)
  assert.deepEqual([config.envs, config.rolloutSteps, config.offPolicy.nStep], [10, 50, 1])
  assert.deepEqual([config.actor.hidden, config.actor.standardise], [[128, 128], false])
})

test('a method whose update rule HARL did not tune on a robot has no tuned settings there', () => {
  assert.throws(
    () => choosePreset('harl', 'mamujoco/Humanoid-17x1', 'maddpg'),
    saying('no tuned settings for maddpg', 'it has settings for HalfCheetah, Walker2d, Ant, Hopper'),
  )
})

test('every listed preset can be used', () => {
  assert.ok(presetNames.length > 0)
  for (const name of presetNames) assert.equal(resolve('Hopper-3x1', 'hatrpo', name).preset, name)
})

/** Value of a dotted key. */
function at(config: unknown, key: string): unknown {
  return key.split('.').reduce<unknown>((value, part) => (value as Record<string, unknown>)[part], config)
}

test('published presets set every listed value with its source, and do not change the task', () => {
  for (const [preset, settings] of [
    ['paper', PAPER],
    ['marllib', MARLLIB],
  ] as const)
    for (const algo of ['hatrpo', 'happo', 'matrpo', 'ippo'] as const) {
      const id = 'mamujoco/HalfCheetah-2x3'
      const values = publishedValues(settings, id, algorithms[algo])!
      const { config } = resolveConfig({ flags: { env: { id }, algo }, preset })
      const last = new Map(values.map(({ key, value }) => [key, value]))
      for (const [key, value] of last) {
        assert.ok(configKeys.includes(key), key)
        assert.deepEqual(at(config, key), value, `${preset} ${algo} ${key}`)
      }
      assert.ok(values.every(({ source }) => source.length > 10))
      assert.deepEqual(config.env, { id })
    }
})

test('--preset paper has the values of the script and the parser of the authors of HATRPO', () => {
  const { config } = resolve('HalfCheetah-2x3', 'hatrpo', 'paper')
  const { delta, miniBatches, backtrack, acceptRatio, lineSearchSteps } = config.trustRegion
  assert.deepEqual([delta, miniBatches, backtrack, acceptRatio, lineSearchSteps], [1e-4, 40, 0.5, 0.5, 10])
  assert.deepEqual([config.envs, config.rolloutSteps, config.steps], [4, 1000, 10_000_000])
  for (const { hidden } of [config.actor, config.critic]) assert.deepEqual(hidden, [64, 64])
  const { lr, epochs, miniBatches: parts, sharing, input } = config.critic
  assert.deepEqual([lr, epochs, parts, sharing, input], [5e-3, 1, 40, 'own', 'default'])
  assert.deepEqual([config.truncation, config.advantageNorm], ['terminate', 'agent'])
  const happo = resolve('HalfCheetah-2x3', 'happo', 'paper').config
  assert.deepEqual([happo.clipped.lr, happo.clipped.epochs, happo.critic.epochs], [5e-6, 5, 5])
  const deltas = [
    'Walker2d-2x3',
    'Walker2d-6x1',
    'Humanoid-17x1',
    'Humanoid-9_8',
    'ManySegmentSwimmer-10x2',
  ].map((name) => resolve(name, 'hatrpo', 'paper').config.trustRegion.delta)
  assert.deepEqual(deltas, [1e-3, 1e-4, 7e-4, 7e-4, 1.5e-4])
  // Methods whose agents do not move in turn have the critics of their rows.
  assert.equal(choose('paper', 'matrpo').critic.sharing, 'default')
})

test('--preset marllib has the values of the tuned files of MARLlib, which differ for sequential clipped methods', () => {
  const { config } = resolve('HalfCheetah-2x3', 'hatrpo', 'marllib')
  const { delta, miniBatches, backtrack, acceptRatio, lineSearchSteps } = config.trustRegion
  assert.deepEqual([delta, miniBatches, backtrack, acceptRatio, lineSearchSteps], [1e-5, 1, 0.8, 0.5, 15])
  assert.deepEqual([config.envs * config.rolloutSteps, config.lambda, config.critic.lr], [10_000, 1, 5e-4])
  const lrs = (['happo', 'mappo'] as const).map((algo) => {
    const { clipped, critic } = choose('marllib', algo)
    return [clipped.lr, critic.lr, clipped.clip]
  })
  assert.deepEqual(lrs, [
    [1e-4, 1e-6, 0.3],
    [5e-4, 5e-4, 0.3],
  ])
})

function choose(preset: string, algo: AlgorithmName) {
  return resolveConfig({ flags: { env: { id: 'mamujoco/HalfCheetah-2x3' }, algo }, preset }).config
}

test('a preset without settings for a method, and an unknown preset, are refused with the existing ones', () => {
  for (const preset of ['paper', 'marllib'])
    assert.throws(
      () => choosePreset(preset, 'mamujoco/Hopper-3x1', 'policy-iteration'),
      saying(`--preset ${preset} has no settings for policy-iteration`, 'hatrpo, happo'),
    )
  assert.throws(() => resolve('Hopper-3x1', 'hatrpo', 'halr'), saying('"halr"', 'did you mean harl?'))
})
