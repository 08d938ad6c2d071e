import { differingKeys, flatConfig, type TrainConfig } from '../config/index.js'
import { show } from '../text/show.js'
import { taskKey, type RunData } from './runs.js'

/** Keys in which runs of one method may differ: seed, length, evaluations and checkpoints. */
const OF_A_RUN = /^(seed|steps|algo|env\..*|evaluation\..*|checkpoint\..*)$/
/** Settings that a method's name holds at most. */
const NAMED = 2

/**
 * Names of the runs' methods: the given name, or the algorithm. If runs of one algorithm on one task differ in other
 * settings, these are part of the name, replaced by numbers if there are many.
 * @param notes receives a line for each number, and for runs of different settings with one given name
 */
export function methodNames(runs: readonly RunData[], notes: string[]): Map<RunData, string> {
  const names = new Map<RunData, string>()
  for (const group of groupBy(runs, ({ label, config }) => label ?? config.algo)) {
    const { label } = group[0]
    const keys = settingsOf(group)
    if (label === undefined) nameVariants(group, keys, names, notes)
    else {
      for (const run of group) names.set(run, label)
      const named = keys.slice(0, 4).join(', ')
      if (keys.length > 0)
        notes.push(
          `${label}: its runs differ in ${named}${keys.length > 4 ? ` and ${keys.length - 4} more keys` : ''}`,
        )
    }
  }
  return names
}

/** Keys of a method's settings in which runs on the same task differ. */
function settingsOf(runs: readonly RunData[]): string[] {
  const tasks = groupBy(runs, ({ config }) => taskKey(config.env))
  const keys = tasks.flatMap((task) => differingKeys(task.map(({ config }) => config)))
  const algorithms = new Set(runs.map(({ config }) => config.algo))
  const settings = [...new Set(keys)].filter((key) => !OF_A_RUN.test(key))
  return algorithms.size > 1 ? ['algo', ...settings] : settings
}

function nameVariants(
  runs: readonly RunData[],
  keys: readonly string[],
  names: Map<RunData, string>,
  notes: string[],
): void {
  const settings = ({ config }: RunData) => keys.map((key) => setting(config, key)).join(' ')
  groupBy(runs, settings).forEach((variant, index) => {
    const { algo } = variant[0].config
    const short = keys.length <= NAMED ? settings(variant[0]) : `#${index + 1}`
    const name = keys.length === 0 ? algo : `${algo} ${short}`
    if (keys.length > NAMED) notes.push(`${name}: ${settings(variant[0])}`)
    for (const run of variant) names.set(run, name)
  })
}

function setting(config: TrainConfig, key: string): string {
  const value = flatConfig(config).get(key)
  return `${key}=${typeof value === 'string' ? value : show(value ?? 'none')}`
}

/** Groups in the order of their first members. */
export function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): [T, ...T[]][] {
  const groups = new Map<string, [T, ...T[]]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group) group.push(item)
    else groups.set(keyOf(item), [item])
  }
  return [...groups.values()]
}
