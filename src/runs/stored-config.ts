import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import { NO_OPPONENTS, PAST_OPPONENTS } from '../algorithms/learners.js'
import { isSameEnv, portableEnv, resolveEnv } from '../envs/portable.js'
import { HatrpoError, usageError } from '../errors.js'
import { type ConfigOrigin, NO_RUN, type TrainConfig, validateConfig } from '../config/index.js'
import { replaceFile } from './disk.js'

/** Information in config.json besides the configuration. Of it, the version and the environment's code decide results. */
export interface RunAbout extends ConfigOrigin {
  readonly packageVersion: string
  readonly node: string
  readonly workers?: number
  /** SHA-256 of the code of an environment of the user's own: a run is resumed with the same code only. */
  readonly envSha256?: string
  /** Name of the environment as a task (see `taskName`), where it is not its id. */
  readonly task?: string
  /** Folder that the paths in `env` start from, relative to the run folder. */
  readonly envFolder?: string
}

/** The content of config.json. */
interface StoredConfig {
  /** The configuration in the form of the file and the hash: its paths start from `about.envFolder`. */
  readonly portable: TrainConfig
  /** The configuration with absolute paths. */
  readonly config: TrainConfig
  readonly about: RunAbout | undefined
}

/**
 * The configuration of the run in a folder. The environment's files are found from where they were when the run was made,
 * seen from the run folder, or else from the working directory.
 * @throws HatrpoError when there is none or it is damaged
 */
export function readRunConfig(dir: string): TrainConfig {
  return readConfigFile(dir).config
}

export function readConfigFile(dir: string): StoredConfig {
  const path = join(dir, 'config.json')
  if (!existsSync(path)) throw usageError(`${dir} holds no run: it has no config.json`)
  return parseConfigFile(dir, () => readFileSync(path, 'utf8'))
}

/** The content of a run's config.json. @throws HatrpoError when it is damaged or cannot be read */
export function parseConfigFile(dir: string, read: () => string): StoredConfig {
  const path = join(dir, 'config.json')
  try {
    const { about, ...stored } = JSON.parse(read()) as { about?: RunAbout }
    const portable = validateConfig(stored)
    const folders = envFolders(dir, about)
    const env = resolveEnv(portable.env, folders)
    return { portable, config: absoluteRuns({ ...portable, env }, dir), about }
  } catch (error) {
    throw new HatrpoError(`${path} is damaged: ${(error as Error).message}`, { cause: error })
  }
}

/** Parts of a configuration that may name a run. */
const RUN_NAMES = ['init', 'opponents'] as const

/** A configuration, or a part of one, with other paths to the runs that it names. */
function mapRuns<Config extends object>(config: Config, map: (path: string) => string): Config {
  const parts = config as Partial<Record<string, { readonly from?: unknown }>>
  const mapped = RUN_NAMES.flatMap((key): [string, object][] => {
    const from = parts[key]?.from
    const isRun = typeof from === 'string' && ![NO_RUN, NO_OPPONENTS, PAST_OPPONENTS].includes(from)
    return isRun ? [[key, { ...parts[key], from: map(from) }]] : []
  })
  return { ...config, ...Object.fromEntries<object>(mapped) }
}

/**
 * A configuration with absolute paths to the runs that it names.
 * @param dir folder that relative paths start from, unless a run is only where the working directory leads to
 */
export function absoluteRuns<Config extends object>(config: Config, dir?: string): Config {
  return mapRuns(config, (path) => {
    const places = [...(dir === undefined ? [] : [resolve(dir, path)]), resolve(path)]
    return places.find((place) => existsSync(place)) ?? places[0]
  })
}

/** A configuration with the paths of a run's config.json, where they lead to the same places. */
export function asStored({ config, portable }: StoredConfig, given: TrainConfig): TrainConfig {
  const { init, opponents } = absoluteRuns(given)
  return {
    ...given,
    ...(isSameEnv(config.env, given.env) && { env: portable.env }),
    ...(config.init.from === init.from && { init: portable.init }),
    ...(config.opponents.from === opponents.from && {
      opponents: { ...given.opponents, from: portable.opponents.from },
    }),
  }
}

/** Folders that the environment's paths may start from, the likeliest first. */
export function envFolders(dir: string, about: Pick<RunAbout, 'envFolder'> | undefined): string[] {
  const { envFolder } = about ?? {}
  return [...(typeof envFolder === 'string' ? [join(realpathSync(dir), envFolder)] : []), process.cwd()]
}

export function writeConfigFile(dir: string, config: TrainConfig, about: RunAbout | undefined): void {
  replaceFile(join(dir, 'config.json'), `${JSON.stringify({ ...config, about }, null, 2)}\n`)
}

/**
 * Writes the configuration of a new run, without the machine's folders in the environment's paths.
 * @returns the configuration in the form of the file
 */
export function writeFirstConfig(dir: string, config: TrainConfig, about: RunAbout): TrainConfig {
  const { env, folder } = portableEnv(config.env)
  // Relative to the run folder: runs that learn from one another move together.
  const runs = mapRuns(absoluteRuns(config), (path) => asRelative(wayTo(dir, path)))
  const portable = { ...runs, env }
  const envFolder = folder === undefined ? undefined : wayTo(dir, folder)
  writeConfigFile(dir, portable, { ...about, ...(envFolder !== undefined && { envFolder }) })
  return portable
}

function asRelative(way: string): string {
  return way.startsWith('.') ? way : `./${way}`
}

/** A folder's path, relative to the run folder. */
function wayTo(dir: string, folder: string): string {
  return relative(realpathSync(dir), folder).split(sep).join('/') || '.'
}

/** The SHA-256 of the environment's code that a run was made with, where the environment is the user's own. */
export function readRunEnvSha256(dir: string): string | undefined {
  return readConfigFile(dir).about?.envSha256
}
