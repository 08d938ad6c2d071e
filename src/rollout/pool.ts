import { Piscina } from 'piscina'
import { HatrpoError } from '../errors.js'
import type { WasmDevice } from '../devices/wasm/device.js'
import { compileMujoco, type EnvConfig } from '../envs/index.js'
import type {
  CollectResult,
  EnvProgress,
  EvaluateResult,
  Failure,
  Fault,
  WorkerSetup,
  WorkerTask,
} from './messages.js'
import type { WorkerPolicies } from './policies.js'
import type { RolloutStorage } from './storage.js'

type WorkerAnswer = CollectResult | EvaluateResult | Failure | undefined

/** Times a rollout is done again before the run gives up. */
const MAX_ATTEMPTS = 3

export interface PoolOptions {
  readonly workers: number
  readonly envs: number
  readonly seed: number
  readonly env: EnvConfig
  /** Milliseconds after which a worker that has not answered is taken to hang. */
  readonly patience?: number
  /** Told about workers that failed and were replaced. */
  onEvent?(message: string): void
}

export interface Rollout {
  /** Per environment. */
  readonly progress: readonly EnvProgress[]
  readonly episodes: readonly { readonly env: number; readonly return: number; readonly steps: number }[]
  readonly faults: readonly Fault[]
  /** Workers that had to be replaced. */
  readonly restarts: number
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
  #pool: Piscina<WorkerTask, WorkerAnswer>

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
    const { env, seed } = options
    this.shares = shareOut(options.envs, options.workers)
    this.#options = options
    this.#device = device
    const { control } = device
    this.#setup = { kernels: device.shared, mujoco, env, seed, layout: storage.layout, control }
    this.#pool = this.#startPool()
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
    const tasks = this.shares.map(({ first, count }, worker): WorkerTask => {
      const own = progress.slice(first, first + count)
      return { kind: 'collect', first, progress: own, startStep, policies: policies.addresses[worker] }
    })
    const { results, restarts } = await this.#runAll<CollectResult>(tasks, `rollout from step ${startStep}`)
    const wall = performance.now() - begun
    const sum = (pick: (result: CollectResult) => number) =>
      results.reduce((s, result) => s + pick(result), 0)
    const total = sum(({ time }) => time.total)
    return {
      progress: results.flatMap((result) => result.progress),
      episodes: results.flatMap((result) => result.episodes),
      faults: results.flatMap((result) => result.faults),
      restarts,
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
    const tasks = shareOut(episodes, this.shares.length).map(({ first, count }, worker): WorkerTask => {
      const rows = this.shares[worker].count
      return { kind: 'evaluate', first, count, iteration, seed, rows, policies: policies.addresses[worker] }
    })
    const { results } = await this.#runAll<EvaluateResult>(tasks, 'evaluation')
    return results.flatMap((result) => result.returns)
  }

  /** Runs `update` on this thread while the other threads help with its passes. */
  async assist<T>(update: () => T | Promise<T>): Promise<T> {
    const { dismiss } = this.#device.kernels.exports
    dismiss(this.#device.control, 0)
    const helpers = this.shares.slice(1).map(() => this.#pool.run({ kind: 'assist' }))
    try {
      return await update()
    } finally {
      dismiss(this.#device.control, 1)
      await Promise.all(helpers)
    }
  }

  async close(): Promise<void> {
    await this.#pool.destroy()
  }

  #startPool(): Piscina<WorkerTask, WorkerAnswer> {
    return new Piscina({
      filename: new URL('../../workers/rollout.js', import.meta.url).href,
      minThreads: this.shares.length,
      maxThreads: this.shares.length,
      idleTimeout: Infinity,
      workerData: this.#setup,
    })
  }

  // Runs one task per worker; all of them again, with fresh workers, when one fails.
  async #runAll<T>(tasks: WorkerTask[], what: string): Promise<{ results: T[]; restarts: number }> {
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#attempt<T>(tasks)
      if ('results' in outcome) return { results: outcome.results, restarts: attempt - 1 }
      const reason = firstLine(outcome.error)
      if (outcome.error instanceof HatrpoError) throw outcome.error
      if (attempt === MAX_ATTEMPTS) {
        throw new HatrpoError(`${what} failed ${attempt} times, last because a worker ${reason}`, {
          cause: outcome.error,
        })
      }
      this.#options.onEvent?.(`a worker ${reason}: ${what} is done again with new workers`)
      await this.#pool.destroy()
      this.#pool = this.#startPool()
    }
  }

  async #attempt<T>(tasks: WorkerTask[]): Promise<{ results: T[] } | { error: unknown }> {
    const patience = this.#options.patience ?? DEFAULT_PATIENCE
    const abort = new AbortController()
    const timer = setTimeout(() => abort.abort(), patience)
    try {
      const running = tasks.map((task) => this.#pool.run(task, { signal: abort.signal }))
      const results = await Promise.all(running)
      for (const result of results) if (result && 'failure' in result) throw new HatrpoError(result.failure)
      return { results: results as T[] }
    } catch (error) {
      const hung = abort.signal.aborted
      abort.abort()
      return { error: hung ? new Error(`did not answer for ${patience / 1000} s`) : error }
    } finally {
      clearTimeout(timer)
    }
  }
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return (message.split('\n')[0] ?? '').trim() || 'failed'
}
