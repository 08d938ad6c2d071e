import { EnvContext } from './context.js'
import type { MultiAgentEnv } from './contract.js'
import type { EnvConfig, EnvFactory, EnvFamily, EnvListing } from './factory.js'
import { games } from './games/family.js'
import { mamujoco } from './mamujoco/family.js'
import { loadEnvModule, loadModuleFactory } from './module.js'
import { mpe } from './mpe/family.js'
import { isPettingZooId, readOptions } from './pettingzoo/options.js'
import { assertSourceExists, isFileId, isInstalled, misnamed } from './source.js'
import { CUSTOM_TEAM } from './team/options.js'
import { noSuchEnv } from './unknown-id.js'

const FAMILIES: readonly EnvFamily[] = [mamujoco, mpe, games]

/** Whether an id names a built-in environment: begins with the name of a family. */
export function isBuiltIn(id: string): boolean {
  return FAMILIES.some(({ name }) => id.startsWith(`${name}/`))
}

/** Whether an id names a file or package of the user's own. In a page there are none. */
function isModuleId(id: string): boolean {
  if (typeof process === 'undefined') return false
  return isFileId(id) || id.startsWith('npm:') || (!isBuiltIn(id) && isInstalled(id))
}

/** Every built-in environment, with its default options. */
export function listEnvs(): EnvListing[] {
  return FAMILIES.flatMap((family) => family.list())
}

/** Ids of the built-in environments whose physics MuJoCo computes. */
export function simulatedEnvs(): string[] {
  const families = FAMILIES.filter(({ simulated }) => simulated)
  return families.flatMap((family) => family.list().map(({ id }) => id))
}

/** The first division of every task among these ids. */
export function onePerTask(ids: readonly string[]): string[] {
  const task = (id: string) => id.split('-')[0]
  return ids.filter((id, i) => ids.findIndex((other) => task(other) === task(id)) === i)
}

/**
 * Splits a built-in id into its family and the name within it.
 * @throws HatrpoError (exit code 2) when no family has that name
 */
export function parseEnvId(id: string): { family: string; name: string } {
  const slash = id.indexOf('/')
  const family = id.slice(0, Math.max(slash, 0))
  if (!isBuiltIn(id)) {
    const known = listEnvs().map((listing) => listing.id)
    throw noSuchEnv(
      id,
      known,
      misnamed(id) ??
        `no such environment, and no installed package of that name; there are ${known.join(', ')}, ` +
          'files such as ./my-env.ts or ./my-game.json, and Python environments as pettingzoo:MODULE:FACTORY',
    )
  }
  return { family, name: id.slice(slash + 1) }
}

/**
 * The factory of a built-in environment. Loads nothing.
 * @param config the id and the options that differ from their defaults, such as `{ id, partition: 'graph' }`
 * @throws HatrpoError (exit code 2) for an unknown id, option or value
 */
export function makeEnvFactory(config: EnvConfig): EnvFactory {
  const { id, ...options } = config
  const { family, name } = parseEnvId(id)
  return FAMILIES.find((candidate) => candidate.name === family)!.factory(name, options)
}

/**
 * Checks that an id names an environment, as far as possible without loading it.
 * @throws HatrpoError (exit code 2) for a missing file or package, or an unknown built-in environment
 */
export function assertEnvExists(id: string): void {
  if (isPettingZooId(id)) readOptions({ id })
  else if (isModuleId(id)) assertSourceExists(id)
  else if (id !== CUSTOM_TEAM) makeEnvFactory({ id })
}

/**
 * Factory of any environment. The first of these forms that applies determines the kind of an id:
 * `pettingzoo:MODULE:FACTORY` of a Python environment, a file (`./my-env.ts`, an absolute path, a file: URL), `npm:` and
 * the name of a package, a built-in `family/name`, the name of an installed package. A package can therefore never
 * replace a built-in environment.
 * The default export of a file or package is `(options) => environment`, or a promise of one. A .json file is a finite
 * game (see `parseMatrixGame`). `mamujoco/custom` is a team defined by options (see `loadCustomTeam`).
 * @param context of the thread that will create the environments; processes started to read their spec are kept for them
 * @throws HatrpoError for an unknown id, option or value, or a module that does not make an environment
 */
export async function loadEnvFactory(config: EnvConfig, context?: EnvContext): Promise<EnvFactory> {
  const { id } = config
  if (isPettingZooId(id)) {
    const { loadPettingZooFactory } = await import('./pettingzoo/factory.js')
    return loadPettingZooFactory(config, context)
  }
  if (id === CUSTOM_TEAM) {
    const { loadCustomTeam } = await import('./team/custom.js')
    return loadCustomTeam(config, context ?? new EnvContext())
  }
  return isModuleId(id) ? loadModuleFactory(config, context ?? new EnvContext()) : makeEnvFactory(config)
}

/**
 * Function that makes environments of any id exactly as their author wrote them. Environments of a module are neither
 * checked nor given a `saveState`, so that `checkEnv` can report all their faults.
 * @throws HatrpoError for an unknown id, option or value, or a module that cannot make an environment
 */
export async function loadEnvMaker(
  config: EnvConfig,
): Promise<(context: EnvContext) => Promise<MultiAgentEnv>> {
  if (isModuleId(config.id)) return (await loadEnvModule(config)).make
  const factory = await loadEnvFactory(config)
  return (context) => factory.create(context)
}
