import type { HostDevice } from '../../devices/host.js'
import { HatrpoError } from '../../errors.js'
import { failureError } from '../faults.js'
import type {
  CollectResult,
  CollectTask,
  EnvProgress,
  EpisodeOutcomes,
  EvaluateResult,
  EvaluateTask,
  WorkerAnswer,
  WorkerSetup,
} from '../messages.js'
import { thrownLine } from '../../text/thrown.js'
import type { WorkerPolicies } from '../policies.js'
import {
  collectTasks,
  evaluateTasks,
  joinEvaluation,
  joinRollout,
  workerSetup,
  type EvaluationOrder,
  type Rollout,
  type RolloutSource,
  type Share,
  type SourceOptions,
} from '../source.js'
import type { RolloutStorage } from '../storage.js'
import { Balance } from './balance.js'
import { type WorkerThreads } from './threads.js'
import { PulseWatch } from './watch.js'

/** Runs a task on a thread. */
type RunTask = <T extends CollectResult | EvaluateResult>(
  task: T extends CollectResult ? CollectTask : EvaluateTask,
) => Promise<T>

/** Greatest number of attempts at a rollout. */
const MAX_ATTEMPTS = 3

const DEFAULT_PATIENCE = 120_000

/** Pool of threads that step environments. Between rollouts they help with updates. */
export class RolloutPool implements RolloutSource {
  readonly shares: readonly Share[]
  readonly #options: SourceOptions
  readonly #host: HostDevice
  readonly #setup: WorkerSetup
  readonly #storage: RolloutStorage
  readonly #patience: number
  readonly #pulses: Int32Array
  readonly #stops: Int32Array
  readonly #balance: Balance
  readonly #threads: WorkerThreads
  #replacements = 0

  /**
   * @param host device whose shared memory contains the rollout and the policies
   * @param threads started with the same options; the pool ends them
   */
  constructor(host: HostDevice, storage: RolloutStorage, threads: WorkerThreads, options: SourceOptions) {
    this.shares = threads.shares
    this.#options = options
    this.#patience = options.patience ?? DEFAULT_PATIENCE
    this.#host = host
    const { workers } = options
    this.#setup = workerSetup(host, storage, workers, options)
    const [pulses, stops] = [this.#setup.pulses, this.#setup.stops].map((at) => host.arena.i32(at, workers))
    this.#pulses = pulses
    this.#stops = stops
    this.#balance = new Balance(storage.layout.steps)
    this.#storage = storage
    this.#threads = threads
  }

  get restarts(): number {
    return this.#replacements + this.#threads.failures
  }

  /**
   * See `RolloutSource.collect`. If a worker throws, exits or hangs, it is replaced and the rollout is repeated. The result
   * is the same, because it depends on `progress`, the policies and the seed alone.
   */
  async collect(
    policies: WorkerPolicies,
    progress: readonly EnvProgress[],
    startStep: number,
  ): Promise<Rollout> {
    const begun = performance.now()
    const tasks = collectTasks(this.shares, policies, progress, startStep, this.#storage)
    const [pulses, stops] = [this.#pulses, this.#stops]
    const results = await this.#runAll(`the rollout from step ${startStep}`, (run) =>
      this.#balance.collect(tasks, { pulses, stops, run: run<CollectResult> }),
    )
    return joinRollout(results, performance.now() - begun)
  }

  async evaluate(policies: WorkerPolicies, order: EvaluationOrder): Promise<EpisodeOutcomes> {
    const tasks = evaluateTasks(this.shares, policies, order)
    const results = await this.#runAll('the evaluation', (run) =>
      Promise.all(tasks.map((task) => run<EvaluateResult>(task))),
    )
    return joinEvaluation(results, this.#options.onEvent?.bind(this.#options))
  }

  /**
   * Runs `update` on this thread while the other threads help with its passes. Helpers that fail are replaced. The result
   * is unchanged, because `update` throws if a helper fails with unfinished work.
   */
  async assist<T>(update: () => T | Promise<T>): Promise<T> {
    const { dismiss } = this.#host.kernels.exports
    dismiss(this.#host.control, 0)
    const helpers = Promise.all(
      this.shares.slice(1).map(() => this.#threads.run({ kind: 'assist' }, this.#setup)),
    )
    // Awaited below. Until then, a failing helper must not cause an unhandled rejection.
    helpers.catch(() => {})
    try {
      return await update()
    } finally {
      dismiss(this.#host.control, 1)
      const failure = await this.#failure(helpers)
      if (failure) await this.#replaceWorkers(`${failure} while it helped with an update`)
    }
  }

  async close(): Promise<void> {
    await this.#threads.close()
  }

  async #replaceWorkers(why: string): Promise<void> {
    this.#replacements++
    this.#options.onEvent?.(`${why}: the workers were replaced`)
    await this.#threads.replace()
  }

  // Description of a failure among dismissed helpers, or undefined if all of them returned.
  async #failure(helpers: Promise<unknown>): Promise<string | undefined> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(() => resolve('a worker did not return'), this.#patience)
    })
    const gone = helpers.then(
      () => undefined,
      (error: unknown) => `a worker failed (${thrownLine(error)})`,
    )
    try {
      return await Promise.race([gone, late])
    } finally {
      clearTimeout(timer)
    }
  }

  // Runs tasks of all workers. If one fails, all are repeated with new workers.
  async #runAll<T extends CollectResult | EvaluateResult>(
    what: string,
    tasks: (run: RunTask) => Promise<T[]>,
  ): Promise<T[]> {
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#attempt<T>(tasks)
      if ('results' in outcome) {
        for (const restart of outcome.results.flatMap(({ restarts }) => restarts))
          this.#options.onEvent?.(restart)
        return outcome.results
      }
      const { error } = outcome
      if (error instanceof HatrpoError) throw error
      if (attempt === MAX_ATTEMPTS) {
        throw new HatrpoError(`${what} failed ${attempt} times; last error: ${thrownLine(error)}`, {
          cause: error,
        })
      }
      await this.#replaceWorkers(`${thrownLine(error)} in ${what}, which is done again`)
    }
  }

  async #attempt<T>(tasks: (run: RunTask) => Promise<T[]>): Promise<{ results: T[] } | { error: unknown }> {
    this.#pulses.fill(0)
    let watch: PulseWatch | undefined
    const hang = new Promise<never>((_, reject) => {
      watch = new PulseWatch(this.#pulses, this.#patience, (worker) =>
        reject(new Error(`worker ${worker} made no step for ${this.#patience / 1000} s`)),
      )
    })
    const run: RunTask = async (task) => {
      watch?.began(task.worker)
      const result = await this.#run(task)
      watch?.answered(task.worker)
      return result as never
    }
    try {
      return { results: await Promise.race([tasks(run), hang]) }
    } catch (error) {
      return { error }
    } finally {
      watch?.stop()
    }
  }

  /** @throws HatrpoError for a fault of the run itself; other errors say that a worker failed */
  async #run(task: CollectTask | EvaluateTask): Promise<CollectResult | EvaluateResult> {
    let result: WorkerAnswer
    try {
      result = await this.#threads.run(task, this.#setup)
    } catch (error) {
      if (error instanceof HatrpoError) throw error
      throw new Error(`a worker failed (${thrownLine(error)})`, { cause: error })
    }
    if (result && 'failure' in result) throw failureError(result)
    return result!
  }
}
