import type { ElementType } from '../devices/tensor.js'
import { TERMINATED, type AgentSpec, type EnvSpec } from '../envs/contract.js'
import { actionSize, maskSize } from '../envs/shape.js'

/** Columns that a rollout records besides those that every method reads. */
export interface RolloutNeeds {
  /** Observations at every step, after the rollout and at truncations, for critics that use observations. */
  readonly observationValues: boolean
  /** Observations of all agents as one vector, at the same moments, for critics that see them all. */
  readonly jointObservations: boolean
  /** The same with the actions of the step before, for critics that see those too. */
  readonly jointHistory: boolean
  /** Marks of the first steps of episodes, for recurrent networks. */
  readonly episodeStarts: boolean
  /** Whether the steps of an environment are consecutive rows, as recurrent networks need, instead of those of one step. */
  readonly byEnvironment: boolean
  /**
   * Whether each agent's observations are stored separately, even if they equal the state. A shared policy needs this,
   * because its batch has the rows of one agent after another.
   */
  readonly ownObservations: boolean
  /** Agents in the order in which their rows lie in memory, so that those that share a policy lie side by side. */
  readonly agentOrder: readonly number[] | null
  /** Length of an agent's recurrent state; 0 for feed-forward policies. */
  readonly hidden: number
}

/** Needs of a feed-forward policy and a critic of states. */
export const BASIC_NEEDS: RolloutNeeds = {
  observationValues: false,
  jointObservations: false,
  jointHistory: false,
  episodeStarts: false,
  byEnvironment: false,
  ownObservations: false,
  agentOrder: null,
  hidden: 0,
}

/**
 * Moment at which a column is written: before the agents' step, after it, or when an episode is truncated or the rollout
 * ends, for the states that values look forward to.
 */
export type Moment = 'choice' | 'outcome' | 'final'

/** One array that a rollout records: [T, E, width] or [E, T, width], or for `final` [E + E truncations, width]. */
export interface Column<Source> {
  readonly type: ElementType & ('f32' | 'u8')
  readonly moment: Moment
  /** Elements of a row; 0 for an unused column. */
  readonly width: (source: Source, needs: RolloutNeeds) => number
  /** Value that a broken step leaves in its row, so that networks that pass over it see sound numbers; null: the recorded one. */
  readonly onBrokenStep: number | null
  /** Column of the team that is the same where all agents observe the state. */
  readonly ofState?: 'states' | 'finalStates'
  /** Whether updates of policies read it, so that mini-batches carry it; where its width is 0 they do not. */
  readonly policy?: true
  /** Whether the next rollout begins with its contents, so that checkpoints carry it. */
  readonly carried?: true
}

const one = () => 1

/** Length of all agents' observations together. */
export function jointSize({ agents }: EnvSpec): number {
  return agents.reduce((sum, { observation }) => sum + observation.size, 0)
}

/** Length of all agents' observations and actions together, with an entry per option of a choice. */
export function historySize(env: EnvSpec): number {
  const widths = env.agents.map(({ action }) => (action.kind === 'box' ? action.size : maskSize(action)))
  return widths.reduce((sum, width) => sum + width, jointSize(env))
}

/** Everything that a rollout records of the team: one row per step and environment. */
export const TEAM_COLUMNS = {
  states: { type: 'f32', moment: 'choice', width: ({ stateSize }) => stateSize, onBrokenStep: null },
  /** Row e: after the rollout; row E + e truncations + k: cut off by truncation k of environment e. */
  finalStates: { type: 'f32', moment: 'final', width: ({ stateSize }) => stateSize, onBrokenStep: null },
  /** Observations of all agents, one after another in agent order. */
  jointObservations: {
    type: 'f32',
    moment: 'choice',
    width: (env, needs) => (needs.jointObservations ? jointSize(env) : 0),
    onBrokenStep: null,
  },
  /** Rows as in `finalStates`. */
  finalJointObservations: {
    type: 'f32',
    moment: 'final',
    width: (env, needs) => (needs.jointObservations ? jointSize(env) : 0),
    onBrokenStep: null,
  },
  /** Observations of all agents, then their actions in the step before: 0 in the first step of an episode. */
  jointHistory: {
    type: 'f32',
    moment: 'choice',
    width: (env, needs) => (needs.jointHistory ? historySize(env) : 0),
    onBrokenStep: null,
  },
  /** Rows as in `finalStates`. */
  finalJointHistory: {
    type: 'f32',
    moment: 'final',
    width: (env, needs) => (needs.jointHistory ? historySize(env) : 0),
    onBrokenStep: null,
  },
  /** RUNNING, TERMINATED or TRUNCATED. The episode before a broken step ends there. */
  ends: { type: 'u8', moment: 'outcome', width: one, onBrokenStep: TERMINATED },
  /** 1, or 0 for steps that do not count because something broke. */
  valid: { type: 'f32', moment: 'choice', width: one, onBrokenStep: 0 },
  /** 1 where an episode starts. */
  episodeStarts: {
    type: 'f32',
    moment: 'choice',
    width: (_env, needs) => (needs.episodeStarts ? 1 : 0),
    onBrokenStep: null,
  },
} as const satisfies Record<string, Column<EnvSpec>>

/** Everything that a rollout records of each agent. */
export const AGENT_COLUMNS = {
  observations: {
    type: 'f32',
    moment: 'choice',
    width: ({ observation }) => observation.size,
    // The observation may be why an action was not finite.
    onBrokenStep: 0,
    ofState: 'states',
    policy: true,
  },
  /** Observations as critics of observations value them, kept as `states` are where a step breaks. */
  valuedObservations: {
    type: 'f32',
    moment: 'choice',
    width: ({ observation }, needs) => (needs.observationValues ? observation.size : 0),
    onBrokenStep: null,
    ofState: 'states',
  },
  /** Rows as in `finalStates`. */
  finalObservations: {
    type: 'f32',
    moment: 'final',
    width: ({ observation }, needs) => (needs.observationValues ? observation.size : 0),
    onBrokenStep: null,
    ofState: 'finalStates',
  },
  /** 1 where a discrete action may be chosen. A broken step leaves all of them available. */
  availableActions: {
    type: 'u8',
    moment: 'choice',
    width: ({ action }) => maskSize(action),
    onBrokenStep: 1,
    policy: true,
  },
  /** Recurrent state before the step. */
  hidden: {
    type: 'f32',
    moment: 'choice',
    width: (_agent, needs) => needs.hidden,
    onBrokenStep: 0,
    policy: true,
  },
  /** Recurrent state after the rollout, with which the next one begins; rows as in `finalStates`. */
  finalHidden: {
    type: 'f32',
    moment: 'final',
    width: (_agent, needs) => needs.hidden,
    onBrokenStep: null,
    carried: true,
  },
  actions: {
    type: 'f32',
    moment: 'choice',
    width: ({ action }) => actionSize(action),
    onBrokenStep: 0,
    policy: true,
  },
  /** log pi(a | o) of the policy that acted. */
  logProb: { type: 'f32', moment: 'choice', width: one, onBrokenStep: 0, policy: true },
  /** 1 where the agent took part. */
  weight: { type: 'f32', moment: 'choice', width: one, onBrokenStep: 0, policy: true },
  rewards: { type: 'f32', moment: 'outcome', width: one, onBrokenStep: 0 },
} as const satisfies Record<string, Column<AgentSpec>>

export type TeamColumn = keyof typeof TEAM_COLUMNS
export type AgentColumn = keyof typeof AGENT_COLUMNS

export const teamColumns = Object.keys(TEAM_COLUMNS) as TeamColumn[]
export const agentColumns = Object.keys(AGENT_COLUMNS) as AgentColumn[]

const columnOf = (name: AgentColumn): Column<AgentSpec> => AGENT_COLUMNS[name]

/** Columns that updates of policies read, in the table's order; those that a run does not record are empty. */
export const policyColumns = agentColumns.filter((name) => columnOf(name).policy === true)

/** Columns that checkpoints carry, in the table's order. */
export const carriedColumns = agentColumns.filter((name) => columnOf(name).carried === true)
