import { configKeys } from './schema.js'
import { isTree, merge, type Tree } from './tree.js'

/** Origin of a value of a configuration. */
export interface ValueOrigin {
  /** `task`: settings tuned for the task. */
  readonly from: 'default' | 'task' | 'preset' | 'file' | 'flag'
  /** Name of the tuned task, the preset, the file or the flag. */
  readonly name?: string
  /** Publication, code or page that has the value. */
  readonly source?: string
}

/** Origins of values by dotted key. */
export type Origins = Readonly<Record<string, ValueOrigin>>

/** Settings of one origin. */
export interface Layer {
  readonly settings: Tree
  readonly origin: ValueOrigin
}

/** Values laid over one another, with the origin of each. */
export interface Traced {
  readonly values: Tree
  readonly origins: Origins
}

/** Lays layers over values, later ones over earlier ones. */
export function lay(below: Traced, layers: readonly Layer[]): Traced {
  const origins: Record<string, ValueOrigin> = { ...below.origins }
  for (const { settings, origin } of layers) for (const [key] of leaves(settings)) origins[key] = origin
  return { values: layers.map(({ settings }) => settings).reduce(merge, below.values), origins }
}

/** Dotted keys of nested settings, with their values. */
export function leaves(settings: Tree, prefix = ''): [key: string, value: unknown][] {
  return Object.entries(settings).flatMap(([name, value]): [string, unknown][] => {
    const key = `${prefix}${name}`
    // A key may hold an object, as the groups of agents that share a policy.
    return isTree(value) && !configKeys.includes(key) ? leaves(value, `${key}.`) : [[key, value]]
  })
}

/** Value of a dotted key, or undefined. */
export function valueAt(settings: Tree, key: string): unknown {
  return key.split('.').reduce<unknown>((inner, name) => (isTree(inner) ? inner[name] : undefined), settings)
}
