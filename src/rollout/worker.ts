import { HatrpoError } from '../errors.js'
import { EnvContext, loadEnvFactory, type EnvFactory, type MultiAgentEnv } from '../envs/index.js'
import { adoptSources } from '../envs/source.js'
import { loadKernels, type Kernels } from '../kernels/index.js'
import { Collector, detailOf } from './collector.js'
import type { CollectResult, EvaluateResult, Failure, WorkerSetup, WorkerTask } from './messages.js'

/** What a pool's thread does: tasks on its own environments, over memory it shares with the others. */
export class RolloutWorker {
  readonly #setup: WorkerSetup
  readonly #context: EnvContext
  readonly #envs: MultiAgentEnv[] = []
  /** Processes of environments that were started again since the last answer. */
  #restarts: string[] = []
  /** Shows that the task goes on: a step in which a process hangs, and hangs again, is longer than it may take once. */
  #pulse = () => {}
  #kernels: Promise<Kernels> | undefined
  #factory: Promise<EnvFactory> | undefined

  constructor(setup: WorkerSetup) {
    this.#setup = setup
    adoptSources(setup.sources)
    this.#context = new EnvContext({
      ...(setup.mujoco && { mujoco: setup.mujoco }),
      onRestart: (what) => {
        this.#restarts.push(what)
        this.#pulse()
      },
    })
  }

  /** Errors that name what is wrong with the run come back as a value: thrown, they would lose their class. */
  async run(task: WorkerTask): Promise<CollectResult | EvaluateResult | Failure | undefined> {
    try {
      return await this.#run(task)
    } catch (error) {
      if (!(error instanceof HatrpoError)) throw error
      const detail = detailOf(error)
      return { failure: error.message, ...(detail !== undefined && { detail }) }
    }
  }

  async #run(task: WorkerTask): Promise<CollectResult | EvaluateResult | undefined> {
    const kernels = await (this.#kernels ??= loadKernels(this.#setup.kernels))
    if (task.kind === 'assist') {
      kernels.exports.help(this.#setup.control)
      return undefined
    }
    const envs = await this.#environments(task.kind === 'collect' ? task.progress.length : task.rows)
    const collector = new Collector(kernels, envs, this.#setup)
    this.#restarts = []
    this.#pulse = () => collector.pulse(task.worker)
    const result = task.kind === 'collect' ? collector.collect(task) : collector.evaluate(task)
    return { ...result, restarts: this.#restarts }
  }

  // At least `count` environments. They carry nothing from task to task: each task says where they stand.
  async #environments(count: number): Promise<MultiAgentEnv[]> {
    const factory = await (this.#factory ??= this.#loadFactory())
    while (this.#envs.length < count) this.#envs.push(await factory.create(this.#context))
    return this.#envs
  }

  // Files that code reads may have changed since the pool was started; code itself is handed over.
  async #loadFactory(): Promise<EnvFactory> {
    const { env, envSha256 } = this.#setup
    const factory = await loadEnvFactory(env, this.#context)
    if (envSha256 === undefined || factory.sha256 === envSha256) return factory
    throw new HatrpoError(`environment ${env.id} was changed while it was in use: restore it, then go on`)
  }
}
