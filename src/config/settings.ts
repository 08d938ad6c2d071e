import { usageError } from '../errors.js'
import { configKeys } from './schema.js'
import { SOLVER_KEY } from './solvers.js'
import { isTree, nested, type Tree } from './tree.js'
import { unknownKey } from './unknown-key.js'

/** One named group of agents, such as `actor.sharing.walkers`. */
const GROUP_KEY = /^actor\.sharing\.[A-Za-z][\w-]*$/

/**
 * Reads one `key=value` setting into nested objects.
 *
 * @throws HatrpoError (exit code 2) for an unknown key and for text that is not `key=value`
 */
export function parseSetting(setting: string): Tree {
  const equals = setting.indexOf('=')
  if (equals < 1)
    throw usageError(
      `--set is ${JSON.stringify(setting)}: it must be key=value, such as trustRegion.delta=0.005`,
    )
  const key = setting.slice(0, equals)
  const known =
    key === SOLVER_KEY ||
    /^env\.[A-Za-z]\w*$/.test(key) ||
    GROUP_KEY.test(key) ||
    configKeys.some((name) => name === key || name.startsWith(`${key}.`))
  if (!known) throw unknownKey(key)
  const text = setting.slice(equals + 1)
  const parsed = parseValue(text)
  // An environment's options are plain values: an object stays the text that it was.
  const value = key.startsWith('env.') && isTree(parsed) ? text : parsed
  return nested(key, value)
}

/** A value typed in a shell: JSON where it is JSON, else the text itself. */
export function parseValue(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** Settings of a configuration file, without the parts that only inform people and editors. */
export function fileSettings(file: unknown): Tree {
  if (!isTree(file))
    throw usageError('the configuration file must hold a JSON object with the keys of config.json')
  const { about: _information, $schema: _editors, ...settings } = file
  return settings
}
