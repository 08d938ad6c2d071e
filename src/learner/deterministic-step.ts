import type { Device, Program } from '../devices/device.js'
import { scratch, type Tensor } from '../devices/tensor.js'
import type { Network, NetworkInput } from '../nn/network.js'
import type { NetworkSpec } from '../nn/spec.js'
import type { Adam } from './adam.js'
import type { DeterministicHeadSpec, DeterministicPolicy } from './heads/deterministic.js'

/** A deterministic policy under training. */
export interface DeterministicActor {
  readonly device: Device
  readonly network: Network<NetworkSpec<DeterministicHeadSpec>>
  readonly head: DeterministicPolicy
  /** Flat parameter vector. */
  readonly parameters: Tensor
  readonly adam: Adam
}

/** The critic that a policy climbs. */
export interface ClimbedCritic {
  readonly network: Network
  readonly parameters: Tensor
}

/** Rows that a deterministic policy learns from; every row of its network is one. */
export interface DeterministicBatch {
  readonly observations: NetworkInput
  /** [rows, state and actions] as recorded. */
  readonly joint: Tensor
  /** [rows, state and actions]: memory for the same with the policy's own action. */
  readonly proposal: Tensor
  /** [rows, state and actions]: memory for the gradient of Q by them. */
  readonly slope: Tensor
  /** [rows], 1 for rows that count. */
  readonly weight: Tensor
  /** Numbers before and after the policy's action in a row of `joint`. */
  readonly before: number
  readonly after: number
}

export interface DeterministicResult {
  /** Minus the mean value of the policy's actions before the step. */
  readonly loss: number
  readonly gradNorm: number
  readonly taken: boolean
  readonly rejection: 'no-rows' | 'non-finite' | null
}

/**
 * Step of a deterministic policy (Lowe et al. 2017, Eq. 6): Adam up the gradient of the mean over rows of
 * Q(s, a_1, .., mu(o), .., a_n), the other agents' actions being those recorded.
 */
export class DeterministicStep {
  readonly gradient: Tensor
  readonly #actor: DeterministicActor
  readonly #critic: ClimbedCritic
  readonly #batch: DeterministicBatch
  readonly #differentiate: Program

  constructor(actor: DeterministicActor, critic: ClimbedCritic, batch: DeterministicBatch) {
    const { device, network, head, parameters } = actor
    const { observations, joint, proposal, slope, weight, before, after } = batch
    const { size } = network.spec.head
    const [action, derivative] = [0, 1].map(() => device.tensor('f32', network.rows * size))
    const columns = { before, count: size, after }
    const q = critic.network
    const gaction = scratch(size)
    this.#actor = actor
    this.#critic = critic
    this.#batch = batch
    this.gradient = device.tensor('f32', network.layout.size)
    const rows = [
      ...network.forward(parameters, observations),
      ...head.actions(action, derivative),
      { op: 'copy', x: joint, out: proposal, width: before + size + after } as const,
      { op: 'place', x: action, out: proposal, ...columns } as const,
      ...q.forward(critic.parameters, { raw: proposal }),
      { op: 'copy', x: weight, out: q.outputAdjoint, width: 1 } as const,
      ...q.inputGradient(critic.parameters, { raw: proposal }, slope),
      { op: 'part', x: slope, out: gaction, ...columns } as const,
      { op: 'multiply', a: gaction, b: derivative, out: network.outputAdjoint, width: size } as const,
      ...network.adjoint(parameters),
    ]
    this.#differentiate = device.compile({ rows, gradient: this.gradient }, network.rows)
  }

  /** @param valid number of rows that count */
  step(valid: number, lr: number): DeterministicResult {
    const { device, network, adam } = this.#actor
    if (valid === 0) return { loss: 0, gradNorm: 0, taken: false, rejection: 'no-rows' }
    // Adam descends, Q is to ascend.
    device.run(this.#differentiate, network.rows, -1 / valid)
    const loss = -device.dot(this.#critic.network.output, this.#batch.weight) / valid
    if (!device.allFinite(this.gradient))
      return { loss, gradNorm: NaN, taken: false, rejection: 'non-finite' }
    return { loss, gradNorm: adam.step(this.gradient, lr, null), taken: true, rejection: null }
  }
}
