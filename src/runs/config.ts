import { createHash } from 'node:crypto'
import { type HatrpoError, usageError } from '../errors.js'
import { trainableAlgorithms } from '../algorithms/table.js'
import { assertEnvExists, loadEnvFactory } from '../envs/index.js'
import { nearestName } from '../envs/nearest.js'
import { baseConfig, choosePreset, type PartialConfig } from './presets.js'
import { configKeys, type TrainConfig, trainConfigSchema } from './schema.js'

export type { TrainConfig } from './schema.js'

/** Where the values of a configuration come from, in rising precedence; what none of them names is the default. */
export interface ConfigSources {
  readonly preset?: string | undefined
  /** The content of a configuration file, with the keys of config.json. */
  readonly file?: unknown
  /** Values given by flags of their own. */
  readonly flags?: PartialConfig | undefined
  /** `key=value` settings: dotted keys, values in JSON or bare text. */
  readonly set?: readonly string[] | undefined
}

/** Where the values of a configuration came from: information that changes nothing. */
export interface ConfigOrigin {
  readonly preset?: string
  /** The row of HARL's tuned settings that was used, such as `Walker2d-2x3`. */
  readonly tunedFor?: string
}

export interface ResolvedConfig extends ConfigOrigin {
  readonly config: TrainConfig
}

type Tree = Record<string, unknown>

/** Steps of one environment that have random numbers of their own. */
const STEP_KEYS = 0x1_0000_0000

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** `over` laid over `under`, group by group; lists and plain values replace. */
function merge(under: Tree, over: Tree): Tree {
  const merged: Tree = { ...under }
  for (const [key, value] of Object.entries(over)) {
    const below = Object.hasOwn(under, key) ? under[key] : undefined
    merged[key] = isTree(below) && isTree(value) ? merge(below, value) : value
  }
  return merged
}

/** A value as an error line shows it. */
function show(value: unknown): string {
  if (value === undefined) return 'missing'
  const text = typeof value === 'number' ? String(value) : JSON.stringify(value)
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}

/** The error for a key that does not exist: what was probably meant, or what there is at its place. */
function unknownKey(key: string): HatrpoError {
  const parts = key.split('.')
  const sameName = configKeys.filter((known) => known.endsWith(`.${parts[parts.length - 1]}`))
  let place = ''
  let names = namesAt(place)
  while (parts.length > 1 && names.includes(parts[0]) && namesAt(`${place}${parts[0]}.`).length > 0) {
    place += `${parts[0]}.`
    parts.shift()
    names = namesAt(place)
  }
  const nearest = nearestName(parts[0], names)
  const meant =
    sameName.length > 0 ? sameName.join(' or ') : nearest && [place + nearest, ...parts.slice(1)].join('.')
  const right = meant ? `did you mean ${meant}?` : `the keys there are ${names.join(', ')}`
  return usageError(`unknown key ${key}: ${right}`)
}

/** The names of keys and groups that stand below `place`, which is empty or ends in a dot. */
function namesAt(place: string): string[] {
  const below = configKeys.filter((key) => key.startsWith(place)).map((key) => key.slice(place.length))
  return [...new Set(below.map((key) => key.split('.')[0]))]
}

/**
 * The one place where a configuration is checked.
 *
 * @param value all keys of a configuration
 * @throws HatrpoError naming the first wrong key, its value and what would be right
 */
export function validateConfig(value: unknown): TrainConfig {
  const parsed = trainConfigSchema.safeParse(value, { reportInput: true })
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    const path = issue.path.map(String).join('.')
    if (issue.code === 'unrecognized_keys')
      throw unknownKey(path === '' ? issue.keys[0] : `${path}.${issue.keys[0]}`)
    throw usageError(
      `${path === '' ? 'the configuration' : path} is ${show(issue.input)}: it must be ${issue.message}`,
    )
  }
  const config = parsed.data
  if (config.steps / config.envs >= STEP_KEYS)
    throw usageError(
      `steps is ${config.steps}: it must be below envs x 2^32 = ${config.envs * STEP_KEYS}, because each environment's random numbers are keyed by its step in 32 bits`,
    )
  const samples = config.envs * config.rolloutSteps
  for (const group of ['critic', 'trustRegion', 'clipped'] as const) {
    const { miniBatches } = config[group]
    if (miniBatches > samples)
      throw usageError(
        `${group}.miniBatches is ${miniBatches}: it must be at most envs x rolloutSteps = ${samples}`,
      )
  }
  return config
}

/** Reads one `key=value` setting into nested objects. */
function parseSetting(setting: string): Tree {
  const equals = setting.indexOf('=')
  if (equals < 1)
    throw usageError(
      `--set is ${JSON.stringify(setting)}: it must be key=value, such as trustRegion.delta=0.005`,
    )
  const key = setting.slice(0, equals)
  const known =
    /^env\.[A-Za-z]\w*$/.test(key) || configKeys.some((name) => name === key || name.startsWith(`${key}.`))
  if (!known) throw unknownKey(key)
  const text = setting.slice(equals + 1)
  const parsed = parseValue(text)
  // An environment's options are plain values: an object stays the text that it was.
  const value = key.startsWith('env.') && isTree(parsed) ? text : parsed
  return key.split('.').reduceRight<unknown>((inner, part) => ({ [part]: inner }), value) as Tree
}

/** A value typed in a shell: JSON where it is JSON, else the text itself. */
export function parseValue(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** What a configuration file says, without the part of config.json that only informs. */
function fileSettings(file: unknown): Tree {
  if (!isTree(file))
    throw usageError('the configuration file must hold a JSON object with the keys of config.json')
  const { about: _information, ...settings } = file
  return settings
}

/**
 * Lays defaults, preset, configuration file, flags and settings over one another, and checks the result.
 *
 * @throws HatrpoError (exit code 2) naming the wrong key, its value and what would be right
 */
export function resolveConfig(sources: ConfigSources): ResolvedConfig {
  const given = [
    sources.file === undefined ? {} : fileSettings(sources.file),
    (sources.flags ?? {}) as Tree,
    ...(sources.set ?? []).map(parseSetting),
  ].reduce(merge)
  const { env, algo } = given
  if (env === undefined || (isTree(env) && env.id === undefined))
    throw usageError('env is missing: name an environment, such as --env mamujoco/HalfCheetah-2x3')
  if (algo === undefined) {
    // The more telling of two errors first.
    if (isTree(env) && typeof env.id === 'string' && env.id !== '') assertEnvExists(env.id)
    throw usageError(`algo is missing: name one of ${trainableAlgorithms.join(', ')}, such as --algo hatrpo`)
  }
  const plain = validateConfig(merge({ ...baseConfig }, given))
  const { settings, ...origin } = choosePreset(sources.preset, plain.env.id, plain.algo)
  const layers = [{ ...baseConfig }, ...settings, given] as Tree[]
  return { config: validateConfig(layers.reduce(merge)), ...origin }
}

/**
 * Fills in the environment's options, so that a run does not depend on later defaults, and makes a file's path absolute.
 *
 * @throws HatrpoError (exit code 2) for an unknown environment, option or value
 */
export async function completeEnv(config: TrainConfig): Promise<TrainConfig> {
  const { config: env } = await loadEnvFactory(config.env)
  return { ...config, env }
}

/** The value with the keys of every object in alphabetical order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isTree(value)) return value
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key])]),
  )
}

/**
 * SHA-256 of what decides the course of a run: the configuration without how long it goes on,
 * unless a schedule depends on that, and without how often it is saved.
 */
export function configSha256(config: TrainConfig): string {
  const { steps, checkpoint: _saving, ...rest } = config
  const hashed = dependsOnTotalSteps(config) ? { ...rest, steps } : rest
  return createHash('sha256')
    .update(JSON.stringify(sorted(hashed)))
    .digest('hex')
}

/** Whether a schedule of the run is stretched over its total number of steps, so that the run cannot be extended. */
export function dependsOnTotalSteps(config: TrainConfig): boolean {
  return config.algo === 'happo' && config.clipped.lrDecay
}

/** Whole iterations that make at least `config.steps` steps. */
export function totalIterations(config: TrainConfig): number {
  return Math.ceil(config.steps / (config.envs * config.rolloutSteps))
}
