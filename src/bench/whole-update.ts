import { baseConfig } from '../config/defaults.js'
import type { TrainConfig } from '../config/index.js'
import { SOLVERS } from '../config/solvers.js'
import type { EnvSpec } from '../envs/index.js'
import { openSource, type RolloutSource } from '../rollout/index.js'
import type { CheckpointData } from '../runs/checkpoint.js'
import { TeamLearner } from '../training/learner.js'
import { restoreSnapshot, takeSnapshot } from '../training/snapshot.js'
import { policyStep, type StepParts } from './policy-step.js'
import { fillWithNoise } from './synthetic.js'
import { costOf, type Cost } from './turns.js'

/** Environments that a batch is collected from. */
const ENVS = 20

/** An update of all agents and the critic. */
export interface UpdateTask {
  /** Short name of the task. */
  readonly name: string
  readonly spec: EnvSpec
  readonly algo: TrainConfig['algo']
  /** Widths of the hidden layers of all networks. */
  readonly hidden: readonly number[]
  /** Rows per agent; a multiple of 20. */
  readonly batch: number
  /** Device of the learner, the default one where absent. */
  readonly device?: string
  /** Solver of trust regions, the default one where absent. */
  readonly solver?: keyof typeof SOLVERS
}

/** Environments and steps of each in a batch. */
export function batchShape({ batch }: Pick<UpdateTask, 'batch'>): { envs: number; steps: number } {
  return { envs: ENVS, steps: batch / ENVS }
}

/** Cost of an update. */
export interface UpdateCost extends Cost {
  /** Trials of the line search per agent; absent for methods without one. */
  readonly trials?: number
}

/** The update of a task on synthetic data, by a learner that starts from the same state each time. */
export class WholeUpdate {
  readonly #learner: TeamLearner
  readonly #start: CheckpointData
  /** By number of threads. */
  readonly #sources = new Map<number, RolloutSource>()
  #step: (() => StepParts) | undefined

  static async create(task: UpdateTask): Promise<WholeUpdate> {
    const { envs, steps } = batchShape(task)
    const { algo, hidden, solver, spec, device = baseConfig.device } = task
    const config: TrainConfig = {
      ...baseConfig,
      algo,
      device,
      env: { id: spec.id },
      envs,
      rolloutSteps: steps,
      actor: { ...baseConfig.actor, hidden: [...hidden] },
      critic: { ...baseConfig.critic, hidden: [...hidden] },
      trustRegion: { ...baseConfig.trustRegion, ...(solver && SOLVERS[solver]) },
    }
    return new WholeUpdate(await TeamLearner.create(config, { ...spec, timeLimit: Infinity }))
  }

  /** Use `create`. */
  constructor(learner: TeamLearner) {
    fillWithNoise(learner)
    this.#learner = learner
    this.#start = takeSnapshot(learner.method, learner.storage, [])
  }

  /** One update of all agents and the critic, values and advantages included. */
  async run(threads: number): Promise<UpdateCost> {
    const { method } = this.#learner
    const source = await this.#threads(threads)
    this.#restart()
    let trials: number | undefined
    const cost = await source.assist(() =>
      costOf(() => {
        const { turns } = method.improve(1, 0)
        if (turns[0].lineSearchTrials === undefined) return
        trials = turns.reduce((sum, turn) => sum + turn.lineSearchTrials!, 0) / turns.length
      }),
    )
    return { ...cost, ...(trials !== undefined && { trials }) }
  }

  /** The critics' part of an update. `run` must have been called before. */
  async runCritics(threads: number): Promise<Cost> {
    const { method } = this.#learner
    const source = await this.#threads(threads)
    this.#restart()
    return source.assist(() =>
      costOf(() => {
        for (const { update } of method.critics) update.update(0)
      }),
    )
  }

  /** Trust-region step of one policy, by a separate copy. `run` must have been called before. */
  async runStep(threads: number): Promise<StepParts> {
    const source = await this.#threads(threads)
    this.#restart()
    this.#step ??= policyStep(this.#learner)
    return source.assist(this.#step)
  }

  async close(): Promise<void> {
    for (const source of this.#sources.values()) await source.close()
    this.#learner.close()
  }

  #restart(): void {
    restoreSnapshot(this.#learner.method, this.#learner.storage, this.#start)
  }

  async #threads(threads: number): Promise<RolloutSource> {
    const known = this.#sources.get(threads)
    if (known) return known
    const { host, storage, config, plan } = this.#learner
    const { envs, seed, env } = config
    const source = openSource(host, storage, { workers: threads, envs, seed, env, ...plan.play })
    this.#sources.set(threads, source)
    return source
  }
}
