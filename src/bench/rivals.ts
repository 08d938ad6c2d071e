import type { NetworkSpec } from '../nn/spec.js'
import type { Recording } from './recording.js'
import type { UpdateCost, UpdateTask } from './whole-update.js'

/** Another implementation of a learner, to compare with. */
export interface LearnerRival {
  readonly name: string
  /**
   * Prepares a task. The update opened before for the same number of threads can then no longer be run.
   * @returns one update each time it is called
   */
  open(task: UpdateTask, threads: number): Promise<() => Promise<UpdateCost>>
  close(): Promise<void>
}

/** Another MuJoCo. */
export interface PhysicsRival {
  /** Prepares recorded episodes of a model. */
  start(xml: string, recording: Recording): Promise<PhysicsRun>
}

/** Recorded episodes, ready to be run by another MuJoCo. */
export interface PhysicsRun {
  /** Of MuJoCo. */
  readonly version: string
  /** Runs all episodes once. */
  round(): Promise<PhysicsRound>
  close(): Promise<void>
}

/** Result of a round; the counts are averages over the ends of blocks. */
export interface PhysicsRound {
  /** [blocks] microseconds of CPU time a step. */
  readonly us: readonly number[]
  readonly contacts: number
  readonly constraints: number
  readonly iterations: number
}

/** A network with the means of actions as outputs. */
export interface PolicyNetwork {
  readonly spec: NetworkSpec
  /** f32 [parameterLayout(spec).size] */
  readonly parameters: Float32Array
}

/** Another implementation of policies. */
export interface PolicyRival {
  readonly name: string
  /**
   * Prepares a network for a number of rows.
   * @returns outputs, f32 [rows, actions], of observations, f32 [rows, observation]
   */
  open(network: PolicyNetwork, rows: number): Promise<PolicyCall>
}

export type PolicyCall = (observations: Float32Array) => Float32Array | Promise<Float32Array>
