import type { Device, Sums } from '../../devices/device.js'
import type { RowStep } from '../../devices/steps.js'
import { scratch, type Tensor } from '../../devices/tensor.js'
import type { Network } from '../../nn/network.js'
import type { NetworkSpec } from '../../nn/spec.js'
import {
  HEAD_SUMS,
  meanOf,
  type ActionSamples,
  type ExportedHead,
  type NoiseKey,
  type PolicyHead,
  type PolicyHeadSpec,
} from './head.js'
import { KeptOutputs } from './kept.js'

/** Diagonal Gaussian whose deviation depends on the state: the network gives the means, then s, sigma = y sigmoid(s / x). */
export interface RowGaussianHeadSpec extends PolicyHeadSpec {
  readonly kind: 'rowGaussian'
  readonly stdX: number
  readonly stdY: number
}

/** Head of `actions` dimensions; s starts near x. */
export function rowGaussianHead(
  actions: number,
  { stdX, stdY }: { readonly stdX: number; readonly stdY: number },
): RowGaussianHeadSpec {
  const bias = Array.from({ length: 2 * actions }, (_, i) => (i < actions ? 0 : stdX))
  const action = { type: 'f32', width: actions } as const
  return { kind: 'rowGaussian', size: 2 * actions, vectors: [], bias, action, choices: 0, stdX, stdY }
}

/** Description of the head for the template of exported policies. */
export function exportRowGaussian({ action, stdX, stdY }: RowGaussianHeadSpec): ExportedHead {
  const actionSize = action.width
  const vector = { output: actionSize }
  return { template: 'policy', actionSize, inFront: 0, vector, constants: [stdX, stdY] }
}

export class RowGaussianPolicy implements PolicyHead {
  readonly #network: Network<NetworkSpec<RowGaussianHeadSpec>>
  readonly #old: KeptOutputs

  constructor(device: Device, network: Network<NetworkSpec<RowGaussianHeadSpec>>) {
    this.#network = network
    this.#old = new KeptOutputs(device, network)
  }

  setup(): [] {
    return []
  }

  restrict(): RowStep[] {
    return []
  }

  logProb(action: Tensor, logProb: Tensor): RowStep[] {
    return [{ op: 'rowGaussianLogProb', ...this.#current(), action, logProb }]
  }

  sample(noise: NoiseKey, action: Tensor, logProb: Tensor): RowStep[] {
    return [{ op: 'rowGaussianSample', ...this.#current(), ...noise, action, logProb }]
  }

  mode(actions: Tensor): RowStep[] {
    const { size: count } = this.#shape()
    return [{ op: 'part', x: this.#network.output, before: 0, count, after: count, out: actions }]
  }

  surrogate(samples: ActionSamples, clip: number | null, derive: boolean): RowStep[] {
    const { actions: action, logProb: oldLogProb, factor, weight, newLogProb: logProb } = samples
    const slope = derive ? scratch(1) : null
    const sums = HEAD_SUMS.surrogate
    const steps = this.logProb(action, logProb)
    steps.push({ op: 'surrogate', logProb, oldLogProb, factor, weight, clip, slope, sums })
    if (!slope) return steps
    const goutputs = this.#network.outputAdjoint
    return [...steps, { op: 'rowGaussianLogProbAdjoint', ...this.#current(), action, slope, goutputs }]
  }

  kl(weight: Tensor): RowStep[] {
    const kl = scratch(1)
    return [
      { op: 'rowGaussianKl', oldOutputs: this.#old.tensor, ...this.#current(), kl },
      { op: 'weightedSum', x: kl, weight, sums: HEAD_SUMS.kl },
    ]
  }

  fisher(_direction: Tensor, weight: Tensor): RowStep[] {
    const { outputTangent: doutputs, outputAdjoint: goutputs } = this.#network
    const old = { outputs: this.#old.tensor, ...this.#shape() }
    return [{ op: 'rowGaussianFisher', doutputs, ...old, weight, goutputs }]
  }

  fisherRoot(column: number, weight: Tensor): RowStep[] {
    const { outputAdjoint: goutputs } = this.#network
    const old = { outputs: this.#old.tensor, ...this.#shape() }
    return [{ op: 'rowGaussianFisherRoot', ...old, column, weight, goutputs }]
  }

  vectorFisher(): number[] {
    return []
  }

  keep(rows: number): void {
    this.#old.keep(rows)
  }

  entropy(weight: Tensor, coefficient: number | null): RowStep[] {
    const entropy = scratch(1)
    const goutputs = coefficient === null ? null : this.#network.outputAdjoint
    const measure = { weight, coefficient: coefficient ?? 0, goutputs, entropy }
    return [
      { op: 'rowGaussianEntropy', ...this.#current(), ...measure },
      { op: 'weightedSum', x: entropy, weight, sums: HEAD_SUMS.entropy },
    ]
  }

  meanEntropy(sums: Sums): number {
    return meanOf(sums)
  }

  addEntropyGradient(): void {
    // All of it has passed through the network.
  }

  #shape() {
    const { action, stdX: x, stdY: y } = this.#network.spec.head
    return { size: action.width, x, y }
  }

  #current() {
    return { outputs: this.#network.output, ...this.#shape() }
  }
}
