import { availableParallelism } from 'node:os'
import type { TurnOutcome } from '../algorithms/sequential.js'
import { usageError } from '../errors.js'
import { loadEnvFactory } from '../envs/index.js'
import { narrowInputs } from '../envs/narrow.js'
import {
  describeFault,
  RolloutPool,
  type EnvProgress,
  type Rollout,
  type WorkerPolicies,
} from '../rollout/index.js'
import { totalIterations, validateConfig } from '../config/index.js'
import { checkpointDue, evaluationDue, openRun, type Run } from '../runs/folder.js'
import type {
  AgentRecord,
  EvaluationRecord,
  IterationRecord,
  TrainOptions,
  TrainResult,
} from '../runs/types.js'
import { restoreSnapshot, takeSnapshot } from './snapshot.js'
import { summarise } from './statistics.js'
import { Trainer, type Improvement } from './trainer.js'
import { updateFaults } from './update-faults.js'

/**
 * Trains a team of agents and writes a run folder (see docs/ARCHITECTURE.md for the loop).
 *
 * The result depends on the configuration alone: not on the number of workers, not on interruptions, not on workers
 * that fail and are replaced.
 * @throws HatrpoError when the folder, the configuration or the environment is at fault; a folder is made only when the
 * configuration and the environment are sound
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const { dir, resume = false, origin, onEvent } = options
  const { workers: threads, patience } = machineOptions(options)
  const checked = validateConfig(options.config)
  const factory = await loadEnvFactory(checked.env)
  const config = { ...checked, env: factory.config }
  const workers = Math.min(threads, config.envs)
  const trainer = await Trainer.create(config, factory.spec)
  const run = openRun(dir, config, {
    resume,
    workers,
    ...(factory.sha256 !== undefined && { envSha256: factory.sha256 }),
    ...(origin && { origin }),
    ...(options.onStart && { onOpen: () => options.onStart?.() }),
    ...(onEvent && { onEvent }),
  })
  try {
    if (run.result) return { dir, finished: true, ...run.result }
    for (const line of narrowInputs(factory.spec, config)) onEvent?.(line)
    const pool = await RolloutPool.start(trainer.device, trainer.storage, {
      workers,
      envs: config.envs,
      seed: config.seed,
      env: config.env,
      envSha256: factory.sha256,
      ...(patience !== undefined && { patience }),
      ...(onEvent && { onEvent }),
    })
    try {
      return await new TrainingLoop(options, run, trainer, pool).run()
    } finally {
      await pool.close()
    }
  } finally {
    run.close()
  }
}

/** The options that belong to the machine, checked. */
function machineOptions({ workers = availableParallelism(), workerPatience: patience }: TrainOptions) {
  if (!(Number.isSafeInteger(workers) && workers >= 1))
    throw usageError(`workers is ${workers}: it must be a whole number above 0`)
  if (patience !== undefined && !(Number.isFinite(patience) && patience > 0))
    throw usageError(`workerPatience is ${patience}: it must be a number of milliseconds above 0`)
  return { workers, patience }
}

class TrainingLoop {
  readonly #options: TrainOptions
  readonly #run: Run
  readonly #trainer: Trainer
  readonly #pool: RolloutPool
  #progress: readonly EnvProgress[]
  #iteration: number
  #saved: number
  #restarts = 0

  constructor(options: TrainOptions, run: Run, trainer: Trainer, pool: RolloutPool) {
    this.#options = options
    this.#run = run
    this.#trainer = trainer
    this.#pool = pool
    this.#iteration = run.checkpoint?.iteration ?? 0
    this.#saved = this.#iteration
    this.#progress = run.checkpoint
      ? restoreSnapshot(trainer, run.checkpoint)
      : Array.from({ length: trainer.config.envs }, () => ({
          state: null,
          episode: 0,
          episodeReturn: 0,
          episodeSteps: 0,
        }))
  }

  async run(): Promise<TrainResult> {
    const { config } = this.#trainer
    const { signal } = this.#options
    const total = totalIterations(config)
    const policies = this.#trainer.workerPolicies(this.#pool.shares.map(({ count }) => count))
    while (this.#iteration < total && !signal?.aborted) {
      const begun = performance.now()
      policies.prepare()
      const rollout = await this.#collect(policies)
      for (const fault of rollout.faults) {
        this.#options.onEvent?.(`${describeFault(fault)}; the environment was reset`, fault.detail)
      }

      const learning = performance.now()
      const done = this.#iteration / total
      const improvement = await this.#pool.assist(() => this.#trainer.improve(this.#iteration + 1, done))
      const learner = performance.now() - learning
      this.#iteration++
      this.#progress = rollout.progress
      const record = this.#record(rollout, improvement, performance.now() - begun, learner)
      this.#run.logIteration(record)
      for (const fault of updateFaults(record)) this.#options.onEvent?.(fault)
      this.#options.onIteration?.(record)

      if (evaluationDue(config, this.#iteration)) {
        policies.prepare()
        const evaluation = await this.#evaluate(policies)
        this.#run.logEvaluation(evaluation)
        this.#options.onEvaluation?.(evaluation)
      }
      if (checkpointDue(config, this.#iteration)) this.#save()
    }
    this.#save()
    return this.#finish(total)
  }

  // A rollout that cannot be made ends the run, but not the iterations before it.
  async #collect(policies: WorkerPolicies): Promise<Rollout> {
    const startStep = this.#iteration * this.#trainer.config.rolloutSteps
    try {
      return await this.#pool.collect(policies, this.#progress, startStep)
    } catch (error) {
      this.#saveIfPossible()
      throw error
    }
  }

  async #evaluate(policies: WorkerPolicies): Promise<EvaluationRecord> {
    const { evaluation, seed } = this.#trainer.config
    const returns = await this.#pool.evaluate(policies, evaluation.episodes, this.#iteration, seed)
    return { iteration: this.#iteration, steps: this.#steps(), returns, ...summarise(returns) }
  }

  // Writes a checkpoint, unless there is one of this iteration.
  #save(): void {
    if (this.#saved === this.#iteration) return
    this.#saved = this.#iteration
    this.#run.saveCheckpoint(this.#iteration, this.#steps(), takeSnapshot(this.#trainer, this.#progress))
  }

  // For the way out of a failed run, whose error matters more than one of saving.
  #saveIfPossible(): void {
    try {
      this.#save()
    } catch (error) {
      this.#options.onEvent?.(`no checkpoint of iteration ${this.#iteration}: ${(error as Error).message}`)
    }
  }

  #steps(): number {
    return this.#iteration * this.#trainer.storage.rows
  }

  #finish(total: number): TrainResult {
    const returns = this.#run.evaluationAt(this.#steps())
    const evaluation = returns && { ...summarise(returns), episodes: returns.length }
    const outcome = {
      iterations: this.#iteration,
      steps: this.#steps(),
      parametersSha256: this.#trainer.sha256(),
      ...(evaluation && { evaluation }),
    }
    const finished = this.#iteration >= total
    if (finished) this.#run.finish(outcome)
    return { dir: this.#run.dir, finished, ...outcome }
  }

  #record(rollout: Rollout, improvement: Improvement, wall: number, learner: number): IterationRecord {
    const { rows } = this.#trainer.storage
    const { turns, critic } = improvement
    const returns = rollout.episodes.map((episode) => episode.return)
    const share = rollout.time.wall / wall
    const physics = rollout.time.physics * share
    const policy = rollout.time.policy * share
    const learning = learner / wall
    const restarts = this.#pool.restarts - this.#restarts
    this.#restarts = this.#pool.restarts
    return {
      iteration: this.#iteration,
      steps: this.#steps(),
      seconds: wall / 1000,
      stepsPerSecond: rows / (wall / 1000),
      episodeReturn: returns.length ? { mean: summarise(returns).mean, count: returns.length } : null,
      agents: [...turns].sort((a, b) => a.agent - b.agent).map((turn) => this.#agentRecord(turn)),
      critic,
      time: { physics, policy, learner: learning, rest: Math.max(0, 1 - physics - policy - learning) },
      faults: {
        workerRestarts: restarts,
        environmentRestarts: rollout.environmentRestarts,
        brokenSteps: rollout.faults.length,
      },
    }
  }

  #agentRecord({ agent, entropy, factorSpread, trustRegion, clipped }: TurnOutcome): AgentRecord {
    const { id } = this.#trainer.env.agents[agent]
    if (clipped) {
      const { skippedSteps: rejectedSteps, ...step } = clipped
      return { id, factorSpread, entropy, ...step, rejectedSteps }
    }
    const step = trustRegion!
    return { id, ...step, accepted: step.rejectedSteps === 0, factorSpread, entropy }
  }
}
