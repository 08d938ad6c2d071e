import type { Preconditioner, Program } from '../devices/device.js'
import type { RowStep } from '../devices/steps.js'
import { scratch, type Operand, type Tensor } from '../devices/tensor.js'
import { parameterEntry } from '../nn/layout.js'
import type { LinearLayer } from '../nn/layers.js'
import type { FisherRows } from './fisher.js'
import type { TrainedPolicy } from './policy.js'
import { ShiftedInverse } from './positive-definite.js'

/**
 * Share of the damping that the factors get. With all of it, A (x) G + c I is far below (A + pi s) (x) (G + s / pi), whose
 * mixed terms damp twice.
 */
const FACTOR_DAMPING = 0.1

/**
 * Curvature of gains and biases, relative to that of the layer beside them. Whatever they do to a layer's output, its weights
 * do as well, and blocks that are inverted apart would count it once for each: their share is left to the weights.
 */
const VECTOR_CURVATURE = 16

/** Factors of a layer's block of the Fisher matrix: places in the statistics and in the inverses. */
interface Block {
  readonly layer: LinearLayer
  /** A = E[x x'], [inputs, inputs]; its statistics are followed by E[x]. */
  readonly inputs: { readonly sums: number; readonly inverse: number }
  /** G = E[delta delta'], [outputs, outputs]; its statistics are followed by E[delta]. */
  readonly outputs: { readonly sums: number; readonly inverse: number }
}

/** Parameters of one vector, whose block is a multiple of the identity or diagonal, and the place of its inverse. */
interface VectorBlock {
  readonly name: string
  readonly offset: number
  readonly size: number
  readonly inverse: number
}

/**
 * Kronecker-factored inverse of a policy's Fisher matrix (Martens & Grosse 2015, sections 3 and 6.3): the block of a layer's
 * weights is A (x) G, A the second moment of the layer's inputs and G that of the back-propagated roots of the output's
 * Fisher matrix, summed over its columns, so that nothing is sampled. Between layers there is nothing.
 */
export class KroneckerPreconditioner implements Preconditioner {
  readonly passes: readonly { readonly program: Program; readonly rows: number }[]
  readonly image: Tensor
  /** The inverses: A^-1 and G^-1 of every layer, then the diagonal of the vectors. All that a later step needs. */
  readonly inverses: Tensor

  readonly #policy: TrainedPolicy
  readonly #damping: number
  readonly #blocks: readonly Block[]
  readonly #vectors: readonly VectorBlock[]
  readonly #statistics: Tensor
  readonly #measure: Program
  /** By the size of the matrices. */
  readonly #inverters: ReadonlyMap<number, ShiftedInverse>

  /**
   * @param policy whose network has the activations of `rows` when it is refreshed
   * @param parameters the old parameters, with which those activations were computed
   * @param residual vector that the passes multiply
   * @param damping c > 0, added to the Fisher matrix' diagonal
   */
  constructor(
    policy: TrainedPolicy,
    rows: FisherRows,
    parameters: Tensor,
    residual: Tensor,
    damping: number,
  ) {
    const { device, network } = policy
    this.#policy = policy
    this.#damping = damping
    let [sums, inverse] = [0, 0]
    const square = (n: number) => {
      const place = { sums, inverse }
      sums += n * n + n
      inverse += n * n
      return place
    }
    this.#blocks = network.layers.map((layer) => ({
      layer,
      inputs: square(layer.inputs),
      outputs: square(layer.outputs),
    }))
    const sizes = new Set(network.layers.flatMap(({ inputs, outputs }) => [inputs, outputs]))
    this.#inverters = new Map([...sizes].map((n) => [n, new ShiftedInverse(n)]))
    const weights = new Set(network.layers.map(({ name }) => `${name}.weight`))
    this.#vectors = network.layout.entries
      .filter(({ name }) => !weights.has(name))
      .map(({ name, offset, size }) => ({ name, offset, size, inverse: (inverse += size) - size }))
    this.#statistics = device.tensor('f32', sums)
    this.inverses = device.tensor('f32', inverse)
    this.image = device.tensor('f32', network.layout.size)
    this.#measure = device.compile(
      { rows: this.#measureSteps(parameters, rows.weight), gradient: this.#statistics },
      rows.maxRows,
    )
    this.passes = [
      ...this.#blocks.map((block) => this.#weightPass(block, residual)),
      this.#vectorPass(residual),
    ]
  }

  /** Takes the factors from the first `rows` rows of the network's activations, and inverts them. */
  refresh(rows: number): void {
    const { device } = this.#policy
    device.run(this.#measure, rows, 1 / rows)
    const sums = device.read(this.#statistics)
    const inverses = device.read(this.inverses) as Float32Array
    for (const { layer, inputs, outputs } of this.#blocks) {
      const a = sums.subarray(inputs.sums, inputs.sums + layer.inputs * layer.inputs)
      const g = sums.subarray(outputs.sums, outputs.sums + layer.outputs * layer.outputs)
      const [meanA, meanG] = [meanDiagonal(a, layer.inputs), meanDiagonal(g, layer.outputs)]
      // pi balances the factors: A (x) G = A / pi (x) pi G. Without a signal there is nothing to balance.
      const pi = meanA > 0 && meanG > 0 ? Math.sqrt(meanA / meanG) : 1
      const root = Math.sqrt(FACTOR_DAMPING * this.#damping)
      inverses.set(this.#inverters.get(layer.inputs)!.of(a, pi * root), inputs.inverse)
      inverses.set(this.#inverters.get(layer.outputs)!.of(g, root / pi), outputs.inverse)
      this.#setVectors(layer, VECTOR_CURVATURE * (this.#damping + meanG), inverses)
    }
    this.#setHeadVectors(inverses)
    device.write(this.inverses, inverses)
  }

  /** The bias of a layer, and gain and bias of the LayerNorm in front of it. */
  #setVectors({ name, norm }: LinearLayer, curvature: number, inverses: Float32Array): void {
    const names = [`${name}.bias`, ...(norm === null ? [] : [`${norm}.weight`, `${norm}.bias`])]
    for (const { name, size, inverse } of this.#vectors)
      if (names.includes(name)) inverses.fill(1 / curvature, inverse, inverse + size)
  }

  /** The head's own vectors, whose block of the Fisher matrix is diagonal and known. */
  #setHeadVectors(inverses: Float32Array): void {
    const { head, network } = this.#policy
    const fisher = head.vectorFisher()
    let at = 0
    for (const { name, size } of network.spec.head.vectors) {
      const { inverse } = this.#vectors.find((vector) => vector.name === name)!
      for (let i = 0; i < size; i++) inverses[inverse + i] = 1 / (fisher[at++] + this.#damping)
    }
  }

  /** Statistics of every layer: second moments of its inputs and of the adjoints of its outputs. */
  #measureSteps(parameters: Tensor, weight: Tensor): RowStep[] {
    const { network, head } = this.#policy
    const moments = (x: Operand, n: number, { sums }: Block['inputs']): RowStep => {
      const square = { x, inputs: n, gy: x, outputs: n }
      return { op: 'linearWeights', ...square, weight: sums, bias: sums + n * n }
    }
    const steps = this.#blocks.map(({ layer, inputs }) => moments(layer.features, layer.inputs, inputs))
    const visit = (layer: LinearLayer, adjoint: Operand) => {
      const { outputs } = this.#blocks.find((block) => block.layer.name === layer.name)!
      return [moments(adjoint, layer.outputs, outputs)]
    }
    for (let column = 0; column < network.spec.head.size; column++)
      steps.push(...head.fisherRoot(column, weight), ...network.backPropagate(parameters, visit))
    return steps
  }

  /**
   * Image of a layer's weights, G^-1 V A^-1 with V [outputs, inputs]: a pass whose rows are those of V. Its product with
   * G^-1 sums over them, as gradients of weights do.
   */
  #weightPass({ layer, inputs: a, outputs: g }: Block, residual: Tensor): { program: Program; rows: number } {
    const { device, network } = this.#policy
    const { name, inputs, outputs } = layer
    const { offset, size } = parameterEntry(network.layout, `${name}.weight`)
    const inverse = (place: number, n: number) => device.slice(this.inverses, place, n * n)
    const y = scratch(inputs)
    const rows: RowStep[] = [
      {
        op: 'linear',
        x: device.slice(residual, offset, size),
        inputs,
        weight: inverse(a.inverse, inputs),
        bias: null,
        y,
        outputs: inputs,
        accumulate: false,
      },
      {
        op: 'linearWeights',
        x: y,
        inputs,
        gy: inverse(g.inverse, outputs),
        outputs,
        weight: 0,
        // The place of the layer's bias, which the pass over the vectors writes afterwards.
        bias: size,
      },
    ]
    const gradient = device.slice(this.image, offset, size + outputs)
    return { program: device.compile({ rows, gradient }, outputs), rows: outputs }
  }

  #vectorPass(residual: Tensor): { program: Program; rows: number } {
    const { device } = this.#policy
    const rows = this.#vectors.map(({ offset, size, inverse }): RowStep => ({
      op: 'multiply',
      a: device.slice(residual, offset, size),
      b: device.slice(this.inverses, inverse, size),
      out: device.slice(this.image, offset, size),
      width: size,
    }))
    return { program: device.compile({ rows }, 1), rows: 1 }
  }
}

/** Mean of the diagonal of a matrix [n, n]. */
function meanDiagonal(matrix: ArrayLike<number>, n: number): number {
  let sum = 0
  for (let i = 0; i < n; i++) sum += matrix[i * n + i]
  return sum / n
}
