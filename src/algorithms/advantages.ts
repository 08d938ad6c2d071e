import type { GaeOptions, Program } from '../devices/device.js'
import type { Tensor } from '../devices/tensor.js'
import { TRUNCATED } from '../envs/contract.js'
import { HatrpoError } from '../errors.js'
import type { TrainedCritic } from '../learner/critic.js'
import type { RolloutLayout } from '../rollout/index.js'

/** The part of a rollout that a critic sees, on the learner's device. */
export interface CriticColumns {
  /** f32 [T E, input size], and [E + E truncations, input size] of final states. */
  readonly inputs: Tensor
  readonly finalInputs: Tensor
  /** f32 [T E] */
  readonly rewards: Tensor
  /** u8 [T E] */
  readonly ends: Tensor
  /** f32 [T E], 0 for steps that broke. */
  readonly valid: Tensor
  /** f32 [T E], 1 for rows that the critic learns from. */
  readonly weight: Tensor
}

/** A critic's values of a rollout, and the advantages and returns that follow (generalised advantage estimation). */
export class Advantages {
  /** f32 [T E], in reward units. */
  readonly advantages: Tensor
  readonly returns: Tensor
  /** f32 [T E], the critic's output as it is (normalised units where there is a normaliser). */
  readonly outputs: Tensor
  /** f32 [T E], in reward units. */
  readonly values: Tensor

  readonly #critic: TrainedCritic
  readonly #columns: CriticColumns
  readonly #layout: RolloutLayout
  readonly #ends: Uint8Array
  readonly #options: GaeOptions
  /** Outputs and values of all rows, then of the final states. */
  readonly #allOutputs: Tensor
  readonly #allValues: Tensor
  readonly #nextValues: Tensor
  readonly #nextIndex: Tensor
  readonly #steps: Program
  readonly #finals: Program

  /** @param ends the rollout's ends in its own memory */
  constructor(
    critic: TrainedCritic,
    columns: CriticColumns,
    layout: RolloutLayout,
    ends: Uint8Array,
    options: GaeOptions,
  ) {
    const { device, network, parameters } = critic
    const { inputs, finalInputs } = columns
    const rows = layout.steps * layout.envs
    const finals = finalInputs.length / network.spec.input.size
    const vector = (length = rows) => device.tensor('f32', length)
    this.#critic = critic
    this.#columns = columns
    this.#layout = layout
    this.#ends = ends
    this.#options = options
    this.advantages = vector()
    this.returns = vector()
    this.#allOutputs = vector(rows + finals)
    this.#allValues = vector(rows + finals)
    this.outputs = device.slice(this.#allOutputs, 0, rows)
    this.values = device.slice(this.#allValues, 0, rows)
    this.#nextValues = vector()
    this.#nextIndex = device.tensor('i32', rows)
    this.#steps = device.compile({ rows: network.forward(parameters, { raw: inputs }) }, rows)
    this.#finals = device.compile({ rows: network.forward(parameters, { raw: finalInputs }) }, finals)
  }

  /** Values every state with the critic as it is, then fills `advantages` and `returns`. */
  compute(): void {
    const { device, valueNorm } = this.#critic
    const { rewards, ends, valid } = this.#columns
    const { steps, envs } = this.#layout
    this.#evaluate(this.#steps, 0)
    this.#evaluate(this.#finals, this.#steps.maxRows)
    const { mean, deviation } = valueNorm?.moments() ?? { mean: 0, deviation: 1 }
    device.denormalise(this.#allOutputs, mean, deviation, this.#allValues)
    if (!device.allFinite(this.#allValues)) throw this.#notFinite()

    // A step that broke counts as an end that pays the value of its state. Its own advantage is then 0, and the episode
    // before it looks forward to that value, as it does at the end of the rollout.
    device.replace(rewards, this.values, valid)
    device.write(this.#nextIndex, nextRows(this.#ends, this.#layout))
    device.pick(this.#allValues, this.#nextIndex, this.#nextValues)
    const rollout = { steps, envs, rewards, values: this.values, nextValues: this.#nextValues, ends }
    device.gae(rollout, this.#options, this.advantages, this.returns)
  }

  /** 1 - var(returns - values) / var(returns) over the rows that count; 0 when the returns do not vary. */
  explainedVariance(): number {
    const { device } = this.#critic
    const { weight } = this.#columns
    const total = device.spread(this.returns, weight).variance
    return total > 0 ? 1 - device.spread(this.returns, weight, this.values).variance / total : 0
  }

  #evaluate(program: Program, at: number): void {
    const { device, network, workspace } = this.#critic
    const rows = program.maxRows
    workspace.claim(null)
    device.run(program, rows)
    device.copy(device.slice(network.output, 0, rows), device.slice(this.#allOutputs, at, rows))
  }

  #notFinite(): HatrpoError {
    const { envs, steps } = this.#layout
    const values = this.#critic.device.read(this.#allValues)
    const bad = values.findIndex((value) => !Number.isFinite(value))
    const rollout = (steps + 1) * envs
    const where =
      bad < rollout ? `environment ${bad % envs}, step ${Math.floor(bad / envs)}` : 'an episode that was cut'
    return new HatrpoError(
      `the critic gave the value ${values[bad]} (${where} of the rollout): its input is too large`,
    )
  }
}

/**
 * Index of s_{t+1} of each step among the rows of a rollout and, behind them, its final states: the next row, after the
 * last row the state that the rollout ended in, and at a truncation the state that it cut off.
 * @returns i32 [T E]
 */
export function nextRows(
  ends: Uint8Array,
  { steps, envs, truncations }: Pick<RolloutLayout, 'steps' | 'envs' | 'truncations'>,
): Int32Array {
  const next = Int32Array.from({ length: steps * envs }, (_, row) => row + envs)
  const cut = (steps + 1) * envs
  for (let e = 0; e < envs; e++) {
    let seen = 0
    for (let t = 0; t < steps; t++) {
      const row = t * envs + e
      if (ends[row] === TRUNCATED) next[row] = cut + e * truncations + seen++
    }
  }
  return next
}
