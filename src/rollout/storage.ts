import type { HostDevice } from '../devices/host.js'
import type { HostArray } from '../devices/tensor.js'
import type { EnvSpec } from '../envs/contract.js'
import {
  AGENT_COLUMNS,
  agentColumns,
  TEAM_COLUMNS,
  teamColumns,
  type AgentColumn,
  type Column,
  type RolloutNeeds,
  type TeamColumn,
} from './columns.js'

/** Place of a column in shared memory. */
export interface ColumnPlace {
  /** Byte address. */
  readonly address: number
  /** Elements of a row; 0 for a column that is not recorded. */
  readonly width: number
  /** Whether it is a column of the team, by which it is written. */
  readonly ofState?: true
}

/** Addresses and sizes of a rollout's arrays in shared memory: plain data, to be posted to workers. */
export interface RolloutLayout {
  /** T, steps each environment makes. */
  readonly steps: number
  /** E, environments. */
  readonly envs: number
  /** Greatest number of truncations of one environment in a rollout. */
  readonly truncations: number
  /** Whether the steps of an environment are consecutive rows, instead of those of one step. */
  readonly byEnvironment: boolean
  readonly team: Readonly<Record<TeamColumn, ColumnPlace>>
  readonly agents: readonly Readonly<Record<AgentColumn, ColumnPlace>>[]
}

type LayoutSize = Pick<RolloutLayout, 'steps' | 'envs' | 'truncations'>

/** Row of step t in environment e. */
export function rowOf(
  { steps, envs, byEnvironment }: Pick<RolloutLayout, 'steps' | 'envs' | 'byEnvironment'>,
  t: number,
  e: number,
): number {
  return byEnvironment ? e * steps + t : t * envs + e
}

/** Rows of a column: one per step and environment; or after the rollout and at truncations. */
export function columnRows(
  { moment }: Pick<Column<never>, 'moment'>,
  { steps, envs, truncations }: LayoutSize,
): number {
  return moment === 'final' ? envs * (1 + truncations) : steps * envs
}

/** A column of all agents, one agent's elements after another's. */
interface AgentBlock {
  readonly array: HostArray
  readonly starts: readonly number[]
  readonly lengths: readonly number[]
}

/** A rollout's arrays in shared memory, as the tables of columns list them; `rowOf` gives the order of rows. */
export class RolloutStorage {
  readonly layout: RolloutLayout
  /** T E */
  readonly rows: number
  readonly finalRows: number
  readonly team: Readonly<Record<TeamColumn, HostArray>>
  readonly #agents: Readonly<Record<AgentColumn, AgentBlock>>

  constructor(host: HostDevice, env: EnvSpec, envs: number, steps: number, needs: RolloutNeeds) {
    const limit = env.truncatesAfter ?? env.timeLimit
    const truncations = Number.isFinite(limit) ? Math.floor((steps - 1) / limit) + 1 : 1
    const size = { steps, envs, truncations }
    this.rows = columnRows({ moment: 'choice' }, size)
    this.finalRows = columnRows({ moment: 'final' }, size)

    const team = {} as Record<TeamColumn, HostArray>
    const teamPlaces = {} as Record<TeamColumn, ColumnPlace>
    for (const name of teamColumns) {
      const column: Column<EnvSpec> = TEAM_COLUMNS[name]
      const width = column.width(env, needs)
      const tensor = host.tensor(column.type, columnRows(column, size) * width)
      team[name] = host.view(tensor)
      teamPlaces[name] = { address: host.addressOf(tensor), width }
    }

    const blocks = {} as Record<AgentColumn, AgentBlock>
    const agentPlaces = env.agents.map(() => ({}) as Record<AgentColumn, ColumnPlace>)
    for (const name of agentColumns) {
      const column: Column<EnvSpec['agents'][number]> = AGENT_COLUMNS[name]
      const widths = env.agents.map((agent) => column.width(agent, needs))
      if (column.ofState && env.observesState && !needs.ownObservations) {
        const { address } = teamPlaces[column.ofState]
        const array = team[column.ofState]
        const lengths = widths.map((width) => (width === 0 ? 0 : array.length))
        blocks[name] = { array, starts: widths.map(() => 0), lengths }
        agentPlaces.forEach((places, i) => (places[name] = { address, width: widths[i], ofState: true }))
        continue
      }
      const lengths = widths.map((width) => columnRows(column, size) * width)
      const starts = startsOf(lengths, needs.agentOrder)
      const tensor = host.tensor(column.type, total(lengths))
      const array = host.view(tensor)
      blocks[name] = { array, starts, lengths }
      agentPlaces.forEach((places, i) => {
        const address = host.addressOf(tensor) + starts[i] * array.BYTES_PER_ELEMENT
        places[name] = { address, width: widths[i] }
      })
    }
    this.team = team
    this.#agents = blocks
    this.layout = { ...size, byEnvironment: needs.byEnvironment, team: teamPlaces, agents: agentPlaces }
  }

  /** States with which an environment's next rollout begins, those of one agent after another's; empty without any. */
  hidden(e: number): Float32Array {
    const parts = this.layout.agents.map(({ finalHidden: { width } }, i) =>
      this.agentColumn('finalHidden', [i]).subarray(e * width, (e + 1) * width),
    )
    return Float32Array.from(parts.flatMap((part) => [...part]))
  }

  /**
   * A column of some agents: one agent's [rows, width], or of several agents of equal widths, one after another in the
   * order in which they lie in memory.
   */
  agentColumn(name: AgentColumn, agents: readonly number[]): HostArray {
    const { array, starts, lengths } = this.#agents[name]
    const [first] = agents
    const follow = (agent: number, i: number) => starts[agent] === starts[first] + i * lengths[first]
    const sound = agents.every((agent, i) => follow(agent, i) && lengths[agent] === lengths[first])
    if (!sound) throw new Error(`agents ${agents.join(', ')} have no common ${name}`)
    return array.subarray(starts[first], starts[first] + agents.length * lengths[first])
  }
}

/** Index of each agent's first element. @param order of the agents in memory, null: ascending */
function startsOf(lengths: readonly number[], order: readonly number[] | null): number[] {
  const starts: number[] = []
  let at = 0
  for (const agent of order ?? lengths.keys()) {
    starts[agent] = at
    at += lengths[agent]
  }
  return starts
}

function total(lengths: readonly number[]): number {
  return lengths.reduce((sum, length) => sum + length, 0)
}
