import { planMethod, type MethodPlan } from '../algorithms/assemble.js'
import { assembleOffPolicy } from '../algorithms/off-policy/assemble.js'
import type { OffPolicyMethod, ReplayImprovement } from '../algorithms/off-policy/method.js'
import { totalIterations, type TrainConfig } from '../config/index.js'
import type { HostDevice } from '../devices/host.js'
import { buildOn } from '../devices/open.js'
import type { EnvSpec } from '../envs/contract.js'
import { HatrpoError, usageError } from '../errors.js'
import type { OutOfMemoryError } from '../kernels/index.js'
import { freshProgress, RolloutStorage, WorkerPolicies, type EnvProgress } from '../rollout/index.js'
import type { Checkpoint, CheckpointData, Json } from '../runs/checkpoint.js'
import type { Run } from '../runs/folder.js'
import { parametersSha256 } from '../runs/sha256.js'
import type { RecordLog } from '../runs/record-log.js'
import { beginWith, type InitialNetworks } from './initial.js'
import type { RunLearner } from './learner.js'
import { GIBIBYTE, makeFitting, MEMORY_LIMIT, MEMORY_RESERVE, type Measure } from './memory.js'
import { restoreSnapshot, takeSnapshot } from './snapshot.js'

/**
 * Learner of a run with a replay buffer of earlier rollouts. An iteration adds its rollout to the buffer and takes
 * update steps on transitions drawn from it. The buffer is a part of checkpoints, but too large to be written with
 * each: rollouts are appended to a log of the run, and a checkpoint records its length.
 */
export class OffPolicyLearner implements RunLearner {
  readonly config: TrainConfig
  readonly env: EnvSpec
  readonly host: HostDevice
  readonly storage: RolloutStorage
  readonly plan: MethodPlan
  readonly method: OffPolicyMethod
  readonly opponents = null
  /** Blocks that are not in the log yet. */
  #pending: Float32Array[] = []
  #log: RecordLog | undefined
  /** Blocks in the log at the checkpoint before the latest, from which a run may have to continue. */
  #earlier = 0

  /**
   * @throws HatrpoError (exit code 2) for an environment that the method cannot train on, an unknown device, and a replay
   *   beyond the memory that WebAssembly can have
   */
  static async create(
    config: TrainConfig,
    env: EnvSpec,
    initial: InitialNetworks | null = null,
  ): Promise<OffPolicyLearner> {
    const make = (other: TrainConfig, host: HostDevice) =>
      OffPolicyLearner.#make(other, env, host.measuring ? null : initial, host)
    return makeFitting(config, planMethod(config, env), make, tooLarge)
  }

  static async #make(
    config: TrainConfig,
    env: EnvSpec,
    initial: InitialNetworks | null,
    host: HostDevice,
  ): Promise<OffPolicyLearner> {
    const plan = planMethod(config, env)
    return buildOn(config.device, host, (device) => {
      const storage = new RolloutStorage(host, env, config.envs, config.rolloutSteps, plan.needs)
      const method = assembleOffPolicy(plan, config, host, device, storage, totalIterations(config))
      if (initial) {
        beginWith(method, initial)
        for (const { parameters, target } of [...method.policies, ...method.critics])
          device.copy(parameters.tensor, target.tensor)
      }
      return new OffPolicyLearner(config, host, storage, plan, method)
    })
  }

  /** Use `create`. */
  constructor(
    config: TrainConfig,
    host: HostDevice,
    storage: RolloutStorage,
    plan: MethodPlan,
    method: OffPolicyMethod,
  ) {
    this.config = config
    this.env = plan.env
    this.host = host
    this.storage = storage
    this.plan = plan
    this.method = method
  }

  begin(run: Run): EnvProgress[] {
    const { checkpoint } = run
    const { block, replay } = this.method
    const count = checkpoint ? blocksOf(checkpoint) : 0
    const log = run.openLog('replay', block.length, count)
    this.#log = log
    this.#earlier = count
    if (!checkpoint) return freshProgress(this.config.envs)
    const progress = restoreSnapshot(this.method, this.storage, checkpoint)
    for (const { name, target } of this.#targets()) {
      const values = checkpoint.tensors[`targets/${name}`]
      if (!(values instanceof Float32Array) || values.length !== target.tensor.length)
        throw new HatrpoError(
          `the checkpoint's targets/${name} is not ${target.tensor.length} f32 parameters`,
        )
      this.method.device.write(target.tensor, values)
    }
    const first = Math.max(0, count - replay.slots)
    replay.skipTo(first)
    for (let number = first; number < count; number++) replay.add(log.read(number))
    return progress
  }

  workerPolicies(rows: readonly number[]): WorkerPolicies {
    const { actors } = this.plan
    const parameters = actors.map((_, agent) => this.method.actingParameters(agent))
    return new WorkerPolicies(this.host, actors, parameters, rows, this.config.seed)
  }

  improve(iteration: number): ReplayImprovement {
    const block = this.method.block.pack()
    this.method.replay.add(block)
    this.#pending.push(block)
    return this.method.improve(iteration)
  }

  snapshot(progress: readonly EnvProgress[]): CheckpointData {
    const log = this.#log!
    for (const block of this.#pending) log.append(block)
    this.#pending = []
    log.sync()
    log.forget(this.#earlier - this.method.replay.slots)
    this.#earlier = log.count
    const { tensors, state } = takeSnapshot(this.method, this.storage, progress)
    const targets = this.#targets().map(({ name, target }): [string, Float32Array] => {
      return [`targets/${name}`, this.method.read(target.tensor)]
    })
    return {
      tensors: { ...tensors, ...Object.fromEntries<Float32Array>(targets) },
      state: { ...(state as Record<string, Json>), replay: { blocks: log.count } },
    }
  }

  sha256(): string {
    return parametersSha256(this.method.parameters())
  }

  close(): void {
    this.#log?.close()
    this.method.device.close()
    this.host.close()
  }

  #targets() {
    return [...this.method.policies, ...this.method.critics]
  }
}

/** Blocks that the log of a checkpoint's run must have. */
function blocksOf({ state, path }: Checkpoint): number {
  const blocks = (state as { replay?: { blocks?: unknown } } | null)?.replay?.blocks
  if (typeof blocks !== 'number') throw new HatrpoError(`checkpoint ${path} does not know its replay`)
  return blocks
}

/** The error for a replay that is too large, with a size that fits. */
async function tooLarge(config: TrainConfig, cause: OutOfMemoryError, measure: Measure): Promise<Error> {
  const { offPolicy } = config
  const rollout = config.envs * config.rolloutSteps
  // Without the replay there may be too little memory as well.
  if (Math.min(offPolicy.bufferSize, config.steps) <= 2 * rollout) return cause
  const used = (blocks: number) =>
    measure({ ...config, offPolicy: { ...offPolicy, bufferSize: blocks * rollout } })
  const [one, two] = [await used(1), await used(2)]
  const perTransition = (two - one) / rollout
  const size = Math.min(offPolicy.bufferSize, totalIterations(config) * rollout)
  const need = one + perTransition * (size - rollout)
  const fit =
    Math.floor((rollout + (MEMORY_LIMIT * (1 - MEMORY_RESERVE) - one) / perTransition) / 1000) * 1000
  return usageError(
    `offPolicy.bufferSize is ${offPolicy.bufferSize}: learning from ${size} transitions takes ` +
      `${(need / GIBIBYTE).toFixed(1)} GiB, and WebAssembly has 4 GiB: it must be at most ${fit}`,
  )
}
