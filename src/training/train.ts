import { rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { planMethod } from '../algorithms/assemble.js'
import { NO_RUN, validateConfig, type TrainConfig } from '../config/index.js'
import { orClose } from '../devices/closing.js'
import { AUTO, openSimd } from '../devices/open.js'
import { HatrpoError, usageError } from '../errors.js'
import { taskName } from '../envs/portable.js'
import { loadEnvFactory } from '../envs/registry.js'
import { temporaryFolder } from '../envs/temporary.js'
import { narrowInputs } from '../envs/narrow.js'
import { openSource, startThreads, type RolloutSource } from '../rollout/index.js'
import { hasCheckpoint, openRun, type Run } from '../runs/folder.js'
import type { IterationRecord, TrainOptions, TrainResult } from '../runs/types.js'
import { chooseDevice } from './auto-device.js'
import { readInitial } from './initial.js'
import type { RunLearner } from './learner.js'
import { createLearner } from './learners.js'
import { TrainingLoop } from './loop.js'

/**
 * Trains a team of agents and writes a run folder (docs/ARCHITECTURE.md describes the loop).
 *
 * The result depends only on the configuration, not on the number of workers, the width of vectors, interruptions, or
 * failed workers.
 * @throws HatrpoError when the folder, the configuration or the environment is invalid. A folder is only created after
 *   the checks of the configuration and the environment
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const { dir, resume = false, origin, onEvent } = options
  const { workers: atMost, patience } = machineOptions(options)
  const checked = await withDevice(validateConfig(options.config), options)
  await openSimd(options.simd ?? 'baseline')
  const factory = await loadEnvFactory(checked.env)
  const config = { ...checked, env: factory.config }
  // A method that does not fit the environment is refused before threads are started for it.
  const plan = planMethod(config, factory.spec)
  // A resumed run takes all networks from its checkpoint.
  const begins = !resume || !hasCheckpoint(dir)
  const initial = begins ? await readInitial(config, factory.spec) : null
  const workers = Math.min(atMost, config.envs)
  const sourceOptions = {
    workers,
    envs: config.envs,
    seed: config.seed,
    env: config.env,
    envSha256: factory.sha256,
    ...plan.play,
    ...(patience !== undefined && { patience }),
    ...(onEvent && { onEvent }),
  }
  // They load MuJoCo and make the environments while this thread makes the learner.
  const threads = startThreads(sourceOptions)
  try {
    options.onPhase?.('making networks and memory')
    const learner = await createLearner(config, factory.spec, initial)
    const run = orClose(learner, () =>
      openRun(dir, config, {
        resume,
        workers,
        task: taskName(factory),
        ...(factory.sha256 !== undefined && { envSha256: factory.sha256 }),
        ...(origin && { origin }),
        ...(options.onStart && { onOpen: () => options.onStart?.() }),
        ...(onEvent && { onEvent }),
      }),
    )
    try {
      if (!run.checkpoint && !initial && config.init.from !== NO_RUN)
        throw new HatrpoError(
          `${dir} has no undamaged checkpoint: start a new run with init.from ${config.init.from}`,
        )
      if (run.result) return { dir, finished: true, ...run.result }
      const narrow = plan.parts.update.tables ? [] : narrowInputs(plan.env, config, plan.criticLayout.input)
      for (const line of narrow) onEvent?.(line)
      const source = openSource(learner.host, learner.storage, sourceOptions, threads)
      return await makeIterations(options, run, learner, source)
    } finally {
      learner.close()
      run.close()
    }
  } finally {
    await threads?.close()
  }
}

/** Configuration with the name of a device in place of `auto`. */
async function withDevice(config: TrainConfig, options: TrainOptions): Promise<TrainConfig> {
  if (config.device !== AUTO) return config
  const time = async (trial: TrainConfig) => {
    options.onPhase?.(`timing updates on device ${trial.device}`)
    return timeUpdates(trial, options)
  }
  return { ...config, device: await chooseDevice(config, time, options.onEvent) }
}

/** Seconds of each update of a run, made in a separate folder that is removed. */
async function timeUpdates(
  config: TrainConfig,
  { workers, simd, signal }: TrainOptions,
): Promise<readonly number[]> {
  const folder = await temporaryFolder()
  const updates: number[] = []
  const machine = {
    ...(workers !== undefined && { workers }),
    ...(simd && { simd }),
    ...(signal && { signal }),
  }
  const onIteration = ({ seconds, time }: IterationRecord) => updates.push(seconds * time.learner)
  try {
    await train({ ...machine, config, dir: join(folder, 'run'), onIteration })
    return updates
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Makes the remaining iterations, and closes the source. */
async function makeIterations(
  options: TrainOptions,
  run: Run,
  learner: RunLearner,
  source: RolloutSource,
): Promise<TrainResult> {
  try {
    return await new TrainingLoop(options, run, learner, source).run()
  } catch (error) {
    // An environment may contradict its spec, or fail to start.
    run.abandon()
    throw error
  } finally {
    await source.close()
  }
}

/** Checks options that do not affect the result. */
function machineOptions({ workers = availableParallelism(), workerPatience: patience }: TrainOptions) {
  if (!(Number.isSafeInteger(workers) && workers >= 0))
    throw usageError(`workers is ${workers}: it must be a whole number, 0 for none but the calling thread`)
  if (patience !== undefined && !(Number.isFinite(patience) && patience > 0))
    throw usageError(`workerPatience is ${patience}: it must be a number of milliseconds above 0`)
  return { workers, patience }
}
