import { benchInference } from './inference.js'
import { benchLearner } from './learner.js'
import type { BenchOptions } from './options.js'
import type { Result } from './report.js'
import { benchRollout } from './rollout.js'

export type { BenchOptions, Rivals } from './options.js'
export { asJson, tableHead, tableRow, type Result } from './report.js'
export { TASKS } from './tasks.js'

/** The benches of the command. */
export const BENCHES: Readonly<Record<string, (options: BenchOptions) => AsyncGenerator<Result>>> = {
  rollout: benchRollout,
  learner: benchLearner,
  inference: benchInference,
}
