import { resolve } from 'node:path'
import { NO_OPPONENTS, PAST_OPPONENTS } from '../algorithms/learners.js'
import { trainableAlgorithms } from '../algorithms/parts.js'
import type { EnvSpec } from '../envs/contract.js'
import type { EnvConfig } from '../envs/factory.js'
import { assertEnvExists, loadEnvFactory } from '../envs/registry.js'
import { usageError } from '../errors.js'
import { keysOf } from './about.js'
import { baseConfig, defaults, type PartialConfig } from './defaults.js'
import { lay, leaves, type Layer, type Origins, type ValueOrigin } from './origins.js'
import { choosePreset } from './presets.js'
import { configEntries, NO_RUN } from './schema.js'
import { fileSettings, parseSetting } from './settings.js'
import { expandSolver, SOLVER_KEY } from './solvers.js'
import type { TrainConfig } from './generated/train-config.js'
import { isTree, merge, nested, type Tree } from './tree.js'
import { chosenIn, refuseUnread, type Chosen } from './unread.js'
import { validateConfig } from './validate.js'

/** Sources of a configuration's values, in order of increasing precedence. Other keys have their defaults. */
export interface ConfigSources {
  readonly preset?: string | undefined
  /** The content of a configuration file, with the keys of config.json. */
  readonly file?: unknown
  /** Name of the file, for `origins`. */
  readonly fileName?: string | undefined
  /** Values given by separate flags. */
  readonly flags?: PartialConfig | undefined
  /** `key=value` settings with dotted keys, and values in JSON or bare text. */
  readonly set?: readonly string[] | undefined
}

/** Provenance of a configuration's values, as recorded in runs. No result depends on it. */
export interface ConfigOrigin {
  readonly preset?: string
  /** Row of HARL's tuned settings in use, such as `Walker2d-2x3` (see `PresetChoice`). */
  readonly tunedFor?: string
}

export interface ResolvedConfig extends ConfigOrigin {
  readonly config: TrainConfig
  /** Origin of each value, by dotted key. */
  readonly origins: Origins
  /** Values chosen by a file or a flag, which are refused if nothing reads them. */
  readonly chosen: readonly Chosen[]
  /** Spec of the environment, after `completeEnv`. */
  readonly env?: EnvSpec
}

/**
 * Combines defaults, preset, configuration file, flags and settings, and checks the result.
 *
 * @throws HatrpoError (exit code 2) naming the wrong key, its value and the valid values
 */
export function resolveConfig(sources: ConfigSources): ResolvedConfig {
  const { objects, set } = read(sources)
  const layers = [...fileLayers(sources, objects.file), ...flagLayers(objects.flags), ...set.map(setLayer)]
  const given = layers.map(({ settings }) => settings).reduce(merge, {})
  expectNamed(given)
  const plain = validateConfig(merge({ ...baseConfig }, given))
  const { layers: chosenLayers, ...origin } = choosePreset(sources.preset, plain.env.id, plain.algo)
  const { values, origins } = lay(defaults, [...chosenLayers, ...layers])
  const chosen = [objects.file, objects.flags].flatMap(chosenIn).concat(set.flatMap((tree) => leaves(tree)))
  const config = validateConfig(values)
  refuseUnread(chosen, config)
  return { config, origins, chosen, ...origin }
}

/** The settings that the user gave. */
function read({ file, flags = {}, set = [] }: ConfigSources) {
  const objects = { file: file === undefined ? {} : fileSettings(file), flags: flags as Tree }
  return { objects, set: set.map(parseSetting) }
}

function fileLayers({ file, fileName }: ConfigSources, settings: Tree): Layer[] {
  if (file === undefined) return []
  const name = fileName === undefined ? {} : { name: fileName }
  return [{ settings: expandSolver(settings), origin: { from: 'file', ...name } }]
}

function flagLayers(flags: Tree): Layer[] {
  const names = new Map(keysOf(configEntries).map(({ key, about }) => [key, about.flag]))
  return leaves(expandSolver(flags)).map(([key, value]) => {
    const name = names.get(key)
    return { settings: nested(key, value), origin: { from: 'flag', ...(name !== undefined && { name }) } }
  })
}

function setLayer(setting: Tree): Layer {
  const settings = expandSolver(setting)
  const name = settings === setting ? '--set' : `--set ${SOLVER_KEY}`
  return { settings, origin: { from: 'flag', name } }
}

/** Refuses settings without an environment or a method. */
function expectNamed({ env, algo }: Tree): void {
  if (env === undefined || (isTree(env) && env.id === undefined))
    throw usageError('env is missing: name an environment, such as --env mamujoco/HalfCheetah-2x3')
  if (algo !== undefined) return
  // The more informative of two errors comes first.
  if (isTree(env) && typeof env.id === 'string' && env.id !== '') assertEnvExists(env.id)
  const [example] = trainableAlgorithms
  throw usageError(
    `algo is missing: name one of ${trainableAlgorithms.join(', ')}, such as --algo ${example}`,
  )
}

/**
 * Adds the default options of the environment, so that a run does not depend on later defaults, and makes paths of
 * files and folders absolute.
 *
 * @throws HatrpoError (exit code 2) for an unknown environment, option or value, and for a chosen value without effect
 *   in the environment
 */
export async function completeEnv(resolved: ResolvedConfig): Promise<ResolvedConfig> {
  const { config, origins, chosen } = resolved
  const { config: env, spec } = await loadEnvFactory(config.env)
  refuseUnread(chosen, config, spec)
  const { opponents } = config
  const isFolder = opponents.from !== NO_OPPONENTS && opponents.from !== PAST_OPPONENTS
  const from = isFolder ? resolve(opponents.from) : opponents.from
  const init = config.init.from === NO_RUN ? config.init : { from: resolve(config.init.from) }
  const complete = { ...config, env, init, opponents: { ...opponents, from } }
  return { ...resolved, config: complete, origins: await envOrigins(config.env, env, origins), env: spec }
}

/**
 * Origins including those of the environment's options. An option that was not given has its default, unless a short
 * form for several options has set it.
 */
async function envOrigins(given: EnvConfig, env: EnvConfig, origins: Origins): Promise<Origins> {
  const standing = Object.keys(given).find((name) => !Object.hasOwn(env, name))
  const usual = standing === undefined ? env : (await loadEnvFactory({ id: given.id })).config
  const missing = Object.keys(env).filter((name) => !Object.hasOwn(given, name))
  const source: ValueOrigin = { from: 'default', source: 'the environment' }
  const made = missing.map((name): [string, ValueOrigin] => {
    const isUsual = standing === undefined || env[name] === usual[name]
    return [`env.${name}`, isUsual ? source : origins[`env.${standing}`]]
  })
  const kept = Object.entries(origins).filter(([key]) => !standing || key !== `env.${standing}`)
  return Object.fromEntries([...kept, ...made])
}
