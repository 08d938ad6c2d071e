import type { Device, Program } from '../../devices/device.js'
import type { Columns } from '../../devices/head-steps.js'
import type { RowStep } from '../../devices/steps.js'
import type { Tensor } from '../../devices/tensor.js'
import type { EnvSpec } from '../../envs/contract.js'
import { actionColumns } from '../specs.js'
import type { BlockLayout } from './block.js'
import type { Draw, Replay } from './replay.js'

/** Rows that count. */
export interface Counted {
  /** f32 [batch], 1 for rows that count. */
  readonly weight: Tensor
  count: number
}

/** Transitions of one update step on the learner's device. Matrices are [batch, width]. */
export class ReplayBatch {
  readonly rows: number
  /** Inputs of critics before and after the rewards; the caller writes the actions of the latter. */
  readonly joint: Tensor
  readonly nextJoint: Tensor
  /** Of each agent, before the rewards and after them. */
  readonly observations: readonly Tensor[]
  readonly nextObservations: readonly Tensor[]
  /** [batch] per agent. */
  readonly returns: readonly Tensor[]
  readonly discounts: Tensor
  /** For each agent's policy, and for critics. */
  readonly taking: readonly Counted[]
  readonly valid: Counted
  /** Of each agent's action in `joint`. */
  readonly columns: readonly Columns[]

  readonly #device: Device
  readonly #first: Tensor
  readonly #last: Tensor
  readonly #gather: Program

  constructor(device: Device, env: EnvSpec, block: BlockLayout, replay: Replay, rows: number) {
    const { agents } = env
    const { seen } = block
    const { widths, starts, width: actions } = actionColumns(env)
    const width = seen + actions
    const matrix = (columns: number) => device.tensor('f32', rows * columns)
    const [first, last] = [0, 1].map(() => device.tensor('i32', rows))
    this.#device = device
    this.#first = first
    this.#last = last
    this.rows = rows
    this.joint = matrix(width)
    this.nextJoint = matrix(width)
    this.returns = agents.map(() => matrix(1))
    this.discounts = matrix(1)
    this.taking = agents.map(() => ({ weight: matrix(1), count: 0 }))
    this.valid = { weight: matrix(1), count: 0 }
    this.columns = widths.map((own, agent) => {
      const before = seen + starts[agent]
      return { before, count: own, after: width - before - own }
    })

    const gather = (source: Tensor, index: Tensor, columns: number, out: Tensor): RowStep => {
      return { op: 'gather', source, index, width: columns, out }
    }
    const steps = [
      gather(replay.joint, first, width, this.joint),
      gather(replay.joint, last, width, this.nextJoint),
    ]
    const { observations } = replay
    if (observations) {
      const gathered = (index: Tensor) =>
        agents.map(({ observation: { size } }, agent) => {
          const out = matrix(size)
          steps.push(gather(observations[agent], index, size, out))
          return out
        })
      this.observations = gathered(first)
      this.nextObservations = gathered(last)
    } else {
      const states = [this.joint, this.nextJoint].map((x) => {
        const out = matrix(seen)
        steps.push({ op: 'part', x, out, before: 0, count: seen, after: actions })
        return out
      })
      this.observations = agents.map(() => states[0])
      this.nextObservations = agents.map(() => states[1])
    }
    this.#gather = device.compile({ rows: steps }, rows)
  }

  /** Brings drawn transitions to the device. */
  load({ first, last, returns, weights, valid, discounts }: Draw): void {
    const device = this.#device
    const count = (counted: Counted, values: Float64Array) => {
      device.write(counted.weight, values)
      counted.count = values.reduce((sum, weight) => sum + weight, 0)
    }
    device.write(this.#first, first)
    device.write(this.#last, last)
    device.write(this.discounts, discounts)
    returns.forEach((values, agent) => device.write(this.returns[agent], values))
    weights.forEach((values, agent) => count(this.taking[agent], values))
    count(this.valid, valid)
    device.run(this.#gather, this.rows)
  }
}
