import { HatrpoError } from '../../errors.js'
import { categoricalKl } from './kl.js'
import { increasingRoot } from './root.js'

const NEWTON_STEPS = 100
/** A KL that rounding alone makes of two equal policies is below it. */
const NO_KL = 1e-28
/** A beta beyond it is as good as infinite. */
const LARGEST_BETA = 1e300

/**
 * Trade-off of one state: the policies that maximise beta sum of q(a) weights(a) - KL(p || q) over distributions q with
 * q(a) >= floor, for beta from 0 (q = p) to infinity (all that the floor leaves to the best actions).
 *
 * Stationarity gives q(a) = max(floor, p(a) / (tau + beta loss(a))), with loss(a) = max of the weights - weights(a) and tau
 * such that q sums to 1. The sum is convex and falls in tau, so Newton's method from the left does not overshoot.
 */
export class StateRow {
  readonly visits: number
  /** The latest response. */
  readonly policy: Float64Array
  /** rho(s) times the standard deviation of the weights: the gain of a small KL d is about this times sqrt(2 d). */
  readonly steepness: number
  readonly #old: Float64Array
  readonly #weights: Float64Array
  readonly #floor: number
  readonly #loss: Float64Array
  readonly #meanLoss: number
  readonly #deviation: number
  /** Probability of the best actions under the old policy. */
  readonly #best: number
  /** KL of the response to an infinite beta. */
  readonly #limit: number

  constructor(old: Float64Array, weights: Float64Array, visits: number, floor: number) {
    const wrong = old.findIndex((p) => !(p > 0 && p >= floor))
    if (wrong >= 0)
      throw new HatrpoError(
        `old policy has the probability ${old[wrong]}: it must be positive and at least the floor ${floor}`,
      )
    const top = weights.reduce((max, w) => Math.max(max, w), -Infinity)
    this.visits = visits
    this.policy = old.slice()
    this.#old = old
    this.#weights = weights
    this.#floor = floor
    this.#loss = weights.map((w) => top - w)
    const mean = (f: (loss: number) => number) => old.reduce((sum, p, a) => sum + p * f(this.#loss[a]), 0)
    const meanLoss = mean((loss) => loss)
    this.#meanLoss = meanLoss
    this.#deviation = Math.sqrt(mean((loss) => (loss - meanLoss) * (loss - meanLoss)))
    this.#best = mean((loss) => (loss === 0 ? 1 : 0))
    const limit = this.#deviation === 0 ? 0 : this.respond(Infinity)
    this.#limit = limit > NO_KL ? limit : 0
    this.steepness = this.#limit === 0 ? 0 : visits * this.#deviation
  }

  /** Makes `policy` the response to beta. @returns KL(old || policy) */
  respond(beta: number): number {
    if (this.#deviation === 0 || this.#limit === 0) {
      this.policy.set(this.#old)
      return 0
    }
    const tau = this.#tau(beta)
    let [total, largest] = [0, 0]
    for (let a = 0; a < this.policy.length; a++) {
      this.policy[a] = Math.max(this.#floor, this.#old[a] / this.#divisor(a, tau, beta))
      total += this.policy[a]
      if (this.policy[a] > this.policy[largest]) largest = a
    }
    this.policy[largest] += 1 - total
    return categoricalKl(this.#old, this.policy)
  }

  /** The beta whose response has the KL `level`; infinite where every response has less. */
  betaAt(level: number): number {
    if (level >= this.#limit) return Infinity
    const target = Math.sqrt(level)
    // Proportional to beta where it is small.
    const excess = (beta: number) => Math.sqrt(this.respond(beta)) - target
    let above = Math.sqrt(2 * level) / this.#deviation
    let below = 0
    while (excess(above) < 0) {
      below = above
      above *= 2
      if (above > LARGEST_BETA) return Infinity
    }
    return increasingRoot(excess, { below, above }).below
  }

  /** Of `policy`, times the visits. */
  gain(): number {
    return this.visits * this.policy.reduce((sum, q, a) => sum + (q - this.#old[a]) * this.#weights[a], 0)
  }

  #tau(beta: number): number {
    // The sum is at least 1 here: by the best actions alone, and by Jensen's inequality.
    const linear = 1 - beta * this.#meanLoss
    let tau = linear > this.#best ? linear : this.#best
    for (let step = 0; step < NEWTON_STEPS; step++) {
      let [total, slope] = [0, 0]
      for (let a = 0; a < this.#old.length; a++) {
        const divisor = this.#divisor(a, tau, beta)
        const q = this.#old[a] / divisor
        total += Math.max(q, this.#floor)
        if (q > this.#floor) slope += q / divisor
      }
      const next = tau + (total - 1) / slope
      if (!(next > tau)) return tau
      tau = next
    }
    return tau
  }

  #divisor(action: number, tau: number, beta: number): number {
    return this.#loss[action] === 0 ? tau : tau + beta * this.#loss[action]
  }
}
