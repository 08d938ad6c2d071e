import { planMethod } from '../algorithms/assemble.js'
import { openHost } from '../devices/open.js'
import type { EnvFactory } from '../envs/factory.js'
import { bundledEnv } from '../envs/portable.js'
import { usageError } from '../errors.js'
import type { BundleOrigin, BundlePolicy } from '../export/bundle.js'
import { expectedFormat, formatWriter, type ExportFormat } from '../export/formats.js'
import { assertReplaceable, type WrittenBundle } from '../export/write.js'
import { joinedParts } from '../rollout/index.js'
import { readRunCheckpoint, readRunConfig, readRunEnvSha256 } from '../runs/folder.js'
import { loadTrainedEnv } from './named-env.js'
import { OpponentPool } from './opponents.js'
import { actorParameters } from './snapshot.js'

export interface ExportOptions {
  /** Run folder. */
  readonly run: string
  /** Folder for the bundle: a new or empty folder, or an earlier bundle. */
  readonly out: string
  readonly format: ExportFormat
  readonly checkpoint: 'latest' | 'best' | number
}

/**
 * Exports the policies of a run as a bundle.
 * @throws HatrpoError when the run or its checkpoint cannot be read, or the folder cannot be written
 */
export async function exportPolicies(options: ExportOptions): Promise<WrittenBundle> {
  const { run, out, format, checkpoint } = options
  const write = await formatWriter(format)
  if (!write) throw usageError(`format is ${JSON.stringify(format)}: it must be ${expectedFormat(format)}`)
  assertReplaceable(out)
  const { policies, origin } = await runPolicies(run, checkpoint)
  return write(out, policies, origin)
}

/** The policies of a run as a bundle holds them, and its environment. */
export interface RunPolicies {
  readonly policies: readonly BundlePolicy[]
  readonly origin: BundleOrigin
  readonly factory: EnvFactory
}

/**
 * Reads the policies of a checkpoint.
 * @throws HatrpoError when the run or its checkpoint cannot be read
 * @param named where the environment is now
 */
export async function runPolicies(
  run: string,
  checkpoint: ExportOptions['checkpoint'],
  named?: string,
): Promise<RunPolicies> {
  const config = readRunConfig(run)
  const environmentSha256 = readRunEnvSha256(run)
  const factory = await loadTrainedEnv({ config: config.env, sha256: environmentSha256 }, named)
  const { spec, config: complete } = factory
  const stored = readRunCheckpoint(run, checkpoint)
  const plan = planMethod(config, spec)
  const { actors, groups, env, play, learners } = plan
  const parameters = actorParameters(stored, groups)
  const pool = plan.opponents.length > 0 ? OpponentPool.open(config, plan, await openHost()) : null
  pool?.restore(stored)
  const controls = play.joined ? joinedParts(spec) : []
  const policies = env.agents.map(({ id, action }, index) => ({
    agent: { index, id, ...(controls.length > 0 && { controls }) },
    spec: pool?.policyOf(index)?.spec ?? actors[index],
    parameters: pool?.latest(index) ?? parameters[index],
    action,
  }))
  const { packageVersion, steps, iteration, evaluation } = stored
  const { algo, seed } = config
  const origin = {
    packageVersion,
    // The bytes of a bundle depend on no folder: neither the run's, nor the one that training was started in.
    environment: bundledEnv(complete),
    ...(environmentSha256 !== undefined && { environmentSha256 }),
    algorithm: algo,
    ...(pool && { learners: learners.map((agent) => env.agents[agent].id) }),
    seed,
    steps,
    iteration,
    evaluation,
  }
  return { policies, origin, factory }
}
