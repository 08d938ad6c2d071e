import type { Device } from '../devices/device.js'
import type { Tensor } from '../devices/tensor.js'
import type { PolicyOutcome, PolicyUpdate } from './agent-update.js'
import type { KlAllocation, Rescoring } from './kl-allocation.js'

/** Added to the standard deviation that advantages are divided by. */
const EPSILON = 1e-5

/**
 * Rows over which advantages are standardised: `joint`: a critic's advantages over all valid rows of the rollout, whether
 * an agent took part in them or not; `agent`: over the rows that count for the agents of the policy whose turn it is.
 */
export type AdvantageNorm = 'joint' | 'agent' | 'none'

export interface TurnOutcome extends PolicyOutcome {
  /** Agents whose policy it is. */
  readonly agents: readonly number[]
  /**
   * Spread, over the rows that count, of the ratio product that weighted the advantages; absent where no row counts, and
   * for schedules without such a product.
   */
  readonly factorSpread?: { readonly min: number; readonly max: number; readonly sd: number }
  /**
   * Number of the turn, from 1, and the score of the step at that time (`UpdateForecast.score`), if policies are
   * compared.
   */
  readonly turn?: number
  readonly score?: number
}

/** Everything that a schedule is made from. */
export interface ScheduleParts {
  readonly device: Device
  readonly updates: readonly PolicyUpdate[]
  /** f32 [T E] per agent, not standardised; agents with a common critic have the same tensor. */
  readonly advantages: readonly Tensor[]
  /** f32 [T E], 1 for rows that count. */
  readonly valid: Tensor
  readonly advantageNorm: AdvantageNorm
  /** KL budget of an update in nats, null for rules without one. */
  readonly budget: (update: PolicyUpdate) => number | null
  /** Rows whose ratios enter the factor: `active` (default), or `all` as in HARL. */
  readonly factorRows?: 'active' | 'all'
  /** Comparison of the policies before each turn; absent where they are not compared. */
  readonly comparison?: Comparison
}

/** Rules by which policies that are compared before they move share a KL budget and take turns. */
export interface Comparison {
  readonly allocation: KlAllocation
  readonly rescore: Rescoring
  /** Whether the policy with the greatest merit is next, instead of the first in the order. */
  readonly byMerit: boolean
}

/** The order in which the policies of an iteration move, and the advantages that each sees. */
export interface Schedule {
  /**
   * @param order the updates, each once
   * @param progress share of the run that is done
   * @param afterTurn called when an update is done
   */
  run(order: readonly number[], progress: number, afterTurn?: (outcome: TurnOutcome) => void): TurnOutcome[]
}

/** Advantages as the updates see them, standardised. */
class AdvantageTerms {
  readonly #parts: ScheduleParts
  /** Copies of the agents' advantages, one per critic. */
  readonly #copies = new Map<Tensor, Tensor>()

  constructor(parts: ScheduleParts) {
    this.#parts = parts
    for (const source of parts.advantages) {
      if (!this.#copies.has(source)) this.#copies.set(source, parts.device.tensor('f32', source.length))
    }
  }

  /** Takes over the advantages of an iteration. */
  load(): void {
    const { device, advantageNorm, valid } = this.#parts
    for (const [source, copy] of this.#copies) {
      device.copy(source, copy)
      if (advantageNorm === 'joint') device.standardise(copy, valid, EPSILON)
    }
  }

  /** Writes the advantages of an update's agents to its batch's `factor`. */
  fill({ agents, batch }: PolicyUpdate): void {
    const { device, advantages, advantageNorm } = this.#parts
    agents.forEach((agent, i) => {
      const copy = this.#copies.get(advantages[agent])!
      device.copy(copy, device.slice(batch.factor, i * copy.length, copy.length))
    })
    if (advantageNorm === 'agent') device.standardise(batch.factor, batch.weight, EPSILON)
  }
}

/**
 * The factor of policies that move one after another: each sees the advantages times the ratios of those before it,
 *   M^{1:1} = A,   M^{1:m+1} = M^{1:m} pi_new^m(a^m | o^m) / pi_old^m(a^m | o^m)   (Eq. 10).
 */
export class SequentialFactor {
  readonly #parts: ScheduleParts
  readonly #terms: AdvantageTerms
  /** Product of ratios so far, M / A, [T E]. */
  readonly product: Tensor

  constructor(parts: ScheduleParts) {
    this.#parts = parts
    this.#terms = new AdvantageTerms(parts)
    this.product = parts.device.tensor('f32', parts.valid.length)
  }

  /** Takes over the advantages of an iteration in which no policy has moved. */
  begin(): void {
    this.#parts.device.fill(this.product, 1)
    this.#terms.load()
  }

  /** Writes M to an update's `batch.factor`. */
  fill(update: PolicyUpdate): void {
    this.#terms.fill(update)
    this.#parts.device.multiply(this.product, update.batch.factor)
  }

  /** Spread of the product over the rows that count for an update. */
  spread({ batch }: PolicyUpdate): Pick<TurnOutcome, 'factorSpread'> {
    const { count, min, max, variance } = this.#parts.device.spread(this.product, batch.weight)
    return count > 0 ? { factorSpread: { min, max, sd: Math.sqrt(variance) } } : {}
  }

  /** Takes in the ratios of an update that was committed. */
  advance({ batch }: PolicyUpdate): void {
    const { device, factorRows } = this.#parts
    const counted = factorRows === 'all' ? null : batch.weight
    device.multiplyByRatio(this.product, batch.newLogProb, batch.logProb, counted)
  }
}

/** The agents' turns of one iteration in a given order (Kuba et al. 2022, Algorithm 2). */
export class SequentialSchedule implements Schedule {
  readonly #parts: ScheduleParts
  readonly #factor: SequentialFactor

  constructor(parts: ScheduleParts) {
    this.#parts = parts
    this.#factor = new SequentialFactor(parts)
  }

  /** The ratio product after the latest turn, [T E]. */
  get product(): Tensor {
    return this.#factor.product
  }

  run(order: readonly number[], progress: number, afterTurn?: (outcome: TurnOutcome) => void): TurnOutcome[] {
    const { updates, budget } = this.#parts
    this.#factor.begin()
    return order.map((turn) => {
      const update = updates[turn]
      this.#factor.fill(update)
      const factorSpread = this.#factor.spread(update)
      update.propose(progress)
      const outcome = { agents: update.agents, ...factorSpread, ...update.commit(budget(update)) }
      this.#factor.advance(update)
      afterTurn?.(outcome)
      return outcome
    })
  }
}

/** All policies move from the same advantages, none knowing of the others' moves. */
export class SimultaneousSchedule implements Schedule {
  readonly #parts: ScheduleParts
  readonly #terms: AdvantageTerms

  constructor(parts: ScheduleParts) {
    this.#parts = parts
    this.#terms = new AdvantageTerms(parts)
  }

  run(order: readonly number[], progress: number, afterTurn?: (outcome: TurnOutcome) => void): TurnOutcome[] {
    const { updates, budget } = this.#parts
    this.#terms.load()
    return order.map((turn) => {
      const update = updates[turn]
      this.#terms.fill(update)
      update.propose(progress)
      const outcome = { agents: update.agents, ...update.commit(budget(update)) }
      afterTurn?.(outcome)
      return outcome
    })
  }
}
