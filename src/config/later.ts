import { keysOf } from './about.js'
import { configEntries } from './schema.js'
import { merge, nested } from './tree.js'

/**
 * Later additions to the keys, with the values that correspond to the earlier behaviour. A configuration without such a
 * key has this value, and one with this value has the hash of a configuration without the key.
 */
export const LATER = keysOf(configEntries)
  .filter(({ later }) => later)
  .map(({ key, about }) => nested(key, about.default))
  .reduce(merge, {})
