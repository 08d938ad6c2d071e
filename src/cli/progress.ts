import { totalIterations, type TrainConfig } from '../config/index.js'
import { LineProgress, type Progress } from './progress-lines.js'

/** A bar where stderr is a terminal, plain lines elsewhere. */
export async function createProgress(config: TrainConfig, verbose: boolean): Promise<Progress> {
  if (!process.stderr.isTTY)
    return new LineProgress(process.stderr, { verbose, total: totalIterations(config) })
  const { BarProgress } = await import('./progress-bar.js')
  return new BarProgress(config, process.stderr, verbose)
}
