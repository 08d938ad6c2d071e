import { resolve } from 'node:path'
import { NO_OPPONENTS, PAST_OPPONENTS } from '../algorithms/learners.js'
import { trainableAlgorithms } from '../algorithms/parts.js'
import { assertEnvExists, loadEnvFactory } from '../envs/registry.js'
import { usageError } from '../errors.js'
import { baseConfig, type PartialConfig } from './defaults.js'
import { choosePreset } from './presets.js'
import type { TrainConfig } from './schema.js'
import { fileSettings, parseSetting } from './settings.js'
import { expandSolver } from './solvers.js'
import { isTree, merge, type Tree } from './tree.js'
import { refuseUnread, withoutCompleteGroups } from './unread.js'
import { validateConfig } from './validate.js'

/** Sources of a configuration's values, in rising precedence; a key that none of them gives has its default. */
export interface ConfigSources {
  readonly preset?: string | undefined
  /** The content of a configuration file, with the keys of config.json. */
  readonly file?: unknown
  /** Values given by flags of their own. */
  readonly flags?: PartialConfig | undefined
  /** `key=value` settings: dotted keys, values in JSON or bare text. */
  readonly set?: readonly string[] | undefined
}

/** Provenance of a configuration's values; no result depends on it. */
export interface ConfigOrigin {
  readonly preset?: string
  /** The row of HARL's tuned settings that was used, such as `Walker2d-2x3` (see `PresetChoice`). */
  readonly tunedFor?: string
}

export interface ResolvedConfig extends ConfigOrigin {
  readonly config: TrainConfig
}

/**
 * Lays defaults, preset, configuration file, flags and settings over one another, and checks the result.
 *
 * @throws HatrpoError (exit code 2) naming the wrong key, its value and what would be right
 */
export function resolveConfig(sources: ConfigSources): ResolvedConfig {
  const objects = [
    sources.file === undefined ? {} : fileSettings(sources.file),
    (sources.flags ?? {}) as Tree,
  ]
  const set = (sources.set ?? []).map(parseSetting)
  const given = [...objects, ...set].map(expandSolver).reduce(merge)
  const { env, algo } = given
  if (env === undefined || (isTree(env) && env.id === undefined))
    throw usageError('env is missing: name an environment, such as --env mamujoco/HalfCheetah-2x3')
  if (algo === undefined) {
    // The more telling of two errors first.
    if (isTree(env) && typeof env.id === 'string' && env.id !== '') assertEnvExists(env.id)
    const [example] = trainableAlgorithms
    throw usageError(
      `algo is missing: name one of ${trainableAlgorithms.join(', ')}, such as --algo ${example}`,
    )
  }
  const plain = validateConfig(merge({ ...baseConfig }, given))
  for (const settings of [...objects.map(withoutCompleteGroups), ...set]) refuseUnread(settings, plain)
  const { settings, ...origin } = choosePreset(sources.preset, plain.env.id, plain.algo)
  const layers = [{ ...baseConfig }, ...settings, given] as Tree[]
  return { config: validateConfig(layers.reduce(merge)), ...origin }
}

/**
 * Fills in the environment's options, so that a run does not depend on later defaults, and makes paths of files and folders
 * absolute.
 *
 * @throws HatrpoError (exit code 2) for an unknown environment, option or value
 */
export async function completeEnv(config: TrainConfig): Promise<TrainConfig> {
  const { config: env } = await loadEnvFactory(config.env)
  const { opponents } = config
  const isFolder = opponents.from !== NO_OPPONENTS && opponents.from !== PAST_OPPONENTS
  const from = isFolder ? resolve(opponents.from) : opponents.from
  return { ...config, env, opponents: { ...opponents, from } }
}
