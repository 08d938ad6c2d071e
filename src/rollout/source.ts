import type { HostDevice } from '../devices/host.js'
import type { EnvConfig } from '../envs/index.js'
import { describeEvaluationFault, type Fault } from './faults.js'
import type {
  CollectResult,
  CollectTask,
  EnvCourse,
  EnvProgress,
  EpisodeOutcomes,
  EvaluateResult,
  EvaluateTask,
  WorkerSetup,
} from './messages.js'
import type { WorkerPolicies } from './policies.js'
import type { RolloutStorage } from './storage.js'

/** A run of consecutive environments or episodes. */
export interface Share {
  readonly first: number
  readonly count: number
}

export interface Rollout {
  /** Per environment. */
  readonly progress: readonly EnvProgress[]
  readonly episodes: readonly { readonly env: number; readonly return: number; readonly steps: number }[]
  readonly faults: readonly Fault[]
  /** Processes of environments that failed and were started again. */
  readonly environmentRestarts: number
  /** Shares of the workers' time, and the wall time in milliseconds. */
  readonly time: { readonly physics: number; readonly policy: number; readonly wall: number }
}

/** Origin of rollouts and evaluations. Results depend on the arguments alone, not on the source or its threads. */
export interface RolloutSource {
  /** Environments that each worker steps at once: the rows that its policies need. */
  readonly shares: readonly Share[]
  /** Times that workers had to be replaced since the start. */
  readonly restarts: number
  /**
   * One rollout of all environments from their progress so far, into the storage that the source was opened with.
   * @param startStep steps each environment has made before
   * @throws HatrpoError for an environment that cannot be stepped
   */
  collect(policies: WorkerPolicies, progress: readonly EnvProgress[], startStep: number): Promise<Rollout>
  /** Outcomes of whole episodes. */
  evaluate(policies: WorkerPolicies, order: EvaluationOrder): Promise<EpisodeOutcomes>
  /** Runs `update` on this thread, with the help of the source's threads where it has idle ones. */
  assist<T>(update: () => T | Promise<T>): Promise<T>
  close(): Promise<void>
}

/** Episodes 0 .. episodes - 1 whose starts are keyed by (seed, iteration, episode). */
export interface EvaluationOrder {
  readonly episodes: number
  readonly iteration: number
  readonly seed: number
  /** Whether actions are drawn as in training, in place of the policies' modes. */
  readonly sample?: boolean
}

/** Requirements of a method on rollouts. */
export interface PlayRules {
  /** Whether the method learns from one reward of a team, so that rewards which differ between its agents are refused. */
  readonly oneReward: boolean
  /** Whether all agents are played as one (see `joinAgents`). */
  readonly joined?: boolean
  /** Agents whose mean reward is the return of an episode; null for all. */
  readonly scored?: readonly number[] | null
}

export interface SourceOptions extends PlayRules {
  /** Threads that step environments; 0: none but the calling thread. */
  readonly workers: number
  readonly envs: number
  readonly seed: number
  readonly env: EnvConfig
  /** Of the environment's factory, where it has one: workers refuse an environment that has changed meanwhile. */
  readonly envSha256?: string | undefined
  /** Milliseconds without a step after which a worker is taken to hang; 120000 by default. */
  readonly patience?: number
  /**
   * Receives lines about workers and processes that failed and were replaced.
   * @param detail their origin, in several lines
   */
  onEvent?(message: string, detail?: string): void
}

/** Progress of environments before their first episode. */
export function freshProgress(envs: number): EnvProgress[] {
  const fresh = { state: null, episode: 0, episodeReturn: 0, episodeSteps: 0 }
  return Array.from({ length: envs }, () => ({ ...fresh }))
}

/** Shares of `count` environments or episodes: consecutive runs, as even as can be. */
export function shareOut(count: number, workers: number): Share[] {
  const from = (worker: number) => Math.floor((worker * count) / workers)
  return Array.from({ length: workers }, (_, worker) => ({
    first: from(worker),
    count: from(worker + 1) - from(worker),
  }))
}

/** Setup of the workers of a source. */
export function workerSetup(
  host: HostDevice,
  storage: RolloutStorage,
  workers: number,
  { seed, oneReward, scored = null }: SourceOptions,
): WorkerSetup {
  const { shared: kernels, control } = host
  const [pulses, stops] = [0, 1].map(() => host.addressOf(host.tensor('i32', workers)))
  return { kernels, seed, oneReward, scored, layout: storage.layout, control, pulses, stops }
}

/** Tasks of a rollout, one per share. */
export function collectTasks(
  shares: readonly Share[],
  policies: WorkerPolicies,
  progress: readonly EnvProgress[],
  startStep: number,
  storage: RolloutStorage,
): CollectTask[] {
  return shares.map(({ first, count }, worker) => ({
    kind: 'collect',
    worker,
    first,
    courses: progress.slice(first, first + count).map((env, k) => {
      return { ...env, truncations: 0, broken: 0, hidden: storage.hidden(first + k) }
    }),
    from: 0,
    startStep,
    policies: policies.addresses[worker],
  }))
}

/** Tasks of an evaluation, one per share. */
export function evaluateTasks(
  shares: readonly Share[],
  policies: WorkerPolicies,
  { episodes, iteration, seed, sample = false }: EvaluationOrder,
): EvaluateTask[] {
  return shareOut(episodes, shares.length).map(({ first, count }, worker) => {
    const rows = shares[worker].count
    const own = policies.addresses[worker]
    return { kind: 'evaluate', worker, first, count, iteration, seed, sample, rows, policies: own }
  })
}

/** The workers' parts of a rollout as one. @param parts in time, where they are of the same environments */
export function joinRollout(parts: readonly CollectResult[], wall: number): Rollout {
  const sum = (pick: (part: CollectResult) => number) => parts.reduce((s, part) => s + pick(part), 0)
  const total = sum(({ time }) => time.total)
  const byEnv = (a: { env: number }, b: { env: number }) => a.env - b.env
  const progress: EnvProgress[] = []
  for (const { first, courses } of parts)
    courses.forEach((course, k) => (progress[first + k] = progressOf(course)))
  return {
    progress,
    episodes: parts.flatMap((part) => part.episodes).sort(byEnv),
    faults: parts.flatMap((part) => part.faults).sort(byEnv),
    environmentRestarts: sum(({ restarts }) => restarts.length),
    time: {
      physics: sum(({ time }) => time.physics) / total,
      policy: sum(({ time }) => time.policy) / total,
      wall,
    },
  }
}

function progressOf({ state, episode, episodeReturn, episodeSteps }: EnvCourse): EnvProgress {
  return { state, episode, episodeReturn, episodeSteps }
}

/** Outcomes of an evaluation, in order; reports the episodes that were started again. */
export function joinEvaluation(
  parts: readonly EvaluateResult[],
  onEvent: SourceOptions['onEvent'],
): EpisodeOutcomes {
  for (const fault of parts.flatMap((part) => part.faults)) {
    onEvent?.(`${describeEvaluationFault(fault)}; the episode was started again`, fault.detail)
  }
  return {
    returns: parts.flatMap((part) => part.returns),
    lengths: parts.flatMap((part) => part.lengths),
  }
}
