import { assembleMethod, planMethod, type MethodPlan } from '../algorithms/assemble.js'
import type { Improvement, TeamMethod } from '../algorithms/method.js'
import { assembleTabular } from '../algorithms/tabular/assemble.js'
import type { TrainConfig } from '../config/index.js'
import type { HostDevice } from '../devices/host.js'
import { buildOn } from '../devices/open.js'
import type { EnvSpec } from '../envs/contract.js'
import { freshProgress, RolloutStorage, WorkerPolicies, type EnvProgress } from '../rollout/index.js'
import type { CheckpointData } from '../runs/checkpoint.js'
import type { Run } from '../runs/folder.js'
import { parametersSha256 } from '../runs/sha256.js'
import { beginWith, type InitialNetworks } from './initial.js'
import { makeFitting, tooManySteps } from './memory.js'
import { OpponentPool } from './opponents.js'
import type { LearningOutcome } from './records.js'
import { restoreSnapshot, takeSnapshot } from './snapshot.js'

/** Learner of a run with its memory: that of rollouts on the host, its own on the device of the run. */
export interface RunLearner {
  readonly config: TrainConfig
  readonly env: EnvSpec
  readonly host: HostDevice
  readonly storage: RolloutStorage
  readonly plan: MethodPlan
  /** Opponents of the team that learns; null where every agent learns. */
  readonly opponents: OpponentPool | null
  /** Takes up a run, at its checkpoint where it has one. @returns the progress of its environments */
  begin(run: Run): readonly EnvProgress[]
  /** Policies for rollout workers, each of which steps `rows[worker]` environments at once. */
  workerPolicies(rows: readonly number[]): WorkerPolicies
  /**
   * Learns from the rollout in storage.
   * @param iteration counted from 1
   * @param progress share of the run that is done, for schedules
   */
  improve(iteration: number, progress: number): LearningOutcome
  /** The whole state between two iterations, for the checkpoint that is written next. */
  snapshot(progress: readonly EnvProgress[]): CheckpointData
  /** SHA-256 of the parameters. */
  sha256(): string
  /** Closes the devices. Every later use is an error. */
  close(): void
}

/** Learner of methods without a replay. */
export class TeamLearner implements RunLearner {
  readonly config: TrainConfig
  readonly env: EnvSpec
  readonly host: HostDevice
  readonly storage: RolloutStorage
  readonly plan: MethodPlan
  readonly method: TeamMethod
  readonly #opponents: OpponentPool | null

  /**
   * @throws HatrpoError (exit code 2) for an environment that the method cannot train on, an unknown device, and rollouts
   *   beyond the memory that WebAssembly can have
   */
  static async create(
    config: TrainConfig,
    env: EnvSpec,
    initial: InitialNetworks | null = null,
  ): Promise<TeamLearner> {
    const make = (other: TrainConfig, host: HostDevice) =>
      TeamLearner.#make(other, env, host.measuring ? null : initial, host)
    return makeFitting(config, planMethod(config, env), make, tooManySteps)
  }

  static async #make(
    config: TrainConfig,
    env: EnvSpec,
    initial: InitialNetworks | null,
    host: HostDevice,
  ): Promise<TeamLearner> {
    const plan = planMethod(config, env)
    return buildOn(config.device, host, (device) => {
      const storage = new RolloutStorage(host, plan.env, config.envs, config.rolloutSteps, plan.needs)
      const method = plan.parts.update.tables
        ? assembleTabular(plan, config, host, device)
        : assembleMethod(plan, config, host, device, storage)
      if (initial) beginWith(method, initial)
      const opponents = OpponentPool.open(config, plan, host)
      if (!host.measuring) opponents?.grow(method, 0)
      return new TeamLearner(config, host, storage, plan, method, opponents)
    })
  }

  /** Use `create`. */
  constructor(
    config: TrainConfig,
    host: HostDevice,
    storage: RolloutStorage,
    plan: MethodPlan,
    method: TeamMethod,
    opponents: OpponentPool | null,
  ) {
    this.#opponents = opponents
    this.config = config
    this.env = plan.env
    this.host = host
    this.storage = storage
    this.plan = plan
    this.method = method
  }

  /** Opponents of the team that learns; null where every agent learns. */
  get opponents(): OpponentPool | null {
    return this.#opponents
  }

  begin({ checkpoint }: Run): EnvProgress[] {
    if (!checkpoint) return freshProgress(this.config.envs)
    return restoreSnapshot(this.method, this.storage, checkpoint, this.#opponents)
  }

  improve(iteration: number, progress: number): Improvement {
    const improvement = this.method.improve(iteration, progress)
    this.#opponents?.grow(this.method, iteration)
    return improvement
  }

  snapshot(progress: readonly EnvProgress[]): CheckpointData {
    return takeSnapshot(this.method, this.storage, progress, this.#opponents)
  }

  workerPolicies(rows: readonly number[]): WorkerPolicies {
    const playing = this.plan.actors.map(
      (spec, agent) =>
        this.#opponents?.policyOf(agent) ?? { spec, parameters: this.method.actingParameters(agent) },
    )
    const specs = playing.map(({ spec }) => spec)
    const parameters = playing.map((policy) => policy.parameters)
    return new WorkerPolicies(this.host, specs, parameters, rows, this.config.seed)
  }

  sha256(): string {
    return parametersSha256(this.method.parameters())
  }

  close(): void {
    this.method.device.close()
    this.host.close()
  }
}
