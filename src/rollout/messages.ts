import type { BundledSource } from '../envs/bundle-source.js'
import type { EnvConfig } from '../envs/index.js'
import type { Fault } from './faults.js'
import type { PolicyAddresses } from './policies.js'
import type { RolloutLayout } from './storage.js'

/** Environments of a source: what its threads are started with, before the memory of the run exists. */
export interface WorkerEnv {
  readonly env: EnvConfig
  /** `EnvFactory.sha256` in the thread that started the pool. */
  readonly envSha256: string | undefined
  /** The user's modules as the thread that started the pool has read them: all threads run the same code. */
  readonly sources: readonly BundledSource[]
}

/** Memory and constants of a source, for its workers. */
export interface WorkerSetup {
  readonly kernels: { readonly memory: WebAssembly.Memory; readonly module: WebAssembly.Module }
  readonly seed: number
  readonly layout: RolloutLayout
  /** Whether the method learns from one reward of the team, so that rewards which differ between agents are refused. */
  readonly oneReward: boolean
  /** Address of the control block of shared updates. */
  readonly control: number
  /** i32 [workers]: each worker's steps in its current task, by which the pool sees that it is alive. */
  readonly pulses: number
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

/** One worker's share of a rollout: environments first .. first + progress.length - 1. */
export interface CollectTask {
  readonly kind: 'collect'
  /** Number of the share: the index of its pulse. */
  readonly worker: number
  readonly first: number
  readonly progress: readonly EnvProgress[]
  /** Steps every environment has made in the rollouts before. */
  readonly startStep: number
  readonly policies: readonly PolicyAddresses[]
}

export interface CollectResult {
  readonly progress: readonly EnvProgress[]
  /** Returns and lengths of episodes that ended, by environment, then in time. */
  readonly episodes: readonly { readonly env: number; readonly return: number; readonly steps: number }[]
  /** By environment, then in time. */
  readonly faults: readonly Fault[]
  /** Processes of environments that failed and were started again, each in one line; nothing else changed. */
  readonly restarts: readonly string[]
  /** Milliseconds. */
  readonly time: { readonly physics: number; readonly policy: number; readonly total: number }
}

/** Deterministic episodes first .. first + count - 1, at most as many at once as the policies have rows. */
export interface EvaluateTask {
  readonly kind: 'evaluate'
  readonly worker: number
  readonly first: number
  readonly count: number
  /** Keys the episodes' seeds besides their number. */
  readonly iteration: number
  readonly seed: number
  readonly rows: number
  readonly policies: readonly PolicyAddresses[]
}

export interface EvaluateResult {
  readonly returns: readonly number[]
  /** Steps that broke, with the episode in the place of the environment; each episode was started again. */
  readonly faults: readonly Fault[]
  readonly restarts: readonly string[]
}

/** Fault of the run itself, in one line; doing the task again would not help. */
export interface Failure {
  readonly failure: string
  /** Its origin, in several lines. */
  readonly detail?: string
}

/** Help with shared updates until dismissed. */
export interface AssistTask {
  readonly kind: 'assist'
}

export type WorkerTask = CollectTask | EvaluateTask | AssistTask

/** Message to a worker: to load `environments` of them, or a task. */
export type WorkerOrder = { readonly mujoco: WebAssembly.Module | undefined } & (
  { readonly environments: number } | { readonly task: WorkerTask; readonly setup: WorkerSetup }
)

/** Result of a task; undefined where there is none. */
export type WorkerAnswer = CollectResult | EvaluateResult | Failure | undefined
