import { type HatrpoError, usageError } from '../errors.js'
import { nearestName } from '../text/nearest.js'
import { configKeys } from './schema.js'
import { SOLVER_KEY } from './solvers.js'

/** Keys of settings: those of configurations, and short forms for several of them. */
const KEYS: readonly string[] = [...configKeys, SOLVER_KEY]

/** Error for a key that does not exist: the key that was probably meant, or the keys of the same group. */
export function unknownKey(key: string): HatrpoError {
  const parts = key.split('.')
  const sameName = KEYS.filter((known) => known.endsWith(`.${parts[parts.length - 1]}`))
  let group = ''
  let names = namesIn(group)
  while (parts.length > 1 && names.includes(parts[0]) && namesIn(`${group}${parts[0]}.`).length > 0) {
    group += `${parts[0]}.`
    parts.shift()
    names = namesIn(group)
  }
  const nearest = nearestName(parts[0], names)
  const meant =
    sameName.length > 0 ? sameName.join(' or ') : nearest && [group + nearest, ...parts.slice(1)].join('.')
  const right = meant ? `did you mean ${meant}?` : `the keys there are ${names.join(', ')}`
  return usageError(`unknown key ${key}: ${right}`)
}

/** Names of the keys and groups directly inside `group`, which is empty or ends in a dot. */
function namesIn(group: string): string[] {
  const inside = KEYS.filter((key) => key.startsWith(group)).map((key) => key.slice(group.length))
  return [...new Set(inside.map((key) => key.split('.')[0]))]
}
