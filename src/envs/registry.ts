import { usageError } from '../errors.js'
import type { EnvConfig, EnvFactory, EnvFamily, EnvListing } from './factory.js'
import { mamujoco } from './mamujoco/family.js'
import { isModuleId, loadModuleFactory } from './module.js'

const FAMILIES: readonly EnvFamily[] = [mamujoco]

/** Every built-in environment, with its default options. */
export function listEnvs(): EnvListing[] {
  return FAMILIES.flatMap((family) => family.list())
}

/**
 * Splits a built-in id into its family and the name within it.
 * @throws HatrpoError (exit code 2) when no family has that name
 */
export function parseEnvId(id: string): { family: string; name: string } {
  const slash = id.indexOf('/')
  const family = id.slice(0, Math.max(slash, 0))
  if (!FAMILIES.some(({ name }) => name === family)) {
    const known = listEnvs().map((listing) => listing.id)
    throw usageError(`environment ${id}: no such environment; there are ${known.join(', ')}`)
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
 * The factory of a built-in environment, or of one whose id is a JavaScript file: its default export is
 * `(options) => environment`, or a promise of one, with `saveState` and `loadState`.
 * @throws HatrpoError for an unknown id, option or value, or a module that does not make an environment
 */
export async function loadEnvFactory(config: EnvConfig): Promise<EnvFactory> {
  return isModuleId(config.id) ? loadModuleFactory(config) : makeEnvFactory(config)
}
