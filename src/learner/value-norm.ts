const EPS = 1e-5
const VARIANCE_FLOOR = 0.01

/** [running mean, running mean of squares, debiasing term] */
export type ValueNormState = readonly [number, number, number]

/**
 * Running normalisation of value targets (HARL's ValueNorm): exponential moving averages of the mean and the mean of
 * squares, divided by a debiasing term that starts at 0.
 */
export class ValueNorm {
  readonly #beta: number
  #mean = 0
  #meanSquare = 0
  #debias = 0

  constructor(beta = 0.99999) {
    this.#beta = beta
  }

  /** Updates the averages with a batch of targets, in reward units. */
  update(mean: number, meanSquare: number): void {
    const beta = this.#beta
    this.#mean = beta * this.#mean + (1 - beta) * mean
    this.#meanSquare = beta * this.#meanSquare + (1 - beta) * meanSquare
    this.#debias = beta * this.#debias + (1 - beta)
  }

  /** Debiased mean and standard deviation; the variance is at least 0.01. */
  moments(): { mean: number; deviation: number } {
    const debias = Math.max(this.#debias, EPS)
    const mean = this.#mean / debias
    const variance = this.#meanSquare / debias - mean * mean
    return { mean, deviation: Math.sqrt(Math.max(variance, VARIANCE_FLOOR)) }
  }

  save(): ValueNormState {
    return [this.#mean, this.#meanSquare, this.#debias]
  }

  restore([mean, meanSquare, debias]: ValueNormState): void {
    this.#mean = mean
    this.#meanSquare = meanSquare
    this.#debias = debias
  }
}
