import { Piscina } from 'piscina'
import { sharedMujoco } from '../../envs/mujoco/compile.js'
import { bundledSources } from '../../envs/source.js'
import { WORKERS } from '../../place.js'
import { thrownLine } from '../../text/thrown.js'
import type { WorkerAnswer, WorkerEnv, WorkerOrder, WorkerSetup, WorkerTask } from '../messages.js'
import { shareOut, type Share, type SourceOptions } from '../source.js'

/** Options of a source that its threads depend on. */
export type ThreadOptions = Pick<
  SourceOptions,
  'workers' | 'envs' | 'env' | 'envSha256' | 'joined' | 'onEvent'
>

/** Pools of this process whose threads run. */
const open = new Set<WorkerThreads>()

/** Ends the threads of all pools, also busy ones. Does not resolve while a thread is in a system call. */
export async function endThreads(): Promise<void> {
  await Promise.all([...open].map((threads) => threads.close()))
}

/** Threads of a pool. They load the environments of their shares as soon as they run. */
export class WorkerThreads {
  readonly shares: readonly Share[]
  readonly #env: WorkerEnv
  readonly #onEvent: SourceOptions['onEvent']
  /** MuJoCo, compiled once for all threads; undefined for environments that may not need it. */
  readonly #mujoco: Promise<WebAssembly.Module | undefined>
  /** The same once it is there. */
  #compiled: { readonly mujoco: WebAssembly.Module | undefined } | undefined
  #pool: Piscina<WorkerOrder, WorkerAnswer>
  #failures = 0
  #closed: Promise<void> | undefined

  constructor({ workers, envs, env, envSha256, joined = false, onEvent }: ThreadOptions) {
    this.shares = shareOut(envs, workers)
    this.#env = { env, envSha256, sources: bundledSources(), joined }
    this.#onEvent = onEvent
    this.#mujoco = env.id.startsWith('mamujoco/') ? sharedMujoco() : Promise.resolve(undefined)
    // Tasks report a failure.
    this.#mujoco.then(
      (mujoco) => (this.#compiled = { mujoco }),
      () => {},
    )
    this.#pool = this.#start()
    open.add(this)
  }

  /** Times that a thread failed between tasks and was replaced. */
  get failures(): number {
    return this.#failures
  }

  /**
   * Gives a thread a task; once MuJoCo is compiled, before this returns. Threads that are to help with an update would
   * otherwise be called after it, since updates do not leave the calling thread.
   * @throws HatrpoError when MuJoCo cannot be read
   */
  run(task: WorkerTask, setup: WorkerSetup): Promise<WorkerAnswer> {
    const send = (mujoco: WebAssembly.Module | undefined) => this.#pool.run({ task, setup, mujoco })
    return this.#compiled ? send(this.#compiled.mujoco) : this.#mujoco.then(send)
  }

  /** Ends all threads, also busy ones, and starts new ones. */
  async replace(): Promise<void> {
    await end(this.#pool)
    this.#pool = this.#start()
  }

  /** Ends all threads. Closing again has no effect. */
  async close(): Promise<void> {
    await (this.#closed ??= end(this.#pool))
    open.delete(this)
  }

  #start(): Piscina<WorkerOrder, WorkerAnswer> {
    const pool = new Piscina<WorkerOrder, WorkerAnswer>({
      filename: new URL('start.cjs', WORKERS).href,
      minThreads: this.shares.length,
      maxThreads: this.shares.length,
      idleTimeout: Infinity,
      workerData: this.#env,
    })
    // Error of a thread between tasks. Piscina replaces the thread.
    pool.on('error', (error) => {
      this.#failures++
      this.#onEvent?.(`a worker failed (${thrownLine(error)}) between rollouts: it was replaced`)
    })
    void this.#load(pool)
    return pool
  }

  /** Has each thread load its environments. Whatever is wrong with them, the first rollout reports. */
  async #load(pool: Piscina<WorkerOrder, WorkerAnswer>): Promise<void> {
    try {
      const mujoco = await this.#mujoco
      await Promise.all(this.shares.map(({ count }) => pool.run({ environments: count, mujoco })))
    } catch {
      // Also when the threads are ended meanwhile.
    }
  }
}

/** Ends the threads of a pool. Later responses are ignored and are not failures. */
async function end(pool: Piscina<WorkerOrder, WorkerAnswer>): Promise<void> {
  pool.removeAllListeners('error').on('error', () => {})
  await pool.destroy()
}
