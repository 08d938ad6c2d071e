import type { SimdMode } from '../devices/open.js'
import type { EnvConfig } from '../envs/index.js'
import type { LearnerRival, PhysicsRival, PolicyRival } from './rivals.js'

export interface BenchOptions {
  /** Tasks of the learner and the rollouts. */
  readonly envs: readonly EnvConfig[]
  readonly rounds: number
  /** Rows of a batch per agent; a multiple of 20. */
  readonly batch: number
  /** Device of the learners. */
  readonly device: string
  /** Numbers of threads and of workers, ascending. */
  readonly threads: readonly number[]
  /** Vectors of this process, which processes that a bench starts take over. */
  readonly simd: SimdMode
  readonly rivals: Rivals
}

/** Other implementations to compare with; none of them is part of the package. */
export interface Rivals {
  readonly learner: LearnerRival | null
  readonly physics: PhysicsRival | null
  readonly policies: readonly PolicyRival[]
}
