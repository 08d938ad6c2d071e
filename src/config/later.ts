import { keysOf } from './about.js'
import { configEntries } from './schema.js'
import { merge, nested } from './tree.js'

/**
 * Keys that configurations did not always have, with the value that means what was computed before there were any. A
 * configuration without such a key has this value, and one with it has the hash of a configuration without the key.
 */
export const LATER = keysOf(configEntries)
  .filter(({ later }) => later)
  .map(({ key, about }) => nested(key, about.default))
  .reduce(merge, {})
