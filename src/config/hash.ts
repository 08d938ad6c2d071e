import { createHash } from 'node:crypto'
import { dependsOnTotalSteps } from './length.js'
import { LATER } from './later.js'
import type { TrainConfig } from './schema.js'
import { sorted, type Tree } from './tree.js'

/**
 * SHA-256 of the values that decide the course of a run: the configuration without its saving intervals, and without
 * its number of steps unless a schedule is stretched over them.
 */
export function configSha256(config: TrainConfig): string {
  const { steps, checkpoint: _saving, ...others } = config
  const rest = withoutLater(others)
  const hashed = dependsOnTotalSteps(config) ? { ...rest, steps } : rest
  return createHash('sha256')
    .update(JSON.stringify(sorted(hashed)))
    .digest('hex')
}

/** The configuration without the keys that it need not have. */
function withoutLater(config: Tree): Tree {
  const groups = Object.entries(LATER).map(([group, later]) => {
    const values = Object.entries(config[group] as Tree)
    return [group, Object.fromEntries(values.filter(([key, value]) => (later as Tree)[key] !== value))]
  })
  return { ...config, ...(Object.fromEntries(groups) as Tree) }
}
