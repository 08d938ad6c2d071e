import type { ConfigOrigin, TrainConfig } from '../config/index.js'
import type { SimdMode } from '../devices/open.js'

/** Result of an update of one agent's policy. Values of the other update rule are absent. */
export interface AgentRecord {
  readonly id: string
  /**
   * Mean KL(old || new) over the samples that count: of the trust region's steps taken, added up, or of the whole
   * clipped update; and the KL that was allowed, absent for the clipped update, which has no bound on it.
   */
  readonly klUsed?: number
  readonly klAllowed?: number
  /**
   * Of methods that compare policies before each turn: the place among the turns, counted from 1, and the score s: the
   * local model's gain for a KL budget d is sqrt(2 s d). `klAllowed` is then the agent's share of the budget.
   */
  readonly turn?: number
  readonly score?: number
  /** Gain of the surrogate that the first-order model predicted, and the gain it had. */
  readonly predictedGain?: number
  readonly realisedGain?: number
  /** Norm of the residual at which conjugate gradients ended, relative to the gradient's; mean over the iteration's steps. */
  readonly cgResidual?: number
  readonly lineSearchTrials?: number
  /** Whether all of the iteration's steps were accepted, and how many were not. */
  readonly accepted?: boolean
  readonly rejectedSteps?: number
  /**
   * Why a step was not taken: `non-finite` or `curvature` (numerical faults, named before others), `line-search` (no
   * trial was good enough), `no-rows` (no sample counted), `no-budget` (other agents had all of the KL); null when all
   * were.
   */
  readonly rejection: string | null
  /** Spread of the factor M relative to the advantages before this agent's update. */
  readonly factorSpread?: { readonly min: number; readonly max: number; readonly sd: number }
  /** Mean over samples, nats; absent for policies without a density. */
  readonly entropy?: number
  /** Of continuous actions: geometric mean of the standard deviations, over dimensions and samples. */
  readonly std?: number
  /** Of choices: the entropy's share of that of choices which are all equally likely, masks left aside. */
  readonly entropyShare?: number
  /** Of the clipped update the negative surrogate; of a deterministic policy minus the mean value of its actions. */
  readonly policyLoss?: number
  /** Share of the samples whose ratio the clip stopped. */
  readonly clipFraction?: number
  readonly gradNorm?: number
}

/** Result of the critics' updates; losses and norms are not finite, so null, where nothing was learned. */
export interface CriticRecord {
  readonly loss: number
  /** Of critics of states; of critics of actions the mean value of those recorded. */
  readonly explainedVariance?: number
  readonly meanValue?: number
  readonly gradNorm: number
  /** Steps not taken: the gradient was not finite, or no sample counted. */
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
  /** Returns of the episodes that ended in this iteration; null when none did. The spread is absent in older runs. */
  readonly episodeReturn: ({ readonly mean: number; readonly count: number } & Partial<Spread>) | null
  /** Steps of the same episodes; absent in older runs. */
  readonly episodeLength?: ({ readonly mean: number } & Omit<Spread, 'sd'>) | null
  readonly agents: readonly AgentRecord[]
  /** Name of the opponent that the learning team met, where one team learns. */
  readonly opponent?: string
  /** Means over the critics where there are several; skipped steps are added up. */
  readonly critic: CriticRecord
  /** One per critic, where there are several. */
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
    /** Processes of environments that were started again. */
    readonly environmentRestarts: number
    /** Steps that broke and do not count. */
    readonly brokenSteps: number
  }
}

/** Deterministic episodes on a random stream of their own. */
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
  /** By opponent, the latest first, where one team learns; `returns` are in the same order. */
  readonly opponents?: readonly OpponentReturns[]
}

/** Returns of the learning team against one opponent. */
export interface OpponentReturns {
  /** Iteration of this run that it is from, or the run that it was read from. */
  readonly name: string
  readonly episodes: number
  readonly mean: number
  readonly sd: number
}

/** What a run has come to. */
export interface RunOutcome {
  readonly iterations: number
  readonly steps: number
  /** `parametersSha256` of the final parameters. */
  readonly parametersSha256: string
  /** Of the final parameters. */
  readonly evaluation?: { readonly mean: number; readonly sd: number; readonly episodes: number }
  /** Checkpoint of the best evaluation, and that evaluation's mean. */
  readonly best?: { readonly iteration: number; readonly evaluation: number }
  /** Symptoms that held at the end; absent where none did. */
  readonly findings?: readonly Finding[]
}

/** A symptom of training that goes wrong, as `diagnose` finds it. */
export interface Finding {
  /** Name of the diagnosis, a key of `DIAGNOSES`. */
  readonly name: string
  /** One line: the symptom with its figure, and the keys to turn. */
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
  /** Milliseconds without a step after which a worker is taken to hang and is replaced; 120000 by default. */
  readonly workerPatience?: number
  /** Once aborted, the iteration in progress ends, a checkpoint is written and `finished` is false. */
  readonly signal?: AbortSignal
  /** Information for config.json besides the configuration. */
  readonly origin?: ConfigOrigin
  /** Called once the environment and the folder are found to be sound, before the first iteration. */
  onStart?(): void
  onIteration?(record: IterationRecord): void
  onEvaluation?(record: EvaluationRecord): void
  /** Called for a symptom when it first holds, and again only after it was absent for a while. */
  onFinding?(finding: Finding): void
  /** Called when something begins that may take long, with its name for people: `iteration 12: an update`. */
  onPhase?(phase: string): void
  /**
   * A line for the log, such as "a worker hung: iteration 12 is done again".
   * @param detail where it came from, in several lines
   */
  onEvent?(message: string, detail?: string): void
}

export interface TrainResult extends RunOutcome {
  readonly dir: string
  /** False when the run was aborted before its last iteration. */
  readonly finished: boolean
}
