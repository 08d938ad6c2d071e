import type { HostArray } from '../devices/tensor.js'
import type { AgentSpec, MultiAgentEnv } from '../envs/contract.js'
import { HEADER, type Kernels } from '../kernels/index.js'
import type { PolicyAddresses } from './policies.js'

/** One agent's policy over the rows of a worker, as views of shared memory. */
export class ActingAgent {
  readonly id: string
  readonly logProb: Float32Array
  readonly #actions: Float32Array
  readonly #width: number
  readonly #observationSize: number
  readonly #observations: Float32Array
  readonly #choices: number
  readonly #available: Uint8Array
  readonly #streams: Int32Array
  readonly #steps: Int32Array
  readonly #states: Float32Array
  readonly #next: Float32Array
  readonly #addresses: PolicyAddresses
  readonly #kernels: Kernels

  /** @param rows at most those of the policy */
  constructor(kernels: Kernels, spec: AgentSpec, addresses: PolicyAddresses, rows: number) {
    const buffer = kernels.memory.buffer
    this.id = spec.id
    this.#width = addresses.actionWidth
    this.#observationSize = spec.observation.size
    this.#observations = new Float32Array(buffer, addresses.observations, rows * spec.observation.size)
    this.#choices = addresses.choices
    this.#available = new Uint8Array(buffer, addresses.available, rows * addresses.choices).fill(1)
    this.#streams = new Int32Array(buffer, addresses.streams, rows)
    this.#steps = new Int32Array(buffer, addresses.steps, rows)
    this.#actions = new Float32Array(buffer, addresses.actions, rows * this.#width)
    this.logProb = new Float32Array(buffer, addresses.logProb, rows)
    this.#states = new Float32Array(buffer, addresses.states, rows * addresses.stateWidth)
    this.#next = new Float32Array(buffer, addresses.next, rows * addresses.stateWidth)
    this.#addresses = addresses
    this.#kernels = kernels
    for (const program of [addresses.sample, addresses.mode])
      new Int32Array(buffer, program + HEADER.rows, 1)[0] = rows
  }

  /** @param mask of the available actions, in an environment that has masks */
  observe(row: number, observation: Float32Array, mask: Uint8Array | undefined): void {
    this.#observations.set(observation, row * this.#observationSize)
    if (mask) this.#available.set(mask, row * this.#choices)
  }

  keyNoise(row: number, stream: number, step: number): void {
    this.#streams[row] = stream
    this.#steps[row] = step
  }

  /** Draws the actions of all rows, and their log-probabilities. */
  sample(): void {
    this.#kernels.exports.runAlone(this.#addresses.sample)
  }

  /** Chooses the mode in all rows. */
  mode(): void {
    this.#kernels.exports.runAlone(this.#addresses.mode)
  }

  /** Makes the states after the latest actions those before the next ones. */
  advance(): void {
    if (this.#states.length > 0) this.#states.set(this.#next)
  }

  /** The row's state before its next action; empty for a feed-forward policy. */
  state(row: number): Float32Array {
    const { stateWidth } = this.#addresses
    return this.#states.subarray(row * stateWidth, (row + 1) * stateWidth)
  }

  /** Copies the row's state before its next action to `target` from element `at` on. */
  writeState(row: number, target: HostArray, at: number): void {
    const { stateWidth } = this.#addresses
    const first = row * stateWidth
    for (let i = 0; i < stateWidth; i++) target[at + i] = this.#states[first + i]!
  }

  /** Whether the row's action is finite. */
  finite(row: number): boolean {
    for (let i = row * this.#width; i < (row + 1) * this.#width; i++) {
      // x - x is 0 for finite numbers only.
      if (this.#actions[i] - this.#actions[i] !== 0) return false
    }
    return true
  }

  /** Copies the row's action to `target` from element `at` on. */
  writeAction(row: number, target: HostArray, at: number): void {
    const first = row * this.#width
    for (let i = 0; i < this.#width; i++) target[at + i] = this.#actions[first + i]!
  }
}

/** All agents' policies, acting in a row per environment. */
export class Actors {
  readonly agents: readonly ActingAgent[]

  constructor(
    kernels: Kernels,
    specs: readonly AgentSpec[],
    policies: readonly PolicyAddresses[],
    rows: number,
  ) {
    this.agents = specs.map((spec, i) => new ActingAgent(kernels, spec, policies[i], rows))
  }

  observe(row: number, env: MultiAgentEnv): void {
    const { observations, availableActions } = env
    for (let i = 0; i < this.agents.length; i++)
      this.agents[i].observe(row, observations[i], availableActions?.[i])
  }

  /** Keys the noise of a row's actions by environment and its step. */
  keyNoise(row: number, env: number, step: number): void {
    for (const agent of this.agents) agent.keyNoise(row, env, step)
  }

  /** Makes the states after the latest actions those before the next ones. */
  advance(): void {
    for (const agent of this.agents) agent.advance()
  }

  /** Clears the states of a row, in which an episode starts. */
  forget(row: number): void {
    for (const agent of this.agents) agent.state(row).fill(0)
  }

  /** Copy of the states of a row, those of one agent after another's. */
  states(row: number): Float32Array {
    return Float32Array.from(this.agents.flatMap((agent) => [...agent.state(row)]))
  }

  /** Sets the states of a row. @param states result of `states` */
  remember(row: number, states: Float32Array): void {
    let at = 0
    for (const agent of this.agents) {
      const own = agent.state(row)
      own.set(states.subarray(at, (at += own.length)))
    }
  }

  act(env: MultiAgentEnv, row: number): void {
    for (let i = 0; i < this.agents.length; i++) this.agents[i].writeAction(row, env.actions[i], 0)
  }

  /** The first agent whose action in this row is not finite. */
  broken(row: number): ActingAgent | undefined {
    return this.agents.find((agent) => !agent.finite(row))
  }
}
