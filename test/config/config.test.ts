import assert from 'node:assert/strict'
import test from 'node:test'
import {
  type ConfigSources,
  configKeys,
  configSha256,
  resolveConfig,
  totalIterations,
  type TrainConfig,
  validateConfig,
} from '../../src/config/index.js'
import { saying, testConfig } from '../runs/fixtures.js'

const task = { env: { id: 'mamujoco/HalfCheetah-2x3' }, algo: 'hatrpo' } as const

/** Value of a dotted key. */
function at(config: TrainConfig, key: string): unknown {
  return key.split('.').reduce<unknown>((value, part) => (value as Record<string, unknown>)[part], config)
}

test('every invalid value is refused with its key, the value and the valid values', () => {
  const wrong: [setting: string, ...words: string[]][] = [
    ['env=cheetah', 'env is "cheetah"', 'an object with an id'],
    ['env.id=3', 'env.id is 3', 'name of an environment'],
    ['env.id=""', 'env.id is ""'],
    ['env.obs=[1]', 'env.obs is [1]', 'a text, a number'],
    ['algo=sac', 'algo is "sac"', 'one of hatrpo, happo'],
    ['seed=-1', 'seed is -1', 'from 0 to 9007199254740991'],
    ['seed=1.5', 'seed is 1.5', 'whole number'],
    ['seed=9007199254740992', 'seed is 9007199254740992', '9007199254740991'],
    ['steps=0', 'steps is 0', 'from 1'],
    ['steps=85899345920', 'steps is 85899345920', 'below envs x 2^32 = 85899345920'],
    ['steps=many', 'steps is "many"'],
    ['steps=1e999', 'steps is Infinity'],
    ['envs=0', 'envs is 0'],
    ['rolloutSteps=2.5', 'rolloutSteps is 2.5'],
    ['device=tpu', 'device is "tpu": it must be one of wasm, '],
    ['actor.hidden=128', 'actor.hidden is 128', 'a list of 1 to 8'],
    ['actor.hidden=[]', 'actor.hidden is []', 'a list of 1 to 8'],
    ['actor.hidden=[64,0]', 'actor.hidden.1 is 0', 'from 1 to 8192'],
    ['actor.activation=swish', 'actor.activation is "swish"', 'relu, tanh'],
    ['actor.inputNorm=yes', 'actor.inputNorm is "yes"', 'true or false'],
    ['actor.stdX=0', 'actor.stdX is 0', 'above 0'],
    ['actor=3', 'actor is 3', 'an object'],
    ['critic=null', 'critic is null', 'an object'],
    ['critic.lr=-1e-3', 'critic.lr is -0.001', 'above 0'],
    ['critic.epochs=0', 'critic.epochs is 0'],
    ['critic.miniBatches=4001', 'critic.miniBatches is 4001', 'at most envs x rolloutSteps = 4000'],
    ['trustRegion.miniBatches=4001', 'trustRegion.miniBatches is 4001', '4000'],
    ['clipped.miniBatches=4001', 'clipped.miniBatches is 4001', '4000'],
    ['actor.gruLayers=9', 'actor.gruLayers is 9', '0 to 8 (0 = none)'],
    ['critic.gruSize=0', 'critic.gruSize is 0', '1 to 8192'],
    ['actor={"gruLayers":1,"chunk":7}', 'rolloutSteps is 200', 'a multiple of actor.chunk = 7'],
    ['critic={"gruLayers":1,"chunk":400}', 'rolloutSteps is 200', 'a multiple of critic.chunk = 400'],
    [
      'critic={"gruLayers":1,"miniBatches":401}',
      'critic.miniBatches is 401',
      'rolloutSteps / critic.chunk = 400',
    ],
    ['adamEps=0', 'adamEps is 0'],
    ['gamma=1.01', 'gamma is 1.01', 'from 0 to 1'],
    ['lambda=-0.1', 'lambda is -0.1', 'from 0 to 1'],
    ['truncation=cut', 'truncation is "cut"', 'bootstrap, harl, terminate'],
    ['advantageNorm=each', 'advantageNorm is "each"', 'joint, agent, none'],
    ['order=greedy', 'order is "greedy"', 'random, fixed, score'],
    ['allocation.rescore=never', 'allocation.rescore is "never"', 'all, lazy, once'],
    ['allocation.min=1.1', 'allocation.min is 1.1', 'from 0 to 1'],
    ['allocation.max=0.9', 'allocation.max is 0.9', '1 or more'],
    ['allocation.mxa=1', 'unknown key allocation.mxa', 'did you mean allocation.max?'],
    ['trustRegion.delta=0', 'trustRegion.delta is 0', 'above 0'],
    ['trustRegion.delta=NaN', 'trustRegion.delta is "NaN"', 'above 0'],
    ['trustRegion.damping=-1', 'trustRegion.damping is -1', '0 or more'],
    ['trustRegion.cgIterations=0', 'trustRegion.cgIterations is 0'],
    ['trustRegion.solver=fats', 'trustRegion.solver is "fats"', 'plain, fast', 'did you mean fast?'],
    ['trustRegion.preconditioner=lu', 'trustRegion.preconditioner is "lu"', 'none, kfac'],
    ['trustRegion.fisherStride=0', 'trustRegion.fisherStride is 0', '1 to 1000'],
    ['trustRegion={"damping":0,"solver":"fast"}', 'trustRegion.damping is 0', 'above 0', 'kfac'],
    ['trustRegion.backtrack=1', 'trustRegion.backtrack is 1', 'above 0 and below 1'],
    ['trustRegion.acceptRatio=2', 'trustRegion.acceptRatio is 2', 'from 0 to 1'],
    ['clipped.clip=1', 'clipped.clip is 1', 'above 0 and below 1'],
    ['clipped.entropyCoef=-1', 'clipped.entropyCoef is -1'],
    ['clipped.lrDecay=1', 'clipped.lrDecay is 1', 'true or false'],
    ['evaluation.every=-1', 'evaluation.every is -1', '0 = never'],
    ['evaluation.episodes=0', 'evaluation.episodes is 0'],
    ['checkpoint.every=0', 'checkpoint.every is 0'],
    ['checkpoint.keepEvery=0.5', 'checkpoint.keepEvery is 0.5', '0 = none'],
    ['delta=1', 'unknown key delta', 'did you mean trustRegion.delta?'],
    ['trustRegion.dleta=1', 'unknown key trustRegion.dleta', 'did you mean trustRegion.delta?'],
    ['trustregion.delta=1', 'unknown key trustregion.delta', 'trustRegion.delta?'],
    ['env.obs.k=1', 'unknown key env.obs.k'],
    ['critic.zzzzzz=1', 'unknown key critic.zzzzzz', 'hidden, activation'],
    ['__proto__.polluted=1', 'unknown key __proto__.polluted'],
    ['foo', '--set is "foo"', 'key=value'],
    ['=1', '--set is "=1"', 'key=value'],
  ]
  for (const [setting, ...words] of wrong)
    assert.throws(() => resolveConfig({ flags: task, set: [setting] }), saying(...words), setting)
  for (const [setting, ...words] of [
    ['fisherStride=2', 'trustRegion.fisherStride is 2', 'with actor.gruLayers = 1 it must be 1'],
    ['preconditioner=kfac', 'trustRegion.preconditioner is kfac', 'it must be none'],
  ]) {
    const set = ['actor.gruLayers=1', `trustRegion.${setting}`]
    assert.throws(() => resolveConfig({ flags: task, set }), saying(...words), setting)
  }
})

test('a setting that the method never reads is refused with its key, the method and the keys that it reads', () => {
  const happo = { ...task, algo: 'happo' } as const
  const refused: [sources: ConfigSources, ...words: string[]][] = [
    [
      { flags: task, set: ['clipped.clip=0.1'] },
      'clipped.clip is 0.1: hatrpo never reads it',
      'trustRegion.delta,',
    ],
    [
      { flags: happo, set: ['trustRegion.delta=1'] },
      'trustRegion.delta is 1: happo never reads',
      'clipped.lr,',
    ],
    [{ flags: task, set: ['clipped={"epochs":3}'] }, 'clipped.epochs is 3: hatrpo never reads it'],
    [{ flags: task, set: ['algo=happo', 'trustRegion.damping=1'] }, 'trustRegion.damping', 'happo never'],
    [{ flags: task, file: { clipped: { lr: 0.001 } } }, 'clipped.lr is 0.001: hatrpo never reads it'],
    [{ flags: { ...task, clipped: { lr: 0.001 } } }, 'clipped.lr is 0.001: hatrpo never reads it'],
    [{ file: resolveConfig({ flags: happo }).config, set: ['trustRegion.delta=1'] }, 'happo never reads'],
    [
      { flags: { ...task, algo: 'hatrpo-g' }, set: ['order=score'] },
      'order is "score": hatrpo-g never reads it, the agent with the greatest merit is next',
    ],
    [
      { flags: task, set: ['allocation.max=2'] },
      'allocation.max is 2: hatrpo never reads it, each of its agents has a separate budget',
    ],
    [
      { flags: task, set: ['order=score', 'allocation={"max":2}'] },
      'allocation.max is 2: hatrpo never reads it, it reads allocation.rescore',
    ],
    [
      { flags: { ...task, algo: 'hatrpo-g' }, set: ['allocation.min=0.5'] },
      'allocation.min is 0.5: hatrpo-g never reads it, it reads allocation.rescore, allocation.max',
    ],
    [{ flags: task, set: ['offPolicy.lr=1'] }, 'offPolicy.lr is 1: hatrpo never reads it'],
    [{ flags: { ...task, algo: 'maddpg' }, set: ['order=fixed'] }, 'order is "fixed": maddpg never reads it'],
    [{ flags: { ...task, algo: 'mappo' }, set: ['order=fixed'] }, 'order is "fixed": mappo never reads it'],
    [
      { flags: happo, set: ['trustRegion.solver=fast'] },
      'trustRegion.solver is "fast": happo never reads it',
    ],
    [
      { flags: task, set: ['trustRegion.preconditionerAge=5'] },
      'trustRegion.preconditionerAge is 5: trustRegion.preconditioner is none, which never reads it',
    ],
    [
      { flags: task, set: ['critic.chunk=5'] },
      'critic.chunk is 5: critic.gruLayers is 0, which never reads it',
    ],
  ]
  for (const [sources, ...words] of refused)
    assert.throws(() => resolveConfig(sources), saying(...words), words[0])
})

test('a named solver sets its values, and settings beside and after it change them', () => {
  const resolved = (...set: string[]) => resolveConfig({ flags: task, set }).config.trustRegion
  const solverOf = (...set: string[]) => {
    const { cgIterations, fisherStride, preconditioner, preconditionerAge } = resolved(...set)
    return [cgIterations, fisherStride, preconditioner, preconditionerAge]
  }
  assert.deepEqual(resolved(), resolved('trustRegion.solver=plain'))
  assert.deepEqual(solverOf('trustRegion.solver=fast'), [3, 4, 'kfac', 1])
  assert.deepEqual(solverOf('trustRegion.solver=fast', 'trustRegion.solver=plain'), [10, 1, 'none', 1])
  assert.deepEqual(solverOf('trustRegion={"solver":"fast","cgIterations":5}'), [5, 4, 'kfac', 1])
  assert.deepEqual(solverOf('trustRegion.solver=fast', 'trustRegion.preconditionerAge=5'), [3, 4, 'kfac', 5])
  const file = resolveConfig({ flags: task }).config
  const { config } = resolveConfig({ file, set: ['trustRegion.solver=fast'] })
  assert.equal(config.trustRegion.fisherStride, 4)
  assert.deepEqual(resolveConfig({ file: config }).config, config)
})

test('later keys may be absent, and do not change the hash at their first value', () => {
  const { config } = resolveConfig({ flags: { ...task, algo: 'happo' } })
  const { fisherStride: _stride, preconditioner: _name, preconditionerAge: _age, ...old } = config.trustRegion
  const { sharing: _sharing, gruLayers: _layers, gruSize: _size, chunk: _chunk, ...actor } = config.actor
  const { gruLayers: _own, gruSize: _units, chunk: _steps, ...critic } = config.critic
  const { allocation: _allocation, offPolicy: _offPolicy, ...first } = config
  const file = { ...first, actor, critic, trustRegion: old }
  assert.deepEqual(resolveConfig({ file }).config, config)
  assert.deepEqual(validateConfig(file), config)
  assert.equal(configSha256(file as unknown as TrainConfig), configSha256(config))
  const trustRegion = ['fisherStride=2', 'preconditioner=kfac', 'solver=fast']
  for (const setting of [...trustRegion.map((name) => `trustRegion.${name}`), 'critic.gruLayers=1'])
    assert.notEqual(
      configSha256(testConfig(setting)),
      configSha256(testConfig()),
      `${setting} changes the hash`,
    )
})

test('settings that the user did not choose are never refused as unread', () => {
  for (const algo of ['hatrpo', 'happo', 'mappo', 'maddpg'] as const) {
    const flags = { ...task, algo }
    const { config } = resolveConfig({ flags, preset: 'harl' })
    const file = JSON.parse(JSON.stringify(config)) as unknown
    assert.deepEqual(resolveConfig({ file }).config, config)
    assert.deepEqual(resolveConfig({ flags: config }).config, config)
    assert.deepEqual(validateConfig(file), config)
    for (const other of ['hatrpo', 'happo'] as const)
      assert.deepEqual(resolveConfig({ file, flags: { algo: other } }).config.clipped, config.clipped)
  }
})

test('steps are limited by the number of keys of random numbers', () => {
  const set = ['envs=2', `steps=${2 * 2 ** 32 - 1}`]
  assert.equal(resolveConfig({ flags: task, set }).config.steps, 2 * 2 ** 32 - 1)
})

test('usage errors carry exit code 2', () => {
  assert.throws(
    () => resolveConfig({ flags: task, set: ['seed=-1'] }),
    (error: { exitCode: number }) => error.exitCode === 2,
  )
})

test('an environment and an algorithm must be named', () => {
  assert.throws(() => resolveConfig({ flags: { algo: 'hatrpo' } }), saying('env is missing', '--env'))
  assert.throws(() => resolveConfig({ flags: { env: task.env } }), saying('algo is missing', 'hatrpo, happo'))
})

test('a configuration file must be an object with known keys', () => {
  assert.throws(() => resolveConfig({ file: [1], flags: task }), saying('JSON object'))
  assert.throws(
    () => resolveConfig({ file: { clipped: { epoch: 3 } }, flags: task }),
    saying('unknown key clipped.epoch', 'clipped.epochs?'),
  )
  assert.throws(
    () => resolveConfig({ file: { stepps: 3 }, flags: task }),
    saying('unknown key stepps', 'steps?'),
  )
})

test('defaults < preset < file < flags < settings', () => {
  const hopper = { ...task, env: { id: 'mamujoco/Hopper-3x1' } }
  const resolve = (sources: Parameters<typeof resolveConfig>[0]) => resolveConfig(sources).config
  assert.equal(resolve({ flags: { ...task, env: { id: 'my-env.ts' } } }).trustRegion.delta, 0.01)
  assert.equal(resolve({ flags: hopper }).trustRegion.delta, 0.001)
  assert.equal(resolve({ flags: hopper }).truncation, 'bootstrap')
  assert.equal(resolve({ flags: hopper, preset: 'harl' }).truncation, 'harl')
  const file = { truncation: 'terminate', seed: 5, envs: 10, trustRegion: { delta: 0.02 } }
  const fromFile = resolve({ flags: hopper, preset: 'harl', file })
  assert.deepEqual(
    [fromFile.truncation, fromFile.seed, fromFile.envs, fromFile.trustRegion.delta, fromFile.advantageNorm],
    ['terminate', 5, 10, 0.02, 'agent'],
  )
  const flags = { ...hopper, seed: 6, envs: 11 }
  const all = resolve({ flags, preset: 'harl', file, set: ['seed=7', 'trustRegion.damping=0.2', 'seed=8'] })
  assert.deepEqual([all.seed, all.envs, all.trustRegion.delta, all.trustRegion.damping], [8, 11, 0.02, 0.2])
})

test('settings are JSON or bare text, and options of the environment pass through', () => {
  const { config } = resolveConfig({
    flags: task,
    set: [
      'env.obs=1',
      'env.version=v4',
      'env.partition="graph"',
      'actor.hidden=[64, 32]',
      'actor.inputNorm=false',
    ],
  })
  assert.deepEqual(config.env, { id: task.env.id, obs: 1, version: 'v4', partition: 'graph' })
  assert.deepEqual(config.actor.hidden, [64, 32])
  assert.equal(config.actor.inputNorm, false)
  assert.equal(config.actor.activation, 'relu')
})

test('a resolved configuration holds every key and is its own configuration file', () => {
  const config = testConfig('env.obs=2', 'trustRegion.delta=0.003')
  for (const key of configKeys.filter((key) => !key.startsWith('env')))
    assert.notEqual(at(config, key), undefined, key)
  const stored = JSON.parse(JSON.stringify({ ...config, about: { packageVersion: '0' } })) as unknown
  assert.deepEqual(resolveConfig({ file: stored }).config, config)
  assert.deepEqual(validateConfig(JSON.parse(JSON.stringify(config))), config)
})

test('the hash covers the settings that determine the course of a run', () => {
  const hash = configSha256(testConfig())
  const reordered = Object.fromEntries(Object.entries(testConfig()).reverse()) as TrainConfig
  assert.equal(configSha256(reordered), hash)
  for (const same of ['steps=80000', 'checkpoint.every=1', 'checkpoint.keepEvery=3'])
    assert.equal(configSha256(testConfig(same)), hash, same)
  for (const other of ['seed=2', 'envs=10', 'trustRegion.delta=0.02', 'env.obs=1', 'actor.hidden=[128]'])
    assert.notEqual(configSha256(testConfig(other)), hash, other)
  const decaying = (steps: number) =>
    configSha256(testConfig('algo=happo', 'clipped.lrDecay=true', `steps=${steps}`))
  assert.notEqual(decaying(40000), decaying(80000))
})

test('steps are rounded up to whole iterations', () => {
  assert.equal(totalIterations(testConfig('steps=1')), 1)
  assert.equal(totalIterations(testConfig('steps=4000')), 1)
  assert.equal(totalIterations(testConfig('steps=4001')), 2)
})
