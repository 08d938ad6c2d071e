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

/**
 * Product of categorical distributions, one for each of the choices that an action consists of. The network gives their
 * logits side by side.
 */
export interface CategoricalHeadSpec extends PolicyHeadSpec {
  readonly kind: 'categorical'
  /** Number of choices of each. */
  readonly sizes: readonly number[]
}

/** Head for choices out of `sizes[0]`, `sizes[1]`, ... */
export function categoricalHead(sizes: readonly number[]): CategoricalHeadSpec {
  const size = sizes.reduce((sum, n) => sum + n, 0)
  const action = { type: 'f32', width: sizes.length } as const
  return { kind: 'categorical', size, vectors: [], action, choices: size, sizes: [...sizes] }
}

/** Description of the head for the template of exported policies. */
export function exportCategorical({ sizes }: CategoricalHeadSpec): ExportedHead {
  const actionSize = sizes.length
  return {
    template: 'policy-choice',
    actionSize,
    inFront: actionSize,
    vector: { integers: sizes },
    constants: [],
  }
}

/** Places of a factor's logits among the outputs, and of its choice in an action. */
interface Factor {
  readonly logits: { readonly before: number; readonly count: number; readonly after: number }
  readonly choice: { readonly earlier: number; readonly later: number }
}

function factorsOf(sizes: readonly number[]): Factor[] {
  const total = sizes.reduce((sum, n) => sum + n, 0)
  let before = 0
  return sizes.map((count, earlier) => {
    const logits = { before, count, after: total - before - count }
    before += count
    return { logits, choice: { earlier, later: sizes.length - 1 - earlier } }
  })
}

/** Unavailable choices have the logit -Infinity: `restrict` writes it, and all other steps read nothing else of masks. */
export class CategoricalPolicy implements PolicyHead {
  readonly #network: Network<NetworkSpec<CategoricalHeadSpec>>
  readonly #factors: readonly Factor[]
  readonly #old: KeptOutputs

  constructor(device: Device, network: Network<NetworkSpec<CategoricalHeadSpec>>) {
    this.#network = network
    this.#old = new KeptOutputs(device, network)
    this.#factors = factorsOf(network.spec.head.sizes)
  }

  setup(): [] {
    return []
  }

  restrict(available: Tensor | undefined): RowStep[] {
    if (!available) return []
    const { output: logits, spec } = this.#network
    return [{ op: 'maskChoices', logits, available, width: spec.head.size }]
  }

  logProb(action: Tensor, logProb: Tensor): RowStep[] {
    return this.#eachFactor(({ logits, choice }, accumulate) => {
      return { op: 'categoricalLogProb', ...this.#current(logits), action, ...choice, logProb, accumulate }
    })
  }

  sample(noise: NoiseKey, action: Tensor, logProb: Tensor): RowStep[] {
    return this.#eachFactor(({ logits, choice }, accumulate) => {
      const drawn = { action, ...choice, logProb, accumulate }
      return { op: 'categoricalSample', ...this.#current(logits), ...noise, ...drawn }
    })
  }

  mode(action: Tensor): RowStep[] {
    return this.#eachFactor(({ logits, choice }) => {
      return { op: 'categoricalMode', ...this.#current(logits), action, ...choice }
    })
  }

  surrogate(samples: ActionSamples, clip: number | null, derive: boolean): RowStep[] {
    const { actions: action, logProb: oldLogProb, factor, weight, newLogProb: logProb } = samples
    const slope = derive ? scratch(1) : null
    const sums = HEAD_SUMS.surrogate
    const steps = this.logProb(action, logProb)
    steps.push({ op: 'surrogate', logProb, oldLogProb, factor, weight, clip, slope, sums })
    if (!slope) return steps
    const glogits = this.#network.outputAdjoint
    const adjoint = this.#eachFactor(({ logits, choice }) => {
      const operands = { action, ...choice, slope, glogits }
      return { op: 'categoricalLogProbAdjoint', ...this.#current(logits), ...operands }
    })
    return [...steps, ...adjoint]
  }

  kl(weight: Tensor): RowStep[] {
    const [oldLogits, kl] = [this.#old.tensor, scratch(1)]
    const steps = this.#eachFactor(({ logits }, accumulate) => {
      return { op: 'categoricalKl', oldLogits, ...this.#current(logits), kl, accumulate }
    })
    return [...steps, { op: 'weightedSum', x: kl, weight, sums: HEAD_SUMS.kl }]
  }

  fisher(_direction: Tensor, weight: Tensor): RowStep[] {
    const { outputTangent: dlogits, outputAdjoint: glogits } = this.#network
    const logits = this.#old.tensor
    return this.#eachFactor((factor) => {
      return { op: 'categoricalFisher', dlogits, logits, ...factor.logits, weight, glogits }
    })
  }

  fisherRoot(column: number, weight: Tensor): RowStep[] {
    const { outputAdjoint: glogits } = this.#network
    const columns = this.#factors.findLast(({ logits: { before } }) => before <= column)!.logits
    const place = column - columns.before
    return [
      { op: 'categoricalFisherRoot', logits: this.#old.tensor, ...columns, column: place, weight, glogits },
    ]
  }

  vectorFisher(): number[] {
    return []
  }

  keep(rows: number): void {
    this.#old.keep(rows)
  }

  entropy(weight: Tensor, coefficient: number | null): RowStep[] {
    const entropy = scratch(1)
    const glogits = coefficient === null ? null : this.#network.outputAdjoint
    const measure = { weight, coefficient: coefficient ?? 0, glogits, entropy }
    const steps = this.#eachFactor(({ logits }, accumulate) => {
      return { op: 'categoricalEntropy', ...this.#current(logits), ...measure, accumulate }
    })
    return [...steps, { op: 'weightedSum', x: entropy, weight, sums: HEAD_SUMS.entropy }]
  }

  meanEntropy(sums: Sums): number {
    return meanOf(sums)
  }

  addEntropyGradient(): void {
    // All of it has passed through the network.
  }

  /** A step for each factor; those after the first add to the results of a row. */
  #eachFactor(step: (factor: Factor, accumulate: boolean) => RowStep): RowStep[] {
    return this.#factors.map((factor, i) => step(factor, i > 0))
  }

  #current(columns: Factor['logits']) {
    return { logits: this.#network.output, ...columns }
  }
}
