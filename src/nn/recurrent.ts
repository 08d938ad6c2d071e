import type { Device } from '../devices/device.js'
import type { RecurrentKept } from '../devices/recurrent-steps.js'
import type { RowStep } from '../devices/steps.js'
import { scratch, type Operand, type Tensor } from '../devices/tensor.js'
import type { Norm } from './activations.js'
import { parameterEntry, type ParameterLayout } from './layout.js'
import type { RecurrentSpec } from './spec.js'

/** Memory of a recurrent network over the rows of a batch. State matrices are f32 [rows, stateWidth]. */
export interface Sequence {
  /** Number of consecutive rows of an environment that are unrolled; those of the network's derivatives by default. */
  readonly chunk?: number | undefined
  /** State before the first row of each chunk; other rows are not read. */
  readonly states: Tensor
  /** f32 [rows], 1 where an episode starts; null: nowhere but where chunks begin with a state of 0. */
  readonly starts: Tensor | null
  /** Receives the state after each row. */
  readonly next?: Tensor | undefined
}

/** Activations of one recurrent layer. */
interface Kept extends RecurrentKept {
  /** f32 [rows, size], the state after each row. */
  readonly out: Tensor
}

/** Parts of a flat vector by name: parameters, or a direction among them. */
type Part = (name: string) => Tensor

/**
 * Gated recurrent units on top of one another and the LayerNorm behind them, between hidden layers and head. Parameters
 * have the names gru.LAYER.input (W, b), gru.LAYER.state (U, u) and gru.norm. Derivatives go back through the rows of a
 * chunk, not beyond it.
 */
export class RecurrentStage {
  readonly #spec: RecurrentSpec
  readonly #layout: ParameterLayout
  /** Width of the rows that enter. */
  readonly #inputs: number
  readonly #chunk: number
  readonly #kept: readonly Kept[]
  readonly #norm: Norm
  readonly #features: Tensor

  /**
   * Allocates nothing but tensors.
   * @param chunk number of consecutive rows that derivatives pass through
   */
  constructor(
    device: Device,
    spec: RecurrentSpec,
    { layout, inputs, rows, chunk }: { layout: ParameterLayout; inputs: number; rows: number; chunk: number },
  ) {
    const { size, layers } = spec
    const matrix = (width: number) => device.tensor('f32', rows * width)
    const linked = matrix(1)
    this.#spec = spec
    this.#layout = layout
    this.#inputs = inputs
    this.#chunk = chunk
    this.#kept = Array.from({ length: layers }, () => {
      return { before: matrix(size), gates: matrix(4 * size), out: matrix(size), linked }
    })
    this.#norm = { xhat: matrix(size), rstd: matrix(1) }
    this.#features = matrix(size)
  }

  /** f32 [rows, size], what enters the head. */
  get features(): Tensor {
    return this.#features
  }

  get norm(): Norm {
    return this.#norm
  }

  /** @param x what enters, [rows, inputs] */
  forward(p: Part, x: Tensor, { states, starts, next, chunk = this.#chunk }: Sequence): RowStep[] {
    const { size, layers } = this.#spec
    const steps: RowStep[] = []
    let input = x
    this.#kept.forEach(({ out, ...kept }, i) => {
      const product = scratch(3 * size)
      const linear = { x: input, inputs: this.#width(i), y: product, outputs: 3 * size }
      const [weight, bias] = [p(`gru.${i}.input.weight`), p(`gru.${i}.input.bias`)]
      steps.push(
        { op: 'linear', ...linear, weight, bias, accumulate: false },
        {
          op: 'gru',
          x: product,
          states,
          starts,
          weight: p(`gru.${i}.state.weight`),
          bias: p(`gru.${i}.state.bias`),
          ...kept,
          out,
          next: next ?? null,
          width: size,
          below: i,
          above: layers - 1 - i,
          chunk,
        },
      )
      input = out
    })
    const [gamma, beta] = [p('gru.norm.weight'), p('gru.norm.bias')]
    steps.push({
      op: 'layerNorm',
      x: input,
      gamma,
      beta,
      ...this.#norm,
      out: this.#features,
      width: size,
    })
    return steps
  }

  /**
   * Tangent of `features`.
   * @param p parameters
   * @param d the direction among them
   * @param x what entered
   * @param dx its tangent, or null while no parameter precedes it
   */
  tangent(p: Part, d: Part, x: Tensor, dx: Operand | null): { steps: RowStep[]; out: Operand } {
    const { size } = this.#spec
    const steps: RowStep[] = []
    let [input, moving] = [x, dx]
    this.#kept.forEach(({ out, ...kept }, i) => {
      const [moved, product, tangent] = [scratch(3 * size), scratch(3 * size), scratch(size)]
      const linear = (name: string, from: Tensor, inputs: number, y: Operand): RowStep => {
        const [weight, bias] = [d(`${name}.weight`), d(`${name}.bias`)]
        return { op: 'linear', x: from, inputs, weight, bias, y, outputs: 3 * size, accumulate: false }
      }
      const inputs = this.#width(i)
      steps.push(linear(`gru.${i}.input`, input, inputs, moved))
      if (moving) {
        const weight = p(`gru.${i}.input.weight`)
        const shape = { inputs, y: moved, outputs: 3 * size }
        steps.push({ op: 'linear', x: moving, weight, bias: null, accumulate: true, ...shape })
      }
      const weight = p(`gru.${i}.state.weight`)
      steps.push(linear(`gru.${i}.state`, kept.before as Tensor, size, product), {
        op: 'gruTangent',
        dx: moved,
        product,
        weight,
        ...kept,
        out: tangent,
        width: size,
        chunk: this.#chunk,
      })
      input = out
      moving = tangent
    })
    const out = scratch(size)
    const gamma = p('gru.norm.weight')
    const [dgamma, dbeta] = [d('gru.norm.weight'), d('gru.norm.bias')]
    steps.push({ op: 'layerNormTangent', dx: moving, ...this.#norm, gamma, dgamma, dbeta, out, width: size })
    return { steps, out }
  }

  /**
   * Gradients of the stage's parameters, and the adjoint of what entered.
   * @param g adjoint of `features`, overwritten
   * @param x what entered
   * @param gx where its adjoint goes, or null where it is not wanted
   */
  adjoint(p: Part, g: Operand, x: Tensor, gx: Operand | null): RowStep[] {
    const { size } = this.#spec
    const norm = 'gru.norm'
    const { xhat } = this.#norm
    const [gamma, beta] = [this.#offset(`${norm}.weight`), this.#offset(`${norm}.bias`)]
    const scale = p(`${norm}.weight`)
    const steps: RowStep[] = [
      { op: 'layerNormWeights', g, xhat, width: size, gamma, beta },
      { op: 'layerNormAdjoint', g, ...this.#norm, gamma: scale, gx: g, width: size },
    ]
    let cotangent = g
    for (let i = this.#spec.layers - 1; i >= 0; i--) {
      const { out: _after, ...kept } = this.#kept[i]
      const [moved, product] = [scratch(3 * size), scratch(3 * size)]
      const inputs = this.#width(i)
      const weight = p(`gru.${i}.state.weight`)
      const input = i > 0 ? this.#kept[i - 1].out : x
      steps.push(
        {
          op: 'gruAdjoint',
          g: cotangent,
          weight,
          ...kept,
          gx: moved,
          product,
          width: size,
          chunk: this.#chunk,
        },
        this.#weights(`gru.${i}.input`, input, inputs, moved),
        this.#weights(`gru.${i}.state`, kept.before, size, product),
      )
      const below = i > 0 ? scratch(inputs) : gx
      if (!below) break
      const through = p(`gru.${i}.input.weight`)
      steps.push({ op: 'linearAdjoint', gy: moved, outputs: 3 * size, weight: through, gx: below, inputs })
      cotangent = below
    }
    return steps
  }

  #weights(name: string, x: Operand, inputs: number, gy: Operand): RowStep {
    const [weight, bias] = [this.#offset(`${name}.weight`), this.#offset(`${name}.bias`)]
    return { op: 'linearWeights', x, inputs, gy, outputs: 3 * this.#spec.size, weight, bias }
  }

  #width(layer: number): number {
    return layer === 0 ? this.#inputs : this.#spec.size
  }

  #offset(name: string): number {
    return parameterEntry(this.#layout, name).offset
  }
}
