import type { AgentSpec, MultiAgentEnv } from '../envs/contract.js'
import type { Kernels } from '../kernels/index.js'
import type { PolicyAddresses } from './policies.js'

/** One agent's policy over the rows of a worker, as views of shared memory. */
class ActingAgent {
  readonly id: string
  readonly actionSize: number
  readonly actions: Float32Array
  readonly logProb: Float32Array
  readonly #observationSize: number
  readonly #observations: Float32Array
  readonly #streams: Int32Array
  readonly #steps: Int32Array
  readonly #means: Float32Array
  readonly #addresses: PolicyAddresses
  readonly #kernels: Kernels

  constructor(kernels: Kernels, spec: AgentSpec, addresses: PolicyAddresses, rows: number) {
    const buffer = kernels.memory.buffer
    const actionSize = spec.action.kind === 'box' ? spec.action.size : 1
    this.id = spec.id
    this.actionSize = actionSize
    this.#observationSize = spec.observation.size
    this.#observations = new Float32Array(buffer, addresses.observations, rows * spec.observation.size)
    this.#streams = new Int32Array(buffer, addresses.streams, rows)
    this.#steps = new Int32Array(buffer, addresses.steps, rows)
    this.actions = new Float32Array(buffer, addresses.actions, rows * actionSize)
    this.logProb = new Float32Array(buffer, addresses.logProb, rows)
    this.#means = new Float32Array(buffer, addresses.means, rows * actionSize)
    this.#addresses = addresses
    this.#kernels = kernels
  }

  observe(row: number, observation: Float32Array): void {
    this.#observations.set(observation, row * this.#observationSize)
  }

  keyNoise(row: number, stream: number, step: number): void {
    this.#streams[row] = stream
    this.#steps[row] = step
  }

  sample(): void {
    this.#kernels.exports.runAlone(this.#addresses.sample)
  }

  /** The mode, left in `actions`. */
  mean(): void {
    this.#kernels.exports.runAlone(this.#addresses.mean)
    this.actions.set(this.#means)
  }

  /** Whether the row's action is finite. */
  finite(row: number): boolean {
    for (let i = row * this.actionSize; i < (row + 1) * this.actionSize; i++) {
      // x - x is 0 for finite numbers only
      if (this.actions[i] - this.actions[i] !== 0) return false
    }
    return true
  }

  write(row: number, target: Float32Array): void {
    const first = row * this.actionSize
    for (let i = 0; i < this.actionSize; i++) target[i] = this.actions[first + i]!
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
    for (let i = 0; i < this.agents.length; i++) this.agents[i].observe(row, env.observations[i])
  }

  act(env: MultiAgentEnv, row: number): void {
    for (let i = 0; i < this.agents.length; i++) this.agents[i].write(row, env.actions[i])
  }

  /** The first agent whose action in this row is not finite. */
  broken(row: number): ActingAgent | undefined {
    return this.agents.find((agent) => !agent.finite(row))
  }
}
