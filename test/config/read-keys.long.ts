// A key that is never read changes nothing of a run, and any other one changes something, or is refused: for every key and
// every method, by tiny runs.
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { trainableAlgorithms } from '../../src/algorithms/parts.js'
import { algorithms, type AlgorithmName } from '../../src/algorithms/table.js'
import { resolveConfig, type TrainConfig } from '../../src/config/index.js'
import { merge, nested } from '../../src/config/tree.js'
import { whyUnread } from '../../src/config/unread.js'
import { loadEnvFactory } from '../../src/envs/index.js'
import { HatrpoError } from '../../src/errors.js'
import { train } from '../../src/training/train.js'
import { course } from '../training/command.js'
import { fixture, tiny } from '../training/runs.js'
import { PROBES } from './probes.js'

const plain = ['actor.standardise=false', 'critic.standardise=false']
const small = ['envs=4', 'rolloutSteps=20', 'evaluation.every=0']

/** Settings of tiny runs by update rule. */
const SETTINGS: Readonly<Record<string, readonly string[]>> = {
  trustRegion: [...tiny, ...plain],
  clipped: [...tiny, ...plain],
  offPolicy: [...tiny, ...plain, 'offPolicy.warmup=20', 'offPolicy.batchSize=10'],
  exact: small,
}

const RIVALS = { agents: 4, unequal: 1, mode: 'general', teams: 1 }
const ITERATIONS = 6

function envOf(algo: AlgorithmName, key: string): TrainConfig['env'] {
  if (algorithms[algo].update === 'exact') return { id: 'games/figure-1' }
  if (key.startsWith('opponents.')) return { id: fixture('line'), ...RIVALS }
  // Of two policies, the one that is left has no choice to make.
  return { id: fixture('line'), agents: key.startsWith('allocation.') ? 3 : 2 }
}

function configOf(algo: AlgorithmName, key: string, needed: readonly string[]): TrainConfig {
  const flags = { env: envOf(algo, key), algo, steps: ITERATIONS * 80 }
  return resolveConfig({ flags, set: [...SETTINGS[algorithms[algo].update], ...needed] }).config
}

/** Results of a run except times; `refused` if there is no run. */
async function outcome(config: TrainConfig): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'hatrpo-'))
  const dir = join(folder, 'run')
  try {
    const { parametersSha256 } = await train({ config, dir, workers: 0 })
    const evaluations = join(dir, 'eval.json')
    const returns = existsSync(evaluations) ? readFileSync(evaluations, 'utf8') : ''
    return JSON.stringify([parametersSha256, course(dir), returns, readdirSync(join(dir, 'checkpoints'))])
  } catch (error) {
    if (error instanceof HatrpoError && error.exitCode === 2) return 'refused'
    throw error
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Whether one of some values of a key changes an outcome; undefined where all are refused. */
async function changesOf(
  config: TrainConfig,
  key: string,
  values: readonly unknown[],
  old: string,
): Promise<boolean | undefined> {
  let changed: boolean | undefined
  for (const value of values) {
    const now = await outcome(merge({ ...config }, nested(key, value)) as unknown as TrainConfig)
    if (now === 'refused') continue
    if (now !== old) return true
    changed = false
  }
  return changed
}

for (const algo of trainableAlgorithms)
  test(`${algo} reads the keys that are documented as read`, async () => {
    const before = new Map<string, string>()
    const wrong: string[] = []
    for (const [key, [values, ...needed]] of Object.entries(PROBES)) {
      let config: TrainConfig
      try {
        config = configOf(algo, key, needed)
      } catch (error) {
        // Keys on which this key depends are also never read.
        assert.ok(error instanceof HatrpoError && /never reads? it/.test(error.message), String(error))
        continue
      }
      const { spec } = await loadEnvFactory(config.env)
      const isUnread = whyUnread(key, config, spec) !== undefined
      const name = JSON.stringify(config)
      if (!before.has(name)) before.set(name, await outcome(config))
      const old = before.get(name)!
      if (old === 'refused') continue
      const changed = await changesOf(config, key, values, old)
      if (changed !== undefined && changed === isUnread)
        wrong.push(`${key}=${JSON.stringify(values)} ${isUnread ? 'changes a run' : 'changes nothing'}`)
    }
    assert.deepEqual(wrong, [])
  })
