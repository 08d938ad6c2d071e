import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { planMethod } from '../algorithms/assemble.js'
import { openHost } from '../devices/open.js'
import { usageError } from '../errors.js'
import { taskName } from '../envs/portable.js'
import { openSource, RolloutStorage, WorkerPolicies } from '../rollout/index.js'
import { readRunCheckpoint, readRunConfig, readRunEnvSha256 } from '../runs/folder.js'
import type { OpponentReturns } from '../runs/types.js'
import { tellOfChange } from './env-change.js'
import { evaluateBundle } from './evaluate-bundle.js'
import { evaluatePolicies, OpponentPool } from './opponents.js'
import { loadTrainedEnv } from './named-env.js'
import { actorParameters } from './snapshot.js'
import { summarise } from './statistics.js'

export interface EvaluateOptions {
  /** Run folder or exported bundle. */
  readonly source: string
  readonly episodes: number
  readonly seed: number
  /** Checkpoint of a run that provides the policies; `latest` by default. A bundle has one set of policies only. */
  readonly checkpoint?: 'latest' | 'best' | number
  /** Present location of the environment, such as the path of a moved file. Its code must be that of the training. */
  readonly env?: string
  /**
   * Whether actions are drawn from the policies, as in training, instead of their modes. A bundle draws different
   * actions than its run.
   */
  readonly sample?: boolean
  /** Number of threads that step environments; 0 uses the calling thread only. The result does not depend on it. */
  readonly workers?: number
  /** @param detail origin of the event, in several lines */
  onEvent?(message: string, detail?: string): void
}

export interface EvaluateResult {
  readonly source: string
  /** Built-in id, or the id in the environment's spec. */
  readonly env: string
  readonly episodes: number
  /** Whether actions were drawn from the policies. */
  readonly sample: boolean
  /** Return of each episode, in order. */
  readonly returns: readonly number[]
  readonly mean: number
  /** Population standard deviation. */
  readonly sd: number
  /** Steps of each episode, in order, and their mean. */
  readonly lengths: readonly number[]
  readonly meanLength: number
  /** Returns by opponent, the latest first, if only one team learns; `returns` are in the same order. */
  readonly opponents?: readonly OpponentReturns[]
}

type Evaluated = Pick<EvaluateResult, 'env' | 'returns' | 'lengths' | 'opponents'>

/**
 * Runs whole episodes, with deterministic actions unless `sample` is set. The initial state of episode k depends only
 * on the seed, not on the policies. A bundle has the same returns as its run.
 * @throws HatrpoError for a source that is neither a run nor a bundle, a damaged source, and invalid numbers
 */
export async function evaluate(options: EvaluateOptions): Promise<EvaluateResult> {
  const { source, episodes, seed, sample = false, workers = 1 } = options
  expectWhole('episodes', episodes, 1)
  expectWhole('seed', seed, 0)
  expectWhole('workers', workers, 0)
  if (!isRun(source)) refuseCheckpoint(source, options.checkpoint)
  const evaluated: Evaluated = await (isRun(source) ? evaluateRun(options) : evaluateBundle(options))
  const { env, returns, lengths, opponents } = evaluated
  return {
    source,
    env,
    episodes,
    sample,
    returns,
    ...summarise(returns),
    lengths,
    meanLength: summarise(lengths).mean,
    ...(opponents && { opponents }),
  }
}

/** Whether a folder holds a run; otherwise it holds a bundle. @throws HatrpoError (exit code 2) for neither */
export function isRun(source: string): boolean {
  if (existsSync(join(source, 'config.json'))) return true
  if (existsSync(join(source, 'bundle.json'))) return false
  throw usageError(`${source} contains neither a run (config.json) nor a bundle (bundle.json)`)
}

/** @throws HatrpoError (exit code 2) for a checkpoint that is asked of a bundle */
export function refuseCheckpoint(bundle: string, checkpoint: EvaluateOptions['checkpoint']): void {
  if (checkpoint === undefined) return
  throw usageError(
    `checkpoint is ${checkpoint}: ${bundle} is a bundle, which has the policies of one checkpoint`,
  )
}

export function expectWhole(name: string, value: number, min: number): void {
  if (!(Number.isSafeInteger(value) && value >= min))
    throw usageError(`${name} is ${value}: it must be a whole number, at least ${min}`)
}

async function evaluateRun(options: EvaluateOptions): Promise<Evaluated> {
  const { source, episodes, seed, sample = false, checkpoint = 'latest', onEvent } = options
  const stored = readRunConfig(source)
  const trained = { config: stored.env, sha256: readRunEnvSha256(source) }
  const factory = await loadTrainedEnv(trained, options.env)
  const { spec } = factory
  const config = { ...stored, env: factory.config }
  tellOfChange(config.env.id, trained.sha256, factory.sha256, onEvent)
  const saved = readRunCheckpoint(source, checkpoint)
  const plan = planMethod(config, spec)
  const host = await openHost()
  const pool = OpponentPool.open(config, plan, host)
  pool?.restore(saved)
  const own = actorParameters(saved, plan.groups)
  const playing = plan.actors.map((policy, agent) => {
    const opponent = pool?.policyOf(agent)
    if (opponent) return opponent
    const tensor = host.tensor('f32', own[agent].length)
    host.write(tensor, own[agent])
    return { spec: policy, parameters: tensor }
  })
  const envs = Math.min(config.envs, episodes)
  const workers = Math.min(options.workers ?? availableParallelism(), envs)
  const rollouts = openSource(host, new RolloutStorage(host, plan.env, envs, 1, plan.needs), {
    workers,
    envs,
    seed,
    env: config.env,
    envSha256: factory.sha256,
    ...plan.play,
    oneReward: false,
    ...(onEvent && { onEvent }),
  })
  try {
    const rows = rollouts.shares.map(({ count }) => count)
    const specs = playing.map((policy) => policy.spec)
    const parameters = playing.map((policy) => policy.parameters)
    const policies = new WorkerPolicies(host, specs, parameters, rows, seed)
    const order = { episodes, iteration: 0, seed, sample }
    return { env: taskName(factory), ...(await evaluatePolicies(rollouts, policies, pool, order)) }
  } finally {
    await rollouts.close()
  }
}
