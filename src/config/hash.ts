import { createHash } from 'node:crypto'
import { dependsOnTotalSteps } from './length.js'
import { LATER } from './later.js'
import type { TrainConfig } from './generated/train-config.js'
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
  const kept = Object.entries(config).flatMap(([key, value]): [string, unknown][] => {
    const later = LATER[key] as Tree | undefined
    if (!later) return [[key, value]]
    const values = Object.entries(value as Tree).filter(([name, v]) => later[name] !== v)
    return values.length > 0 ? [[key, Object.fromEntries(values)]] : []
  })
  return Object.fromEntries(kept)
}
