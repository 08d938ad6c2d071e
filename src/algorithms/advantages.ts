import type { GaeInput, GaeOptions, Program } from '../devices/device.js'
import type { Tensor } from '../devices/tensor.js'
import { TRUNCATED } from '../envs/contract.js'
import { HatrpoError } from '../errors.js'
import type { TrainedCritic } from '../learner/critic.js'
import type { Sequence } from '../nn/recurrent.js'
import { stateWidth } from '../nn/spec.js'
import { rowOf, type RolloutLayout } from '../rollout/index.js'
import { CriticMemory } from './critic-memory.js'

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
  /** f32 [T E], 1 where an episode starts; empty where it is not recorded. */
  readonly starts: Tensor
}

/** A critic's values of a rollout, and the advantages and returns that follow (generalised advantage estimation). */
export class Advantages {
  /** f32 [T E], in reward units. */
  readonly advantages: Tensor
  readonly returns: Tensor
  /** f32 [T E], output of the critic, in normalised units if there is a normaliser. */
  readonly outputs: Tensor
  /** f32 [T E], in reward units. */
  readonly values: Tensor
  /** Of a recurrent critic. */
  readonly memory: CriticMemory | null

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
    const { inputs, finalInputs, starts } = columns
    const width = stateWidth(network.spec)
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
    this.memory = width > 0 ? new CriticMemory(device, layout, width, starts, finals) : null
    const pass = (raw: Tensor, sequence: Sequence | undefined) =>
      network.forward(parameters, { raw, sequence })
    this.#steps = device.compile({ rows: pass(inputs, this.memory?.rollout) }, rows)
    this.#finals = device.compile({ rows: pass(finalInputs, this.memory?.finals) }, finals)
  }

  /** Values every state with the present critic, then fills `advantages` and `returns`. */
  compute(): void {
    const { device, valueNorm } = this.#critic
    const { rewards, ends, valid } = this.#columns
    this.memory?.begin()
    this.#evaluate(this.#steps, 0)
    this.memory?.finish(this.#ends)
    this.#evaluate(this.#finals, this.#steps.maxRows)
    const { mean, deviation } = valueNorm?.moments() ?? { mean: 0, deviation: 1 }
    device.denormalise(this.#allOutputs, mean, deviation, this.#allValues)
    if (!device.allFinite(this.#allValues)) throw this.#notFinite()

    // A step that broke counts as an end that pays the value of its state. Its own advantage is then 0, and the episode
    // before it looks forward to that value, as it does at the end of the rollout.
    device.replace(rewards, this.values, valid)
    device.write(this.#nextIndex, nextRows(this.#ends, this.#layout))
    device.pick(this.#allValues, this.#nextIndex, this.#nextValues)
    this.#estimate({ rewards, values: this.values, nextValues: this.#nextValues, ends })
  }

  /** Generalised advantage estimation over the whole rollout, or where rows are by environment over one after another. */
  #estimate(columns: Omit<GaeInput, 'steps' | 'envs'>): void {
    const { device } = this.#critic
    const { steps, envs, byEnvironment } = this.#layout
    const size = byEnvironment ? { steps, envs: 1 } : { steps, envs }
    const rows = size.steps * size.envs
    for (let at = 0; at < steps * envs; at += rows) {
      const part = (tensor: Tensor) => device.slice(tensor, at, rows)
      const [rewards, values] = [columns.rewards, columns.values].map(part)
      const [nextValues, ends] = [columns.nextValues, columns.ends].map(part)
      const input = { ...size, rewards, values, nextValues, ends }
      device.gae(input, this.#options, part(this.advantages), part(this.returns))
    }
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
    const { envs, steps, byEnvironment } = this.#layout
    const values = this.#critic.device.read(this.#allValues)
    const bad = values.findIndex((value) => !Number.isFinite(value))
    const rollout = (steps + 1) * envs
    const inside = byEnvironment && bad < steps * envs
    const [env, step] = inside ? [Math.floor(bad / steps), bad % steps] : [bad % envs, Math.floor(bad / envs)]
    const where = bad < rollout ? `environment ${env}, step ${step}` : 'an episode that was cut'
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
  layout: Pick<RolloutLayout, 'steps' | 'envs' | 'truncations' | 'byEnvironment'>,
): Int32Array {
  const { steps, envs, truncations } = layout
  const next = new Int32Array(steps * envs)
  const cut = (steps + 1) * envs
  for (let e = 0; e < envs; e++) {
    let seen = 0
    for (let t = 0; t < steps; t++) {
      const row = rowOf(layout, t, e)
      if (ends[row] === TRUNCATED) next[row] = cut + e * truncations + seen++
      else next[row] = t + 1 < steps ? rowOf(layout, t + 1, e) : steps * envs + e
    }
  }
  return next
}
