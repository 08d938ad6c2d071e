import type { Activation } from '../devices/steps.js'
import type { ActionSpace, EnvSpec } from '../envs/contract.js'
import { actionSize } from '../envs/shape.js'
import { usageError } from '../errors.js'
import type { PolicySpec } from '../learner/heads/head.js'
import { headFor, type HeadOptions, type PolicyKind } from '../learner/heads/table.js'
import { VALUE_HEAD, type NetworkSpec } from '../nn/spec.js'

interface LayerOptions {
  readonly hidden: readonly number[]
  readonly activation: Activation
  /** LayerNorm on the input. */
  readonly inputNorm: boolean
  readonly standardise: boolean
  /** Recurrent layers behind the hidden ones, 0 for none, and their units. */
  readonly gruLayers?: number
  readonly gruSize?: number
  /** Steps of time through which the derivatives of recurrent layers pass. */
  readonly chunk?: number
}

export interface ActorOptions extends LayerOptions, HeadOptions {
  /** Append the agent's one-hot number to its observation. */
  readonly agentId: boolean
  readonly sharing: Sharing
}

/** `own`: a policy for each agent; `shared`: one for all; or groups by name, with the ids of the agents of each. */
export type Sharing = 'own' | 'shared' | SharingGroups
export type SharingGroups = Readonly<Record<string, readonly string[]>>
/** Kind of sharing, by which methods allow it. */
export type SharingWay = 'own' | 'shared' | 'groups'

export function sharingWay(sharing: Sharing): SharingWay {
  return typeof sharing === 'string' ? sharing : 'groups'
}

/** One network description per agent of an environment, in agent order. @throws HatrpoError (exit code 2) */
export function actorSpecs(options: ActorOptions, env: EnvSpec, policies?: PolicyKind): PolicySpec[] {
  const { hidden, activation, inputNorm, standardise, agentId } = options
  return env.agents.map(({ id, observation, action }, index) => ({
    input: {
      size: observation.size,
      agentId: agentId ? { index, count: env.agents.length } : null,
      standardise,
      layerNorm: inputNorm,
    },
    hidden,
    activation,
    ...recurrent(options),
    head: headFor(action, options, policies, `agent ${id} of ${env.id}`),
  }))
}

/** Widths of the agents' actions side by side, where each begins, and of all. */
export function actionColumns({ agents }: EnvSpec): { widths: number[]; starts: number[]; width: number } {
  const widths = agents.map(({ action }) => actionSize(action))
  const before = (end: number) => widths.slice(0, end).reduce((sum, width) => sum + width, 0)
  return { widths, starts: widths.map((_, agent) => before(agent)), width: before(widths.length) }
}

/** Agents that have a policy in common. */
export interface PolicyGroup {
  /** Name of its parameters in checkpoints. */
  readonly name: string
  /** Name in records: of its agent, or of the group. */
  readonly id: string
  readonly agents: readonly number[]
  /** With an agent id that differs by row where the group has several agents. */
  readonly spec: PolicySpec
}

/**
 * The policies of the agents that learn: one per agent, one for all, or one per named group.
 * @param specs of all agents
 * @throws HatrpoError (exit code 2) when agents that are to share a policy differ in their spaces, and for groups that do
 *   not hold every agent once
 */
export function policyGroups(
  specs: readonly PolicySpec[],
  sharing: Sharing,
  env: EnvSpec,
  learners: readonly number[],
): PolicyGroup[] {
  if (sharing === 'own') {
    return learners.map((i) => ({ name: `agent_${i}`, id: env.agents[i].id, agents: [i], spec: specs[i] }))
  }
  const ids = learners.map((agent) => env.agents[agent].id)
  const groups = sharing === 'shared' ? { shared: ids } : sharing
  assertEachAgentOnce(groups, ids, env)
  const numbers = new Map(env.agents.map(({ id }, i) => [id, i]))
  return Object.entries(groups).map(([name, members]) => {
    const agents = members.map((id) => numbers.get(id)!).sort((a, b) => a - b)
    assertAlike(agents, specs, sharing === 'shared' ? '' : `.${name}`, sharing, env)
    return { name, id: name, agents, spec: sharedSpec(specs[agents[0]], agents.length > 1) }
  })
}

/** Description of a policy that agents share: its agent id differs by row. */
function sharedSpec(spec: PolicySpec, several: boolean): PolicySpec {
  const { agentId } = spec.input
  if (!several || !agentId) return spec
  return { ...spec, input: { ...spec.input, agentId: { ...agentId, index: null } } }
}

function assertEachAgentOnce(groups: SharingGroups, names: readonly string[], env: EnvSpec): void {
  const members = Object.entries(groups).flatMap(([group, ids]) => ids.map((id) => ({ group, id })))
  const stranger = members.find(({ id }) => !names.includes(id))
  if (stranger) {
    throw usageError(
      `actor.sharing.${stranger.group} names ${JSON.stringify(stranger.id)}: ` +
        `the agents of ${env.id} that learn are ${names.join(', ')}`,
    )
  }
  for (const id of names) {
    const own = members.filter((member) => member.id === id).map(({ group }) => group)
    if (own.length === 1) continue
    const found = own.length === 0 ? 'no group' : `${own.join(' and ')}`
    throw usageError(`actor.sharing has ${JSON.stringify(id)} in ${found}: every agent is in one group`)
  }
}

/** @param key of the group below actor.sharing, with its dot */
function assertAlike(
  agents: readonly number[],
  specs: readonly PolicySpec[],
  key: string,
  sharing: Sharing,
  env: EnvSpec,
): void {
  const shape = (agent: number) => JSON.stringify([specs[agent].input.size, specs[agent].head])
  const [first] = agents
  const other = agents.find((agent) => shape(agent) !== shape(first))
  if (other === undefined) return
  const sizes = (agent: number) =>
    `${specs[agent].input.size} observations and ${describeAction(env.agents[agent].action)}`
  const value = key === '' ? sharing : agents.map((agent) => env.agents[agent].id)
  const right =
    key === ''
      ? 'it must be "own", or groups of agents with equal spaces,'
      : 'a group must have agents with equal spaces'
  throw usageError(
    `actor.sharing${key} is ${JSON.stringify(value)}: ${right} for ${env.id}, whose agents differ: ` +
      `${env.agents[first].id} has ${sizes(first)}, ${env.agents[other].id} ${sizes(other)}`,
  )
}

function describeAction(action: ActionSpace): string {
  if (action.kind === 'box') return `${action.size} actions`
  return `choices of ${(action.kind === 'discrete' ? [action.n] : action.sizes).join(' and ')}`
}

/** Description of a critic that sees a vector of `size` numbers. */
export function criticSpec(options: LayerOptions, size: number): NetworkSpec {
  const { hidden, activation, inputNorm, standardise } = options
  return {
    input: { size, agentId: null, standardise, layerNorm: inputNorm },
    hidden,
    activation,
    ...recurrent(options),
    head: VALUE_HEAD,
  }
}

/** The recurrent layers of a network, where it has any. */
function recurrent({ gruLayers = 0, gruSize = 0 }: LayerOptions): Pick<NetworkSpec, 'recurrent'> {
  return gruLayers > 0 ? { recurrent: { size: gruSize, layers: gruLayers } } : {}
}

/** Rows of a chunk of a network; 1 for a feed-forward one. */
export function chunkRows({ gruLayers = 0, chunk = 1 }: LayerOptions): number {
  return gruLayers > 0 ? chunk : 1
}
