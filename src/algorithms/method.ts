import type { Device } from '../devices/device.js'
import type { Tensor } from '../devices/tensor.js'
import type { Adam } from '../learner/adam.js'
import type { CarriedState } from '../learner/fisher.js'
import type { ValueNorm } from '../learner/value-norm.js'
import type { Advantages } from './advantages.js'
import type { CriticOutcome, CriticUpdate } from './critic.js'
import type { DeviceColumns } from './device-columns.js'
import type { NetworkParameters } from './initial.js'
import type { Schedule, TurnOutcome } from './schedules.js'

/** A policy with what checkpoints keep of it. */
export interface PolicyUnit {
  /** In checkpoints. */
  readonly name: string
  readonly agents: readonly number[]
  readonly parameters: NetworkParameters
  /** Of rules that have one. */
  readonly adam: Adam | null
  readonly carried: CarriedState | null
}

/** A critic with what checkpoints keep of it. */
export interface CriticUnit {
  /** In checkpoints. */
  readonly name: string
  readonly agents: readonly number[]
  readonly parameters: NetworkParameters
  readonly adam: Adam
  readonly valueNorm: ValueNorm | null
  readonly advantages: Advantages
  readonly update: CriticUpdate
  /** States of a recurrent critic with which the next rollout begins; null in a feed-forward one. */
  readonly states: Tensor | null
}

export type CriticReport = CriticOutcome & { readonly explainedVariance: number }

export interface Improvement {
  readonly turns: readonly TurnOutcome[]
  /** One per critic. */
  readonly critics: readonly CriticReport[]
}

interface MethodMembers {
  readonly device: Device
  readonly policies: readonly PolicyUnit[]
  readonly critics: readonly CriticUnit[]
  readonly columns: DeviceColumns
  readonly schedule: Schedule
  /** Order of the updates in an iteration, counted from 1. */
  readonly order: (iteration: number) => number[]
  /** Passes over mini-batches made so far, per network (policies, then critics): they key the shuffles. */
  readonly shuffles: number[]
}

/** Everything that learns in a run. */
export interface TeamMethod {
  readonly device: Device
  readonly policies: readonly PolicyUnit[]
  readonly critics: readonly CriticUnit[]
  readonly shuffles: number[]
  /**
   * Learns from the rollout in storage.
   * @param iteration counted from 1
   * @param progress share of the run that is done, for schedules
   */
  improve(iteration: number, progress: number): Improvement
  /** Flat parameter vectors: policies, then critics. */
  parameters(): Float32Array[]
  /** Parameters in the rollouts' memory of an agent's policy. */
  actingParameters(agent: number): Tensor
  read(tensor: Tensor): Float32Array
}

/** A method over a rollout: everything that learns. Made by `assembleMethod`. */
export class Method implements TeamMethod {
  readonly device: Device
  readonly policies: readonly PolicyUnit[]
  readonly critics: readonly CriticUnit[]
  readonly shuffles: number[]
  readonly #members: MethodMembers

  constructor(members: MethodMembers) {
    this.device = members.device
    this.policies = members.policies
    this.critics = members.critics
    this.shuffles = members.shuffles
    this.#members = members
  }

  /**
   * Learns from the rollout in storage: values and advantages, the policies by their schedule, then the critics.
   * @param iteration counted from 1
   * @param progress share of the run that is done, for schedules
   */
  improve(iteration: number, progress: number): Improvement {
    const { columns, schedule, order, critics, policies } = this.#members
    columns.upload()
    for (const { advantages } of critics) advantages.compute()
    const explained = critics.map(({ advantages }) => advantages.explainedVariance())
    const turns = schedule.run(order(iteration), progress)
    const reports = critics.map(({ update }, i) => ({
      ...update.update(progress),
      explainedVariance: explained[i],
    }))
    for (const { parameters } of policies) parameters.download()
    return { turns, critics: reports }
  }

  /** Flat parameter vectors: policies, then critics. */
  parameters(): Float32Array[] {
    return [...this.policies, ...this.critics].map(({ parameters }) => this.read(parameters.tensor))
  }

  /** Parameters in the rollouts' memory of an agent's policy. */
  actingParameters(agent: number): Tensor {
    return this.policies.find(({ agents }) => agents.includes(agent))!.parameters.host
  }

  read(tensor: Tensor): Float32Array {
    return this.device.read(tensor) as Float32Array
  }
}
