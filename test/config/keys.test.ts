import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { fromJSONSchema } from 'zod'
import { configJsonSchema } from '../../scripts/docs/json-schema.js'
import { trainableAlgorithms } from '../../src/algorithms/parts.js'
import { algorithms, type AlgorithmName } from '../../src/algorithms/table.js'
import { keysOf } from '../../src/config/about.js'
import {
  completeEnv,
  configKeys,
  type ConfigSources,
  describeValues,
  resolveConfig,
} from '../../src/config/index.js'
import { configEntries } from '../../src/config/schema.js'
import { nested } from '../../src/config/tree.js'
import { HatrpoError } from '../../src/errors.js'
import { saying } from '../runs/fixtures.js'
import { PROBES } from './probes.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const env = { id: 'mamujoco/Hopper-3x1' }
const task = { env, algo: 'hatrpo' } as const

test('every key has a description, a range, a source and a default within the range', () => {
  for (const { key, about, range } of keysOf(configEntries)) {
    const { text, unit, source } = about
    assert.match(text, /^[A-Zx-y`][^]{10,}\.$/, key)
    assert.ok(!text.includes('\n') && source.length > 3 && range.length > 5, key)
    assert.notEqual(unit, '', key)
    if (about.default === undefined) {
      assert.ok(['env.id', 'algo'].includes(key), `${key} has no default`)
      continue
    }
    assert.ok(Object.hasOwn(PROBES, key), `${key} has no row in probes.ts`)
  }
  assert.deepEqual(
    Object.keys(PROBES).sort(),
    [...configKeys].filter((key) => !['env.id', 'algo'].includes(key)).sort(),
  )
})

test('every group of keys has a table in the reference', () => {
  const page = readFileSync(join(root, 'docs/configuration.md'), 'utf8')
  for (const { kind, key } of configEntries)
    if (kind === 'group') assert.ok(page.includes(`<!-- generated: configuration ${key} -->`), key)
})

/** Keys that other settings switch off unless they are set. */
const OFF = [
  ...['actor.gruSize', 'actor.chunk', 'critic.gruSize', 'critic.chunk'],
  ...['opponents.learner', 'opponents.every', 'opponents.pool'],
  'trustRegion.preconditionerAge',
]
const trust = ['allocation.*', 'clipped.*', 'offPolicy.*']
const clip = ['allocation.*', 'trustRegion.*', 'offPolicy.*']

/** Further keys that each method never reads, with the other settings at their defaults. */
const NEVER: Readonly<Record<AlgorithmName, readonly string[]>> = {
  hatrpo: trust,
  happo: clip,
  trpo: [...trust, 'order', 'critic.sharing'],
  ppo: [...clip, 'order', 'critic.sharing'],
  itrpo: [...trust, 'order'],
  ippo: [...clip, 'order'],
  matrpo: [...trust, 'order'],
  mappo: [...clip, 'order'],
  'hatrpo-w': ['clipped.*', 'offPolicy.*'],
  'hatrpo-g': ['clipped.*', 'offPolicy.*', 'allocation.min', 'order'],
  maddpg: [
    ...['allocation.*', 'trustRegion.*', 'clipped.*', 'order', 'lambda', 'advantageNorm'],
    ...['actor.gruLayers', 'actor.std', 'actor.stdX', 'actor.stdY', 'critic.gruLayers', 'critic.epochs'],
    ...['critic.miniBatches', 'critic.clip', 'critic.clippedLoss', 'critic.huberDelta', 'critic.maxGradNorm'],
    ...['critic.valueNorm', 'critic.lossCoef'],
  ],
  'policy-iteration': [
    ...['allocation.*', 'trustRegion.*', 'clipped.*', 'offPolicy.*', 'critic.*', 'init.*'],
    ...['adamEps', 'lambda'],
    ...['truncation', 'advantageNorm', 'actor.hidden', 'actor.activation', 'actor.inputNorm', 'actor.std'],
    ...['actor.standardise', 'actor.agentId', 'actor.stdX', 'actor.stdY', 'actor.gruLayers'],
  ],
}

/** Whether `never reads it` is what keeps a configuration from being resolved. */
function isRefused(sources: ConfigSources, key: string): boolean {
  try {
    resolveConfig(sources)
    return false
  } catch (error) {
    assert.ok(error instanceof HatrpoError && error.exitCode === 2, String(error))
    assert.match(error.message, new RegExp(`^${key.replace('.', '\\.')} is .*never reads? it`))
    return true
  }
}

test('every key of every method is read or refused, from a flag and from a file', () => {
  assert.deepEqual(Object.keys(NEVER).sort(), [...trainableAlgorithms].sort())
  for (const algo of trainableAlgorithms) {
    const never = [...OFF, ...NEVER[algo]]
    // Methods with the same update rule treat files in the same way.
    const first = trainableAlgorithms.find((name) => algorithms[name].update === algorithms[algo].update)
    for (const [key, [[value]]] of Object.entries(PROBES)) {
      const expected = never.includes(key) || never.includes(`${key.split('.')[0]}.*`)
      const flags = { env, algo, envs: 4, rolloutSteps: 20 }
      const set = [`${key}=${JSON.stringify(value)}`]
      assert.equal(isRefused({ flags, set }, key), expected, `${algo}, --set ${set[0]}`)
      if (algo !== first) continue
      assert.equal(isRefused({ flags, file: nested(key, value) }, key), expected, `${algo}, ${key} in a file`)
    }
  }
})

test('a setting that other settings switch off is refused until they are on', () => {
  for (const [key, [[value], ...needed]] of Object.entries(PROBES)) {
    if (!OFF.includes(key)) continue
    const set = [...needed, `${key}=${JSON.stringify(value)}`]
    assert.ok(!isRefused({ flags: task, set }, key), key)
  }
  for (const [off, key, value] of [
    ['critic.clippedLoss=false', 'critic.clip', 0.1],
    ['trustRegion.lineSearchSteps=1', 'trustRegion.backtrack', 0.5],
    ['evaluation.every=0', 'evaluation.episodes', 10],
  ] as const)
    assert.ok(isRefused({ flags: task, set: [off, `${key}=${value}`] }, key), key)
})

test('standard deviations are refused for discrete actions, but a file with every key is accepted', async () => {
  for (const [key, value] of [
    ['actor.std', 'dependent'],
    ['actor.stdX', 2],
    ['actor.stdY', 1],
  ] as const) {
    const resolved = resolveConfig({
      flags: { env: { id: 'mpe/spread' }, algo: 'happo' },
      set: [`${key}=${value}`],
    })
    await assert.rejects(
      completeEnv(resolved),
      saying(
        `${key} is ${JSON.stringify(value)}: the agents of mpe/spread choose among actions and never read it`,
      ),
    )
  }
  const { config } = resolveConfig({ flags: { env: { id: 'mpe/spread' }, algo: 'happo' } })
  const again = await completeEnv(resolveConfig({ file: config }))
  assert.deepEqual({ ...again.config, env: config.env }, config)
})

test('every value has its origin', async () => {
  const file = { gamma: 0.9, lambda: 0.8, steps: 5000, env: { resetNoise: 0.01 } }
  const resolved = await completeEnv(
    resolveConfig({
      preset: 'harl',
      file,
      fileName: 'mine.json',
      flags: { ...task, steps: 6000 },
      set: ['lambda=0.7', 'trustRegion.solver=fast', 'trustRegion.cgIterations=4', 'env.protocol=farama'],
    }),
  )
  const values = describeValues(resolved)
  const origin = (key: string) => values.find((value) => value.key === key)!.origin
  for (const { key, origin } of values) assert.ok(origin, `${key} has no origin`)
  assert.deepEqual(
    Object.keys(resolved.origins).sort(),
    values.map(({ key }) => key).sort(),
    'as many origins as values',
  )
  assert.deepEqual(origin('env.id'), { from: 'flag', name: '--env' })
  assert.deepEqual(origin('algo'), { from: 'flag', name: '--algo' })
  assert.deepEqual(origin('steps'), { from: 'flag', name: '--steps' })
  assert.deepEqual(origin('gamma'), { from: 'file', name: 'mine.json' })
  assert.deepEqual(origin('env.resetNoise'), { from: 'file', name: 'mine.json' })
  assert.deepEqual(origin('lambda'), { from: 'flag', name: '--set' })
  assert.deepEqual(origin('trustRegion.fisherStride'), { from: 'flag', name: '--set trustRegion.solver' })
  assert.deepEqual(origin('trustRegion.cgIterations'), { from: 'flag', name: '--set' })
  assert.deepEqual(origin('env.version'), { from: 'flag', name: '--set' }, 'by the protocol')
  assert.equal(origin('trustRegion.delta').from, 'preset')
  assert.equal(origin('truncation').name, 'harl')
  assert.equal(origin('seed').from, 'default')
  assert.match(origin('seed').source!, /^HARL/)
  const without = resolveConfig({ flags: task })
  assert.deepEqual(without.origins['trustRegion.delta'], {
    from: 'task',
    name: 'Hopper-3x1',
    source: 'HARL, tuned_configs/mujoco, Hopper-3x1',
  })
  const paper = resolveConfig({ flags: task, preset: 'paper' }).origins['critic.lr']
  assert.deepEqual(
    [paper.from, paper.name, paper.source],
    ['preset', 'paper', 'TRPO-in-MARL, scripts/train_mujoco.sh'],
  )
  const other = resolveConfig({ flags: { env, algo: 'maddpg' } }).origins.envs
  assert.equal(other.from, 'default', 'of its update rule')
})

test('values that nothing reads have a reason', async () => {
  const values = describeValues(
    await completeEnv(resolveConfig({ flags: { env: { id: 'mpe/spread' }, algo: 'mappo' } })),
  )
  const unread = new Map(values.map(({ key, unread }) => [key, unread]))
  assert.match(unread.get('trustRegion.delta')!, /^mappo never reads it/)
  assert.match(unread.get('actor.stdX')!, /^the agents of mpe\/spread choose/)
  assert.equal(unread.get('clipped.lr'), undefined)
})

test('the JSON Schema accepts and refuses the same files as the resolver', () => {
  const made = configJsonSchema()
  const schema = fromJSONSchema(made)
  const accepts = (value: unknown) => schema.safeParse(value).success
  for (const algo of Object.keys(algorithms) as AlgorithmName[]) {
    const { config } = resolveConfig({ flags: { env, algo } })
    assert.ok(accepts({ $schema: './config.schema.json', ...config, about: { packageVersion: '1' } }), algo)
  }
  assert.ok(accepts({}) && accepts({ actor: { sharing: { walkers: ['a', 'b'] } } }))
  for (const [key, [[value]]] of Object.entries(PROBES)) assert.ok(accepts(nested(key, value)), key)
  for (const [key, value] of [
    ['gamma', 2],
    ['steps', 0.5],
    ['algo', 'sac'],
    ['device', 'tpu'],
    ['stepps', 1],
    ['trustRegion.dleta', 1],
    ['trustRegion.solver', 'fats'],
    ['actor.hidden', []],
    ['actor.hidden', [0]],
    ['actor.sharing', 'some'],
    ['env.obs', [1]],
  ] as const)
    assert.ok(!accepts(nested(key, value)), `${key} ${JSON.stringify(value)}`)
  const described = JSON.stringify(made)
  for (const { about } of keysOf(configEntries))
    assert.ok(described.includes(JSON.stringify(about.text).slice(1, -1)))
})

test('a file may name its schema, and wrong names of a solver are reported', () => {
  const file = { $schema: './node_modules/hatrpo/dist/config.schema.json', ...task, seed: 3 }
  assert.equal(resolveConfig({ file }).config.seed, 3)
  assert.throws(
    () => resolveConfig({ flags: task, set: ['trustRegion.slover=fast'] }),
    saying('unknown key trustRegion.slover', 'did you mean trustRegion.solver?'),
  )
})
