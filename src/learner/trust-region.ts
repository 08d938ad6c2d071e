import type { Device, Program } from '../devices/device.js'
import { slice, type Tensor } from '../devices/tensor.js'
import { parameterEntry } from '../nn/layout.js'
import type { GaussianActorSpec } from '../nn/spec.js'
import { conjugateGradient, type CgScratch } from './conjugate-gradient.js'
import type { Network } from './network.js'
import type { PolicyBatch } from './batch.js'

export interface TrustRegionOptions {
  /** delta, the bound on the mean KL(old || new). */
  readonly delta: number
  /** c, added to the Fisher matrix' diagonal. */
  readonly damping: number
  readonly cgIterations: number
  /** CG stops when the squared residual falls below it. */
  readonly cgTolerance: number
  readonly lineSearchSteps: number
  /** A trial is this fraction of the one before. */
  readonly backtrack: number
  /** Smallest accepted share of the predicted gain. */
  readonly acceptRatio: number
  /** Rows the KL is averaged over: `valid` (default), or `all` as HARL has it, inactive ones too. */
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

/** Why a step was not taken; the parameters are then what they were, bit for bit. */
export type Rejection = 'curvature' | 'non-finite' | 'line-search'

export interface TrustRegionResult {
  readonly accepted: boolean
  readonly rejection: Rejection | null
  /** The surrogate at the old parameters. */
  readonly surrogate: number
  /** Of the step taken, 0 for none. */
  readonly kl: number
  readonly gain: number
  /** g' step of the step taken, 0 for none. */
  readonly predictedGain: number
  readonly trials: readonly LineSearchTrial[]
  /** Squared residual before each CG iteration. */
  readonly residuals: readonly number[]
  /** x' (H + cI) x of CG's solution. */
  readonly curvature: number
  /** The full step is this times CG's solution. */
  readonly stepScale: number
}

/**
 * The trust-region step of one agent (HATRPO, Kuba et al. 2022, Eq. 8 and the estimator below Eq. 10):
 * maximise the mean of ratio * M subject to KL(old || new) <= delta, by conjugate gradient on the Fisher matrix and a
 * backtracking line search.
 */
export class TrustRegionUpdate {
  readonly network: Network<GaussianActorSpec>
  /** Gradient of the surrogate at the old parameters. */
  readonly gradient: Tensor
  /** CG's solution of (H + cI) x = gradient. */
  readonly direction: Tensor

  readonly #device: Device
  readonly #batch: PolicyBatch
  readonly #parameters: Tensor
  readonly #old: Tensor
  readonly #oldMean: Tensor
  readonly #oldTable: Tensor
  readonly #table: Tensor
  readonly #probe: Tensor
  readonly #product: Tensor
  readonly #scratch: CgScratch
  readonly #differentiate: Program
  readonly #fisher: Program
  readonly #evaluate: Program
  readonly #klWeight: Tensor
  // Sum of #klWeight over the rows `differentiate` saw.
  #klRows = 0
  readonly #options: TrustRegionOptions

  constructor(
    device: Device,
    network: Network<GaussianActorSpec>,
    parameters: Tensor,
    batch: PolicyBatch,
    options: TrustRegionOptions,
  ) {
    const { size } = network.layout
    const { stdX, stdY, size: actions } = network.spec.head
    const vector = () => device.tensor('f32', size)
    this.network = network
    this.gradient = vector()
    this.direction = vector()
    this.#device = device
    this.#batch = batch
    this.#options = options
    this.#parameters = parameters
    this.#old = vector()
    this.#probe = vector()
    this.#product = vector()
    this.#scratch = { residual: vector(), direction: this.#probe, product: this.#product }
    this.#oldMean = device.tensor('f32', batch.maxRows * actions)
    this.#oldTable = device.tensor('f64', actions * 4)
    this.#table = device.tensor('f64', actions * 4)
    this.#klWeight = device.tensor('f32', batch.maxRows)

    const logStd = parameterEntry(network.layout, 'logStd')
    const tableOf = (table: Tensor) =>
      ({
        op: 'gaussianTable',
        logStd: slice(parameters, logStd.offset, actions),
        x: stdX,
        y: stdY,
        table,
        size: actions,
      }) as const
    const surrogate = {
      op: 'gaussianSurrogate',
      mean: network.output,
      size: actions,
      action: batch.actions,
      oldLogProb: batch.logProb,
      factor: batch.factor,
      weight: batch.weight,
      clip: null,
      sum: 0,
    } as const

    this.#differentiate = device.compile(
      {
        setup: [tableOf(this.#oldTable)],
        rows: [
          ...network.forward(parameters, batch.observations),
          {
            ...surrogate,
            table: this.#oldTable,
            gradient: { mean: network.cotangent, logStd: logStd.offset },
            logProb: batch.newLogProb,
          },
          ...network.adjoint(parameters),
        ],
        gradient: this.gradient,
        sums: 3,
      },
      batch.maxRows,
    )
    this.#fisher = device.compile(
      {
        rows: [
          ...network.tangent(parameters, this.#probe),
          {
            op: 'gaussianFisher',
            dmean: network.cotangent,
            dlogStd: slice(this.#probe, logStd.offset, actions),
            table: this.#oldTable,
            size: actions,
            weight: this.#klWeight,
            gmean: network.cotangent,
            logStd: logStd.offset,
          },
          ...network.adjoint(parameters),
        ],
        gradient: this.#product,
      },
      batch.maxRows,
    )
    this.#evaluate = device.compile(
      {
        setup: [tableOf(this.#table)],
        rows: [
          ...network.forward(parameters, batch.observations),
          { ...surrogate, table: this.#table, gradient: null, logProb: batch.newLogProb },
          {
            op: 'gaussianKl',
            oldMean: this.#oldMean,
            oldTable: this.#oldTable,
            mean: network.output,
            table: this.#table,
            size: actions,
            weight: this.#klWeight,
            sum: 3,
          },
        ],
        sums: 5,
      },
      batch.maxRows,
    )
  }

  /**
   * Takes the step on the batch's first `rows` rows. `batch.newLogProb` holds the log-probabilities under the
   * parameters that result.
   */
  update(rows: number): TrustRegionResult {
    const device = this.#device
    const { surrogate, valid } = this.differentiate(rows)
    if (!Number.isFinite(surrogate) || !device.allFinite(this.gradient)) {
      return this.#stay(rows, 'non-finite', surrogate)
    }

    const cg = this.solve(rows)
    const { curvature } = cg
    const found = { surrogate, residuals: cg.residuals, curvature }
    if (!Number.isFinite(curvature) || !device.allFinite(this.direction)) {
      return { ...this.#stay(rows, 'non-finite', surrogate), ...found }
    }
    if (curvature <= 0) return { ...this.#stay(rows, 'curvature', surrogate), ...found }

    const stepScale = Math.sqrt((2 * this.#options.delta) / curvature)
    const predicted = stepScale * device.dot(this.gradient, this.direction)
    return this.search(rows, valid, { ...found, stepScale }, predicted)
  }

  /** The surrogate and its gradient at the current parameters, which become the old ones. */
  differentiate(rows: number): { surrogate: number; valid: number } {
    const device = this.#device
    const valid = this.#batch.validRows(rows)
    device.copy(this.#parameters, this.#old)
    const all = this.#options.klRows === 'all'
    this.#klRows = all ? rows : valid
    if (all) device.fill(this.#klWeight, 1)
    else device.copy(this.#batch.weight, this.#klWeight)
    const sums = device.run(this.#differentiate, rows, 1 / valid)
    const surrogate = sums[0] / valid
    // The network's workspace may hold more rows than a mini-batch has.
    device.copy(slice(this.network.output, 0, this.#oldMean.length), this.#oldMean)
    return { surrogate, valid }
  }

  /** out = (H + cI) v, H the Fisher matrix at the parameters and rows `differentiate` saw. */
  fisherProduct(rows: number, v: Tensor, out: Tensor): void {
    const device = this.#device
    if (v !== this.#probe) device.copy(v, this.#probe)
    device.run(this.#fisher, rows, 1 / this.#klRows)
    device.axpy(this.#options.damping, this.#probe, this.#product)
    if (out !== this.#product) device.copy(this.#product, out)
  }

  /** direction = (H + cI)^-1 gradient, approximately. */
  solve(rows: number): { residuals: number[]; curvature: number } {
    return conjugateGradient(
      this.#device,
      () => this.fisherProduct(rows, this.#probe, this.#product),
      this.gradient,
      this.direction,
      this.#scratch,
      this.#options.cgIterations,
      this.#options.cgTolerance,
    )
  }

  /** Tries fractions of stepScale * direction from the old parameters on, and keeps the first acceptable one. */
  search(
    rows: number,
    valid: number,
    found: Pick<TrustRegionResult, 'surrogate' | 'residuals' | 'curvature' | 'stepScale'>,
    predicted: number,
  ): TrustRegionResult {
    const { delta, acceptRatio, backtrack, lineSearchSteps } = this.#options
    const device = this.#device
    const trials: LineSearchTrial[] = []
    let fraction = 1
    for (let j = 0; j < lineSearchSteps; j++, fraction *= backtrack) {
      const { surrogate, kl } = this.evaluate(rows, valid, fraction * found.stepScale)
      const gain = surrogate - found.surrogate
      const predictedGain = fraction * predicted
      // A NaN fails every comparison and is rejected.
      const accepted = kl <= delta && gain > 0 && gain / predictedGain > acceptRatio
      trials.push({ fraction, kl, gain, predictedGain, accepted })
      if (accepted && device.allFinite(this.#parameters)) {
        return { accepted, rejection: null, kl, gain, predictedGain, trials, ...found }
      }
    }
    return { ...this.#stay(rows, 'line-search', found.surrogate), trials, ...found }
  }

  /** Surrogate and mean KL at old + scale * direction, where the parameters are left. */
  evaluate(rows: number, valid: number, scale: number): { surrogate: number; kl: number } {
    const device = this.#device
    device.copy(this.#old, this.#parameters)
    device.axpy(scale, this.direction, this.#parameters)
    const sums = device.run(this.#evaluate, rows)
    return { surrogate: sums[0] / valid, kl: sums[3] / sums[4] }
  }

  // Restores the old parameters and what follows from them.
  #stay(rows: number, rejection: Rejection, surrogate: number): TrustRegionResult {
    this.#device.copy(this.#old, this.#parameters)
    this.#device.run(this.#evaluate, rows)
    const none = { kl: 0, gain: 0, predictedGain: 0, trials: [], residuals: [], curvature: 0, stepScale: 0 }
    return { accepted: false, rejection, surrogate, ...none }
  }
}
