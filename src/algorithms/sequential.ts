import type { Device } from '../devices/device.js'
import type { Tensor } from '../devices/tensor.js'
import type { AgentOutcome, AgentUpdate } from './agent-update.js'

/** Added to the standard deviation that advantages are divided by. */
const EPSILON = 1e-5

/** Over which rows advantages are standardised: those that count for any agent, or for the agent whose turn it is. */
export type AdvantageNorm = 'joint' | 'agent' | 'none'

export interface SequentialOptions {
  readonly advantageNorm: AdvantageNorm
  /** Rows whose ratios enter the factor: `active` (default), or `all` as HARL has it. */
  readonly factorRows?: 'active' | 'all'
}

export interface TurnOutcome extends AgentOutcome {
  readonly agent: number
  /** Spread, over the rows that count, of the ratio product that weighted this agent's advantages. */
  readonly factorSpread: { readonly min: number; readonly max: number; readonly sd: number }
}

/**
 * The agents' turns of one iteration (HATRPO paper, Algorithm 2): each is updated on the joint advantage times the
 * ratios of the agents before it,
 *   M^{1:1} = A,   M^{1:m+1} = M^{1:m} pi_new^m(a^m | o^m) / pi_old^m(a^m | o^m)   (Eq. 10).
 */
export class SequentialUpdate {
  readonly #device: Device
  readonly #agents: readonly AgentUpdate[]
  readonly #options: SequentialOptions
  /** Product of ratios so far, M / A. */
  readonly #product: Tensor
  readonly #advantages: Tensor

  constructor(device: Device, agents: readonly AgentUpdate[], rows: number, options: SequentialOptions) {
    this.#device = device
    this.#agents = agents
    this.#options = options
    this.#product = device.tensor('f32', rows)
    this.#advantages = device.tensor('f32', rows)
  }

  /** The ratio product as it stands, [rows]. */
  get product(): Tensor {
    return this.#product
  }

  /**
   * @param advantages f32 [rows], not standardised
   * @param valid f32 [rows], 1 for rows that count
   * @param order the agents, each once
   * @param progress share of the run that is done, for schedules
   * @param afterTurn called when an agent is done, with the factor already passed on
   */
  run(
    advantages: Tensor,
    valid: Tensor,
    order: readonly number[],
    progress: number,
    afterTurn?: (outcome: TurnOutcome) => void,
  ): TurnOutcome[] {
    const device = this.#device
    const { advantageNorm } = this.#options
    const rows = advantages.length
    device.fill(this.#product, 1)
    device.copy(advantages, this.#advantages)
    if (advantageNorm === 'joint') device.standardise(this.#advantages, valid, EPSILON)

    return order.map((agent) => {
      const update = this.#agents[agent]
      const { batch } = update
      device.copy(this.#advantages, batch.factor)
      if (advantageNorm === 'agent') device.standardise(batch.factor, batch.weight, EPSILON)
      device.multiply(this.#product, batch.factor)
      const factorSpread = spread(device.read(this.#product), device.read(batch.weight))

      const outcome = { agent, factorSpread, ...update.update(rows, progress) }

      const counted = this.#options.factorRows === 'all' ? null : batch.weight
      device.multiplyByRatio(this.#product, batch.newLogProb, batch.logProb, counted)
      afterTurn?.(outcome)
      return outcome
    })
  }
}

function spread(values: ArrayLike<number>, weight: ArrayLike<number>): TurnOutcome['factorSpread'] {
  let min = Infinity
  let max = -Infinity
  let count = 0
  let sum = 0
  for (let r = 0; r < values.length; r++) {
    if (weight[r] === 0) continue
    const value = values[r]
    if (value < min) min = value
    if (value > max) max = value
    sum += value
    count++
  }
  const mean = sum / count
  let squares = 0
  for (let r = 0; r < values.length; r++) {
    if (weight[r] !== 0) squares += (values[r] - mean) * (values[r] - mean)
  }
  return { min, max, sd: Math.sqrt(squares / count) }
}
