import type { Device } from '../devices/device.js'
import type { Tensor } from '../devices/tensor.js'
import type { PolicyOutcome, PolicyUpdate } from './agent-update.js'

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
 * The agents' turns of one iteration (Kuba et al. 2022, Algorithm 2): each is updated on the joint advantage times the
 * ratios of the agents before it,
 *   M^{1:1} = A,   M^{1:m+1} = M^{1:m} pi_new^m(a^m | o^m) / pi_old^m(a^m | o^m)   (Eq. 10).
 */
export class SequentialSchedule implements Schedule {
  readonly #parts: ScheduleParts
  readonly #terms: AdvantageTerms
  /** Product of ratios so far, M / A. */
  readonly #product: Tensor

  constructor(parts: ScheduleParts) {
    this.#parts = parts
    this.#terms = new AdvantageTerms(parts)
    this.#product = parts.device.tensor('f32', parts.valid.length)
  }

  /** The ratio product after the latest turn, [T E]. */
  get product(): Tensor {
    return this.#product
  }

  run(order: readonly number[], progress: number, afterTurn?: (outcome: TurnOutcome) => void): TurnOutcome[] {
    const { device, updates, budget, factorRows } = this.#parts
    device.fill(this.#product, 1)
    this.#terms.load()
    return order.map((turn) => {
      const update = updates[turn]
      const { agents, batch } = update
      this.#terms.fill(update)
      device.multiply(this.#product, batch.factor)
      const factorSpread = this.#spread(batch.weight)
      update.propose(progress)
      const outcome = { agents, ...factorSpread, ...update.commit(budget(update)) }

      const counted = factorRows === 'all' ? null : batch.weight
      device.multiplyByRatio(this.#product, batch.newLogProb, batch.logProb, counted)
      afterTurn?.(outcome)
      return outcome
    })
  }

  #spread(weight: Tensor): Pick<TurnOutcome, 'factorSpread'> {
    const { count, min, max, variance } = this.#parts.device.spread(this.#product, weight)
    return count > 0 ? { factorSpread: { min, max, sd: Math.sqrt(variance) } } : {}
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
