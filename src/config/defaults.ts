import { keysOf } from './about.js'
import { lay, type Traced } from './origins.js'
import { configEntries } from './schema.js'
import type { TrainConfig } from './generated/train-config.js'
import { nested } from './tree.js'

/** A configuration of which only some keys are given. */
export type PartialConfig = {
  [K in keyof TrainConfig]?: TrainConfig[K] extends unknown[]
    ? TrainConfig[K]
    : TrainConfig[K] extends object
      ? Partial<TrainConfig[K]>
      : TrainConfig[K]
}

/** The defaults of the schema. */
export const defaults: Traced = lay(
  { values: {}, origins: {} },
  keysOf(configEntries)
    .filter(({ about }) => about.default !== undefined)
    .map(({ key, about }) => ({
      settings: nested(key, about.default),
      origin: { from: 'default', source: about.source },
    })),
)

/** Values that hold for every task unless its tuned row, a preset or the user gives another. */
export const baseConfig = defaults.values as unknown as Omit<TrainConfig, 'env' | 'algo'>
