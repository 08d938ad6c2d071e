import { algorithms } from '../algorithms/table.js'
import type { TrainConfig } from './generated/train-config.js'
import { leaves } from './origins.js'
import { sorted } from './tree.js'

/** Groups that only the update rule of the same name reads. */
const ruleGroups: ReadonlySet<string> = new Set(Object.values(algorithms).map(({ update }) => update))

/** Values of a configuration by dotted key, without those of other update rules. */
export function flatConfig(config: TrainConfig): Map<string, unknown> {
  const { update } = algorithms[config.algo]
  const own = Object.entries(config).filter(([name]) => name === update || !ruleGroups.has(name))
  return new Map(leaves(Object.fromEntries(own)))
}

/** Keys in which some configurations differ, in the order of the schema; a key that one of them lacks differs. */
export function differingKeys(configs: readonly TrainConfig[]): string[] {
  const flats = configs.map(flatConfig)
  const keys = new Set(flats.flatMap((flat) => [...flat.keys()]))
  const textAt = (flat: ReadonlyMap<string, unknown>, key: string) => JSON.stringify(sorted(flat.get(key)))
  return [...keys].filter((key) => flats.some((flat) => textAt(flat, key) !== textAt(flats[0], key)))
}
