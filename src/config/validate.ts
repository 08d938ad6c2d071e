import { usageError } from '../errors.js'
import { show } from '../text/show.js'
import { type TrainConfig, trainConfigSchema } from './schema.js'
import { unknownKey } from './unknown-key.js'

/** Steps of one environment that have random numbers of their own. */
const STEP_KEYS = 0x1_0000_0000

/**
 * The one place where a configuration is checked.
 *
 * @param value all keys of a configuration
 * @throws HatrpoError naming the first wrong key, its value and what would be right
 */
export function validateConfig(value: unknown): TrainConfig {
  const parsed = trainConfigSchema.safeParse(value, { reportInput: true })
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    const path = issue.path.map(String).join('.')
    if (issue.code === 'unrecognized_keys')
      throw unknownKey(path === '' ? issue.keys[0] : `${path}.${issue.keys[0]}`)
    const found = issue.input === undefined ? 'missing' : show(issue.input)
    throw usageError(`${path === '' ? 'the configuration' : path} is ${found}: it must be ${issue.message}`)
  }
  const config = parsed.data
  if (config.steps / config.envs >= STEP_KEYS)
    throw usageError(
      `steps is ${config.steps}: it must be below envs x 2^32 = ${config.envs * STEP_KEYS}, because each environment's random numbers are keyed by its step in 32 bits`,
    )
  const samples = config.envs * config.rolloutSteps
  for (const group of ['critic', 'trustRegion', 'clipped'] as const) {
    const { miniBatches } = config[group]
    if (miniBatches > samples)
      throw usageError(
        `${group}.miniBatches is ${miniBatches}: it must be at most envs x rolloutSteps = ${samples}`,
      )
  }
  const { damping, preconditioner } = config.trustRegion
  if (damping === 0 && preconditioner !== 'none')
    throw usageError(
      `trustRegion.damping is 0: it must be above 0 with trustRegion.preconditioner ${preconditioner}`,
    )
  return config
}
