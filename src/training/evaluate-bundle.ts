import { realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import {
  EnvContext,
  loadEnvFactory,
  RUNNING,
  type EnvFactory,
  type EnvSpec,
  type MultiAgentEnv,
} from '../envs/index.js'
import { maskOf } from '../envs/available.js'
import { findEnv, relativePaths } from '../envs/portable.js'
import { actionSize, maskSize } from '../envs/shape.js'
import { HatrpoError, usageError } from '../errors.js'
import { readBundle } from '../export/read.js'
import { loadKernels, PURPOSE } from '../kernels/index.js'
import { episodeSeed, joinAgents, joinedSpec, teamReward } from '../rollout/index.js'
import { PolicyError, type BundleInfo, type Policy } from '../runtime/index.js'
import { actionSize as entriesOf, choiceCount } from '../runtime/info.js'
import { tellOfChange } from './env-change.js'

interface BundleEvaluation {
  /** Folder of the bundle. */
  readonly source: string
  readonly episodes: number
  readonly seed: number
  onEvent?(message: string): void
}

/** Runs episodes with deterministic actions of a bundle's policies, on this thread. @returns return of each episode */
export async function evaluateBundle({
  source: folder,
  episodes,
  seed,
  onEvent,
}: BundleEvaluation): Promise<{ env: string; returns: number[] }> {
  const { info, agents } = await readBundle(folder)
  const factory = await loadBundleEnv(folder, info)
  tellOfChange(factory.config.id, info.environmentSha256, factory.sha256, onEvent)
  const joined = agents[0].info.agent.controls !== undefined
  const fitting = joined && factory.spec.mode === 'cooperative' ? joinedSpec(factory.spec) : factory.spec
  assertFits(folder, fitting, agents)
  const made = await factory.create(new EnvContext())
  const env = joined ? joinAgents(made) : made
  const { learners } = info
  const scored = learners
    ? fitting.agents.flatMap(({ id }, agent) => (learners.includes(id) ? [agent] : []))
    : null
  const kernels = await loadKernels()
  const returns: number[] = []
  try {
    for (let episode = 0; episode < episodes; episode++) {
      env.reset(episodeSeed(kernels, seed, PURPOSE.evaluation, episode, 0))
      returns.push(runEpisode(env, agents, scored))
    }
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    throw new HatrpoError(`evaluation episode ${returns.length}: ${error.message}`, { cause: error })
  } finally {
    env.dispose?.()
  }
  return { env: factory.config.id, returns }
}

/**
 * Environment named by a bundle. Its files are searched for in the folder of the bundle and in all folders above it, so
 * that a project can be moved together with its bundles, and then in the working directory. If several match, the
 * environment whose code the policies were trained with is preferred.
 */
async function loadBundleEnv(
  bundle: string,
  { environment, environmentSha256 }: BundleInfo,
): Promise<EnvFactory> {
  const files = relativePaths(environment)
  if (files.length === 0) return loadEnvFactory(environment)
  const found = findEnv(environment, [...foldersFrom(realpathSync(bundle)), process.cwd()])
  if (found.length === 0)
    throw usageError(
      `bundle ${bundle}: no environment file ${files.join(' and ')} in the bundle's folder, in a folder above it ` +
        `or in ${process.cwd()}: run this in the folder that the path is relative to`,
    )
  const factories: EnvFactory[] = []
  for (const config of found) {
    const factory = await loadEnvFactory(config)
    if (factory.sha256 === environmentSha256) return factory
    factories.push(factory)
  }
  return factories[0]
}

/** Folder and all its parents. */
function foldersFrom(folder: string): string[] {
  const above = dirname(folder)
  return above === folder ? [folder] : [folder, ...foldersFrom(above)]
}

function runEpisode(env: MultiAgentEnv, agents: readonly Policy[], scored: readonly number[] | null): number {
  for (const agent of agents) agent.reset()
  let total = 0
  let end = RUNNING
  while (end === RUNNING) {
    agents.forEach((agent, i) => agent.act(env.observations[i], env.actions[i], maskOf(env, i)))
    end = env.step()
    total += teamReward(env, scored)
  }
  return total
}

function assertFits(folder: string, spec: EnvSpec, agents: readonly Policy[]): void {
  const fits =
    agents.length === spec.agents.length &&
    agents.every(({ info }, i) => {
      const { observation, action } = spec.agents[i]
      return (
        info.observation.size === observation.size &&
        info.action.kind === action.kind &&
        choiceCount(info.action) === maskSize(action) &&
        entriesOf(info.action) === actionSize(action)
      )
    })
  if (!fits) throw new HatrpoError(`bundle ${folder} was not made for ${spec.id}: agents or sizes differ`)
}
