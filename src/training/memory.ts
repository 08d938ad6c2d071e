import { totalmem } from 'node:os'
import type { MethodPlan } from '../algorithms/assemble.js'
import type { TrainConfig } from '../config/index.js'
import { orClose } from '../devices/closing.js'
import type { HostDevice } from '../devices/host.js'
import { openHost } from '../devices/open.js'
import { usageError } from '../errors.js'
import { OutOfMemoryError } from '../kernels/index.js'
import { parameterLayout } from '../nn/layout.js'

/** Fraction of the memory reserved for the policies of rollout workers, which are not measured. */
export const MEMORY_RESERVE = 0.05
export const GIBIBYTE = 1024 * 1024 * 1024
/** Bytes that 32-bit addresses reach. */
export const MEMORY_LIMIT = 4 * GIBIBYTE

/** Rollouts by which the memory that a step needs is measured. */
const SAMPLE = { envs: 16, rolloutSteps: 256 }
/** Parameters above which a run is laid out once before they are drawn, which may take minutes. */
const MANY_PARAMETERS = 4_000_000

/** Bytes that a learner takes with a configuration, found without writing to any of them. */
export type Measure = (config: TrainConfig) => Promise<number>

function parametersOf({ groups, critics }: MethodPlan): number {
  return [...groups, ...critics].reduce((sum, { spec }) => sum + parameterLayout(spec).size, 0)
}

const gibibytes = (bytes: number) => (bytes / GIBIBYTE).toFixed(1)

/**
 * Makes a learner that fits into memory.
 * @param make lays out a learner on a host; on one that measures, nothing is written
 * @param explain error for a learner that is too large for WebAssembly
 * @throws HatrpoError (exit code 2) where it does not fit
 */
export async function makeFitting<Learner extends { readonly host: HostDevice; close(): void }>(
  config: TrainConfig,
  plan: MethodPlan,
  make: (config: TrainConfig, host: HostDevice) => Promise<Learner>,
  explain: (config: TrainConfig, cause: OutOfMemoryError, measure: Measure) => Promise<Error>,
): Promise<Learner> {
  const measure = async (other: TrainConfig) => {
    const learner = await make(other, await openHost({ measuring: true }))
    learner.close()
    return learner.host.arena.used
  }
  try {
    await expectFits(config, plan, measure)
    const learner = await make(config, await openHost())
    return orClose(learner, () => {
      expectMachineFits(config, learner.host.arena.used)
      return learner
    })
  } catch (error) {
    if (!(error instanceof OutOfMemoryError)) throw error
    throw await explain(config, error, measure)
  }
}

/**
 * Refuses large networks that do not fit into memory before their parameters are drawn.
 * @throws HatrpoError (exit code 2)
 * @throws OutOfMemoryError for rollouts that do not fit
 */
async function expectFits(config: TrainConfig, plan: MethodPlan, measure: Measure): Promise<void> {
  const parameters = parametersOf(plan)
  if (parameters <= MANY_PARAMETERS) return
  const tooLarge = () =>
    usageError(
      `actor.hidden is ${JSON.stringify(config.actor.hidden)} and critic.hidden ${JSON.stringify(config.critic.hidden)}: ` +
        `networks of ${parameters} parameters do not fit into the 4 GiB that WebAssembly has`,
    )
  // Parameters and what their updates need, which is at least twice as much.
  if (12 * parameters > MEMORY_LIMIT) throw tooLarge()
  try {
    await measure({ ...config, ...smallest(config) })
  } catch (error) {
    throw error instanceof OutOfMemoryError ? tooLarge() : error
  }
  expectMachineFits(config, await measure(config))
}

/** The shortest rollouts that the other settings allow. */
function smallest({ actor, critic, envs, rolloutSteps, trustRegion, clipped }: TrainConfig) {
  const least = Math.max(trustRegion.miniBatches, clipped.miniBatches, critic.miniBatches)
  const chunks = Math.max(actor.gruLayers > 0 ? actor.chunk : 1, critic.gruLayers > 0 ? critic.chunk : 1)
  return { envs: 1, rolloutSteps: Math.min(envs * rolloutSteps, least * chunks) }
}

/**
 * Refuses a run that needs more memory than the machine has, or the process is allowed.
 * @param bytes of the learner and the rollouts
 * @throws HatrpoError (exit code 2)
 */
function expectMachineFits({ envs, rolloutSteps, actor, critic }: TrainConfig, bytes: number): void {
  const allowed = process.constrainedMemory?.() ?? 0
  const machine = Math.min(totalmem(), allowed > 0 ? allowed : Infinity)
  if (bytes <= machine) return
  throw usageError(
    `this run takes ${gibibytes(bytes)} GiB of memory and this machine has ${gibibytes(machine)} GiB: with actor.hidden ` +
      `${JSON.stringify(actor.hidden)} and critic.hidden ${JSON.stringify(critic.hidden)}, envs times rolloutSteps, now ` +
      `${envs} x ${rolloutSteps}, must be smaller`,
  )
}

/** The error for rollouts that are too large, with a size that fits. */
export async function tooManySteps(
  config: TrainConfig,
  cause: OutOfMemoryError,
  measure: Measure,
): Promise<Error> {
  const { envs, rolloutSteps } = config
  const rows = SAMPLE.envs * SAMPLE.rolloutSteps
  // The machine may have less memory than the sample takes, with any size of rollouts.
  if (envs * rolloutSteps <= 2 * rows) return cause
  const once = await measure({ ...config, ...SAMPLE })
  const twice = await measure({ ...config, ...SAMPLE, envs: 2 * SAMPLE.envs })
  const perRow = (twice - once) / rows
  const need = once + perRow * (envs * rolloutSteps - rows)
  const fit = Math.floor((rows + (MEMORY_LIMIT * (1 - MEMORY_RESERVE) - once) / perRow) / 1000) * 1000
  return usageError(
    `envs is ${envs} and rolloutSteps ${rolloutSteps}: an update from ${envs * rolloutSteps} steps takes ` +
      `${gibibytes(need)} GiB, and WebAssembly has 4 GiB: envs times rolloutSteps must be at most ${fit}`,
  )
}
