import { HatrpoError } from '../errors.js'
import { EnvContext, loadEnvFactory, type EnvFactory, type MultiAgentEnv } from '../envs/index.js'
import { adoptSources } from '../envs/source.js'
import { loadKernels, type Kernels } from '../kernels/index.js'
import { Collector } from './collector.js'
import { Evaluator } from './evaluator.js'
import { detailOf } from './faults.js'
import type { CollectResult, EvaluateResult, Failure, WorkerSetup, WorkerTask } from './messages.js'

/** Worker of a rollout source: does tasks on its own environments, over memory it shares with the others. */
export class RolloutWorker {
  readonly #setup: WorkerSetup
  readonly #context: EnvContext
  readonly #envs: MultiAgentEnv[] = []
  /** Processes of environments that were started again since the last answer. */
  #restarts: string[] = []
  /** Sign of life: a step in which a process hangs, and hangs again, takes longer than it may take once. */
  #pulse = () => {}
  #kernels: Promise<Kernels> | undefined
  #factory: Promise<EnvFactory> | undefined

  /** @param kernels an instance over the setup's memory; made of it by default */
  constructor(setup: WorkerSetup, kernels?: Kernels) {
    this.#setup = setup
    if (kernels) this.#kernels = Promise.resolve(kernels)
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
    const pulses = new Int32Array(kernels.memory.buffer, this.#setup.pulses)
    const pulse = () => void Atomics.add(pulses, task.worker, 1)
    this.#restarts = []
    this.#pulse = pulse
    const result =
      task.kind === 'collect'
        ? new Collector(kernels, envs, this.#setup, pulse).collect(task)
        : new Evaluator(kernels, envs, pulse).evaluate(task)
    return { ...result, restarts: this.#restarts }
  }

  /** Ends the environments' own resources. */
  dispose(): void {
    for (const env of this.#envs.splice(0)) env.dispose?.()
  }

  /** At least `count` environments. They carry nothing from task to task: each task brings their progress. */
  async #environments(count: number): Promise<MultiAgentEnv[]> {
    const factory = await (this.#factory ??= this.#loadFactory())
    while (this.#envs.length < count) this.#envs.push(await factory.create(this.#context))
    return this.#envs
  }

  /** Files that code reads may have changed since the source was opened; code itself is handed over. */
  async #loadFactory(): Promise<EnvFactory> {
    const { env, envSha256 } = this.#setup
    const factory = await loadEnvFactory(env, this.#context)
    if (envSha256 === undefined || factory.sha256 === envSha256) return factory
    throw new HatrpoError(
      `environment ${env.id} was changed while it was in use: restore it, then start again`,
    )
  }
}
