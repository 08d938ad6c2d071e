import type { UpdateCost, UpdateTask } from './whole-update.js'

/** Another implementation of a learner, to compare with. */
export interface LearnerRival {
  readonly name: string
  /**
   * Prepares a task. The update opened before for the same number of threads can then no longer be run.
   * @returns one update each time it is called
   */
  open(task: UpdateTask, threads: number): Promise<() => Promise<UpdateCost>>
  close(): Promise<void>
}
