/** The configuration of a run: its schema, its presets, and the one place where settings become plain data. */
export { differingKeys, flatConfig } from './difference.js'
export { describeValues, type DescribedValue } from './describe.js'
export { configSha256 } from './hash.js'
export { dependsOnTotalSteps, totalIterations } from './length.js'
export type { PartialConfig } from './defaults.js'
export type { Origins, ValueOrigin } from './origins.js'
export { listPresets, presetNames } from './presets.js'
export {
  completeEnv,
  type ConfigOrigin,
  type ConfigSources,
  type ResolvedConfig,
  resolveConfig,
} from './resolve.js'
export { configKeys, NO_RUN } from './schema.js'
export type { TrainConfig } from './generated/train-config.js'
export { parseValue } from './settings.js'
export { validateConfig } from './validate.js'
