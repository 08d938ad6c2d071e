import type { HostDevice } from '../../devices/host.js'
import { HatrpoError } from '../../errors.js'
import { thrownLine } from '../../text/thrown.js'
import { failureError } from '../faults.js'
import type {
  CollectResult,
  EnvProgress,
  EpisodeOutcomes,
  EvaluateResult,
  WorkerSetup,
  WorkerTask,
} from '../messages.js'
import type { WorkerPolicies } from '../policies.js'
import {
  collectTasks,
  evaluateTasks,
  joinEvaluation,
  joinRollout,
  shareOut,
  workerSetup,
  type EvaluationOrder,
  type Rollout,
  type RolloutSource,
  type Share,
  type SourceOptions,
} from '../source.js'
import type { RolloutStorage } from '../storage.js'
import { RolloutWorker } from '../worker.js'

/**
 * Rollouts on the calling thread: for tiny environments, tests, and hosts without threads. Nothing watches a step that
 * hangs.
 */
export class InlineSource implements RolloutSource {
  readonly shares: readonly Share[]
  readonly restarts = 0
  readonly #worker: RolloutWorker
  readonly #setup: WorkerSetup
  readonly #storage: RolloutStorage
  readonly #onEvent: SourceOptions['onEvent']

  constructor(host: HostDevice, storage: RolloutStorage, options: SourceOptions) {
    const { env, envSha256, joined = false } = options
    this.shares = shareOut(options.envs, 1)
    this.#setup = workerSetup(host, storage, 1, options)
    // Modules of the user's are those that this thread has loaded already.
    this.#worker = new RolloutWorker({ env, envSha256, sources: [], joined }, host.kernels)
    this.#storage = storage
    this.#onEvent = options.onEvent?.bind(options)
  }

  async collect(
    policies: WorkerPolicies,
    progress: readonly EnvProgress[],
    startStep: number,
  ): Promise<Rollout> {
    const begun = performance.now()
    const [task] = collectTasks(this.shares, policies, progress, startStep, this.#storage)
    const result = await this.#run<CollectResult>(task)
    return joinRollout([result], performance.now() - begun)
  }

  async evaluate(policies: WorkerPolicies, order: EvaluationOrder): Promise<EpisodeOutcomes> {
    const [task] = evaluateTasks(this.shares, policies, order)
    return joinEvaluation([await this.#run<EvaluateResult>(task)], this.#onEvent)
  }

  async assist<T>(update: () => T | Promise<T>): Promise<T> {
    return await update()
  }

  async close(): Promise<void> {
    try {
      this.#worker.dispose()
    } catch (error) {
      throw oneLine(error)
    }
  }

  async #run<Result extends CollectResult | EvaluateResult>(task: WorkerTask): Promise<Result> {
    // Signals and timers of this thread are served between tasks, which do not wait for anything themselves.
    await new Promise((served) => setTimeout(served, 0))
    const result = await this.#answer(task)
    if ('failure' in result) throw failureError(result)
    for (const restart of result.restarts) this.#onEvent?.(restart)
    return result as Result
  }

  /** An error that a pool would try again is final here, where the task would meet it again. */
  async #answer(task: WorkerTask) {
    try {
      return (await this.#worker.run({ task, setup: this.#setup, mujoco: undefined }))!
    } catch (error) {
      throw oneLine(error)
    }
  }
}

function oneLine(error: unknown): HatrpoError {
  return error instanceof HatrpoError ? error : new HatrpoError(thrownLine(error), { cause: error })
}
