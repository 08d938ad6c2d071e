import { TRUNCATED } from '../envs/contract.js'
import { HatrpoError } from '../errors.js'
import { GAE_BOOTSTRAP, GAE_HARL, GAE_TERMINATE } from '../kernels/index.js'
import type { Device, Program } from '../devices/device.js'
import { slice, type Tensor } from '../devices/tensor.js'
import type { WasmDevice } from '../devices/wasm/device.js'
import type { Network } from '../learner/network.js'
import type { ValueNorm } from '../learner/value-norm.js'
import type { CriticSpec } from '../nn/spec.js'
import type { RolloutStorage } from '../rollout/index.js'

const MODES = { bootstrap: GAE_BOOTSTRAP, harl: GAE_HARL, terminate: GAE_TERMINATE } as const

export interface AdvantageOptions {
  readonly gamma: number
  readonly lambda: number
  /** What a time limit does to the trace; see `gae` in assembly/gae.ts. */
  readonly truncation: keyof typeof MODES
}

/** The critic's values of a rollout, and the advantages and returns that follow (generalised advantage estimation). */
export class Advantages {
  /** f32 [T E], in reward units. */
  readonly advantages: Tensor
  readonly returns: Tensor
  /** f32 [T E], the critic's output as it is (normalised units where there is a normaliser). */
  readonly outputs: Tensor
  /** f32 [T E], in reward units. */
  readonly values: Tensor

  readonly #device: WasmDevice
  readonly #storage: RolloutStorage
  readonly #network: Network<CriticSpec>
  readonly #nextValues: Tensor
  readonly #program: Program
  readonly #options: AdvantageOptions

  /** @param network workspace of at least `storage.stateRows` rows */
  constructor(
    device: WasmDevice,
    storage: RolloutStorage,
    network: Network<CriticSpec>,
    parameters: Tensor,
    options: AdvantageOptions,
  ) {
    const vector = () => device.tensor('f32', storage.rows)
    this.advantages = vector()
    this.returns = vector()
    this.outputs = vector()
    this.values = vector()
    this.#nextValues = vector()
    this.#device = device
    this.#storage = storage
    this.#network = network
    this.#options = options
    this.#program = device.compile({ rows: network.forward(parameters, storage.states) }, storage.stateRows)
  }

  /** Values every state with the critic as it is, then fills `advantages` and `returns`. */
  compute(valueNorm: ValueNorm | null): void {
    const device: Device = this.#device
    const { rows, stateRows, layout, ends } = this.#storage
    device.run(this.#program, stateRows)
    const outputs = device.read(slice(this.#network.output, 0, stateRows)) as Float32Array
    device.write(this.outputs, outputs.subarray(0, rows))

    const { mean, deviation } = valueNorm?.moments() ?? { mean: 0, deviation: 1 }
    const values = outputs.map((output) => output * deviation + mean)
    device.write(this.values, values.subarray(0, rows))
    this.#expectFinite(values)
    this.#endBeforeBroken(values)
    device.write(this.#nextValues, nextValues(values, ends, layout))

    const { gamma, lambda, truncation } = this.#options
    this.#device.kernels.exports.gae(
      this.#storage.rewards.address,
      this.values.address,
      this.#nextValues.address,
      layout.ends,
      layout.steps,
      layout.envs,
      gamma,
      lambda,
      MODES[truncation],
      this.advantages.address,
      this.returns.address,
    )
  }

  #expectFinite(values: Float32Array): void {
    const { envs, steps } = this.#storage.layout
    const bad = values.findIndex((value) => !Number.isFinite(value))
    if (bad < 0) return
    const rollout = (steps + 1) * envs
    const where =
      bad < rollout ? `environment ${bad % envs}, step ${Math.floor(bad / envs)}` : 'an episode that was cut'
    throw new HatrpoError(
      `the critic gave the value ${values[bad]} (${where} of the rollout): its state is too large`,
    )
  }

  // A step that broke counts as an end that pays what its state is worth. Its own advantage is then 0, and the episode
  // before it looks forward to that state's value, as it does at the end of the rollout.
  #endBeforeBroken(values: Float32Array): void {
    const rewards = this.#device.f32(this.#storage.rewards)
    const valid = this.#device.f32(this.#storage.valid)
    for (let row = 0; row < valid.length; row++) if (valid[row] === 0) rewards[row] = values[row]!
  }
}

/**
 * V(s_{t+1}) of each step, [T, E]: of the next row, after the last row of the state the rollout ended in, and at a
 * truncation of the state it cut off.
 * @param values [stateRows] as RolloutLayout.states has them
 */
export function nextValues(
  values: Float32Array,
  ends: Uint8Array,
  { steps, envs, truncations }: { steps: number; envs: number; truncations: number },
): Float32Array {
  const next = values.slice(envs, (steps + 1) * envs)
  const finals = (steps + 1) * envs
  for (let e = 0; e < envs; e++) {
    let seen = 0
    for (let t = 0; t < steps; t++) {
      const row = t * envs + e
      if (ends[row] === TRUNCATED) next[row] = values[finals + e * truncations + seen++]!
    }
  }
  return next
}

/** 1 - var(returns - values) / var(returns) over the rows that count; 0 when the returns do not vary. */
export function explainedVariance(
  values: ArrayLike<number>,
  returns: ArrayLike<number>,
  weight: ArrayLike<number>,
): number {
  const residual = variance(returns.length, weight, (r) => returns[r] - values[r])
  const total = variance(returns.length, weight, (r) => returns[r])
  return total > 0 ? 1 - residual / total : 0
}

function variance(rows: number, weight: ArrayLike<number>, value: (row: number) => number): number {
  let count = 0
  let sum = 0
  for (let r = 0; r < rows; r++) {
    if (weight[r] === 0) continue
    count++
    sum += value(r)
  }
  let squares = 0
  for (let r = 0; r < rows; r++) {
    if (weight[r] !== 0) squares += (value(r) - sum / count) * (value(r) - sum / count)
  }
  return squares / count
}
