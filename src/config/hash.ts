import { createHash } from 'node:crypto'
import { dependsOnTotalSteps } from './length.js'
import type { TrainConfig } from './schema.js'
import { sorted } from './tree.js'

/**
 * SHA-256 of the values that decide the course of a run: the configuration without its saving intervals, and without
 * its number of steps unless a schedule is stretched over them.
 */
export function configSha256(config: TrainConfig): string {
  const { steps, checkpoint: _saving, ...rest } = config
  const hashed = dependsOnTotalSteps(config) ? { ...rest, steps } : rest
  return createHash('sha256')
    .update(JSON.stringify(sorted(hashed)))
    .digest('hex')
}
