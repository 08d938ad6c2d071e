import type { MultiAgentEnv } from '../envs/contract.js'
import {
  TRAJECTORY_FORMAT,
  type Sight,
  type StepResult,
  type TrajectoryAbout,
  type TrajectoryFile,
} from './trajectory-file.js'

/** Digits that distinguish all f32 numbers. */
const DIGITS = 9

/** Trajectories as JSON lines: one about the file, one a step, and one where an episode ends. */
export class JsonlTrajectory implements TrajectoryFile {
  readonly #agents: readonly string[]
  readonly #lines: string[]
  /** Of the step that is being made. */
  #before: Record<string, unknown> = {}

  constructor({ spec }: MultiAgentEnv, about: TrajectoryAbout) {
    this.#agents = spec.agents.map(({ id }) => id)
    this.#lines = [JSON.stringify({ ...TRAJECTORY_FORMAT, ...about })]
  }

  before(episode: number, step: number, sight: Sight): void {
    this.#before = { episode, step, ...this.#describe(sight) }
  }

  after({ actions, rewards, terminated, truncated }: StepResult): void {
    const made = { actions: this.#byAgent(actions), rewards: this.#perAgent(rewards) }
    this.#lines.push(JSON.stringify({ ...this.#before, ...made, terminated, truncated }))
  }

  end(episode: number, steps: number, total: number, sight: Sight): void {
    this.#lines.push(JSON.stringify({ episode, steps, return: total, ...this.#describe(sight) }))
  }

  bytes(): Uint8Array {
    return new TextEncoder().encode(`${this.#lines.join('\n')}\n`)
  }

  #describe({ observations, state, available, active }: Sight): Record<string, unknown> {
    return {
      observations: this.#byAgent(observations),
      state: numbers(state),
      ...(available && { available: this.#byAgent(available) }),
      ...(active && { active: this.#perAgent(active) }),
    }
  }

  #byAgent(views: readonly (Float32Array | Uint8Array)[]): Record<string, readonly number[]> {
    return Object.fromEntries(this.#agents.map((id, i) => [id, numbers(views[i])]))
  }

  #perAgent(values: Float32Array | Uint8Array): Record<string, number> {
    const plain = numbers(values)
    return Object.fromEntries(this.#agents.map((id, i) => [id, plain[i]]))
  }
}

/** Numbers in as few digits as give the same f32 again. */
function numbers(values: Float32Array | Uint8Array): number[] {
  return Array.from(values, (value) => Number(value.toPrecision(DIGITS)))
}
