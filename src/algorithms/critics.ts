import type { EnvSpec } from '../envs/contract.js'
import { teamsOf } from '../envs/teams.js'
import { usageError } from '../errors.js'
import { historySize, jointSize, type RolloutNeeds } from '../rollout/columns.js'
import type { CriticColumns } from './advantages.js'
import type { DeviceColumns } from './device-columns.js'

type SeenColumns = Pick<CriticColumns, 'inputs' | 'finalInputs'>

/** Vector that critics value. */
interface InputPart {
  readonly needs: Partial<RolloutNeeds>
  /** Length of the vector. */
  readonly size: (env: EnvSpec, agent: number) => number
  readonly columns: (columns: DeviceColumns, agent: number) => SeenColumns
  /**
   * Whether it belongs to a single agent. Its rows are then valid while that agent is active. Rows of other critics are
   * always valid, because they describe the whole team and the targets of earlier rows depend on them.
   */
  readonly ofOneAgent: boolean
}

/**
 * Inputs of a critic: the state, the observation of its agent, the observations of all agents in their order, or these
 * and the actions of all agents in the previous step. With actions of the present step, a critic would not value a
 * state: its advantages are not the joint ones that the factor of a sequential method multiplies, and the state after a
 * rollout has no actions yet.
 */
export const CRITIC_INPUTS = {
  state: {
    needs: {},
    size: ({ stateSize }) => stateSize,
    columns: (columns) => ({ inputs: columns.team('states'), finalInputs: columns.team('finalStates') }),
    ofOneAgent: false,
  },
  observation: {
    needs: { observationValues: true },
    size: ({ agents }, agent) => agents[agent].observation.size,
    columns: (columns, agent) => ({
      inputs: columns.agents('valuedObservations', [agent]),
      finalInputs: columns.agents('finalObservations', [agent]),
    }),
    ofOneAgent: true,
  },
  observations: {
    needs: { jointObservations: true },
    size: jointSize,
    columns: (columns) => ({
      inputs: columns.team('jointObservations'),
      finalInputs: columns.team('finalJointObservations'),
    }),
    ofOneAgent: false,
  },
  observationsAndActions: {
    needs: { jointHistory: true },
    size: historySize,
    columns: (columns) => ({
      inputs: columns.team('jointHistory'),
      finalInputs: columns.team('finalJointHistory'),
    }),
    ofOneAgent: false,
  },
} as const satisfies Record<string, InputPart>

/** Whose critics are: agents of each. All agents of a critic have one reward. */
export const CRITIC_SHARING = {
  team: (env: EnvSpec) => teamsOf(env).map(({ agents }) => agents),
  own: ({ agents }: EnvSpec) => agents.map((_, agent) => [agent]),
} as const satisfies Record<string, (env: EnvSpec) => readonly (readonly number[])[]>

export type CriticInput = keyof typeof CRITIC_INPUTS
export type CriticSharing = keyof typeof CRITIC_SHARING

/** The critics' settings in a configuration; `default` is that of the method's row. */
export interface CriticChoice {
  readonly input?: CriticInput | 'default'
  readonly sharing?: CriticSharing | 'default'
}

/** The critics of a method on an environment. */
export interface CriticLayout {
  readonly input: CriticInput
  readonly part: InputPart
  /** Agents of each critic; the first one's rewards count. */
  readonly groups: readonly (readonly number[])[]
  /** Whether agents of one team must have one reward. */
  readonly oneReward: boolean
}

/**
 * Critics of a configuration, which override those of a method's row.
 * @throws HatrpoError (exit code 2) if agents would share a critic of one agent's observations
 */
export function criticLayout(
  row: { readonly input: CriticInput; readonly sharing: CriticSharing },
  { input: asked = 'default', sharing: wanted = 'default' }: CriticChoice,
  env: EnvSpec,
  learners: readonly number[],
): CriticLayout {
  const input = asked === 'default' ? row.input : asked
  const sharing = wanted === 'default' ? row.sharing : wanted
  const part: InputPart = CRITIC_INPUTS[input]
  const everyone: readonly (readonly number[])[] = CRITIC_SHARING[sharing](env)
  const groups = everyone.filter((agents) => learners.includes(agents[0]))
  const oneReward = sharing === 'team'
  if (part.ofOneAgent && groups.some((agents) => agents.length > 1)) {
    const others = Object.entries(CRITIC_INPUTS).flatMap(([name, { ofOneAgent }]) =>
      ofOneAgent ? [] : [name],
    )
    throw usageError(
      `critic.input is ${input}: a critic that several agents share needs one of ${others.join(', ')}, or critic.sharing=own`,
    )
  }
  return { input, part, groups, oneReward }
}

/** Columns of a critic of some agents. */
export function criticColumns(
  { part }: Pick<CriticLayout, 'part'>,
  columns: DeviceColumns,
  [agent]: readonly number[],
): CriticColumns {
  const [ends, valid] = [columns.team('ends'), columns.team('valid')]
  const weight = part.ofOneAgent ? columns.agents('weight', [agent]) : valid
  const [rewards, starts] = [columns.agents('rewards', [agent]), columns.team('episodeStarts')]
  return { ...part.columns(columns, agent), rewards, ends, valid, weight, starts }
}
