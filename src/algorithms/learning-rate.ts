export interface LearningRate {
  readonly lr: number
  /** Whether it falls linearly to 0 over the run. */
  readonly lrDecay: boolean
}

/** @param progress share of the run that is done, from 0 to 1 */
export function learningRate({ lr, lrDecay }: LearningRate, progress: number): number {
  return lrDecay ? lr * (1 - progress) : lr
}
