import { Piscina } from 'piscina'
import { HatrpoError } from '../errors.js'
import type { WasmDevice } from '../devices/wasm/device.js'
import { compileMujoco, type EnvConfig } from '../envs/index.js'
import { bundledSources } from '../envs/source.js'
import type {
  CollectResult,
  CollectTask,
  EnvProgress,
  EvaluateResult,
  EvaluateTask,
  Failure,
  Fault,
  WorkerSetup,
  WorkerTask,
} from './messages.js'
import { describeEvaluationFault, withStack } from './collector.js'
import type { WorkerPolicies } from './policies.js'
import type { RolloutStorage } from './storage.js'
import { PulseWatch } from './watch.js'

type WorkerAnswer = CollectResult | EvaluateResult | Failure | undefined

/** Times a rollout is tried before the run gives up. */
const MAX_ATTEMPTS = 3

export interface PoolOptions {
  readonly workers: number
  readonly envs: number
  readonly seed: number
  readonly env: EnvConfig
  /** Of the environment's factory, where it has one: workers refuse an environment that has changed meanwhile. */
  readonly envSha256?: string | undefined
  /** Milliseconds without a step after which a worker is taken to hang; 120000 by default. */
  readonly patience?: number
  /**
   * Told about workers and processes that failed and were replaced.
   * @param detail where it came from, in several lines
   */
  onEvent?(message: string, detail?: string): void
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

const DEFAULT_PATIENCE = 120_000

/** How environments are dealt to workers: consecutive runs, as even as can be. */
export function shareOut(count: number, workers: number): { first: number; count: number }[] {
  const from = (worker: number) => Math.floor((worker * count) / workers)
  return Array.from({ length: workers }, (_, worker) => ({
    first: from(worker),
    count: from(worker + 1) - from(worker),
  }))
}

/** The threads that step environments; between rollouts they help with updates. */
export class RolloutPool {
  readonly shares: readonly { readonly first: number; readonly count: number }[]
  readonly #options: PoolOptions
  readonly #device: WasmDevice
  readonly #setup: WorkerSetup
  readonly #patience: number
  readonly #pulses: Int32Array
  #pool: Piscina<WorkerTask, WorkerAnswer>
  #restarts = 0

  /** @param device whose shared memory the rollout and the policies live in */
  static async start(
    device: WasmDevice,
    storage: RolloutStorage,
    options: PoolOptions,
  ): Promise<RolloutPool> {
    const mujoco = options.env.id.startsWith('mamujoco/') ? await compileMujoco() : undefined
    return new RolloutPool(device, storage, mujoco, options)
  }

  private constructor(
    device: WasmDevice,
    storage: RolloutStorage,
    mujoco: WebAssembly.Module | undefined,
    options: PoolOptions,
  ) {
    const { env, envSha256, seed } = options
    this.shares = shareOut(options.envs, options.workers)
    this.#options = options
    this.#patience = options.patience ?? DEFAULT_PATIENCE
    this.#device = device
    const { control } = device
    const pulses = device.tensor('i32', options.workers)
    this.#pulses = device.i32(pulses)
    const { address } = pulses
    const { layout } = storage
    const sources = bundledSources()
    const own = { mujoco, env, envSha256, sources }
    this.#setup = { kernels: device.shared, ...own, seed, layout, control, pulses: address }
    this.#pool = this.#startPool()
  }

  /** Times the workers had to be replaced since the start. */
  get restarts(): number {
    return this.#restarts
  }

  /**
   * One rollout of all environments from where they stand. A worker that throws, exits or hangs is replaced and the
   * rollout done again, which gives the same result: it depends on `progress`, the policies and the seed alone.
   * @param startStep steps each environment has made before
   */
  async collect(
    policies: WorkerPolicies,
    progress: readonly EnvProgress[],
    startStep: number,
  ): Promise<Rollout> {
    const begun = performance.now()
    const tasks = this.shares.map(({ first, count }, worker): CollectTask => {
      const own = progress.slice(first, first + count)
      return {
        kind: 'collect',
        worker,
        first,
        progress: own,
        startStep,
        policies: policies.addresses[worker],
      }
    })
    const results = await this.#runAll<CollectResult>(tasks, `the rollout from step ${startStep}`)
    const wall = performance.now() - begun
    const sum = (pick: (result: CollectResult) => number) =>
      results.reduce((s, result) => s + pick(result), 0)
    const total = sum(({ time }) => time.total)
    return {
      progress: results.flatMap((result) => result.progress),
      episodes: results.flatMap((result) => result.episodes),
      faults: results.flatMap((result) => result.faults),
      environmentRestarts: results.reduce((count, { restarts }) => count + restarts.length, 0),
      time: {
        physics: sum(({ time }) => time.physics) / total,
        policy: sum(({ time }) => time.policy) / total,
        wall,
      },
    }
  }

  /** Returns of deterministic episodes 0 .. episodes - 1, keyed by (seed, iteration, episode). */
  async evaluate(
    policies: WorkerPolicies,
    episodes: number,
    iteration: number,
    seed: number,
  ): Promise<number[]> {
    const tasks = shareOut(episodes, this.shares.length).map(({ first, count }, worker): EvaluateTask => {
      const rows = this.shares[worker].count
      const own = policies.addresses[worker]
      return { kind: 'evaluate', worker, first, count, iteration, seed, rows, policies: own }
    })
    const results = await this.#runAll<EvaluateResult>(tasks, 'the evaluation')
    for (const fault of results.flatMap((result) => result.faults)) {
      this.#options.onEvent?.(
        `${describeEvaluationFault(fault)}; the episode was started again`,
        fault.detail,
      )
    }
    return results.flatMap((result) => result.returns)
  }

  /**
   * Runs `update` on this thread while the other threads help with its passes. Helpers that fail are replaced: as long as
   * they held no work, which `update` would notice, that changes nothing.
   */
  async assist<T>(update: () => T | Promise<T>): Promise<T> {
    const { dismiss } = this.#device.kernels.exports
    dismiss(this.#device.control, 0)
    const helpers = Promise.all(this.shares.slice(1).map(() => this.#pool.run({ kind: 'assist' })))
    // Awaited below; a helper that fails before that is no unhandled rejection.
    helpers.catch(() => {})
    try {
      return await update()
    } finally {
      dismiss(this.#device.control, 1)
      const failure = await this.#failure(helpers)
      if (failure) await this.#replaceWorkers(`${failure} while it helped with an update`)
    }
  }

  async close(): Promise<void> {
    await this.#pool.destroy()
  }

  #startPool(): Piscina<WorkerTask, WorkerAnswer> {
    const pool = new Piscina<WorkerTask, WorkerAnswer>({
      filename: new URL('../../workers/start.cjs', import.meta.url).href,
      minThreads: this.shares.length,
      maxThreads: this.shares.length,
      idleTimeout: Infinity,
      workerData: this.#setup,
    })
    // A thread that fails between tasks: Piscina replaces it.
    pool.on('error', (error) => {
      this.#restarts++
      this.#options.onEvent?.(`a worker failed (${firstLine(error)}) between rollouts: it was replaced`)
    })
    return pool
  }

  async #replaceWorkers(why: string): Promise<void> {
    this.#restarts++
    this.#options.onEvent?.(`${why}: the workers were replaced`)
    await this.#pool.destroy()
    this.#pool = this.#startPool()
  }

  // What became of helpers that were sent away: undefined when all is well.
  async #failure(helpers: Promise<unknown>): Promise<string | undefined> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(() => resolve('a worker did not come back'), this.#patience)
    })
    const gone = helpers.then(
      () => undefined,
      (error: unknown) => `a worker failed (${firstLine(error)})`,
    )
    try {
      return await Promise.race([gone, late])
    } finally {
      clearTimeout(timer)
    }
  }

  // Runs one task per worker; all of them again, with fresh workers, when one fails.
  async #runAll<T extends CollectResult | EvaluateResult>(
    tasks: readonly (CollectTask | EvaluateTask)[],
    what: string,
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
        throw new HatrpoError(`${what} failed ${attempt} times, last because ${firstLine(error)}`, {
          cause: error,
        })
      }
      await this.#replaceWorkers(`${firstLine(error)} in ${what}, which is done again`)
    }
  }

  async #attempt<T>(
    tasks: readonly (CollectTask | EvaluateTask)[],
  ): Promise<{ results: T[] } | { error: unknown }> {
    this.#pulses.fill(0)
    let watch: PulseWatch | undefined
    const hang = new Promise<never>((_, reject) => {
      watch = new PulseWatch(this.#pulses, this.#patience, (worker) =>
        reject(new Error(`worker ${worker} made no step for ${this.#patience / 1000} s`)),
      )
    })
    const running = tasks.map(async (task) => {
      try {
        const result = await this.#pool.run(task)
        watch?.answered(task.worker)
        return result
      } catch (error) {
        throw new Error(`a worker failed (${firstLine(error)})`, { cause: error })
      }
    })
    try {
      const results = await Promise.race([Promise.all(running), hang])
      for (const result of results) if (result && 'failure' in result) throw failureError(result)
      return { results: results as T[] }
    } catch (error) {
      return { error }
    } finally {
      watch?.stop()
    }
  }
}

function failureError({ failure, detail }: Failure): HatrpoError {
  return new HatrpoError(failure, detail === undefined ? {} : { cause: withStack(failure, detail) })
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return (message.split('\n')[0] ?? '').trim() || 'failed'
}
