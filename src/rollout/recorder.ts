import type { HostArray } from '../devices/tensor.js'
import { HatrpoError } from '../errors.js'
import type { ActionSpace, MultiAgentEnv } from '../envs/index.js'
import { maskSize } from '../envs/shape.js'
import type { ActingAgent, Actors } from './acting.js'
import {
  AGENT_COLUMNS,
  agentColumns,
  TEAM_COLUMNS,
  teamColumns,
  type AgentColumn,
  type Column,
  type Moment,
  type TeamColumn,
} from './columns.js'
import { columnRows, type ColumnPlace, type RolloutLayout } from './storage.js'

/** An environment at a moment that is recorded. */
export interface Instant {
  env: MultiAgentEnv
  actors: Actors
  /** Row of the environment among those that the actors act for. */
  k: number
  /** Whether the step is the first of its episode. */
  starts: boolean
  /** End that the step had; at the moment `outcome`. */
  end: number
}

type Writer<Args extends unknown[]> = (out: HostArray, at: number, ...args: Args) => unknown

/** Writes the observations of all agents, one after another. @returns the place behind them */
function writeObservations(out: HostArray, at: number, { env: { observations } }: Instant): number {
  let to = at
  for (let i = 0; i < observations.length; to += observations[i++].length) out.set(observations[i], to)
  return to
}

/** Writes the observations of all agents, then their last actions: the environment's views still hold them. */
function writeHistory(out: HostArray, at: number, instant: Instant): void {
  const { env, starts } = instant
  let to = writeObservations(out, at, instant)
  for (let i = 0; i < env.actions.length; i++) {
    const { action } = env.spec.agents[i]
    const width = action.kind === 'box' ? action.size : maskSize(action)
    out.fill(0, to, to + width)
    if (!starts) writeLastAction(out, to, action, env.actions[i])
    to += width
  }
}

/** Writes an action: its numbers, or a 1 for the option of every choice among zeros. */
function writeLastAction(out: HostArray, at: number, space: ActionSpace, action: Float32Array): void {
  if (space.kind === 'box') out.set(action, at)
  else if (space.kind === 'discrete') out[at + action[0]] = 1
  else {
    let first = at
    for (let c = 0; c < action.length; first += space.sizes[c++]) out[first + action[c]] = 1
  }
}

/** Writer of a row of each column. */
const TEAM_WRITERS: Record<TeamColumn, Writer<[Instant]>> = {
  states: (out, at, { env }) => out.set(env.state, at),
  finalStates: (out, at, { env }) => out.set(env.state, at),
  jointObservations: writeObservations,
  finalJointObservations: writeObservations,
  jointHistory: writeHistory,
  finalJointHistory: writeHistory,
  ends: (out, at, { end }) => (out[at] = end),
  valid: (out, at) => (out[at] = 1),
  episodeStarts: (out, at, { starts }) => (out[at] = starts ? 1 : 0),
}

const AGENT_WRITERS: Record<AgentColumn, Writer<[Instant, number, ActingAgent]>> = {
  observations: (out, at, { env }, i) => out.set(env.observations[i], at),
  valuedObservations: (out, at, { env }, i) => out.set(env.observations[i], at),
  finalObservations: (out, at, { env }, i) => out.set(env.observations[i], at),
  availableActions: (out, at, { env }, i) => {
    const mask = env.availableActions?.[i]
    if (mask) out.set(mask, at)
    else out.fill(1, at, at + AGENT_COLUMNS.availableActions.width(env.spec.agents[i]))
  },
  hidden: (out, at, { k }, _i, agent) => agent.writeState(k, out, at),
  finalHidden: (out, at, { k }, _i, agent) => agent.writeState(k, out, at),
  actions: (out, at, { k }, _i, agent) => agent.writeAction(k, out, at),
  logProb: (out, at, { k }, _i, agent) => (out[at] = agent.logProb[k]),
  weight: (out, at, { env }, i) => (out[at] = !env.active || env.active[i] ? 1 : 0),
  rewards: (out, at, { env }, i) => (out[at] = env.rewards[i]),
}

interface Sheet<W> {
  readonly array: HostArray
  readonly width: number
  readonly moment: Moment
  readonly onBrokenStep: number | null
  readonly write: W
}

/** Columns that are written at one moment. */
interface Sheets {
  readonly team: readonly Sheet<Writer<[Instant]>>[]
  readonly agents: readonly (readonly Sheet<Writer<[Instant, number, ActingAgent]>>[])[]
}

/** Writes the steps of a worker's environments into the shared rollout, column by column. */
export class Recorder {
  readonly #buffer: ArrayBuffer
  readonly #layout: RolloutLayout
  readonly #sheets: Readonly<Record<Moment, Sheets>>
  /** Truncations of each environment so far in this rollout. */
  readonly #truncations: Int32Array

  constructor(buffer: ArrayBufferLike, layout: RolloutLayout) {
    const sheet = <W>(column: Column<never>, place: ColumnPlace, write: W): Sheet<W> => {
      const length = columnRows(column, layout) * place.width
      const Kind = column.type === 'f32' ? Float32Array : Uint8Array
      const { moment, onBrokenStep } = column
      const array = new Kind(buffer as ArrayBuffer, place.address, length)
      return { array, width: place.width, moment, onBrokenStep, write }
    }
    const recorded = ({ width, ofState }: ColumnPlace) => width > 0 && !ofState
    this.#buffer = buffer as ArrayBuffer
    this.#layout = layout
    const team = teamColumns
      .filter((name) => recorded(layout.team[name]))
      .map((name) => sheet(TEAM_COLUMNS[name], layout.team[name], TEAM_WRITERS[name]))
    const agents = layout.agents.map((places) =>
      agentColumns
        .filter((name) => recorded(places[name]))
        .map((name) => sheet(AGENT_COLUMNS[name], places[name], AGENT_WRITERS[name])),
    )
    const at = (moment: Moment): Sheets => ({
      team: team.filter((sheet) => sheet.moment === moment),
      agents: agents.map((sheets) => sheets.filter((sheet) => sheet.moment === moment)),
    })
    this.#sheets = { choice: at('choice'), outcome: at('outcome'), final: at('final') }
    this.#truncations = new Int32Array(layout.envs)
  }

  /** Takes up an environment after truncations that another recorder has recorded in this rollout. */
  resume(e: number, truncations: number): void {
    this.#truncations[e] = truncations
  }

  /** Truncations of an environment so far in this rollout. */
  truncations(e: number): number {
    return this.#truncations[e]
  }

  /** Records the observations and actions of an environment's agents. */
  choice(row: number, instant: Instant): void {
    this.#write(this.#sheets.choice, row, instant)
  }

  /** Records the result of a step. */
  outcome(row: number, instant: Instant): void {
    this.#write(this.#sheets.outcome, row, instant)
  }

  /** Records the state that a truncation cut off. @param e the environment */
  truncated(e: number, instant: Instant): void {
    const { envs, truncations } = this.#layout
    if (this.#truncations[e] >= truncations) {
      const { id, timeLimit } = instant.env.spec
      throw new HatrpoError(
        `${id} truncated an episode before its time limit of ${timeLimit}: ` +
          'declare the shorter time limit in its spec',
      )
    }
    this.#write(this.#sheets.final, envs + e * truncations + this.#truncations[e]++, instant)
  }

  /** Records the state after the rollout, which the values of its last steps look forward to. */
  finished(e: number, instant: Instant): void {
    this.#write(this.#sheets.final, e, instant)
  }

  /**
   * Marks a step that broke: nothing about it counts, and the episode before it ends there.
   * @param byPolicy whether an action was not finite, for which the observation may be the reason
   */
  broken(row: number, byPolicy: boolean): void {
    // In place of the agents' observations, which are stored there.
    if (byPolicy && this.#layout.agents[0].observations.ofState) this.#clearState(row)
    for (const { team, agents } of [this.#sheets.choice, this.#sheets.outcome]) {
      for (const { array, width, onBrokenStep } of [...team, ...agents.flat()]) {
        if (onBrokenStep !== null) array.fill(onBrokenStep, row * width, (row + 1) * width)
      }
    }
  }

  #clearState(row: number): void {
    const { address, width } = this.#layout.team.states
    new Float32Array(this.#buffer, address + 4 * row * width, width).fill(0)
  }

  #write({ team, agents }: Sheets, row: number, instant: Instant): void {
    for (const { array, width, write } of team) write(array, row * width, instant)
    for (let i = 0; i < agents.length; i++) {
      const agent = instant.actors.agents[i]
      for (const { array, width, write } of agents[i]) write(array, row * width, instant, i, agent)
    }
  }
}
