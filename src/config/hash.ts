import { createHash } from 'node:crypto'
import { dependsOnTotalSteps } from './length.js'
import type { TrainConfig } from './schema.js'
import { sorted } from './tree.js'

/**
 * SHA-256 of the values that decide the course of a run: the configuration without its saving intervals, and without
 * its number of steps unless a schedule is stretched over them.
 */
export function configSha256(config: TrainConfig): string {
  const { steps, checkpoint: _saving, actor, ...others } = config
  // Own policies are how runs were made before there was a choice: their hash stays the same.
  const { sharing, ...policies } = actor
  const rest = { ...others, actor: sharing === 'own' ? policies : actor }
  const hashed = dependsOnTotalSteps(config) ? { ...rest, steps } : rest
  return createHash('sha256')
    .update(JSON.stringify(sorted(hashed)))
    .digest('hex')
}
