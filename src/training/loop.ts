import { totalIterations } from '../config/index.js'
import {
  describeFault,
  type EnvProgress,
  type Rollout,
  type RolloutSource,
  type WorkerPolicies,
} from '../rollout/index.js'
import { DiagnosisWatch } from '../runs/diagnostics.js'
import { checkpointDue, evaluationDue, type Run } from '../runs/folder.js'
import type { EvaluationRecord, TrainOptions, TrainResult } from '../runs/types.js'
import type { RunLearner } from './learner.js'
import { evaluatePolicies } from './opponents.js'
import { iterationRecord } from './records.js'
import { summarise } from './statistics.js'
import { updateFaults } from './update-faults.js'

/** The iterations of a run: collect, learn, log; now and then evaluate and write a checkpoint. */
export class TrainingLoop {
  readonly #options: TrainOptions
  readonly #run: Run
  readonly #learner: RunLearner
  readonly #source: RolloutSource
  readonly #watch: DiagnosisWatch
  #progress: readonly EnvProgress[]
  #iteration: number
  #saved: number
  #restarts = 0

  constructor(options: TrainOptions, run: Run, learner: RunLearner, source: RolloutSource) {
    this.#options = options
    this.#run = run
    this.#learner = learner
    this.#source = source
    this.#iteration = run.checkpoint?.iteration ?? 0
    this.#saved = this.#iteration
    this.#progress = learner.begin(run)
    this.#watch = new DiagnosisWatch(learner.config, run.readIterations())
  }

  async run(): Promise<TrainResult> {
    const { config } = this.#learner
    const { signal } = this.#options
    const total = totalIterations(config)
    const policies = this.#learner.workerPolicies(this.#source.shares.map(({ count }) => count))
    while (this.#iteration < total && !signal?.aborted) {
      await this.#iterate(policies, total)
      if (evaluationDue(config, this.#iteration)) {
        const evaluation = await this.#evaluate(policies)
        this.#run.logEvaluation(evaluation)
        this.#options.onEvaluation?.(evaluation)
      }
      if (checkpointDue(config, this.#iteration)) this.#save()
    }
    this.#save()
    return this.#finish(total)
  }

  /** One iteration: a rollout, the updates, and its record. */
  async #iterate(policies: WorkerPolicies, total: number): Promise<void> {
    const begun = performance.now()
    const opponent = this.#learner.opponents?.draw(this.#iteration + 1)
    const { rows } = this.#learner.storage
    this.#begin(this.#iteration + 1, `a rollout of ${rows} steps`)
    policies.prepare()
    const rollout = await this.#collect(policies)
    for (const fault of rollout.faults) {
      this.#options.onEvent?.(`${describeFault(fault)}; the environment was reset`, fault.detail)
    }
    this.#begin(this.#iteration + 1, `an update from ${rows} steps`)
    const learning = performance.now()
    const done = this.#iteration / total
    const improvement = await this.#source.assist(() => this.#learner.improve(this.#iteration + 1, done))
    const learner = performance.now() - learning
    this.#iteration++
    this.#progress = rollout.progress
    const record = iterationRecord({
      groups: this.#learner.plan.groups,
      iteration: this.#iteration,
      rows,
      steps: this.#steps(),
      rollout,
      opponent,
      improvement,
      wall: performance.now() - begun,
      learner,
      workerRestarts: this.#newRestarts(),
    })
    this.#run.logIteration(record)
    for (const fault of updateFaults(record)) this.#options.onEvent?.(fault)
    this.#options.onIteration?.(record)
    for (const finding of this.#watch.next(record)) this.#options.onFinding?.(finding)
  }

  /** A rollout that cannot be made ends the run, but not the iterations before it. */
  async #collect(policies: WorkerPolicies): Promise<Rollout> {
    const startStep = this.#iteration * this.#learner.config.rolloutSteps
    try {
      return await this.#source.collect(policies, this.#progress, startStep)
    } catch (error) {
      this.#saveIfPossible()
      throw error
    }
  }

  async #evaluate(policies: WorkerPolicies): Promise<EvaluationRecord> {
    const { config, opponents: pool } = this.#learner
    const { episodes } = config.evaluation
    this.#begin(this.#iteration, `an evaluation of ${episodes} episodes`)
    const order = { episodes, iteration: this.#iteration, seed: config.seed }
    const { returns, lengths, ...met } = await evaluatePolicies(this.#source, policies, pool, order)
    const length = summarise(lengths).mean
    return {
      iteration: this.#iteration,
      steps: this.#steps(),
      returns,
      ...summarise(returns),
      length,
      ...met,
    }
  }

  /** Writes a checkpoint, unless there is one of this iteration. */
  #save(): void {
    if (this.#saved === this.#iteration) return
    this.#saved = this.#iteration
    this.#begin(this.#iteration, 'a checkpoint')
    const data = this.#learner.snapshot(this.#progress)
    this.#run.saveCheckpoint(this.#iteration, this.#steps(), data)
  }

  /** Saves on the way out of a failed run, whose error matters more than one of saving. */
  #saveIfPossible(): void {
    try {
      this.#save()
    } catch (error) {
      this.#options.onEvent?.(`no checkpoint of iteration ${this.#iteration}: ${(error as Error).message}`)
    }
  }

  #begin(iteration: number, phase: string): void {
    this.#options.onPhase?.(`iteration ${iteration}: ${phase}`)
  }

  #steps(): number {
    return this.#iteration * this.#learner.storage.rows
  }

  #finish(total: number): TrainResult {
    const returns = this.#run.evaluationAt(this.#steps())
    const evaluation = returns && { ...summarise(returns), episodes: returns.length }
    const { best } = this.#run
    const { findings } = this.#watch
    const outcome = {
      iterations: this.#iteration,
      steps: this.#steps(),
      parametersSha256: this.#learner.sha256(),
      ...(evaluation && { evaluation }),
      ...(best && { best }),
      ...(findings.length > 0 && { findings }),
    }
    const finished = this.#iteration >= total
    if (finished) this.#run.finish(outcome)
    return { dir: this.#run.dir, finished, ...outcome }
  }

  /** Times that workers were replaced since this was last asked. */
  #newRestarts(): number {
    const since = this.#source.restarts - this.#restarts
    this.#restarts = this.#source.restarts
    return since
  }
}
