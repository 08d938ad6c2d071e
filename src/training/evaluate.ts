import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { planMethod } from '../algorithms/assemble.js'
import { openHost } from '../devices/open.js'
import { usageError } from '../errors.js'
import { loadEnvFactory } from '../envs/registry.js'
import { openSource, RolloutStorage, WorkerPolicies } from '../rollout/index.js'
import { readRunCheckpoint, readRunConfig, readRunEnvSha256 } from '../runs/folder.js'
import { tellOfChange } from './env-change.js'
import { evaluateBundle } from './evaluate-bundle.js'
import { actorParameters } from './snapshot.js'
import { summarise } from './statistics.js'

export interface EvaluateOptions {
  /** Run folder or exported bundle. */
  readonly source: string
  readonly episodes: number
  readonly seed: number
  /** Checkpoint of a run that provides the policies; `latest` by default. */
  readonly checkpoint?: 'latest' | 'best' | number
  /** Number of threads that step environments; 0 uses the calling thread only. The result does not depend on it. */
  readonly workers?: number
  /** @param detail origin of the event, in several lines */
  onEvent?(message: string, detail?: string): void
}

export interface EvaluateResult {
  readonly source: string
  readonly env: string
  readonly episodes: number
  /** Return of each episode, in order. */
  readonly returns: readonly number[]
  readonly mean: number
  /** Population standard deviation. */
  readonly sd: number
}

/**
 * Runs whole episodes with deterministic actions. The initial state of episode k depends on the seed only, not on the
 * policies. A bundle has the same returns as the run it was exported from.
 * @throws HatrpoError when the source is neither a run nor a bundle, when it is damaged, and for invalid numbers
 */
export async function evaluate(options: EvaluateOptions): Promise<EvaluateResult> {
  const { source, episodes, seed, workers = 1 } = options
  expectWhole('episodes', episodes, 1)
  expectWhole('seed', seed, 0)
  expectWhole('workers', workers, 0)
  const isRun = existsSync(join(source, 'config.json'))
  if (!isRun && !existsSync(join(source, 'bundle.json'))) {
    throw usageError(`${source} contains neither a run (config.json) nor a bundle (bundle.json)`)
  }
  const { env, returns } = await (isRun ? evaluateRun(options) : evaluateBundle(options))
  return { source, env, episodes, returns, ...summarise(returns) }
}

function expectWhole(name: string, value: number, min: number): void {
  if (!(Number.isSafeInteger(value) && value >= min))
    throw usageError(`${name} is ${value}: it must be a whole number, at least ${min}`)
}

async function evaluateRun(options: EvaluateOptions): Promise<{ env: string; returns: number[] }> {
  const { source, episodes, seed, checkpoint = 'latest', onEvent } = options
  const config = readRunConfig(source)
  const { spec, ...loaded } = await loadEnvFactory(config.env)
  tellOfChange(config.env.id, readRunEnvSha256(source), loaded.sha256, onEvent)
  const stored = readRunCheckpoint(source, checkpoint)
  const plan = planMethod(config, spec)
  const host = await openHost()
  const parameters = actorParameters(stored, plan.groups).map((values) => {
    const tensor = host.tensor('f32', values.length)
    host.write(tensor, values)
    return tensor
  })
  const envs = Math.min(config.envs, episodes)
  const workers = Math.min(options.workers ?? availableParallelism(), envs)
  const rollouts = openSource(host, new RolloutStorage(host, plan.env, envs, 1, plan.needs), {
    workers,
    envs,
    seed,
    env: config.env,
    envSha256: loaded.sha256,
    ...plan.play,
    oneReward: false,
    ...(onEvent && { onEvent }),
  })
  try {
    const rows = rollouts.shares.map(({ count }) => count)
    const policies = new WorkerPolicies(host, plan.actors, parameters, rows, seed)
    policies.prepare()
    return { env: config.env.id, returns: await rollouts.evaluate(policies, episodes, 0, seed) }
  } finally {
    await rollouts.close()
  }
}
