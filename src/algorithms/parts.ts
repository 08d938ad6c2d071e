import type { Adam } from '../learner/adam.js'
import type { PolicyBatch } from '../learner/batch.js'
import type { Shuffle } from '../learner/minibatches.js'
import type { PolicyKind } from '../learner/heads/table.js'
import type { TrainedPolicy } from '../learner/policy.js'
import { isSampled } from '../learner/sampled-fisher.js'
import type { ProductCounts } from '../nn/cost.js'
import type { PolicyUpdate } from './agent-update.js'
import { ClippedUpdate, type ClippedRule } from './clipped.js'
import { ComparedSchedule } from './compared-schedule.js'
import type { CriticInput, CriticSharing } from './critics.js'
import {
  equalAllocation,
  greedyAllocation,
  optimalAllocation,
  type AllocationOptions,
  type KlAllocation,
} from './kl-allocation.js'
import type { OffPolicyRule } from './off-policy/rule.js'
import { SequentialSchedule, SimultaneousSchedule, type Schedule, type ScheduleParts } from './schedules.js'
import type { SharingWay } from './specs.js'
import {
  algorithmNames,
  algorithms,
  type ActorSets,
  type Algorithm,
  type AlgorithmName,
  type CriticView,
  type KlBudget,
  type Turns,
  type UpdateRule,
} from './table.js'
import { TrustRegionUpdate, type TrustRegionRule } from './trust-region.js'

/** Order of the policies' turns: a new random one in every iteration, ascending, or by predicted gain. */
export const TURN_ORDERS = ['random', 'fixed', 'score'] as const
export type TurnOrder = (typeof TURN_ORDERS)[number]

/** Settings of all update rules. */
export interface RuleOptions {
  readonly trustRegion: TrustRegionRule
  readonly clipped: ClippedRule
  readonly offPolicy: OffPolicyRule
}

/** Everything that an update is made from. */
export interface UpdateParts {
  readonly policy: TrainedPolicy
  readonly agents: readonly number[]
  readonly batch: PolicyBatch
  /** Of rules that have one. */
  readonly adam: Adam | null
  readonly rules: RuleOptions
  readonly shuffle: Shuffle
}

interface UpdatePart {
  /** Budgets that a row may name with it. */
  readonly budgets: readonly KlBudget[]
  /** Whether policies are moved by Adam, whose state belongs to checkpoints. */
  readonly adam: boolean
  /** Whether the critics' learning rate falls with the actors'. */
  readonly lrDecay: (rules: RuleOptions) => boolean
  /** Fisher products at the same parameters. */
  readonly products: (rules: RuleOptions) => ProductCounts
  /** Its own bound on the KL of an update, nats; null for rules with another bound. */
  readonly klBound: (rules: RuleOptions) => number | null
  /**
   * Setting that prevents a comparison of steps before they are taken, with its valid value; null if they can be
   * compared.
   */
  readonly incomparable: (rules: RuleOptions) => string | null
  /** Whether steps can be compared with any settings. */
  readonly comparable: boolean
  /** Makes the update from one rollout; null for rules that learn from other data. */
  readonly make: ((parts: UpdateParts) => PolicyUpdate) | null
  /** Whether it reads the tables of a finite game, and agents move in turn on them. */
  readonly tables?: true
  /** Whether it learns from a replay buffer of many rollouts, with critics of actions. */
  readonly replay?: true
  readonly policies: PolicyKind
  /** Settings that it never reads, besides those of other rules. */
  readonly ignores: readonly string[]
}

interface SchedulePart {
  /** Whether all agents are joined into one that acts for all. */
  readonly joined?: true
  /** Whether the setting `order` chooses the order of the policies' updates. */
  readonly ordered: boolean
  /** Whether the policy with the greatest merit is always next, for any setting. */
  readonly byMerit?: boolean
  /** Budgets that a row may name with it. */
  readonly budgets: readonly KlBudget[]
  /** Ways of sharing parameters that it can order. */
  readonly sharing: readonly SharingWay[]
  readonly make: (parts: ScheduleParts) => Schedule
}

/** Input and owners of critics, unless the configuration names others. */
interface CriticPart {
  readonly input: CriticInput
  readonly sharing: CriticSharing
  /** Whether values are computed from the tables of a finite game: there is no critic. */
  readonly tables?: true
  /** Whether critics see the actions of all agents as well. */
  readonly withActions?: true
}

/** Values without a part are not built yet: no row that names one can be trained. */
type Parts<Value extends string, Part> = Readonly<Record<Value, Part | null>>

/** Settings of recurrent layers. */
const RECURRENT = ['actor', 'critic'].flatMap((network) =>
  ['gruLayers', 'gruSize', 'chunk'].map((key) => `${network}.${key}`),
)

/** Settings of the deviation of continuous actions. */
const DEVIATION = ['std', 'stdX', 'stdY'].map((key) => `actor.${key}`)

export const UPDATES: Parts<UpdateRule, UpdatePart> = {
  trustRegion: {
    budgets: ['fixed', 'kkt', 'greedy'],
    adam: false,
    lrDecay: () => false,
    products: ({ trustRegion }) => {
      const { cgIterations, fisherStride: stride = 1 } = trustRegion
      return isSampled(trustRegion)
        ? { whole: 0, sampled: cgIterations, stride }
        : { whole: cgIterations, sampled: 0, stride }
    },
    klBound: ({ trustRegion }) => trustRegion.delta,
    comparable: true,
    incomparable: ({ trustRegion: { miniBatches } }) =>
      miniBatches === 1
        ? null
        : `trustRegion.miniBatches is ${miniBatches}: steps that are compared beforehand are of the whole batch, it must be 1`,
    make: ({ policy, agents, batch, rules, shuffle }) =>
      new TrustRegionUpdate(policy, agents, batch, rules.trustRegion, shuffle),
    policies: 'stochastic',
    ignores: [],
  },
  clipped: {
    budgets: ['fixed'],
    adam: true,
    lrDecay: ({ clipped }) => clipped.lrDecay,
    products: () => ({ whole: 0, sampled: 0, stride: 1 }),
    klBound: () => null,
    comparable: false,
    incomparable: () =>
      'order is "score": clipped updates promise no gain beforehand, it must be random or fixed',
    make: ({ policy, agents, batch, adam, rules, shuffle }) =>
      new ClippedUpdate(policy, agents, batch, adam!, rules.clipped, shuffle),
    policies: 'stochastic',
    ignores: [],
  },
  offPolicy: {
    budgets: ['none'],
    adam: true,
    lrDecay: () => false,
    products: () => ({ whole: 0, sampled: 0, stride: 1 }),
    klBound: () => null,
    comparable: false,
    incomparable: () => null,
    make: null,
    replay: true,
    policies: 'deterministic',
    ignores: [
      ...RECURRENT,
      ...DEVIATION,
      ...[
        'epochs',
        'miniBatches',
        'clip',
        'clippedLoss',
        'huberDelta',
        'maxGradNorm',
        'valueNorm',
        'lossCoef',
      ].map((key) => `critic.${key}`),
      'lambda',
      'advantageNorm',
    ],
  },
  exact: {
    budgets: ['penalty'],
    adam: false,
    lrDecay: () => false,
    products: () => ({ whole: 0, sampled: 0, stride: 1 }),
    klBound: () => null,
    comparable: false,
    incomparable: () =>
      'order is "score": exact steps are not compared beforehand, it must be random or fixed',
    make: null,
    tables: true,
    policies: 'stochastic',
    ignores: [
      ...RECURRENT,
      ...DEVIATION,
      ...['hidden', 'activation', 'inputNorm', 'standardise', 'agentId'].map((key) => `actor.${key}`),
      ...['critic', 'init', 'adamEps', 'lambda', 'truncation', 'advantageNorm'],
    ],
  },
}

export const SCHEDULES: Parts<Turns, SchedulePart> = {
  // The product of ratios has one entry per step of the team, as has the batch of one agent.
  sequential: {
    ordered: true,
    sharing: ['own'],
    budgets: ['fixed', 'kkt', 'penalty'],
    make: (parts) =>
      parts.comparison ? new ComparedSchedule(parts, parts.comparison) : new SequentialSchedule(parts),
  },
  simultaneous: {
    ordered: false,
    sharing: ['own', 'shared', 'groups'],
    budgets: ['fixed', 'none'],
    make: (parts) => new SimultaneousSchedule(parts),
  },
  greedy: {
    ordered: false,
    byMerit: true,
    sharing: ['own'],
    budgets: ['fixed', 'kkt', 'greedy'],
    make: (parts) => new ComparedSchedule(parts, parts.comparison!),
  },
  // A single policy has no order.
  single: {
    joined: true,
    ordered: false,
    sharing: ['own'],
    budgets: ['fixed'],
    make: (parts) => new SimultaneousSchedule(parts),
  },
}

export const CRITICS: Parts<CriticView, CriticPart> = {
  state: { input: 'state', sharing: 'team' },
  perAgent: { input: 'observation', sharing: 'own' },
  perAgentJoint: { input: 'state', sharing: 'own', withActions: true },
  exact: { input: 'state', sharing: 'team', tables: true },
}

interface ActorPart {
  /** Ways of sharing parameters that a method allows. */
  readonly sharing: readonly SharingWay[]
  /** Whether one policy acts for all agents at once. */
  readonly joined?: true
}

export const ACTORS: Parts<ActorSets, ActorPart> = {
  own: { sharing: ['own'] },
  ownOrShared: { sharing: ['own', 'shared', 'groups'] },
  one: { sharing: ['own'], joined: true },
}

interface BudgetPart {
  /** Settings of the allocation that it reads, besides `rescore` where policies are compared. */
  readonly reads: readonly (keyof AllocationOptions)[]
  /** Whether a policy's share depends on the others, which are compared then. */
  readonly split: boolean
  /** @param equalShare KL of an update, were all equal */
  readonly allocate: (equalShare: number, options: AllocationOptions) => KlAllocation
}

export const BUDGETS: Parts<KlBudget, BudgetPart> = {
  fixed: { reads: [], split: false, allocate: equalAllocation },
  kkt: { reads: ['min', 'max'], split: true, allocate: optimalAllocation },
  greedy: { reads: ['max'], split: true, allocate: greedyAllocation },
  none: { reads: [], split: false, allocate: equalAllocation },
  penalty: { reads: [], split: false, allocate: equalAllocation },
}

/** The parts that a row names. */
export interface MethodParts {
  readonly update: UpdatePart
  readonly schedule: SchedulePart
  readonly critic: CriticPart
  /** Ways of sharing parameters that actors and schedule both allow. */
  readonly sharing: readonly SharingWay[]
  readonly budget: BudgetPart
}

/** The part of a value; undefined for a value that no table lists, too. */
function partOf<Value extends string, Part>(
  parts: Parts<Value, Part>,
  value: Value,
): Part | null | undefined {
  return Object.hasOwn(parts, value) ? parts[value] : undefined
}

/** The parts of a row, or undefined where one of them is not built yet, or two of them do not fit together. */
export function partsOf(row: Algorithm): MethodParts | undefined {
  const update = partOf(UPDATES, row.update)
  const schedule = partOf(SCHEDULES, row.schedule)
  const critic = partOf(CRITICS, row.critic)
  const actors = partOf(ACTORS, row.actors)
  const budget = partOf(BUDGETS, row.klBudget)
  if (!update || !schedule || !critic || !actors || !budget) return undefined
  if (!update.budgets.includes(row.klBudget) || !schedule.budgets.includes(row.klBudget)) return undefined
  if ((schedule.byMerit || budget.split) && !update.comparable) return undefined
  if (actors.joined !== schedule.joined) return undefined
  if (update.tables !== critic.tables || update.replay !== critic.withActions) return undefined
  const sharing = actors.sharing.filter((way) => schedule.sharing.includes(way))
  if (sharing.length === 0) return undefined
  return { update, schedule, critic, sharing, budget }
}

/** Whether policies are compared before each turn, by the parts of a method and the setting `order`. */
export function comparesPolicies({ schedule, budget }: MethodParts, order: TurnOrder): boolean {
  return budget.split || goesByMerit(schedule, order)
}

/** Whether the policy with the greatest merit is next. */
export function goesByMerit({ ordered, byMerit = false }: SchedulePart, order: TurnOrder): boolean {
  return byMerit || (ordered && order === 'score')
}

/** The methods that can be trained: those whose parts are all built. */
export const trainableAlgorithms: readonly AlgorithmName[] = algorithmNames.filter(
  (name) => partsOf(algorithms[name]) !== undefined,
)
