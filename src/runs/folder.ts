import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { deviceNames } from '../devices/open.js'
import { HatrpoError, usageError } from '../errors.js'
import { makeFolders } from '../files.js'
import {
  type BestCheckpoint,
  bestCheckpoint,
  type Checkpoint,
  type CheckpointData,
  checkpointPath,
  cleanCheckpoints,
  listCheckpoints,
  pruneCheckpoints,
  readCheckpoint,
  setAsideCheckpoint,
  writeCheckpoint,
} from './checkpoint.js'
import {
  type ConfigOrigin,
  configSha256,
  dependsOnTotalSteps,
  totalIterations,
  type TrainConfig,
} from '../config/index.js'
import { removeUnfinishedFiles, replaceFile, writing } from './disk.js'
import { EvaluationLog } from './evaluations.js'
import { RunLock } from './lock.js'
import { MetricsLog, readMetrics } from './metrics.js'
import { RecordLog } from './record-log.js'
import { COMPARED_SCALARS, evaluationScalars, iterationScalars } from './scalars.js'
import {
  asStored,
  readConfigFile,
  readRunConfig,
  writeConfigFile,
  writeFirstConfig,
} from './stored-config.js'
import { TensorBoardWriter } from './tensorboard.js'
import type { EvaluationRecord, IterationRecord, RunOutcome, RunResult } from './types.js'
import { packageVersion } from './version.js'

export { readRunConfig, readRunEnvSha256 } from './stored-config.js'

export interface OpenRunOptions {
  /** Resume the run in the folder; its configuration must be the given one, except for `steps`. */
  readonly resume?: boolean
  readonly origin?: ConfigOrigin
  readonly workers?: number
  readonly envSha256?: string
  /** Name of the environment in eval.json (see `taskName`); its id by default. */
  readonly task?: string
  /** Called when nothing is left that could refuse the folder, before anything is done in it. */
  onOpen?(): void
  /** Called with messages for the user, such as that a damaged checkpoint was skipped. */
  onEvent?(message: string): void
}

/** Outcome of the run in a folder, if it has completed all configured iterations. */
export function readRunResult(dir: string, config: TrainConfig = readRunConfig(dir)): RunResult | undefined {
  const path = join(dir, 'result.json')
  if (!existsSync(path)) return undefined
  let result: RunResult
  try {
    result = JSON.parse(readFileSync(path, 'utf8')) as RunResult
  } catch (error) {
    throw new HatrpoError(`${path} is damaged: delete it and resume the run to make it again`, {
      cause: error,
    })
  }
  return result.iterations >= totalIterations(config) ? result : undefined
}

/**
 * Reads one checkpoint of a run.
 *
 * @param which `latest` = the last undamaged one, `best` = of the best evaluation, or an iteration
 * @throws HatrpoError when there is none such, or the one named is damaged
 */
export function readRunCheckpoint(dir: string, which: 'latest' | 'best' | number = 'latest'): Checkpoint {
  const iterations = listCheckpoints(dir)
  if (which === 'latest') {
    const latest = latestIntact(dir)
    if (!latest) throw new HatrpoError(`${dir} has no undamaged checkpoint yet`)
    return latest
  }
  const iteration = which === 'best' ? bestCheckpoint(dir)?.iteration : which
  if (iteration === undefined)
    throw new HatrpoError(`${dir} has no evaluated checkpoint to be the best: use latest or an iteration`)
  if (!iterations.includes(iteration))
    throw usageError(
      `checkpoint is ${iteration}: ${dir} has ${iterations.length > 0 ? iterations.join(', ') : 'none'}`,
    )
  return readCheckpoint(dir, iteration)
}

/** Whether a folder has a checkpoint, damaged or not. */
export function hasCheckpoint(dir: string): boolean {
  return listCheckpoints(dir).length > 0
}

/** Latest checkpoint without damage; `onDamaged` is called for each later one. */
function latestIntact(
  dir: string,
  onDamaged: (iteration: number, reason: string) => void = () => {},
): Checkpoint | undefined {
  for (const iteration of listCheckpoints(dir).reverse()) {
    try {
      return readCheckpoint(dir, iteration)
    } catch (error) {
      if (!(error instanceof HatrpoError)) throw error
      onDamaged(iteration, error.message)
    }
  }
  return undefined
}

/**
 * Whether a checkpoint is to be written after an iteration: every `checkpoint.every`, after every evaluation
 * (so that the best policy is kept), and after the last.
 */
export function checkpointDue(config: TrainConfig, iteration: number): boolean {
  return (
    iteration % config.checkpoint.every === 0 ||
    evaluationDue(config, iteration) ||
    iteration === totalIterations(config)
  )
}

/** Whether the policies are to be evaluated after an iteration: every `evaluation.every`, and after the last. */
export function evaluationDue(config: TrainConfig, iteration: number): boolean {
  const { every } = config.evaluation
  return every > 0 && (iteration % every === 0 || iteration === totalIterations(config))
}

/**
 * Starts a run in a new or empty folder, or resumes the one in the folder.
 *
 * @throws HatrpoError when the folder is in use, holds something else, or cannot be resumed with `config`
 */
export function openRun(dir: string, config: TrainConfig, options: OpenRunOptions = {}): Run {
  if (options.resume && !existsSync(join(dir, 'config.json')))
    throw usageError(`${dir} holds no run to resume: it has no config.json`)
  const made = writing(dir, () => makeFolders(dir))
  const lock = new RunLock(dir)
  try {
    return options.resume ? resumeRun(dir, config, lock, options) : newRun(dir, config, lock, options, made)
  } catch (error) {
    lock.release()
    throw error
  }
}

function newRun(
  dir: string,
  config: TrainConfig,
  lock: RunLock,
  options: OpenRunOptions,
  made: boolean,
): Run {
  const { origin, workers, envSha256, task, onOpen } = options
  removeUnfinishedFiles(dir)
  const present = readdirSync(dir).filter((name) => !name.startsWith('lock'))
  if (present.includes('config.json'))
    throw usageError(`${dir} already holds a run: continue it with --resume ${dir}, or name another folder`)
  if (present.length > 0) throw usageError(`${dir} is not empty (${present[0]}): name a new or empty folder`)
  onOpen?.()
  const about = {
    packageVersion,
    node: process.version,
    ...origin,
    ...(workers && { workers }),
    ...(envSha256 && { envSha256 }),
    ...(task !== undefined && task !== config.env.id && { task }),
  }
  const portable = writeFirstConfig(dir, config, about)
  return new Run({ dir, config: portable, task, lock, untouched: made ? 'made' : 'found' })
}

function resumeRun(dir: string, given: TrainConfig, lock: RunLock, options: OpenRunOptions): Run {
  const stored = readConfigFile(dir)
  const config = asStored(stored, given)
  const say = (message: string) => options.onEvent?.(message)
  removeUnfinishedFiles(dir)
  cleanCheckpoints(dir)
  const checkpoint = latestIntact(dir, (iteration, reason) => {
    setAsideCheckpoint(dir, iteration)
    say(`${reason}; it is set aside as ${checkpointPath(dir, iteration)}.damaged`)
  })
  assertSameRun(dir, stored.portable, config, checkpoint)
  const { envSha256 } = options
  // Without a checkpoint there is nothing that other code has made.
  if (checkpoint) assertSameEnv(dir, given, stored.about?.envSha256, envSha256)
  options.onOpen?.()
  say(checkpoint ? `resuming from checkpoint ${checkpoint.path}` : `${dir} has no checkpoint: starting over`)
  const version = checkpoint?.packageVersion ?? stored.about?.packageVersion
  if (version !== undefined && version !== packageVersion)
    say(`the run was made by version ${version}, this is ${packageVersion}: its bits may differ from here on`)
  const { steps, device } = stored.portable
  if (config.device !== device)
    say(`the run was on device ${device}, this is ${config.device}: its bits differ from here on`)
  if (config.steps !== steps || config.device !== device || envSha256 !== stored.about?.envSha256)
    writeConfigFile(dir, config, stored.about && { ...stored.about, ...(envSha256 && { envSha256 }) })
  const finished = readRunResult(dir, config)
  const result = finished && checkpoint?.iteration === finished.iterations ? finished : undefined
  const firstStep = checkpoint ? checkpoint.steps + 1 : 0
  return new Run({ dir, config, task: options.task, lock, checkpoint, result, firstStep })
}

/** Refuses a configuration that would not continue the run in the folder. */
function assertSameRun(
  dir: string,
  stored: TrainConfig,
  config: TrainConfig,
  checkpoint: Checkpoint | undefined,
): void {
  if (config.steps !== stored.steps && dependsOnTotalSteps(stored))
    throw usageError(
      `steps is ${config.steps}: it must stay ${stored.steps}, because the run's learning rate falls to 0 over them (clipped.lrDecay)`,
    )
  if (checkpoint && totalIterations(config) < checkpoint.iteration)
    throw usageError(
      `steps is ${config.steps}: it must be at least ${checkpoint.steps}, which ${dir} has made`,
    )
  if (configSha256(stored) !== configSha256({ ...config, device: stored.device }))
    throw usageError(`${dir}/config.json has a different configuration than the one to resume with`)
  // A checkpoint may be older than the run's last change of devices.
  const hashes = deviceNames.map((device) => configSha256({ ...config, device }))
  if (checkpoint && !hashes.includes(checkpoint.configSha256))
    throw new HatrpoError(`${dir}/config.json was changed since checkpoint ${checkpoint.iteration} was made`)
}

/** Refuses environment code that differs from that of the run; a run without a record accepts any. */
function assertSameEnv(
  dir: string,
  { env }: TrainConfig,
  stored: string | undefined,
  now: string | undefined,
): void {
  if (stored === undefined || now === undefined || stored === now) return
  throw usageError(
    `environment ${env.id} was changed since ${dir} was started (sha256 ${stored.slice(0, 8)} then, ${now.slice(0, 8)} now): ` +
      `restore it or start a new run; deleting about.envSha256 from ${join(dir, 'config.json')} continues with the changed one`,
  )
}

/** Options to open a run. */
interface RunParts {
  readonly dir: string
  readonly config: TrainConfig
  readonly task: string | undefined
  readonly lock: RunLock
  readonly checkpoint?: Checkpoint | undefined
  readonly result?: RunResult | undefined
  /** Steps from this one on in earlier event files are void; absent for a new run. */
  readonly firstStep?: number
  readonly untouched?: 'made' | 'found' | null
}

/**
 * A run folder that this process writes. Within an iteration the order is `logIteration`, `logEvaluation` (if the
 * policies were evaluated), `saveCheckpoint`, so the records of an iteration are on the disk before its checkpoint.
 */
export class Run {
  readonly dir: string
  /** As config.json has it: the paths of the environment are portable. */
  readonly config: TrainConfig
  /** Checkpoint to continue from; undefined to start at iteration 1. */
  readonly checkpoint: Checkpoint | undefined
  /** The outcome, when the run was finished before: there is nothing left to do. */
  readonly result: RunResult | undefined
  readonly #lock: RunLock
  readonly #metrics: MetricsLog
  readonly #evaluations: EvaluationLog
  readonly #events: TensorBoardWriter
  /** Whether a new run's folder was made for it; null once it has logged something, and for resumed runs. */
  #untouched: 'made' | 'found' | null
  #closed = false
  #evaluated: EvaluationRecord | undefined
  #best: BestCheckpoint | undefined

  /** Use `openRun`. */
  constructor({ dir, config, task = config.env.id, lock, untouched = null, ...resumed }: RunParts) {
    const { checkpoint, result, firstStep } = resumed
    this.#untouched = untouched
    this.dir = dir
    this.config = config
    this.checkpoint = checkpoint
    this.result = result
    this.#lock = lock
    this.#metrics = new MetricsLog(join(dir, 'metrics.jsonl'), checkpoint?.iteration ?? 0)
    this.#evaluations = new EvaluationLog(join(dir, 'eval.json'), task, config, checkpoint?.steps ?? 0)
    this.#events = new TensorBoardWriter(dir, firstStep)
    this.#events.begin({ config, metrics: COMPARED_SCALARS })
    this.#best = bestCheckpoint(dir)
  }

  /** The records of the iterations that were logged so far. */
  readIterations(): IterationRecord[] {
    return readMetrics(this.#metrics.path)
  }

  /** The checkpoint of the best evaluation so far. */
  get best(): BestCheckpoint | undefined {
    return this.#best
  }

  /** Returns of the evaluation after a number of steps, if there was one. */
  evaluationAt(steps: number): readonly number[] | undefined {
    const { last } = this.#evaluations
    return last?.steps === steps ? last.returns : undefined
  }

  /**
   * Adds a line to metrics.jsonl and an event to TensorBoard.
   * @throws HatrpoError on a full disk, and when the folder's lock was lost
   */
  logIteration(record: IterationRecord): void {
    this.#lock.assertHeld()
    this.#untouched = null
    this.#metrics.append(record)
    this.#events.scalars(record.steps, iterationScalars(record))
  }

  /** Adds an evaluation to eval.json and TensorBoard; the checkpoint of the same iteration competes for the best. */
  logEvaluation(record: EvaluationRecord): void {
    this.#evaluations.append(record)
    this.#events.scalars(record.steps, evaluationScalars(record))
    this.#evaluated = record
  }

  /**
   * Writes the checkpoint of an iteration and deletes those that are not to be kept.
   *
   * @param steps of all environments so far
   * @throws HatrpoError for values that are not finite, on a full disk, and when the folder's lock was lost
   */
  saveCheckpoint(iteration: number, steps: number, data: CheckpointData): void {
    this.#lock.assertHeld()
    this.#metrics.sync()
    const evaluation = this.#evaluated?.iteration === iteration ? this.#evaluated.mean : null
    const info = {
      iteration,
      steps,
      evaluation,
      configSha256: configSha256(this.config),
      packageVersion,
    }
    writeCheckpoint(this.dir, info, data)
    if (evaluation !== null && !(this.#best && this.#best.evaluation >= evaluation))
      this.#best = { iteration, evaluation }
    pruneCheckpoints(this.dir, this.#best?.iteration, this.config.checkpoint.keepEvery)
  }

  /** Log of f32 records beside the checkpoints, with those recorded in the run's checkpoint. */
  openLog(name: string, length: number, count: number): RecordLog {
    return new RecordLog(join(this.dir, name), length, count, () => this.#lock.assertHeld())
  }

  /** Writes result.json, after the last iteration's checkpoint. */
  finish(outcome: RunOutcome): RunResult {
    this.#lock.assertHeld()
    this.#events.end()
    const { env, algo, seed } = this.config
    const result: RunResult = { env: env.id, algo, seed, ...outcome }
    replaceFile(join(this.dir, 'result.json'), `${JSON.stringify(result, null, 2)}\n`)
    return result
  }

  /** Gives the folder free. The run can be resumed. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#metrics.close()
    this.#events.close()
    this.#lock.release()
  }

  /**
   * Restores the folder of a new run that cannot start, unless an iteration was logged or another process has taken the
   * folder.
   */
  abandon(): void {
    const untouched = this.#untouched
    if (untouched === null || !this.#lock.isHeld()) return
    this.#metrics.close()
    this.#events.close()
    for (const name of readdirSync(this.dir))
      if (!name.startsWith('lock')) rmSync(join(this.dir, name), { recursive: true })
    this.#lock.release()
    this.#closed = true
    if (untouched === 'made') rmdirSync(this.dir)
  }
}
