import type { ActionSpace, MultiAgentEnv } from '../envs/contract.js'
import { actionSize, maskSize } from '../envs/shape.js'
import { encodeNpz, type NpyArray } from './npz.js'
import {
  sightOf,
  TRAJECTORY_FORMAT,
  type Sight,
  type StepResult,
  type TrajectoryAbout,
  type TrajectoryFile,
} from './trajectory-file.js'

type Numbers = Float32Array | Float64Array | Int32Array | Uint8Array

/** An array that grows row by row. */
class Column {
  #values: Numbers
  #length = 0
  readonly #shape: readonly number[]
  readonly #logical: boolean

  /**
   * @param values of the column's type
   * @param shape of a row
   * @param logical whether its numbers are false and true
   */
  constructor(values: Numbers, shape: readonly number[] = [], logical = false) {
    this.#values = values
    this.#shape = shape
    this.#logical = logical
  }

  add(row: ArrayLike<number>): void {
    const needed = this.#length + row.length
    if (needed > this.#values.length) {
      const Type = this.#values.constructor as new (length: number) => Numbers
      const larger = new Type(Math.max(1024, 2 * needed))
      larger.set(this.#values.subarray(0, this.#length))
      this.#values = larger
    }
    this.#values.set(row, this.#length)
    this.#length = needed
  }

  array(rows: number): NpyArray {
    const values = this.#values.subarray(0, this.#length)
    return { values, shape: [rows, ...this.#shape], ...(this.#logical && { logical: true }) }
  }
}

function emptyActions({ kind }: ActionSpace): Numbers {
  return kind === 'box' ? new Float32Array(0) : new Int32Array(0)
}

/**
 * Trajectories as arrays by name. Those of steps have a row a step, one episode after another; `final_...`, `returns` and
 * `lengths` have a row an episode.
 */
export class NpzTrajectory implements TrajectoryFile {
  readonly #about: TrajectoryAbout
  readonly #agents: readonly string[]
  readonly #perStep = new Map<string, Column>()
  readonly #perEpisode = new Map<string, Column>()
  #steps = 0
  #episodes = 0

  constructor(env: MultiAgentEnv, about: TrajectoryAbout) {
    const { agents } = env.spec
    this.#about = about
    this.#agents = agents.map(({ id }) => id)
    const step = this.#perStep
    step.set('episode', new Column(new Int32Array(0)))
    step.set('step', new Column(new Int32Array(0)))
    this.#seen(step, '', env)
    for (const { id, action } of agents)
      step.set(`actions/${id}`, new Column(emptyActions(action), [actionSize(action)]))
    step.set('rewards', new Column(new Float32Array(0), [agents.length]))
    step.set('terminated', new Column(new Uint8Array(0), [], true))
    step.set('truncated', new Column(new Uint8Array(0), [], true))
    this.#seen(this.#perEpisode, 'final_', env)
    this.#perEpisode.set('returns', new Column(new Float64Array(0)))
    this.#perEpisode.set('lengths', new Column(new Int32Array(0)))
  }

  /** Columns of observations. */
  #seen(columns: Map<string, Column>, prefix: string, env: MultiAgentEnv): void {
    const { spec } = env
    const { available, active } = sightOf(env)
    for (const { id, observation } of spec.agents)
      columns.set(`${prefix}observations/${id}`, new Column(new Float32Array(0), [observation.size]))
    columns.set(`${prefix}states`, new Column(new Float32Array(0), [spec.stateSize]))
    if (available)
      for (const { id, action } of spec.agents)
        columns.set(`${prefix}available/${id}`, new Column(new Uint8Array(0), [maskSize(action)], true))
    if (active) columns.set(`${prefix}active`, new Column(new Uint8Array(0), [spec.agents.length], true))
  }

  before(episode: number, step: number, sight: Sight): void {
    this.#steps++
    this.#add(this.#perStep, { episode: [episode], step: [step] })
    this.#see(this.#perStep, '', sight)
  }

  after({ actions, rewards, terminated, truncated }: StepResult): void {
    this.#agents.forEach((id, i) => this.#add(this.#perStep, { [`actions/${id}`]: actions[i] }))
    this.#add(this.#perStep, { rewards, terminated: [Number(terminated)], truncated: [Number(truncated)] })
  }

  end(_episode: number, steps: number, total: number, sight: Sight): void {
    this.#episodes++
    this.#see(this.#perEpisode, 'final_', sight)
    this.#add(this.#perEpisode, { returns: [total], lengths: [steps] })
  }

  bytes(): Uint8Array {
    const named = (columns: ReadonlyMap<string, Column>, rows: number) =>
      Array.from(columns, ([name, column]) => [name, column.array(rows)] as const)
    const arrays = [...named(this.#perStep, this.#steps), ...named(this.#perEpisode, this.#episodes)]
    const about = JSON.stringify({ ...TRAJECTORY_FORMAT, ...this.#about })
    return encodeNpz(new Map<string, NpyArray | string>([['about', about], ...arrays]))
  }

  #see(columns: ReadonlyMap<string, Column>, prefix: string, sight: Sight): void {
    this.#agents.forEach((id, i) => {
      columns.get(`${prefix}observations/${id}`)!.add(sight.observations[i])
      if (sight.available) columns.get(`${prefix}available/${id}`)!.add(sight.available[i])
    })
    columns.get(`${prefix}states`)!.add(sight.state)
    if (sight.active) columns.get(`${prefix}active`)!.add(sight.active)
  }

  #add(columns: ReadonlyMap<string, Column>, rows: Readonly<Record<string, ArrayLike<number>>>): void {
    for (const [name, row] of Object.entries(rows)) columns.get(name)!.add(row)
  }
}
