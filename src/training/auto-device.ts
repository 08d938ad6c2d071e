import { totalIterations, type TrainConfig } from '../config/index.js'
import { comparableDevices } from '../devices/open.js'
import { HatrpoError } from '../errors.js'

/** Iterations that a device is timed over. The first compiles its passes. */
const ITERATIONS = 3

/** Choices of this process: runs that differ by their seed alone get one device. */
const known = new Map<string, string>()

/** Seconds that the updates of a run take, one after another; fewer of them where it was stopped. */
export type TimeUpdates = (config: TrainConfig) => Promise<readonly number[]>

/**
 * Device with the fastest update among those that this machine can use, for the method, networks and batches of a
 * configuration. Each makes the first iterations of a separate run.
 * @param say called with a line of the times, and a line for each device that fails
 */
export async function chooseDevice(
  config: TrainConfig,
  time: TimeUpdates,
  say: (line: string) => void = () => {},
): Promise<string> {
  const key = JSON.stringify({ ...config, seed: 0 })
  const found = known.get(key)
  if (found !== undefined) return found
  const [standard, ...others] = await comparableDevices()
  if (others.length === 0) {
    say(`device auto: ${standard}, the only one that this machine can use`)
    return standard
  }
  const times = new Map<string, number>()
  for (const device of [standard, ...others]) {
    try {
      const seconds = await time(trialOf(config, device))
      if (seconds.length > 0) times.set(device, Math.min(...seconds))
    } catch (error) {
      // Faults of the environment or of the temporary folder affect every device.
      if (device === standard || !(error instanceof HatrpoError)) throw error
      say(`device auto: ${device} is left out: ${error.message}`)
    }
  }
  const ranked = Array.from(times).sort(([, a], [, b]) => a - b)
  // Without any time, the run was stopped before its first iteration.
  const [[chosen]] = ranked.length > 0 ? ranked : [[standard]]
  const shown = ranked.map(([device, seconds]) => `${device} ${seconds.toPrecision(3)} s`)
  say(`device auto: ${chosen}; an update takes ${shown.join(', ')}`)
  known.set(key, chosen)
  return chosen
}

/** The first iterations of a run on a device. */
function trialOf(config: TrainConfig, device: string): TrainConfig {
  const { envs, rolloutSteps, evaluation, offPolicy } = config
  return {
    ...config,
    device,
    steps: Math.min(ITERATIONS, totalIterations(config)) * envs * rolloutSteps,
    evaluation: { ...evaluation, every: 0 },
    // Nothing is learned during the warm-up.
    offPolicy: { ...offPolicy, warmup: 0 },
  }
}
