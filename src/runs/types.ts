import type { ConfigOrigin, TrainConfig } from '../config/index.js'
import type { SimdMode } from '../devices/open.js'

/** Result of an update of one agent's policy. Values of the other update rule are absent. */
export interface AgentRecord {
  readonly id: string
  /**
   * Mean KL(old || new) over valid samples, and its bound. For trust regions, the sum over accepted steps; for clipped
   * updates, that of the whole update, without a bound.
   */
  readonly klUsed?: number
  readonly klAllowed?: number
  /**
   * Only for methods that compare policies before each turn: number of the turn, from 1, and the score s. The gain of
   * the local model for a KL budget d is sqrt(2 s d). `klAllowed` is then the agent's share of the budget.
   */
  readonly turn?: number
  readonly score?: number
  /** Gain of the surrogate predicted by the first-order model, and its actual gain. */
  readonly predictedGain?: number
  readonly realisedGain?: number
  /**
   * Norm of the final residual of conjugate gradients, relative to that of the gradient; mean over the iteration's
   * steps.
   */
  readonly cgResidual?: number
  readonly lineSearchTrials?: number
  /** Whether all steps of the iteration were accepted, and the number of rejected ones. */
  readonly accepted?: boolean
  readonly rejectedSteps?: number
  /**
   * Reason of a rejected step: `non-finite` or `curvature` (numerical faults, which take precedence), `line-search` (no
   * acceptable trial), `no-rows` (no valid sample), `no-budget` (other agents used the whole KL budget); null if all
   * steps were accepted.
   */
  readonly rejection: string | null
  /** Spread of the factor M relative to the advantages before this agent's update. */
  readonly factorSpread?: { readonly min: number; readonly max: number; readonly sd: number }
  /** Mean over samples, nats; absent for policies without a density. */
  readonly entropy?: number
  /** Geometric mean of the standard deviations of continuous actions, over dimensions and samples. */
  readonly std?: number
  /** Entropy of discrete actions relative to that of the uniform distribution, without masks. */
  readonly entropyShare?: number
  /** Negative surrogate of a clipped update, or minus the mean value of a deterministic policy's actions. */
  readonly policyLoss?: number
  /** Fraction of the samples with a clipped ratio. */
  readonly clipFraction?: number
  readonly gradNorm?: number
}

/** Result of the critics' updates. Without learning, losses and norms are not finite and thus null. */
export interface CriticRecord {
  readonly loss: number
  /** Explained variance for critics of states, mean value of the recorded actions for critics of actions. */
  readonly explainedVariance?: number
  readonly meanValue?: number
  readonly gradNorm: number
  /** Skipped steps: the gradient was not finite, or there was no valid sample. */
  readonly skippedSteps: number
}

/** Spread of values. */
export interface Spread {
  /** Population standard deviation. */
  readonly sd: number
  readonly min: number
  readonly max: number
}

/** One iteration: a line of metrics.jsonl. A non-finite number is written as null. */
export interface IterationRecord {
  /** Counted from 1. */
  readonly iteration: number
  /** Steps of all environments since the start of the run. */
  readonly steps: number
  /** Wall time of this iteration. */
  readonly seconds: number
  readonly stepsPerSecond: number
  /** Returns of the episodes that ended in this iteration; null if none did. The spread is absent in older runs. */
  readonly episodeReturn: ({ readonly mean: number; readonly count: number } & Partial<Spread>) | null
  /** Steps of the same episodes; absent in older runs. */
  readonly episodeLength?: ({ readonly mean: number } & Omit<Spread, 'sd'>) | null
  readonly agents: readonly AgentRecord[]
  /** Name of the opponent if only one team learns. */
  readonly opponent?: string
  /** Means over all critics; the sum of their skipped steps. */
  readonly critic: CriticRecord
  /** One per critic, if there are several. */
  readonly critics?: readonly CriticRecord[]
  /** Shares of the iteration's wall time; they add up to 1. */
  readonly time: {
    readonly physics: number
    readonly policy: number
    readonly learner: number
    readonly rest: number
  }
  readonly faults: {
    readonly workerRestarts: number
    /** Restarted processes of environments. */
    readonly environmentRestarts: number
    /** Broken steps, which are excluded. */
    readonly brokenSteps: number
  }
}

/** Evaluation on deterministic episodes with a separate random stream. */
export interface EvaluationRecord {
  readonly iteration: number
  readonly steps: number
  /** One per episode. */
  readonly returns: readonly number[]
  readonly mean: number
  /** Population standard deviation. */
  readonly sd: number
  /** Mean number of steps. */
  readonly length?: number
  /** Returns by opponent, the latest first, if only one team learns; `returns` are in the same order. */
  readonly opponents?: readonly OpponentReturns[]
}

/** Returns of the learning team against one opponent. */
export interface OpponentReturns {
  /** Iteration of this run, or the run that provided the opponent. */
  readonly name: string
  readonly episodes: number
  readonly mean: number
  readonly sd: number
}

/** Outcome of a run. */
export interface RunOutcome {
  readonly iterations: number
  readonly steps: number
  /** `parametersSha256` of the final parameters. */
  readonly parametersSha256: string
  /** Of the final parameters. */
  readonly evaluation?: { readonly mean: number; readonly sd: number; readonly episodes: number }
  /** Checkpoint of the best evaluation, and its mean. */
  readonly best?: { readonly iteration: number; readonly evaluation: number }
  /** Symptoms that held at the end; absent if there were none. */
  readonly findings?: readonly Finding[]
}

/** Symptom of a problem in training, found by `diagnose`. */
export interface Finding {
  /** Name of the diagnosis, a key of `DIAGNOSES`. */
  readonly name: string
  /** One line: the symptom with its figure, and the keys to change. */
  readonly line: string
}

/** The outcome of a finished run: result.json. */
export interface RunResult extends RunOutcome {
  readonly env: string
  readonly algo: string
  readonly seed: number
}

/** Options of `train`. */
export interface TrainOptions {
  readonly config: TrainConfig
  /** The run folder. */
  readonly dir: string
  /** Resume from the folder's latest checkpoint instead of starting a new run. */
  readonly resume?: boolean
  /** Threads that step environments; does not change the result. */
  readonly workers?: number
  /**
   * Width of the vectors: `baseline` (128 bits, the default), or `wide` (256 bits, for the rest of the process). Does not
   * change the result. An engine without wide vectors is an error.
   */
  readonly simd?: SimdMode
  /** Milliseconds without a step after which a worker counts as hanging and is replaced; 120000 by default. */
  readonly workerPatience?: number
  /** When aborted, the present iteration is completed, a checkpoint is written and `finished` is false. */
  readonly signal?: AbortSignal
  /** Information for config.json besides the configuration. */
  readonly origin?: ConfigOrigin
  /** Called after the checks of the environment and the folder, before the first iteration. */
  onStart?(): void
  onIteration?(record: IterationRecord): void
  onEvaluation?(record: EvaluationRecord): void
  /** Called for a symptom when it first occurs, and again only after it was absent for a while. */
  onFinding?(finding: Finding): void
  /** Called at the start of a phase that may take long, with its name, such as `iteration 12: an update`. */
  onPhase?(phase: string): void
  /**
   * Called with a line for the log, such as "a worker hung: iteration 12 is done again".
   * @param detail origin of the event, in several lines
   */
  onEvent?(message: string, detail?: string): void
}

export interface TrainResult extends RunOutcome {
  readonly dir: string
  /** False if the run was aborted before its last iteration. */
  readonly finished: boolean
}
