import { assembleMethod, planMethod, type MethodPlan } from '../algorithms/assemble.js'
import type { TeamMethod } from '../algorithms/method.js'
import { assembleTabular } from '../algorithms/tabular/assemble.js'
import type { TrainConfig } from '../config/index.js'
import type { HostDevice } from '../devices/host.js'
import { openDevice, openHost } from '../devices/open.js'
import type { EnvSpec } from '../envs/contract.js'
import { usageError } from '../errors.js'
import { OutOfMemoryError } from '../kernels/index.js'
import { RolloutStorage, WorkerPolicies } from '../rollout/index.js'
import { parametersSha256 } from '../runs/sha256.js'
import { OpponentPool } from './opponents.js'

/** A run's method with its memory: the rollouts' on the host, the method's on the device that the run names. */
export class TeamLearner {
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
  static async create(config: TrainConfig, env: EnvSpec): Promise<TeamLearner> {
    try {
      return await TeamLearner.#make(config, env)
    } catch (error) {
      if (!(error instanceof OutOfMemoryError)) throw error
      throw await tooManySteps(config, error, async (envs, rolloutSteps) => {
        const { host } = await TeamLearner.#make({ ...config, envs, rolloutSteps }, env)
        return host.arena.used
      })
    }
  }

  static async #make(config: TrainConfig, env: EnvSpec): Promise<TeamLearner> {
    const plan = planMethod(config, env)
    const host = await openHost()
    const device = await openDevice(config.device, host)
    const storage = new RolloutStorage(host, plan.env, config.envs, config.rolloutSteps, plan.needs)
    const method = plan.parts.update.tables
      ? assembleTabular(plan, config, host, device)
      : assembleMethod(plan, config, host, device, storage)
    const opponents = OpponentPool.open(config, plan, host)
    opponents?.grow(method, 0)
    return new TeamLearner(config, host, storage, plan, method, opponents)
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

  /** Policies for rollout workers, each of which steps `rows[worker]` environments at once. */
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
}

/** Rollouts by which the memory that a step needs is measured. */
const SAMPLE = { envs: 16, steps: 256 }
/** Share of the memory that is left for what is not measured: the policies of rollout workers. */
const RESERVE = 0.05
const GIBIBYTE = 1024 * 1024 * 1024
/** Bytes that 32-bit addresses reach. */
const LIMIT = 4 * GIBIBYTE

/**
 * The error for rollouts that are too large, with a size that fits.
 * @param used bytes that a learner takes for a number of environments and steps
 */
async function tooManySteps(
  { envs, rolloutSteps }: TrainConfig,
  cause: OutOfMemoryError,
  used: (envs: number, rolloutSteps: number) => Promise<number>,
): Promise<Error> {
  const rows = SAMPLE.envs * SAMPLE.steps
  // The machine may have less memory than the sample takes, whatever the rollouts.
  if (envs * rolloutSteps <= 2 * rows) return cause
  const [once, twice] = [await used(SAMPLE.envs, SAMPLE.steps), await used(2 * SAMPLE.envs, SAMPLE.steps)]
  const perRow = (twice - once) / rows
  const need = once + perRow * (envs * rolloutSteps - rows)
  const fit = Math.floor((rows + (LIMIT * (1 - RESERVE) - once) / perRow) / 1000) * 1000
  return usageError(
    `envs is ${envs} and rolloutSteps ${rolloutSteps}: an update from ${envs * rolloutSteps} steps takes ` +
      `${(need / GIBIBYTE).toFixed(1)} GiB, and WebAssembly has 4 GiB: envs times rolloutSteps must be at most ${fit}`,
  )
}
