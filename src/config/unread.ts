import { NO_OPPONENTS, PAST_OPPONENTS } from '../algorithms/learners.js'
import { comparesPolicies, partsOf, UPDATES } from '../algorithms/parts.js'
import { algorithms } from '../algorithms/table.js'
import { usageError } from '../errors.js'
import { show } from '../text/show.js'
import { LATER } from './later.js'
import { configKeys, type TrainConfig } from './schema.js'
import { isTree, type Tree } from './tree.js'

/** Groups of the configuration that only the update rule of the same name reads. */
const ruleGroups: readonly string[] = [
  ...new Set(Object.values(algorithms).map(({ update }) => update)),
].filter((rule) => keysOf(rule).length > 0)

function keysOf(group: string): string[] {
  return configKeys.filter((key) => key.startsWith(`${group}.`))
}

/**
 * Refuses settings that the update rule or the schedule of a method never reads: they would do nothing, in silence.
 *
 * @param given nested settings of the user's own, without defaults and presets
 * @param config the configuration with them
 * @throws HatrpoError (exit code 2) naming the first such key, its value, the method and the keys it reads in their place
 */
export function refuseUnread(given: Tree, config: TrainConfig): void {
  const { algo, order, opponents, trustRegion } = config
  const { update, schedule } = algorithms[algo]
  const parts = partsOf(algorithms[algo])
  if (given.order !== undefined && parts?.schedule.ordered === false) {
    const { byMerit, joined } = parts.schedule
    const together = joined ? 'it has one policy' : 'its agents move at the same time'
    const reason = byMerit ? 'the agent with the greatest merit is next' : together
    throw usageError(
      `order is ${show(given.order)}: ${algo} never reads it, ${reason} (schedule ${schedule})`,
    )
  }
  refuseUnreadAllocation(given.allocation, algo, order)
  refuseUnreadOpponents(given.opponents, opponents.from)
  for (const group of ruleGroups.filter((rule) => rule !== update)) {
    const settings = given[group]
    const [setting] = isTree(settings) ? Object.entries(settings) : []
    if (setting === undefined) continue
    const [key, value] = setting
    throw usageError(
      `${group}.${key} is ${show(value)}: ${algo} never reads it; in place of ${group}.* it reads ${keysOf(update).join(', ')}`,
    )
  }
  for (const key of partsOf(algorithms[algo])?.update.ignores ?? []) {
    const [name, value] = leafAt(given, key)
    if (value !== undefined) throw usageError(`${name} is ${show(value)}: ${algo} never reads it`)
  }
  const age = isTree(given.trustRegion) ? given.trustRegion.preconditionerAge : undefined
  if (age !== undefined && trustRegion.preconditioner === 'none')
    throw usageError(
      `trustRegion.preconditionerAge is ${show(age)}: trustRegion.preconditioner is none, which never reads it`,
    )
  for (const network of ['actor', 'critic'] as const) {
    const settings = given[network]
    if (!isTree(settings) || config[network].gruLayers > 0 || Object.hasOwn(settings, 'gruLayers')) continue
    const key = ['gruSize', 'chunk'].find((name) => Object.hasOwn(settings, name))
    if (key !== undefined)
      throw usageError(
        `${network}.${key} is ${show(settings[key])}: ${network}.gruLayers is 0, which never reads it`,
      )
  }
}

/** Refuses settings of the KL's division that a method does not read. */
function refuseUnreadAllocation(
  given: unknown,
  algo: TrainConfig['algo'],
  order: TrainConfig['order'],
): void {
  const parts = partsOf(algorithms[algo])
  if (!isTree(given) || !parts) return
  const compared = comparesPolicies(parts, order)
  const read: readonly string[] = [...(compared ? ['rescore'] : []), ...parts.budget.reads]
  for (const [key, value] of Object.entries(given)) {
    if (read.includes(key)) continue
    const reason =
      read.length > 0
        ? `it reads ${read.map((name) => `allocation.${name}`).join(', ')}`
        : 'each of its agents has a budget of its own, and their order is not score'
    throw usageError(`allocation.${key} is ${show(value)}: ${algo} never reads it, ${reason}`)
  }
}

/** Refuses settings of opponents that are not met. */
function refuseUnreadOpponents(given: unknown, from: string): void {
  if (!isTree(given)) return
  const read =
    from === PAST_OPPONENTS ? ['learner', 'every', 'pool'] : from === NO_OPPONENTS ? [] : ['learner']
  const unread = Object.keys(given).find((key) => key !== 'from' && !read.includes(key))
  if (unread === undefined) return
  throw usageError(
    `opponents.${unread} is ${show(given[unread])}: opponents.from is ${show(from)}, which never reads it`,
  )
}

/**
 * Settings of an object less the groups that hold all of their keys.
 *
 * A complete group comes from a resolved configuration, such as a run's config.json, which holds the groups of all update
 * rules. A group of some keys is written by a person who expects it to matter.
 */
export function withoutCompleteGroups(settings: Tree): Tree {
  const complete = (group: string, values: unknown = {}) =>
    isTree(values) &&
    keysOf(group)
      .map((key) => key.slice(group.length + 1))
      .every((key) => Object.hasOwn(values, key) || isLater(group, key))
  const groups = ruleGroups.filter((group) => complete(group, settings[group]))
  // A file with the groups of all rules is a resolved configuration, which holds what any method reads.
  const resolved = groups.length === ruleGroups.length
  const left = resolved ? [...groups, 'order', 'allocation', 'opponents'] : groups
  const kept = Object.fromEntries(Object.entries(settings).filter(([key]) => !left.includes(key)))
  const ignored = Object.values(UPDATES).flatMap((update) => update?.ignores ?? [])
  return resolved ? ignored.reduce(without, kept) : kept
}

/** Name and value of a dotted key, of a group those of its first key; undefined where nothing is given. */
function leafAt(settings: Tree, key: string): [name: string, value: unknown] {
  const value = key
    .split('.')
    .reduce<unknown>((inner, name) => (isTree(inner) ? inner[name] : undefined), settings)
  const [first] = isTree(value) ? Object.entries(value) : []
  return first ? [`${key}.${first[0]}`, first[1]] : [key, isTree(value) ? undefined : value]
}

/** Settings without a dotted key. */
function without(settings: Tree, key: string): Tree {
  const [name, ...rest] = key.split('.')
  const { [name]: value, ...others } = settings
  if (rest.length === 0) return others
  return isTree(value) ? { ...others, [name]: without(value, rest.join('.')) } : settings
}

/** Whether complete configurations of earlier versions lack a key. */
function isLater(group: string, key: string): boolean {
  return Object.hasOwn((LATER as Tree)[group] ?? {}, key)
}
