import type { WasmDevice } from '../devices/wasm/device.js'
import type { Tensor } from '../devices/tensor.js'
import type { EnvSpec } from '../envs/contract.js'

/** Addresses and sizes of a rollout's arrays in shared memory: plain data, to be posted to workers. */
export interface RolloutLayout {
  /** T, steps each environment makes. */
  readonly steps: number
  /** E, environments. */
  readonly envs: number
  /** Episode ends by truncation that one environment can have in a rollout. */
  readonly truncations: number
  readonly stateSize: number
  readonly agents: readonly {
    readonly observationSize: number
    readonly actionSize: number
    /** f32 [T, E, observation] */
    readonly observations: number
    /** f32 [T, E, action] */
    readonly actions: number
    /** f32 [T, E] */
    readonly logProb: number
    /** f32 [T, E], 1 where the agent took part */
    readonly weight: number
  }[]
  /** f32 [T E + E + E truncations, state]: the rollout's states, those after it, those that truncations cut off */
  readonly states: number
  /** f32 [T, E] */
  readonly rewards: number
  /** u8 [T, E]: RUNNING, TERMINATED or TRUNCATED */
  readonly ends: number
  /** f32 [T, E], 0 for steps that do not count because something broke */
  readonly valid: number
}

/** A rollout's arrays in a device's shared memory. Row of step t in environment e: t E + e. */
export class RolloutStorage {
  readonly layout: RolloutLayout
  readonly rows: number
  /** Rows of `states`. */
  readonly stateRows: number
  readonly agents: readonly {
    readonly observations: Tensor
    readonly actions: Tensor
    readonly logProb: Tensor
    readonly weight: Tensor
  }[]
  readonly states: Tensor
  readonly rewards: Tensor
  readonly valid: Tensor
  readonly ends: Uint8Array

  constructor(device: WasmDevice, env: EnvSpec, envs: number, steps: number) {
    const rows = steps * envs
    const limit = env.truncatesAfter ?? env.timeLimit
    const truncations = Number.isFinite(limit) ? Math.floor((steps - 1) / limit) + 1 : 1
    const f32 = (length: number) => device.tensor('f32', length)
    this.rows = rows
    this.stateRows = rows + envs + envs * truncations
    this.agents = env.agents.map(({ observation, action }) => ({
      observations: f32(rows * observation.size),
      actions: f32(rows * (action.kind === 'box' ? action.size : 1)),
      logProb: f32(rows),
      weight: f32(rows),
    }))
    this.states = f32(this.stateRows * env.stateSize)
    this.rewards = f32(rows)
    this.valid = f32(rows)
    const ends = device.tensor('i32', Math.ceil(rows / 4))
    this.ends = device.arena.u8(ends.address, rows)
    this.layout = {
      steps,
      envs,
      truncations,
      stateSize: env.stateSize,
      agents: this.agents.map(({ observations, actions, logProb, weight }, i) => ({
        observationSize: env.agents[i].observation.size,
        actionSize: actions.length / rows,
        observations: observations.address,
        actions: actions.address,
        logProb: logProb.address,
        weight: weight.address,
      })),
      states: this.states.address,
      rewards: this.rewards.address,
      ends: ends.address,
      valid: this.valid.address,
    }
  }
}
