import { NO_OPPONENTS, PAST_OPPONENTS } from '../algorithms/learners.js'
import { comparesPolicies, partsOf, type MethodParts } from '../algorithms/parts.js'
import { algorithms } from '../algorithms/table.js'
import type { EnvSpec } from '../envs/contract.js'
import { usageError } from '../errors.js'
import { show } from '../text/show.js'
import { LATER } from './later.js'
import { leaves, valueAt } from './origins.js'
import { configKeys } from './schema.js'
import type { TrainConfig } from './generated/train-config.js'
import type { Tree } from './tree.js'

/** Groups of the configuration that only the update rule of the same name reads. */
const ruleGroups: readonly string[] = [
  ...new Set(Object.values(algorithms).map(({ update }) => update)),
].filter((rule) => keysIn(rule).length > 0)

/** Groups of keys. */
const groups: readonly string[] = [...new Set(configKeys.map((key) => groupOf(key)))].filter(Boolean)

/** Group of a dotted key; empty for a key outside of all groups. */
function groupOf(key: string): string {
  return key.slice(0, Math.max(key.indexOf('.'), 0))
}

function keysIn(group: string): string[] {
  return configKeys.filter((key) => key.startsWith(`${group}.`))
}

/** Context that determines whether a key is read. */
interface Reader {
  readonly config: TrainConfig
  readonly parts: MethodParts
  /** Undefined where the environment is not known yet. */
  readonly env: EnvSpec | undefined
}

/** Reason why a key is never read; undefined if it is read, or if another rule applies. */
type Rule = (key: string, reader: Reader) => string | undefined

const order: Rule = (key, { config: { algo }, parts: { schedule } }) => {
  if (key !== 'order' || schedule.ordered) return undefined
  const together = schedule.joined ? 'it has one policy' : 'its agents move at the same time'
  const reason = schedule.byMerit ? 'the agent with the greatest merit is next' : together
  return `${algo} never reads it, ${reason} (schedule ${algorithms[algo].schedule})`
}

const allocation: Rule = (key, { config, parts }) => {
  if (groupOf(key) !== 'allocation') return undefined
  const { algo } = config
  const compared = comparesPolicies(parts, config.order)
  const read = [...(compared ? ['rescore'] : []), ...parts.budget.reads].map((name) => `allocation.${name}`)
  if (read.includes(key)) return undefined
  const alone = 'each of its agents has a separate budget, and their order is not score'
  return `${algo} never reads it, ${read.length > 0 ? `it reads ${read.join(', ')}` : alone}`
}

const opponents: Rule = (
  key,
  {
    config: {
      opponents: { from },
    },
  },
) => {
  if (groupOf(key) !== 'opponents' || key === 'opponents.from') return undefined
  const isPast = from === PAST_OPPONENTS
  if (isPast || (from !== NO_OPPONENTS && key === 'opponents.learner')) return undefined
  return `opponents.from is ${show(from)}, which never reads it`
}

const updateRule: Rule = (key, { config: { algo } }) => {
  const { update } = algorithms[algo]
  const group = groupOf(key)
  if (group === update || !ruleGroups.includes(group)) return undefined
  return `${algo} never reads it; in place of ${group}.* it reads ${keysIn(update).join(', ')}`
}

const ignored: Rule = (key, { config: { algo }, parts: { update } }) =>
  update.ignores.some((name) => key === name || key.startsWith(`${name}.`))
    ? `${algo} never reads it`
    : undefined

const criticOfOne: Rule = (key, { config: { algo }, parts: { schedule } }) =>
  key === 'critic.sharing' && schedule.joined
    ? `${algo} never reads it, its one policy has one critic`
    : undefined

const deviation: Rule = (key, { env }) => {
  if (!env || !['actor.std', 'actor.stdX', 'actor.stdY'].includes(key)) return undefined
  if (env.agents.some(({ action }) => action.kind === 'box')) return undefined
  return `the agents of ${env.id} choose among actions and never read it`
}

const recurrent: Rule = (key, { config }) => {
  for (const name of ['actor', 'critic'] as const) {
    if (![`${name}.gruSize`, `${name}.chunk`].includes(key) || config[name].gruLayers > 0) continue
    return `${name}.gruLayers is 0, which never reads it`
  }
  return undefined
}

/** Keys that are read only if another key has certain values. */
const DEPENDENT: Readonly<Record<string, readonly [other: string, unless: unknown]>> = {
  'trustRegion.preconditionerAge': ['trustRegion.preconditioner', 'none'],
  'trustRegion.backtrack': ['trustRegion.lineSearchSteps', 1],
  'critic.clip': ['critic.clippedLoss', false],
  'evaluation.episodes': ['evaluation.every', 0],
}

const dependent: Rule = (key, { config }) => {
  if (!Object.hasOwn(DEPENDENT, key)) return undefined
  const [other, unless] = DEPENDENT[key]
  const value = valueAt({ ...config }, other)
  return value === unless ? `${other} is ${String(value)}, which never reads it` : undefined
}

const RULES: readonly Rule[] = [
  order,
  allocation,
  opponents,
  updateRule,
  ignored,
  criticOfOne,
  deviation,
  recurrent,
  dependent,
]

/**
 * Why the method, the environment or another setting of a configuration never reads a key; undefined where it is read.
 * @param key dotted
 * @param env where it is known
 */
export function whyUnread(key: string, config: TrainConfig, env?: EnvSpec): string | undefined {
  const parts = partsOf(algorithms[config.algo])
  if (!parts) return undefined
  for (const rule of RULES) {
    const why = rule(key, { config, parts, env })
    if (why !== undefined) return why
  }
  return undefined
}

/** A value that the user chose, by its dotted key. */
export type Chosen = readonly [key: string, value: unknown]

/**
 * Refuses values that nothing reads, because they would silently have no effect.
 *
 * @param chosen values chosen by the user, without defaults and presets
 * @param config the configuration with them
 * @param env spec of the environment, if known
 * @throws HatrpoError (exit code 2) naming the first such key, its value, and why it is not read
 */
export function refuseUnread(chosen: readonly Chosen[], config: TrainConfig, env?: EnvSpec): void {
  for (const [key, value] of chosen) {
    const why = whyUnread(key, config, env)
    if (why !== undefined) throw usageError(`${key} is ${show(value)}: ${why}`)
  }
}

/**
 * Chosen values of an object: those outside of complete groups.
 *
 * A complete group comes from a resolved configuration, such as a run's config.json, which has the groups of all update
 * rules. A group with some of its keys was written by a person who expects it to have an effect.
 */
export function chosenIn(settings: Tree): Chosen[] {
  const isThere = (key: string) => valueAt(settings, key) !== undefined
  const isComplete = (group: string) => {
    const keys = keysIn(group)
    const always = keys.filter((key) => valueAt(LATER, key) === undefined)
    return (always.length > 0 ? always : keys).every(isThere)
  }
  // A file with the groups of all rules is a resolved configuration, which holds what any method reads.
  const isResolved = ruleGroups.every(
    (group) => valueAt(LATER, keysIn(group)[0]) !== undefined || isComplete(group),
  )
  if (isResolved) return []
  // A group with a single key is always complete, so it is not counted.
  const whole = groups.filter((group) => keysIn(group).length > 1 && isComplete(group))
  return leaves(settings).filter(([key]) => !whole.includes(groupOf(key)))
}
