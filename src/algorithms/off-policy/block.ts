import type { EnvSpec } from '../../envs/contract.js'
import type { RolloutStorage } from '../../rollout/index.js'
import { CRITIC_INPUTS, type CriticInput } from '../critics.js'
import { actionColumns } from '../specs.js'

/** Columns of the team with what critics see besides actions, at steps and at final states. */
const SEEN = {
  state: ['states', 'finalStates'],
  observations: ['jointObservations', 'finalJointObservations'],
} as const satisfies Partial<Record<CriticInput, readonly (keyof RolloutStorage['team'])[]>>

/** Part of a block: [rows, width] numbers from `start` on. */
export interface Part {
  readonly start: number
  readonly rows: number
  readonly width: number
}

/**
 * Places of a rollout's numbers in one array of f32, as replays keep them. Matrices that networks see have a row per step and
 * environment, and behind them the final states in the order of the rollout's storage.
 */
export class BlockLayout {
  /** T E rows of steps, and with the final states. */
  readonly steps: number
  readonly rows: number
  /** Inputs of critics: the state or all observations, then the actions of all agents; final states have no actions. */
  readonly joint: Part
  /** Columns of `joint` before the actions. */
  readonly seen: number
  /** Of each agent; null where all agents observe the state. */
  readonly observations: readonly Part[] | null
  readonly rewards: readonly Part[]
  /** 1 where an agent took part. */
  readonly weights: readonly Part[]
  readonly ends: Part
  readonly valid: Part
  /** First element of the parts that no network sees. */
  readonly outcome: number
  readonly length: number
  readonly #storage: RolloutStorage
  readonly #env: EnvSpec
  readonly #input: keyof typeof SEEN

  constructor(env: EnvSpec, storage: RolloutStorage, input: CriticInput) {
    if (!(input in SEEN)) throw new Error(`critics of actions cannot see ${input}`)
    const { rows: steps, finalRows } = storage
    const rows = steps + finalRows
    let end = 0
    const part = (count: number, width: number): Part => {
      const start = end
      end += count * width
      return { start, rows: count, width }
    }
    this.steps = steps
    this.rows = rows
    this.seen = CRITIC_INPUTS[input].size(env, 0)
    this.joint = part(rows, this.seen + actionColumns(env).width)
    this.observations =
      env.observesState && input === 'state'
        ? null
        : env.agents.map(({ observation }) => part(rows, observation.size))
    this.outcome = end
    this.rewards = env.agents.map(() => part(steps, 1))
    this.weights = env.agents.map(() => part(steps, 1))
    this.ends = part(steps, 1)
    this.valid = part(steps, 1)
    this.length = end
    this.#storage = storage
    this.#env = env
    this.#input = input as keyof typeof SEEN
  }

  /** The rollout in storage as a block. */
  pack(): Float32Array {
    const { team } = this.#storage
    const block = new Float32Array(this.length)
    const { joint, steps, seen: width } = this
    const { widths, starts } = actionColumns(this.#env)
    const [before, final] = SEEN[this.#input]
    this.#write(block, joint, 0, 0, width, team[before])
    this.#write(block, joint, steps, 0, width, team[final])
    for (const [agent, size] of widths.entries()) {
      const of = (name: Parameters<RolloutStorage['agentColumn']>[0]) =>
        this.#storage.agentColumn(name, [agent])
      this.#write(block, joint, 0, width + starts[agent], size, of('actions'))
      const seen = this.observations?.[agent]
      if (seen) {
        this.#write(block, seen, 0, 0, seen.width, of('valuedObservations'))
        this.#write(block, seen, steps, 0, seen.width, of('finalObservations'))
      }
      block.set(of('rewards'), this.rewards[agent].start)
      block.set(of('weight'), this.weights[agent].start)
    }
    block.set(team.ends, this.ends.start)
    block.set(team.valid, this.valid.start)
    return block
  }

  /** Writes [rows, width] `values` to columns from `column` on and rows from `row` on. */
  #write(
    block: Float32Array,
    part: Part,
    row: number,
    column: number,
    width: number,
    values: ArrayLike<number>,
  ): void {
    for (let r = 0; r * width < values.length; r++) {
      const at = part.start + (row + r) * part.width + column
      for (let j = 0; j < width; j++) block[at + j] = values[r * width + j]
    }
  }
}
