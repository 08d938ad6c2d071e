import type { Device, Program } from '../../devices/device.js'
import type { Tensor } from '../../devices/tensor.js'
import type { DeterministicActor } from '../../learner/deterministic-step.js'
import type { Network } from '../../nn/network.js'
import type { ReplayBatch } from './batch.js'

/** A network's parameters, and the slowly following copy of them that targets are computed with. */
export class TargetCopy {
  readonly tensor: Tensor
  readonly #device: Device
  readonly #followed: Tensor

  constructor(device: Device, followed: Tensor) {
    this.tensor = device.tensor('f32', followed.length)
    this.#device = device
    this.#followed = followed
    device.copy(followed, this.tensor)
  }

  /** target = (1 - share) target + share parameters (Polyak averaging; Lillicrap et al. 2016, Algorithm 1). */
  follow(share: number): void {
    this.#device.scale(1 - share, this.tensor)
    this.#device.axpy(share, this.#followed, this.tensor)
  }
}

/** Targets of the critics: y = sum over k of gamma^k r_k + gamma^n Q'(s', mu'(o')), with target networks Q' and mu'. */
export class Targets {
  /** [batch] of each critic. */
  readonly values: readonly Tensor[]
  readonly #device: Device
  readonly #batch: ReplayBatch
  readonly #critic: Network
  readonly #rewarded: readonly number[]
  readonly #actions: readonly Program[]
  readonly #evaluations: readonly Program[]

  /**
   * @param critic the critics' network, whose activations all of them share
   * @param rewarded of each critic, an agent whose rewards it values
   */
  constructor(
    device: Device,
    batch: ReplayBatch,
    actors: readonly Pick<DeterministicActor, 'network' | 'head'>[],
    critic: Network,
    copies: { readonly actors: readonly TargetCopy[]; readonly critics: readonly TargetCopy[] },
    rewarded: readonly number[],
  ) {
    const { rows, nextJoint, nextObservations, columns } = batch
    this.#device = device
    this.#batch = batch
    this.#critic = critic
    this.#rewarded = rewarded
    // One program per agent: the networks share memory.
    this.#actions = actors.map(({ network, head }, agent) => {
      const action = device.tensor('f32', rows * columns[agent].count)
      const forward = network.forward(copies.actors[agent].tensor, { raw: nextObservations[agent] })
      const place = { op: 'place', x: action, out: nextJoint, ...columns[agent] } as const
      return device.compile({ rows: [...forward, ...head.actions(action, null), place] }, rows)
    })
    this.#evaluations = copies.critics.map(({ tensor }) =>
      device.compile({ rows: critic.forward(tensor, { raw: nextJoint }) }, rows),
    )
    this.values = copies.critics.map(() => device.tensor('f32', rows))
  }

  /** Fills `values` for the present batch. */
  compute(): void {
    const { rows, discounts, returns } = this.#batch
    for (const program of this.#actions) this.#device.run(program, rows)
    this.#evaluations.forEach((program, j) => {
      const values = this.values[j]
      this.#device.run(program, rows)
      this.#device.copy(this.#critic.output, values)
      this.#device.multiply(discounts, values)
      this.#device.axpy(1, returns[this.#rewarded[j]], values)
    })
  }
}
