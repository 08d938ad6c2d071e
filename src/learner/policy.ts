import type { Device, Program } from '../devices/device.js'
import type { RowStep } from '../devices/steps.js'
import type { Tensor } from '../devices/tensor.js'
import { layerwise, type Derivatives } from '../nn/derivatives.js'
import type { Network } from '../nn/network.js'
import type { PolicyBatch, PolicyInput } from './batch.js'
import type { PolicyHead, PolicySpec } from './heads/head.js'
import { attachHead } from './heads/table.js'

/**
 * Holder of the activations that networks share (`Device.overlay`): whoever writes them becomes their owner, and finds
 * out afterwards whether they are still its own.
 */
export class Workspace {
  #owner: object | null = null

  /** Makes `owner` the owner of the activations; null: no owner. */
  claim(owner: object | null): void {
    this.#owner = owner
  }

  belongsTo(owner: object): boolean {
    return this.#owner === owner
  }
}

/** A policy under training: network, parameters and head, for one batch. */
export interface TrainedPolicy {
  readonly device: Device
  readonly network: Network<PolicySpec>
  /** For gradients and Fisher products. */
  readonly derivatives: Derivatives
  /** For Fisher products on a sample of the rows. */
  readonly sampleDerivatives: Derivatives
  /** Flat parameter vector. */
  readonly parameters: Tensor
  readonly head: PolicyHead
  /** Of the network's activations. */
  readonly workspace: Workspace
}

/**
 * A policy over a network's workspace.
 * @param shared holder of the network's activations, where other networks share them, and derivatives in that memory
 */
export function trainedPolicy(
  device: Device,
  network: Network<PolicySpec>,
  parameters: Tensor,
  shared: SharedParts = {},
): TrainedPolicy {
  const { workspace = new Workspace(), derivatives = layerwise(network) } = shared
  const { sampleDerivatives = layerwise(network) } = shared
  const head = attachHead(device, network, parameters)
  return { device, network, parameters, head, workspace, derivatives, sampleDerivatives }
}

/** Pass through a policy's network at its parameters, and the restriction of its distribution to the available actions. */
export function forwardPolicy({ network, parameters, head }: TrainedPolicy, input: PolicyInput): RowStep[] {
  return [...network.forward(parameters, input), ...head.restrict(input.available)]
}

/** Parts of a policy in memory that it shares with others. */
export interface SharedParts {
  readonly workspace?: Workspace | undefined
  readonly derivatives?: Derivatives | undefined
  readonly sampleDerivatives?: Derivatives | undefined
}

/** Evaluation of a policy on a whole batch, before and after its update. */
export class PolicyEvaluation {
  readonly #policy: TrainedPolicy
  readonly #forward: Program
  readonly #logProb: Program
  readonly #divergence: boolean

  /** @param divergence whether `evaluate` measures the KL from the head's old distribution */
  constructor(policy: TrainedPolicy, batch: PolicyBatch, divergence: boolean) {
    const { device, head } = policy
    const setup = head.setup()
    const forward = forwardPolicy(policy, batch.input)
    const kl = divergence ? head.kl(batch.weight) : []
    const logProb = head.logProb(batch.actions, batch.newLogProb)
    const entropy = head.entropy(batch.weight, null)
    this.#policy = policy
    this.#divergence = divergence
    this.#forward = device.compile({ setup, rows: forward }, batch.maxRows)
    this.#logProb = device.compile(
      { setup, rows: [...forward, ...logProb, ...kl, ...entropy] },
      batch.maxRows,
    )
  }

  /** Keeps the policy at the current parameters as the head's old one, by a pass over the batch. */
  keep(rows: number): void {
    this.#policy.workspace.claim(null)
    this.#policy.device.run(this.#forward, rows)
    this.#policy.head.keep(rows)
  }

  /**
   * Writes log pi(a | o) under the current parameters to the batch's `newLogProb`.
   * @returns mean KL(old || current) in nats over the rows that count, exact (0 without such rows, or where it is not
   * measured), and the current entropy
   */
  evaluate(rows: number): { readonly kl: number; readonly entropy: number } {
    const { device, head, workspace } = this.#policy
    workspace.claim(null)
    const sums = device.run(this.#logProb, rows)
    const { kl, klWeight } = sums
    return { kl: this.#divergence && klWeight > 0 ? kl / klWeight : 0, entropy: head.meanEntropy(sums) }
  }
}
