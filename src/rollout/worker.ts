import { HatrpoError } from '../errors.js'
import { EnvContext } from '../envs/context.js'
import type { MultiAgentEnv } from '../envs/contract.js'
import type { EnvFactory } from '../envs/factory.js'
import { loadEnvFactory } from '../envs/registry.js'
import { adoptSources } from '../envs/source.js'
import { loadKernels, type Kernels } from '../kernels/index.js'
import { Collector } from './collector.js'
import { Evaluator } from './evaluator.js'
import { detailOf } from './faults.js'
import { joinAgents } from './joined.js'
import { callEnv } from './stepping.js'
import type { WorkerAnswer, WorkerEnv, WorkerOrder, WorkerSetup, WorkerTask } from './messages.js'

/** Worker of a rollout source: does tasks on its own environments, over memory it shares with the others. */
export class RolloutWorker {
  readonly #env: WorkerEnv
  readonly #envs: MultiAgentEnv[] = []
  /** Processes of environments that were started again since the last answer. */
  #restarts: string[] = []
  /** Sign of life: a step in which a process hangs, and hangs again, takes longer than it may take once. */
  #pulse = () => {}
  #kernels: Promise<Kernels> | undefined
  #context: EnvContext | undefined
  #factory: Promise<EnvFactory> | undefined

  /** @param kernels an instance over the memory of every setup; made of the first one by default */
  constructor(env: WorkerEnv, kernels?: Kernels) {
    this.#env = env
    if (kernels) this.#kernels = Promise.resolve(kernels)
    adoptSources(env.sources)
  }

  /** Errors about the run are returned as values, because thrown errors would lose their class. */
  async run(order: WorkerOrder): Promise<WorkerAnswer> {
    this.#context ??= this.#makeContext(order)
    try {
      if ('task' in order) return await this.#run(order.task, order.setup)
      await this.#environments(order.environments)
      return undefined
    } catch (error) {
      if (!(error instanceof HatrpoError)) throw error
      const detail = detailOf(error)
      return { failure: error.message, usage: error.exitCode === 2, ...(detail !== undefined && { detail }) }
    }
  }

  async #run(task: WorkerTask, setup: WorkerSetup): Promise<WorkerAnswer> {
    const kernels = await (this.#kernels ??= loadKernels(setup.kernels))
    if (task.kind === 'assist') {
      kernels.exports.help(setup.control)
      return undefined
    }
    const envs = await this.#environments(task.kind === 'collect' ? task.courses.length : task.rows)
    const pulses = new Int32Array(kernels.memory.buffer, setup.pulses)
    const stops = new Int32Array(kernels.memory.buffer, setup.stops)
    const pulse = () => void Atomics.add(pulses, task.worker, 1)
    const stopped = () => Atomics.load(stops, task.worker) !== 0
    this.#pulse = pulse
    const result =
      task.kind === 'collect'
        ? new Collector(kernels, envs, setup, { pulse, stopped }).collect(task)
        : new Evaluator(kernels, envs, setup.scored, pulse).evaluate(task)
    const restarts = this.#restarts
    this.#restarts = []
    return { ...result, restarts }
  }

  /** Ends the environments' own resources. */
  dispose(): void {
    for (const env of this.#envs.splice(0)) callEnv(env, 'dispose()', () => env.dispose?.())
  }

  #makeContext({ mujoco }: Pick<WorkerOrder, 'mujoco'>): EnvContext {
    return new EnvContext({
      ...(mujoco && { mujoco }),
      onRestart: (what) => {
        this.#restarts.push(what)
        this.#pulse()
      },
    })
  }

  /** At least `count` environments. They carry nothing from task to task: each task brings their progress. */
  async #environments(count: number): Promise<MultiAgentEnv[]> {
    const factory = await (this.#factory ??= this.#loadFactory())
    while (this.#envs.length < count) {
      const env = await factory.create(this.#context!)
      this.#envs.push(this.#env.joined ? joinAgents(env) : env)
    }
    return this.#envs
  }

  /** Files that code reads may have changed since the source was opened; code itself is handed over. */
  async #loadFactory(): Promise<EnvFactory> {
    const { env, envSha256 } = this.#env
    const factory = await loadEnvFactory(env, this.#context)
    if (envSha256 === undefined || factory.sha256 === envSha256) return factory
    throw new HatrpoError(
      `environment ${env.id} was changed while it was in use: restore it, then start again`,
    )
  }
}
