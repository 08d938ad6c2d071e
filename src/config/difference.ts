import { algorithms } from '../algorithms/table.js'
import { configKeys, type TrainConfig } from './schema.js'
import { isTree, sorted, type Tree } from './tree.js'

/** Groups that only the update rule of the same name reads. */
const ruleGroups: ReadonlySet<string> = new Set(Object.values(algorithms).map(({ update }) => update))

/** Values of a configuration by dotted key, but for those of update rules that its method does not have. */
export function flatConfig(config: TrainConfig): Map<string, unknown> {
  const { update } = algorithms[config.algo]
  const flat = new Map<string, unknown>()
  const visit = (tree: Tree, prefix: string) => {
    for (const [name, value] of Object.entries(tree)) {
      const key = `${prefix}${name}`
      if (isTree(value) && !configKeys.includes(key)) visit(value, `${key}.`)
      else flat.set(key, value)
    }
  }
  const own = Object.entries(config).filter(([name]) => name === update || !ruleGroups.has(name))
  visit(Object.fromEntries(own), '')
  return flat
}

/** Keys in which some configurations differ, in the order of the schema; a key that one of them lacks differs. */
export function differingKeys(configs: readonly TrainConfig[]): string[] {
  const flats = configs.map(flatConfig)
  const keys = new Set(flats.flatMap((flat) => [...flat.keys()]))
  const textAt = (flat: ReadonlyMap<string, unknown>, key: string) => JSON.stringify(sorted(flat.get(key)))
  return [...keys].filter((key) => flats.some((flat) => textAt(flat, key) !== textAt(flats[0], key)))
}
