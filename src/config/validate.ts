import { usageError } from '../errors.js'
import { show } from '../text/show.js'
import { partsOf } from '../algorithms/parts.js'
import { algorithms } from '../algorithms/table.js'
import { trainConfigSchema } from './schema.js'
import type { TrainConfig } from './generated/train-config.js'
import { unknownKey } from './unknown-key.js'

/** Number of steps of one environment with distinct random numbers. */
const STEP_KEYS = 0x1_0000_0000

/** Groups with a number of mini-batches, and the network that each moves. */
const MINI_BATCHES = [
  ['critic', 'critic'],
  ['trustRegion', 'actor'],
  ['clipped', 'actor'],
] as const

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
  expectRecurrent(config)
  const samples = config.envs * config.rolloutSteps
  for (const [group, network] of MINI_BATCHES) {
    const { miniBatches } = config[group]
    const { gruLayers, chunk } = config[network]
    const [most, formula] =
      gruLayers > 0
        ? [samples / chunk, `envs x rolloutSteps / ${network}.chunk`]
        : [samples, 'envs x rolloutSteps']
    if (miniBatches > most)
      throw usageError(`${group}.miniBatches is ${miniBatches}: it must be at most ${formula} = ${most}`)
  }
  if (partsOf(algorithms[config.algo])?.update.replay) assertReplay(config, samples)
  const { damping, preconditioner } = config.trustRegion
  if (damping === 0 && preconditioner !== 'none')
    throw usageError(
      `trustRegion.damping is 0: it must be above 0 with trustRegion.preconditioner ${preconditioner}`,
    )
  return config
}

/** Checks what recurrent networks need of other settings. */
function expectRecurrent({ actor, critic, rolloutSteps, trustRegion }: TrainConfig): void {
  for (const [name, { gruLayers, chunk }] of [
    ['actor', actor],
    ['critic', critic],
  ] as const) {
    if (gruLayers > 0 && rolloutSteps % chunk !== 0)
      throw usageError(
        `rolloutSteps is ${rolloutSteps}: with recurrent layers it must be a multiple of ${name}.chunk = ${chunk}`,
      )
  }
  if (actor.gruLayers === 0) return
  const { fisherStride, preconditioner } = trustRegion
  if (fisherStride > 1)
    throw usageError(
      `trustRegion.fisherStride is ${fisherStride}: with actor.gruLayers = ${actor.gruLayers} it must be 1, ` +
        'because the rows of a chunk cannot be sampled separately',
    )
  if (preconditioner !== 'none')
    throw usageError(
      `trustRegion.preconditioner is ${preconditioner}: with actor.gruLayers = ${actor.gruLayers} it must be none, ` +
        'because it supports only feed-forward layers',
    )
}

/** Checks settings of methods that learn from a replay. @param samples transitions of a rollout */
function assertReplay({ algo, truncation, offPolicy: { bufferSize } }: TrainConfig, samples: number): void {
  if (bufferSize < samples)
    throw usageError(
      `offPolicy.bufferSize is ${bufferSize}: it must be at least envs x rolloutSteps = ${samples}`,
    )
  if (truncation === 'harl')
    throw usageError(
      `truncation is "harl": ${algo} has no trace of advantages to cut, it must be bootstrap or terminate`,
    )
}
