import type { BundledSource } from '../envs/bundle-source.js'
import type { EnvConfig } from '../envs/index.js'
import type { Failure, Fault } from './faults.js'
import type { PolicyAddresses } from './policies.js'
import type { RolloutLayout } from './storage.js'

/** Environments of a source: what its threads are started with, before the memory of the run exists. */
export interface WorkerEnv {
  readonly env: EnvConfig
  /** `EnvFactory.sha256` in the thread that started the pool. */
  readonly envSha256: string | undefined
  /** The user's modules as the thread that started the pool has read them: all threads run the same code. */
  readonly sources: readonly BundledSource[]
  /** Whether the agents of an environment are played as one (see `joinAgents`). */
  readonly joined: boolean
}

/** Memory and constants of a source, for its workers. */
export interface WorkerSetup {
  readonly kernels: { readonly memory: WebAssembly.Memory; readonly module: WebAssembly.Module }
  readonly seed: number
  readonly layout: RolloutLayout
  /** Whether the method learns from one reward of the team, so that rewards which differ between agents are refused. */
  readonly oneReward: boolean
  /** Agents whose mean reward is the return of an episode; null for all. */
  readonly scored: readonly number[] | null
  /** Address of the control block of shared updates. */
  readonly control: number
  /** i32 [workers]: each worker's steps in its current task, by which the pool sees that it is alive. */
  readonly pulses: number
  /** i32 [workers]: not 0 where a worker is asked to end its rollout before the next step. */
  readonly stops: number
}

/** Progress of an environment between rollouts. */
export interface EnvProgress {
  /** Result of `saveState`; null before the first episode. */
  readonly state: Uint8Array | null
  /** Episodes started so far; it keys their seeds. */
  readonly episode: number
  /** Sum of rewards and steps of the current episode. */
  readonly episodeReturn: number
  readonly episodeSteps: number
}

/** Position of an environment in a rollout: its progress, and the counts of the rollout so far. */
export interface EnvCourse extends EnvProgress {
  /** Truncations in this rollout. */
  readonly truncations: number
  /** Steps of this rollout that broke. */
  readonly broken: number
  /** States of recurrent policies, those of one agent after another's; empty without any. */
  readonly hidden: Float32Array
}

/** One worker's share of a rollout: environments first .. first + courses.length - 1, from one step to its end. */
export interface CollectTask {
  readonly kind: 'collect'
  /** Number of the share: the index of its pulse. */
  readonly worker: number
  readonly first: number
  readonly courses: readonly EnvCourse[]
  /** Step of the rollout that is made first: 0, or where another worker ended. */
  readonly from: number
  /** Steps every environment has made in the rollouts before. */
  readonly startStep: number
  readonly policies: readonly PolicyAddresses[]
}

export interface CollectResult {
  /** Of the environments first .. first + courses.length - 1. */
  readonly first: number
  readonly courses: readonly EnvCourse[]
  /** Step of the rollout that would be next: the number of its steps, or fewer where the worker was asked to end. */
  readonly to: number
  /** Returns and lengths of episodes that ended, by environment, then in time. */
  readonly episodes: readonly { readonly env: number; readonly return: number; readonly steps: number }[]
  /** By environment, then in time. */
  readonly faults: readonly Fault[]
  /** Processes of environments that failed and were started again, each in one line; nothing else changed. */
  readonly restarts: readonly string[]
  /** Milliseconds. */
  readonly time: {
    readonly physics: number
    readonly policy: number
    /** Until the environments were where the task takes them up. */
    readonly restore: number
    readonly total: number
  }
}

/** Episodes first .. first + count - 1; the number of rows of the policies limits those played at once. */
export interface EvaluateTask {
  readonly kind: 'evaluate'
  readonly worker: number
  readonly first: number
  readonly count: number
  /** Keys the episodes' seeds besides their number. */
  readonly iteration: number
  readonly seed: number
  /** Whether actions are drawn as in training, in place of the policies' modes. */
  readonly sample: boolean
  readonly rows: number
  readonly policies: readonly PolicyAddresses[]
}

/** Returns and numbers of steps of episodes, in order. */
export interface EpisodeOutcomes {
  readonly returns: readonly number[]
  readonly lengths: readonly number[]
}

export interface EvaluateResult extends EpisodeOutcomes {
  /** Broken steps, with the episode in place of the environment; each episode was restarted. */
  readonly faults: readonly Fault[]
  readonly restarts: readonly string[]
}

/** Help with shared updates until dismissed. */
export interface AssistTask {
  readonly kind: 'assist'
}

export type WorkerTask = CollectTask | EvaluateTask | AssistTask

/** Message to a worker: to load `environments` of them, or a task. */
export type WorkerOrder = { readonly mujoco: WebAssembly.Module | undefined } & (
  | { readonly environments: number }
  | { readonly task: WorkerTask; readonly setup: WorkerSetup }
)

/** Result of a task, or undefined. */
export type WorkerAnswer = CollectResult | EvaluateResult | Failure | undefined
