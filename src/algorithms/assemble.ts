import type { Device, GaeOptions } from '../devices/device.js'
import type { HostDevice } from '../devices/host.js'
import type { EnvSpec } from '../envs/contract.js'
import { usageError } from '../errors.js'
import { PURPOSE, splitSeed } from '../kernels/index.js'
import { Adam } from '../learner/adam.js'
import { PolicyBatch } from '../learner/batch.js'
import type { PolicySpec } from '../learner/heads/head.js'
import type { HeadOptions } from '../learner/heads/table.js'
import type { Shuffle } from '../learner/minibatches.js'
import { trainedPolicy, Workspace, type SharedParts } from '../learner/policy.js'
import { ValueNorm } from '../learner/value-norm.js'
import { derivativesOf } from '../nn/cost.js'
import { Network } from '../nn/network.js'
import { stateWidth, type NetworkSpec } from '../nn/spec.js'
import {
  BASIC_NEEDS,
  joinedSpec,
  type PlayRules,
  type RolloutNeeds,
  type RolloutStorage,
} from '../rollout/index.js'
import { Advantages } from './advantages.js'
import type { PolicyUpdate } from './agent-update.js'
import { CriticUpdate, type CriticRule } from './critic.js'
import { criticColumns, criticLayout, type CriticChoice, type CriticLayout } from './critics.js'
import { DeviceColumns } from './device-columns.js'
import { networkParameters, type NetworkParameters } from './initial.js'
import type { AllocationOptions } from './kl-allocation.js'
import { learningAgents, type OpponentChoice } from './learners.js'
import { Method, type CriticUnit, type PolicyUnit } from './method.js'
import {
  comparesPolicies,
  goesByMerit,
  partsOf,
  type MethodParts,
  type RuleOptions,
  type TurnOrder,
} from './parts.js'
import type { AdvantageNorm, Comparison } from './schedules.js'
import {
  actionColumns,
  actorSpecs,
  chunkRows,
  criticSpec,
  policyGroups,
  sharingWay,
  type ActorOptions,
  type PolicyGroup,
} from './specs.js'
import { algorithms, type Algorithm, type AlgorithmName } from './table.js'

/** Settings of a method; a run's configuration has them. */
export interface MethodOptions extends RuleOptions, GaeOptions {
  readonly algo: AlgorithmName
  readonly seed: number
  readonly actor: ActorOptions & { readonly headGain: number }
  readonly critic: Omit<CriticRule, 'lrDecay' | 'clip'> &
    Omit<ActorOptions, 'agentId' | 'sharing' | keyof HeadOptions> &
    CriticChoice & {
      readonly clip: number
      readonly clippedLoss: boolean
      readonly valueNorm: boolean
    }
  readonly adamEps: number
  readonly advantageNorm: AdvantageNorm
  readonly order: TurnOrder
  readonly allocation: AllocationOptions
  readonly opponents: OpponentChoice
}

/** Gain of the value head's initialisation. */
export const VALUE_HEAD_GAIN = 1

/** A method for an environment, before it has memory. */
export interface MethodPlan {
  readonly parts: MethodParts
  /** As the method sees it: where it acts for all agents at once, they are one. */
  readonly env: EnvSpec
  readonly play: PlayRules
  /** Agents that learn, and those that play against them. */
  readonly learners: readonly number[]
  readonly opponents: readonly number[]
  /** Description of each agent's policy. */
  readonly actors: readonly PolicySpec[]
  readonly groups: readonly PolicyGroup[]
  readonly criticLayout: CriticLayout
  /** Agents and description of each critic. */
  readonly critics: readonly { readonly agents: readonly number[]; readonly spec: NetworkSpec }[]
  readonly needs: RolloutNeeds
}

/**
 * The parts of a method, checked against an environment.
 * @param row of the method, from the table of algorithms by default
 * @throws HatrpoError (exit code 2) for methods that are not built yet, and for what does not fit the environment
 */
export function planMethod(
  options: MethodOptions,
  played: EnvSpec,
  row: Algorithm = algorithms[options.algo],
): MethodPlan {
  const parts = partsOf(row)
  if (!parts) throw usageError(`algo is ${options.algo}: it cannot be trained yet`)
  const { sharing } = options.actor
  if (!parts.sharing.includes(sharingWay(sharing))) {
    const allowed = parts.sharing.map((name) => JSON.stringify(name)).join(' or ')
    throw usageError(`actor.sharing is ${JSON.stringify(sharing)}: ${options.algo} needs ${allowed}`)
  }
  const incomparable = comparesPolicies(parts, options.order) ? parts.update.incomparable(options) : null
  if (incomparable) throw usageError(`${incomparable} for ${options.algo}`)
  if (parts.update.tables) assertTables(options, played)
  const env = parts.schedule.joined ? joinTeam(options.algo, played) : played
  const learners = learningAgents(options.opponents, env)
  const criticPlan = criticLayout(parts.critic, options.critic, env, learners)
  const tabular = parts.update.tables ? TABLE : {}
  const exploring = { ...options.actor, ...tabular, exploration: options.offPolicy }
  const actors = actorSpecs(exploring, env, parts.update.policies)
  const { withActions } = parts.critic
  if (withActions) assertJoint(options, criticPlan, learners.length === env.agents.length)
  const actions = withActions ? actionColumns(env).width : 0
  const critics = (parts.critic.tables ? [] : criticPlan.groups).map((agents) => {
    return { agents, spec: criticSpec(options.critic, criticPlan.part.size(env, agents[0]) + actions) }
  })
  const groups = policyGroups(actors, sharing, env, learners)
  const ownObservations = groups.some(({ agents }) => agents.length > 1)
  // Targets include values of the policies' inputs.
  const acted = withActions ? { observationValues: true } : {}
  const opponents = env.agents.map((_, agent) => agent).filter((agent) => !learners.includes(agent))
  const agentOrder = [...groups.flatMap(({ agents }) => agents), ...opponents]
  const hidden = stateWidth(actors[0])
  const remembers = hidden > 0 || critics.some(({ spec }) => stateWidth(spec) > 0)
  const sequences = { hidden, episodeStarts: remembers, byEnvironment: remembers }
  const seen = { ...criticPlan.part.needs, ...acted }
  const needs = { ...BASIC_NEEDS, ...seen, ownObservations, agentOrder, ...sequences }
  const scored = opponents.length > 0 ? learners : null
  const play = { oneReward: criticPlan.oneReward, joined: parts.schedule.joined === true, scored }
  return { parts, env, play, learners, opponents, actors, groups, criticLayout: criticPlan, critics, needs }
}

/** Refuses critics of actions that would not see all of them, or whose policies would not all learn. */
function assertJoint(
  { algo, actor, critic, opponents }: MethodOptions,
  { input, part }: CriticLayout,
  everyoneLearns: boolean,
): void {
  if (part.ofOneAgent)
    throw usageError(
      `critic.input is ${input}: the critics of ${algo} see the actions of all agents, it must be state or observations`,
    )
  for (const [name, { gruLayers = 0 }] of Object.entries({ actor, critic }))
    if (gruLayers > 0)
      throw usageError(
        `${name}.gruLayers is ${gruLayers}: networks of ${algo} are feed-forward, it must be 0`,
      )
  if (!everyoneLearns)
    throw usageError(
      `opponents.from is ${JSON.stringify(opponents.from)}: all agents of ${algo} learn, it must be none`,
    )
}

/** A team as one agent that acts for all. */
function joinTeam(algo: AlgorithmName, env: EnvSpec): EnvSpec {
  if (env.mode === 'cooperative' || env.agents.length === 1) return joinedSpec(env)
  throw usageError(
    `environment ${env.id} has mode ${env.mode}: ${algo} has one policy for all agents, it must be cooperative`,
  )
}

/**
 * Makes the method that a plan describes: networks, optimisers and normalisers on a device, over a rollout's storage.
 * @param host device of the rollout's memory
 * @param device where the method learns; may be the host
 */
export function assembleMethod(
  plan: MethodPlan,
  options: MethodOptions,
  host: HostDevice,
  device: Device,
  storage: RolloutStorage,
): Method {
  const { parts, groups, critics } = plan
  const columns = new DeviceColumns(device, storage)
  const shuffles = new Array<number>(groups.length + critics.length).fill(0)
  const shuffle = (network: number) => shuffler(host, options.seed, shuffles, network)
  const initialise = (spec: NetworkSpec, gain: number, network: number) =>
    networkParameters(host, device, spec, gain, options.seed, network)

  // Policies and critics learn one after another, so their activations share memory.
  const workspace = new Workspace()
  const products = parts.update.products(options)
  const networks = device.overlay<{ network: Network } & SharedParts>([
    ...groups.map(({ agents, spec }) => () => {
      const network = new Network(device, spec, storage.rows * agents.length, chunkRows(options.actor))
      return { network, workspace, ...derivativesOf(device, network, products) }
    }),
    ...critics.map(({ spec }) => () => {
      const rows = Math.max(storage.rows, storage.finalRows)
      return { network: new Network(device, spec, rows, chunkRows(options.critic)) }
    }),
  ])

  const site: Site = { plan, options, device, columns, storage, workspace }
  const policies = groups.map(({ name, agents, spec }, i) => {
    const parameters = initialise(spec, options.actor.headGain, i)
    const { network, ...shared } = networks[i]
    const learning = { name, agents, parameters, network: network as Network<PolicySpec> }
    return makePolicy(site, { ...learning, shuffle: shuffle(i) }, shared)
  })
  const values = critics.map(({ agents, spec }, j) => {
    const number = groups.length + j
    const parameters = initialise(spec, VALUE_HEAD_GAIN, number)
    const [name, network] = [`critic_${j}`, networks[number].network]
    return makeCritic(site, { name, agents, parameters, network, shuffle: shuffle(number) })
  })

  const schedule = parts.schedule.make({
    device,
    updates: policies.map(({ update }) => update),
    advantages: plan.env.agents.map(
      // No update reads those of agents that do not learn, which have no critic.
      (_, agent) => (values.find(({ agents }) => agents.includes(agent)) ?? values[0]).advantages.advantages,
    ),
    valid: columns.team('valid'),
    advantageNorm: options.advantageNorm,
    budget: () => parts.update.klBound(options),
    ...comparisonOf(parts, options),
  })
  const order = turnOrder(host, options, groups.length)
  return new Method({ device, policies, critics: values, columns, schedule, order, shuffles })
}

/** A network that is a table: logits of each number of the state. */
const TABLE = { hidden: [], inputNorm: false, standardise: false, agentId: false } as const

/** @throws HatrpoError (exit code 2) */
function assertTables({ algo, gamma }: MethodOptions, env: EnvSpec): void {
  if (!env.finiteGame)
    throw usageError(
      `environment ${env.id} has no tables: ${algo} needs a finite game with equal rewards and without masks (spec.finiteGame)`,
    )
  if (gamma >= 1) throw usageError(`gamma is ${gamma}: for ${algo} it must be below 1`)
}

/** Memory and settings that a method's policies and critics are made with. */
interface Site {
  readonly plan: MethodPlan
  readonly options: MethodOptions
  readonly device: Device
  readonly columns: DeviceColumns
  readonly storage: RolloutStorage
  readonly workspace: Workspace
}

/** A policy or critic before it can learn. */
interface Learning<Spec extends NetworkSpec = NetworkSpec> {
  readonly name: string
  readonly agents: readonly number[]
  readonly parameters: NetworkParameters
  readonly network: Network<Spec>
  readonly shuffle: Shuffle
}

function makePolicy(
  { plan, options, device, columns, storage }: Site,
  { name, agents, parameters, network, shuffle }: Learning<PolicySpec>,
  shared: SharedParts,
): PolicyUnit & { update: PolicyUpdate } {
  const { update: part } = plan.parts
  const { tensor } = parameters
  const policy = trainedPolicy(device, network, tensor, shared)
  const adam = part.adam ? new Adam(device, tensor, options.adamEps) : null
  const batch = new PolicyBatch(device, storage.rows * agents.length, columns.policy(agents))
  if (!part.make) throw new Error('its rule learns from no rollout')
  const update = part.make({ policy, agents, batch, adam, rules: options, shuffle })
  return { name, agents, parameters, adam, carried: update.carried ?? null, update }
}

function makeCritic(
  { plan, options, device, columns, storage, workspace }: Site,
  { name, agents, parameters, network, shuffle }: Learning,
): CriticUnit {
  const { parts, criticLayout } = plan
  const { tensor } = parameters
  const adam = new Adam(device, tensor, options.adamEps)
  const valueNorm = options.critic.valueNorm ? new ValueNorm() : null
  const critic = { device, network, parameters: tensor, adam, valueNorm, workspace }
  const seen = criticColumns(criticLayout, columns, agents)
  const ends = storage.team.ends as Uint8Array
  const advantages = new Advantages(critic, seen, storage.layout, ends, options)
  const rule: CriticRule = {
    ...options.critic,
    clip: options.critic.clippedLoss ? options.critic.clip : null,
    lrDecay: parts.update.lrDecay(options),
  }
  const batch = {
    maxRows: storage.rows,
    inputs: seen.inputs,
    oldValues: advantages.outputs,
    returns: advantages.returns,
    weight: seen.weight,
    ...(advantages.memory && { states: advantages.memory.states, starts: advantages.memory.starts }),
  }
  const update = new CriticUpdate(critic, batch, rule, shuffle)
  const states = advantages.memory?.carried ?? null
  return { name, agents, parameters, adam, valueNorm, advantages, update, states }
}

/** Comparison of the policies before each turn, if any. */
function comparisonOf(parts: MethodParts, options: MethodOptions): { comparison?: Comparison } {
  const { schedule, update, budget } = parts
  const { order, allocation } = options
  if (!comparesPolicies(parts, order)) return {}
  const split = budget.allocate(update.klBound(options)!, allocation)
  const byMerit = goesByMerit(schedule, order)
  return { comparison: { allocation: split, rescore: allocation.rescore, byMerit } }
}

/** Random order of the updates, a new one every iteration; or ascending. */
export function turnOrder(host: HostDevice, { seed, order }: MethodOptions, count: number) {
  const out = host.tensor('i32', count)
  const [low, high] = splitSeed(seed)
  return (iteration: number): number[] => {
    if (order !== 'random') return Array.from({ length: count }, (_, i) => i)
    const { permutation } = host.kernels.exports
    permutation(host.addressOf(out), count, low, high, PURPOSE.order, 0, iteration)
    return [...host.i32(out)]
  }
}

/** Shuffles of a network's batch, keyed by the passes over mini-batches that were made so far. */
function shuffler(host: HostDevice, seed: number, passes: number[], network: number): Shuffle {
  const [low, high] = splitSeed(seed)
  let permuted: ReturnType<HostDevice['tensor']> | undefined
  return (out) => {
    permuted ??= host.tensor('i32', out.length)
    const { permutation } = host.kernels.exports
    const pass = passes[network]++
    permutation(host.addressOf(permuted), out.length, low, high, PURPOSE.shuffle, network, pass)
    out.set(host.i32(permuted))
  }
}
