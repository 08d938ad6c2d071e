import { assembleMethod, planMethod, type MethodPlan } from '../algorithms/assemble.js'
import type { Method } from '../algorithms/method.js'
import type { TrainConfig } from '../config/index.js'
import type { HostDevice } from '../devices/host.js'
import { openDevice, openHost } from '../devices/open.js'
import type { EnvSpec } from '../envs/contract.js'
import { RolloutStorage, WorkerPolicies } from '../rollout/index.js'
import { parametersSha256 } from '../runs/sha256.js'

/** A run's method with its memory: the rollouts' on the host, the method's on the device that the run names. */
export class TeamLearner {
  readonly config: TrainConfig
  readonly env: EnvSpec
  readonly host: HostDevice
  readonly storage: RolloutStorage
  readonly plan: MethodPlan
  readonly method: Method

  /** @throws HatrpoError (exit code 2) for an environment that the method cannot train on, and for an unknown device */
  static async create(config: TrainConfig, env: EnvSpec): Promise<TeamLearner> {
    const plan = planMethod(config, env)
    const host = await openHost()
    const device = await openDevice(config.device, host)
    const storage = new RolloutStorage(host, env, config.envs, config.rolloutSteps, plan.needs)
    const method = assembleMethod(plan, config, host, device, storage)
    return new TeamLearner(config, host, storage, plan, method)
  }

  /** Use `create`. */
  constructor(
    config: TrainConfig,
    host: HostDevice,
    storage: RolloutStorage,
    plan: MethodPlan,
    method: Method,
  ) {
    this.config = config
    this.env = plan.env
    this.host = host
    this.storage = storage
    this.plan = plan
    this.method = method
  }

  /** Policies for rollout workers, each of which steps `rows[worker]` environments at once. */
  workerPolicies(rows: readonly number[]): WorkerPolicies {
    const { actors } = this.plan
    const parameters = actors.map((_, agent) => this.method.actingParameters(agent))
    return new WorkerPolicies(this.host, actors, parameters, rows, this.config.seed)
  }

  sha256(): string {
    return parametersSha256(this.method.parameters())
  }
}
