import { partsOf } from '../algorithms/parts.js'
import { algorithms } from '../algorithms/table.js'
import type { TrainConfig } from './generated/train-config.js'

/** Number of whole iterations that make at least `config.steps` steps. */
export function totalIterations(config: TrainConfig): number {
  return Math.ceil(config.steps / (config.envs * config.rolloutSteps))
}

/** Whether a schedule of the run is stretched over its total number of steps, so that the run cannot be extended. */
export function dependsOnTotalSteps(config: TrainConfig): boolean {
  return partsOf(algorithms[config.algo])?.update.lrDecay(config) ?? false
}
