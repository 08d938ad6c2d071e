import { baseConfig } from '../config/defaults.js'
import type { TrainConfig } from '../config/index.js'
import { SOLVERS } from '../config/solvers.js'
import { EnvContext, makeEnvFactory, type EnvConfig } from '../envs/index.js'
import { freshProgress, openSource, type Rollout, type RolloutSource } from '../rollout/index.js'
import { TeamLearner } from '../training/learner.js'
import type { BenchOptions } from './options.js'
import { measurePhysics, physicsResults } from './physics.js'
import { result, type Result } from './report.js'
import { benchStart } from './start.js'
import { counted, HIDDEN, METHODS, OTHER_SOLVERS, taskName } from './tasks.js'
import { quotients, takeTurns } from './turns.js'
import { batchShape } from './whole-update.js'

/** Steps of the episodes that the physics is compared on, per row of a batch. */
const PHYSICS_STEPS = 600 / 4000

/** Physics of a step, rollouts with several numbers of workers, whole iterations, start-up and memory. */
export async function* benchRollout(options: BenchOptions): AsyncGenerator<Result> {
  const context = new EnvContext()
  for (const env of options.envs) {
    const steps = Math.ceil(options.batch * PHYSICS_STEPS)
    const { rounds, rivals } = options
    const figures = await measurePhysics(env, { rounds, steps }, context, rivals.physics)
    yield* physicsResults(taskName(env), figures)
    yield* benchIterations(env, options)
    yield* benchStart(runConfig(env, options.batch), taskName(env), options)
  }
}

/** Configuration of a run on a task, with the method that is compared first. */
function runConfig(env: EnvConfig, batch: number): TrainConfig {
  const { envs, steps } = batchShape({ batch })
  return {
    ...baseConfig,
    env: makeEnvFactory(env).config,
    algo: METHODS[0],
    envs,
    rolloutSteps: steps,
    steps: batch,
    actor: { ...baseConfig.actor, hidden: [...HIDDEN] },
    critic: { ...baseConfig.critic, hidden: [...HIDDEN] },
  }
}

/** One iteration: a rollout and an update. Times are in milliseconds. */
interface Iteration {
  readonly rollout: Rollout
  readonly update: number
}

/** Rollouts and updates by one team of workers. */
async function openTeam(learner: TeamLearner, workers: number) {
  const { host, storage, plan } = learner
  const { envs, seed, env } = learner.config
  const source = openSource(host, storage, { workers, envs, seed, env, ...plan.play })
  const policies = learner.workerPolicies(source.shares.map(({ count }) => count))
  const start = freshProgress(envs)
  let iteration = 0
  const run = async (): Promise<Iteration> => {
    policies.prepare()
    const rollout = await source.collect(policies, start, 0)
    const begun = performance.now()
    await source.assist(() => learner.method.improve(++iteration, 0))
    return { rollout, update: performance.now() - begun }
  }
  return { source, run }
}

/**
 * Iterations with several numbers of workers, by one learner, and those of the other solvers with the last of these numbers.
 */
async function* benchIterations(
  env: EnvConfig,
  { batch, threads, rounds }: Pick<BenchOptions, 'batch' | 'threads' | 'rounds'>,
): AsyncGenerator<Result> {
  const config = runConfig(env, batch)
  const learnerOf = (config: TrainConfig) => TeamLearner.create(config, makeEnvFactory(env).spec)
  const opened: RolloutSource[] = []
  const learners = new Set<TeamLearner>()
  try {
    const runs: (() => Promise<Iteration>)[] = []
    const open = async (learner: TeamLearner, workers: number) => {
      learners.add(learner)
      const { source, run } = await openTeam(learner, workers)
      opened.push(source)
      runs.push(run)
    }
    const learner = await learnerOf(config)
    for (const workers of threads) await open(learner, workers)
    for (const solver of OTHER_SOLVERS) {
      const trustRegion = { ...config.trustRegion, ...SOLVERS[solver] }
      await open(await learnerOf({ ...config, trustRegion }), threads.at(-1)!)
    }
    const outcomes = await takeTurns(runs, { rounds })
    const walls = outcomes.map((iterations) => iterations.map(({ rollout }) => rollout.time.wall))
    const name = taskName(env)
    for (const [i, workers] of threads.entries()) {
      yield* iterationResults(`${name} %, ${counted(workers, 'worker')}`, batch, outcomes[i])
      if (i === 0) continue
      const speed = quotients(walls[0], walls[i])
      yield result(`${name} rollout, ${counted(workers, 'worker')} against ${threads[0]}`, 'x', speed)
    }
    for (const [i, solver] of OTHER_SOLVERS.entries()) {
      const title = `${name} iteration, solver ${solver}, ${counted(threads.at(-1)!, 'worker')}`
      yield iterationSpeed(title, batch, outcomes[threads.length + i])
    }
  } finally {
    for (const source of opened) await source.close()
    for (const learner of learners) learner.close()
  }
}

function wholeTime({ rollout, update }: Iteration): number {
  return rollout.time.wall + update
}

function iterationSpeed(name: string, rows: number, iterations: readonly Iteration[]): Result {
  const speeds = iterations.map((iteration) => (1000 * rows) / wholeTime(iteration))
  return result(name, 'steps/s', speeds)
}

/** @param title name of the results, with a % as placeholder of the figure's name */
function* iterationResults(title: string, rows: number, iterations: readonly Iteration[]): Generator<Result> {
  const figure = (name: string, unit: string, pick: (iteration: Iteration) => number) =>
    result(title.replace('%', name), unit, iterations.map(pick))
  const share = (pick: (time: Rollout['time']) => number) => (iteration: Iteration) =>
    (100 * pick(iteration.rollout.time) * iteration.rollout.time.wall) / wholeTime(iteration)
  yield figure('rollout', 'steps/s', ({ rollout }) => (1000 * rows) / rollout.time.wall)
  yield iterationSpeed(title.replace('%', 'iteration'), rows, iterations)
  yield figure(
    'physics, share of an iteration',
    '%',
    share(({ physics }) => physics),
  )
  yield figure(
    'policies, share of an iteration',
    '%',
    share(({ policy }) => policy),
  )
  yield figure(
    'learner, share of an iteration',
    '%',
    (iteration) => (100 * iteration.update) / wholeTime(iteration),
  )
  yield figure(
    'rest, share of an iteration',
    '%',
    share(({ physics, policy }) => 1 - physics - policy),
  )
}
