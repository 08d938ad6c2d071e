// Methods, heads and networks of every kind on every device of this machine, against the default one.
import assert from 'node:assert/strict'
import test from 'node:test'
import { resolveConfig } from '../../src/config/index.js'
import { comparableDevices } from '../../src/devices/open.js'
import { close } from '../reference/close.js'
import { numbersOf, tiny, trained } from './runs.js'

const cheetah = 'env.id=mamujoco/HalfCheetah-2x3'
const replay = ['offPolicy.warmup=0', 'offPolicy.batchSize=20', 'rolloutSteps=20']
const CASES: Readonly<Record<string, readonly string[]>> = {
  'a trust region': [cheetah, 'algo=hatrpo'],
  'large networks': [
    cheetah,
    'algo=hatrpo',
    'actor.hidden=[128,128]',
    'critic.hidden=[128,128]',
    'rolloutSteps=100',
  ],
  'fewer products': [cheetah, 'algo=hatrpo', 'trustRegion.solver=fast'],
  'a clipped update': [cheetah, 'algo=happo', 'clipped.epochs=2', 'clipped.miniBatches=3'],
  'a deviation per state': [cheetah, 'algo=hatrpo', 'actor.std=dependent'],
  'a memory': [cheetah, 'algo=hatrpo', 'actor.gruLayers=2', 'critic.gruLayers=1'],
  'masked choices': ['env.id=games/skirmish', 'algo=hatrpo'],
  'masked choices, clipped': ['env.id=games/skirmish', 'algo=happo'],
  'a shared policy': ['env.id=games/skirmish', 'algo=mappo', 'actor.sharing=shared'],
  'one KL budget': [cheetah, 'algo=hatrpo-w'],
  'deterministic policies': [cheetah, 'algo=maddpg', ...replay],
}

const [standard, ...others] = await comparableDevices()
const skip = others.length === 0 && 'this machine has the default device alone'

for (const [name, settings] of Object.entries(CASES)) {
  test(`${name}: the first iteration of every device`, { skip }, async (t) => {
    const steps = settings.includes('rolloutSteps=100') ? 400 : 80
    const run = async (device: string) => {
      const set = [...tiny, ...settings, `steps=${steps}`, `device=${device}`]
      const { records } = await trained(t, resolveConfig({ set }).config, { workers: 0 })
      const [{ agents, critic }] = records
      for (const { klUsed, klAllowed = Infinity } of agents) assert.ok(!(klUsed! > klAllowed), `KL ${klUsed}`)
      return numbersOf([agents.map((agent) => ({ ...agent, cgResidual: null })), critic])
    }
    const want = await run(standard)
    for (const device of others) {
      const bound = (i: number) => 1e-3 * Math.abs(want[i]) + 2e-6
      close(await run(device), want, bound, `metrics on ${device}`)
    }
  })
}
