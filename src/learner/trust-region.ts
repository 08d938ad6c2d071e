import type { LinearSystem, Program, SolveResult } from '../devices/device.js'
import type { Tensor } from '../devices/tensor.js'
import type { PolicyBatch } from './batch.js'
import { forwardPolicy, type TrainedPolicy } from './policy.js'
import { WholeFisher, type CarriedState, type FisherMatrix } from './fisher.js'
import { isSampled, SampledFisher, type FisherOptions } from './sampled-fisher.js'

export interface TrustRegionOptions extends FisherOptions {
  readonly cgIterations: number
  /** Bound on the squared residual below which CG stops. */
  readonly cgTolerance: number
  readonly lineSearchSteps: number
  /** Ratio of a trial's step to that of the trial before. */
  readonly backtrack: number
  /** Smallest accepted share of the predicted gain. */
  readonly acceptRatio: number
  /** Rows the KL is averaged over: `valid` (default), or `all` as in HARL, inactive ones included. */
  readonly klRows?: 'valid' | 'all'
}

export interface LineSearchTrial {
  /** Of the full step. */
  readonly fraction: number
  readonly kl: number
  readonly gain: number
  readonly predictedGain: number
  readonly accepted: boolean
}

/** Reason why a step was not taken; the parameters are then what they were, bit for bit. */
export type Rejection = 'no-rows' | 'non-finite' | 'curvature' | 'no-budget' | 'line-search'

/** Gradient, direction and model of a step that has not been taken yet. */
export interface Proposal {
  readonly rows: number
  /** Number of rows that count. */
  readonly valid: number
  /** Reason why there is no step, or null. */
  readonly rejection: Rejection | null
  /** The surrogate at the old parameters. */
  readonly surrogate: number
  /** x'(H + cI) x of CG's solution, H on the rows that CG saw. */
  readonly curvature: number
  /** g'x, the slope of the surrogate along CG's solution. */
  readonly slope: number
  /** Squared residual before each CG iteration. */
  readonly residuals: readonly number[]
  /** Norm of CG's last residual, relative to the gradient's. */
  readonly residual: number
}

export interface TrustRegionResult extends Pick<
  Proposal,
  'surrogate' | 'residuals' | 'residual' | 'curvature'
> {
  readonly accepted: boolean
  readonly rejection: Rejection | null
  /** Of the step taken, 0 for none. */
  readonly kl: number
  readonly gain: number
  /** g' step of the step taken, 0 for none. */
  readonly predictedGain: number
  readonly trials: readonly LineSearchTrial[]
  /** Factor of CG's solution in the full step. */
  readonly stepScale: number
  /** Mean entropy after the step, nats. */
  readonly entropy: number
}

/** Factor of CG's solution x in the step whose quadratic model has KL delta (Eq. 8): sqrt(2 delta / x'(H + cI) x). */
export function fullStepScale(delta: number, { curvature }: Pick<Proposal, 'curvature'>): number {
  return Math.sqrt((2 * delta) / curvature)
}

/**
 * Trust-region step of one policy (Kuba et al. 2022, Eq. 8 and the estimator below Eq. 10): maximises the mean of ratio
 * * M subject to KL(old || new) <= delta, by conjugate gradients on the Fisher matrix and a backtracking line search.
 * `propose` computes the direction, and `commit` takes a step along it within a budget. Updates of other policies may
 * occur between the two.
 */
export class TrustRegionStep {
  /** Gradient of the surrogate at the old parameters. */
  readonly gradient: Tensor
  /** CG's solution of (H + cI) x = gradient. */
  readonly direction: Tensor

  readonly #policy: TrainedPolicy
  readonly #batch: PolicyBatch
  readonly #options: TrustRegionOptions
  /** The old parameters. */
  readonly #old: Tensor
  /** The vector that a Fisher product multiplies, and the product. */
  readonly #probe: Tensor
  readonly #product: Tensor
  readonly #residual: Tensor
  readonly #klWeight: Tensor
  readonly #differentiate: Program
  readonly #fisher: FisherMatrix
  readonly #evaluate: Program
  #latest: Proposal | undefined

  constructor(policy: TrainedPolicy, batch: PolicyBatch, options: TrustRegionOptions) {
    const { device, network } = policy
    const vector = () => device.tensor('f32', network.layout.size)
    this.#policy = policy
    this.#batch = batch
    this.#options = options
    this.gradient = vector()
    this.direction = vector()
    this.#old = vector()
    this.#probe = vector()
    this.#product = vector()
    this.#residual = vector()
    this.#klWeight = device.tensor('f32', batch.maxRows)
    this.#differentiate = this.#compileDifferentiate()
    const vectors = { old: this.#old, probe: this.#probe, product: this.#product, residual: this.#residual }
    const rows = { input: batch.input, weight: this.#klWeight, maxRows: batch.maxRows }
    this.#fisher = isSampled(options)
      ? new SampledFisher(policy, vectors, rows, options)
      : new WholeFisher(policy, vectors, rows)
    this.#evaluate = this.#compileEvaluate()
  }

  /** State that later steps need, besides the parameters. */
  get carried(): CarriedState | null {
    return this.#fisher.carried
  }

  /**
   * Finds the direction of the step on the batch's first `rows` rows, at the current parameters, which become the old
   * ones. `batch.newLogProb` holds their log-probabilities.
   */
  propose(rows: number): Proposal {
    this.#latest = this.#findStep(rows)
    return this.#latest
  }

  #findStep(rows: number): Proposal {
    const { device } = this.#policy
    const { surrogate, valid } = this.differentiate(rows)
    const start = { rows, valid, surrogate, residuals: [], residual: 0, curvature: 0, slope: 0 }
    if (valid === 0) return { ...start, surrogate: 0, rejection: 'no-rows' }
    if (!Number.isFinite(surrogate) || !device.allFinite(this.gradient)) {
      return { ...start, rejection: 'non-finite' }
    }
    const { curvature, residuals } = this.solve()
    const left = device.dot(this.#residual, this.#residual)
    const solved = {
      ...start,
      curvature,
      residuals,
      residual: residuals.length > 0 ? Math.sqrt(left / residuals[0]) : 0,
    }
    if (!Number.isFinite(curvature) || !device.allFinite(this.direction)) {
      return { ...solved, rejection: 'non-finite' }
    }
    if (curvature <= 0) return { ...solved, rejection: 'curvature' }
    return { ...solved, slope: device.dot(this.gradient, this.direction), rejection: null }
  }

  /**
   * Tries fractions of the full step with KL budget `delta` from the old parameters on, and keeps the first acceptable
   * one. `batch.newLogProb` holds the log-probabilities under the parameters that result.
   * @throws Error for a proposal that is not the latest, whose direction is gone
   */
  commit(proposal: Proposal, delta: number): TrustRegionResult {
    if (proposal !== this.#latest) throw new Error('commit() of a proposal that is not the latest')
    const { rejection, surrogate, residuals, residual, curvature } = proposal
    const found = { surrogate, residuals, residual, curvature }
    const stepScale = rejection === null ? fullStepScale(delta, proposal) : 0
    const stay = (reason: Rejection, trials: LineSearchTrial[]): TrustRegionResult => {
      const entropy = this.#restore(proposal.rows)
      const none = { accepted: false, kl: 0, gain: 0, predictedGain: 0 }
      return { ...none, ...found, rejection: reason, trials, stepScale, entropy }
    }
    if (rejection !== null) return stay(rejection, [])
    if (delta === 0) return stay('no-budget', [])

    const { device, parameters } = this.#policy
    const { acceptRatio, backtrack, lineSearchSteps } = this.#options
    const trials: LineSearchTrial[] = []
    let fraction = 1
    for (let j = 0; j < lineSearchSteps; j++, fraction *= backtrack) {
      const trial = this.evaluate(proposal, fraction * stepScale)
      const gain = trial.surrogate - surrogate
      const predictedGain = fraction * (stepScale * proposal.slope)
      // A NaN fails every comparison and is rejected.
      const accepted = trial.kl <= delta && gain > 0 && gain / predictedGain > acceptRatio
      trials.push({ fraction, kl: trial.kl, gain, predictedGain, accepted })
      if (accepted && device.allFinite(parameters)) {
        const { kl, entropy } = trial
        return { accepted, rejection: null, kl, gain, predictedGain, trials, stepScale, entropy, ...found }
      }
    }
    return stay('line-search', trials)
  }

  /** Result of a `commit` that is undone: the parameters are restored, and `batch.newLogProb` is undefined. */
  attempt(proposal: Proposal, delta: number): TrustRegionResult {
    const result = this.commit(proposal, delta)
    this.#policy.device.copy(this.#old, this.#policy.parameters)
    return result
  }

  /** The surrogate and its gradient at the current parameters, which become the old ones. */
  differentiate(rows: number): { surrogate: number; valid: number } {
    const { device, parameters, head } = this.#policy
    const valid = this.#batch.validRows(rows)
    device.copy(parameters, this.#old)
    const all = this.#options.klRows === 'all'
    if (all) device.fill(this.#klWeight, 1)
    else device.copy(this.#batch.weight, this.#klWeight)
    const { objective } = device.run(this.#differentiate, rows, valid > 0 ? 1 / valid : 0)
    head.keep(rows)
    this.#fisher.begin(rows)
    return { surrogate: objective / valid, valid }
  }

  /**
   * out = (H + cI) v, with H the Fisher matrix at the parameters and rows of `differentiate`. Valid even if other
   * passes ran since: overwritten activations are computed again.
   */
  fisherProduct(v: Tensor, out: Tensor): void {
    const { device } = this.#policy
    const system = this.#fisher.product()
    if (v !== this.#probe) device.copy(v, this.#probe)
    device.run(system.program, system.rows, system.scale)
    device.axpy(this.#options.damping, this.#probe, this.#product)
    if (out !== this.#product) device.copy(this.#product, out)
  }

  /** direction = (H + cI)^-1 gradient, approximately. */
  solve(): SolveResult {
    const { cgIterations: iterations, cgTolerance: tolerance, damping } = this.#options
    const system: LinearSystem = {
      ...this.#fisher.system(),
      damping,
      direction: this.#probe,
      product: this.#product,
      residual: this.#residual,
      b: this.gradient,
      x: this.direction,
    }
    return this.#policy.device.solve(system, { iterations, tolerance })
  }

  /** Surrogate, mean KL and mean entropy at old + scale * direction, where the parameters are left. */
  evaluate(
    { rows, valid }: Pick<Proposal, 'rows' | 'valid'>,
    scale: number,
  ): { surrogate: number; kl: number; entropy: number } {
    const { device, parameters, workspace, head } = this.#policy
    device.copy(this.#old, parameters)
    device.axpy(scale, this.direction, parameters)
    workspace.claim(null)
    const sums = device.run(this.#evaluate, rows)
    const { objective, kl, klWeight } = sums
    return { surrogate: objective / valid, kl: kl / klWeight, entropy: head.meanEntropy(sums) }
  }

  /** The old parameters, and the log-probabilities that follow from them. @returns the mean entropy */
  #restore(rows: number): number {
    const { device, parameters, workspace, head } = this.#policy
    device.copy(this.#old, parameters)
    workspace.claim(null)
    return head.meanEntropy(device.run(this.#evaluate, rows))
  }

  /** Surrogate, its gradient, and the distribution that becomes the old one. */
  #compileDifferentiate(): Program {
    const { device, parameters, head, derivatives } = this.#policy
    const batch = this.#batch
    const { rows: adjoint, finish } = derivatives.adjoint(parameters, this.gradient)
    const rows = [
      ...forwardPolicy(this.#policy, batch.input),
      ...head.surrogate(batch, null, true),
      ...derivatives.keep(parameters),
      ...adjoint,
    ]
    return device.compile({ setup: head.setup(), rows, gradient: this.gradient, finish }, batch.maxRows)
  }

  /** Surrogate, KL and entropy of a trial. */
  #compileEvaluate(): Program {
    const { device, head } = this.#policy
    const batch = this.#batch
    const rows = [
      ...forwardPolicy(this.#policy, batch.input),
      ...head.surrogate(batch, null, false),
      ...head.kl(this.#klWeight),
      ...head.entropy(batch.weight, null),
    ]
    return device.compile({ setup: head.setup(), rows }, batch.maxRows)
  }
}
