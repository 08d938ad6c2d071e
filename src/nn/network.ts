import type { Device } from '../devices/device.js'
import type { AgentIdInput, RowStep } from '../devices/steps.js'
import { scratch, type Operand, type Tensor } from '../devices/tensor.js'
import type { Activations, Norm } from './activations.js'
import { linearLayers, type LinearLayer } from './layers.js'
import { parameterEntry, parameterLayout, type ParameterLayout } from './layout.js'
import { RecurrentStage, type Sequence } from './recurrent.js'
import { headInputs, inputWidth, type NetworkSpec } from './spec.js'

/** Rows that enter a network. */
export interface NetworkInput {
  /** f32 [rows, input size] */
  readonly raw: Tensor
  /** i32 [rows]: the agent of each row, for a network that agents share. */
  readonly agentIds?: Tensor | undefined
  /** Memory of a recurrent network. */
  readonly sequence?: Sequence | undefined
}

/**
 * Activations of a network for a batch on a device, and the steps that compute them.
 *
 * The forward pass stores the inputs of derivatives: each layer's input, the activation's derivative, and LayerNorm's
 * normalised rows. Each tangent (J v) or adjoint (J' g) then takes one pass.
 */
export class Network<Spec extends NetworkSpec = NetworkSpec> {
  readonly spec: Spec
  readonly rows: number
  /** Number of consecutive rows through which a recurrent network's derivatives pass; 1 in a feed-forward network. */
  readonly chunk: number
  readonly layout: ParameterLayout
  /** [rows, head size]: parameters of a policy's distribution, or a value. */
  readonly output: Tensor
  /** [rows, head size]: J v, the result of `tangent`. */
  readonly outputTangent: Tensor
  /** [rows, head size]: g, the operand of `adjoint`. May be the same memory as `outputTangent`. */
  readonly outputAdjoint: Tensor

  readonly activations: Activations
  /** The linear layers, from the input to the head. */
  readonly layers: readonly LinearLayer[]

  readonly #device: Device
  readonly #recurrent: RecurrentStage | null

  /**
   * Allocates for batches of up to `rows` rows; nothing but tensors, so that networks can share memory (`overlay`).
   * @param chunk of a recurrent network
   */
  constructor(device: Device, spec: Spec, rows: number, chunk = 1) {
    this.spec = spec
    this.rows = rows
    this.chunk = chunk
    this.layout = parameterLayout(spec)
    this.#device = device
    const matrix = (width: number) => device.tensor('f32', rows * width)
    const norm = (width: number): Norm => ({ xhat: matrix(width), rstd: matrix(1) })
    const width = inputWidth(spec.input)
    const input = matrix(width)
    const { layout } = this
    const inputs = spec.hidden.at(-1) ?? width
    this.#recurrent = spec.recurrent
      ? new RecurrentStage(device, spec.recurrent, { layout, inputs, rows, chunk })
      : null
    const inputNorm = spec.input.layerNorm ? norm(width) : null
    this.activations = {
      input,
      inputNorm,
      features: [inputNorm ? matrix(width) : input, ...spec.hidden.map(matrix)],
      derivatives: spec.hidden.map(matrix),
      norms: spec.hidden.map(norm),
      recurrent: this.#recurrent,
    }
    this.layers = linearLayers(spec, this.activations)
    this.output = matrix(spec.head.size)
    this.outputTangent = matrix(spec.head.size)
    this.outputAdjoint = this.outputTangent
  }

  /** output = network(input). */
  forward(parameters: Tensor, input: NetworkInput): RowStep[] {
    const { spec } = this
    const p = (name: string) => this.#parameter(parameters, name)
    const steps: RowStep[] = [{ op: 'input', ...this.#inputOperands(input), out: this.activations.input }]
    let width = inputWidth(spec.input)
    if (this.activations.inputNorm) {
      steps.push({
        op: 'layerNorm',
        x: this.activations.input,
        gamma: p('input.norm.weight'),
        beta: p('input.norm.bias'),
        ...this.activations.inputNorm,
        out: this.activations.features[0],
        width,
      })
    }
    const linear = (layer: string, x: Tensor, y: Operand, outputs: number): RowStep => {
      const [weight, bias] = [p(`${layer}.weight`), p(`${layer}.bias`)]
      return { op: 'linear', x, inputs: width, weight, bias, y, outputs, accumulate: false }
    }
    spec.hidden.forEach((units, i) => {
      const z = scratch(units)
      const derivative = this.activations.derivatives[i]
      steps.push(
        linear(`hidden.${i}`, this.activations.features[i], z, units),
        { op: 'activation', z, y: z, derivative, width: units, kind: spec.activation },
        {
          op: 'layerNorm',
          x: z,
          gamma: p(`hidden.${i}.norm.weight`),
          beta: p(`hidden.${i}.norm.bias`),
          ...this.activations.norms[i],
          out: this.activations.features[i + 1],
          width: units,
        },
      )
      width = units
    })
    if (this.#recurrent) {
      if (!input.sequence) throw new Error('a recurrent network needs the states that its rows begin with')
      steps.push(...this.#recurrent.forward(p, this.activations.features.at(-1)!, input.sequence))
    }
    width = headInputs(spec)
    steps.push(linear('head', this.#headFeatures, this.output, spec.head.size))
    return steps
  }

  /** outputTangent = (d output / d parameters) v, at the kept activations. */
  tangent(parameters: Tensor, v: Tensor): RowStep[] {
    const { spec } = this
    const p = (name: string) => this.#parameter(parameters, name)
    const d = (name: string) => this.#parameter(v, name)
    const steps: RowStep[] = []
    let width = inputWidth(spec.input)
    // Tangent of the current layer's input, or null while no parameter precedes it.
    let moving: Operand | null = null
    if (this.activations.inputNorm) {
      moving = scratch(width)
      steps.push({
        op: 'layerNormTangent',
        dx: null,
        ...this.activations.inputNorm,
        gamma: p('input.norm.weight'),
        dgamma: d('input.norm.weight'),
        dbeta: d('input.norm.bias'),
        out: moving,
        width,
      })
    }
    // The tangent of y = x w' + b is x dw' + db + dx w'.
    const linear = (layer: string, x: Tensor, y: Operand, outputs: number) => {
      const [weight, bias] = [`${layer}.weight`, `${layer}.bias`]
      const shape = { inputs: width, y, outputs }
      steps.push({ op: 'linear', x, weight: d(weight), bias: d(bias), accumulate: false, ...shape })
      if (moving) {
        steps.push({ op: 'linear', x: moving, weight: p(weight), bias: null, accumulate: true, ...shape })
      }
    }
    spec.hidden.forEach((units, i) => {
      const z = scratch(units)
      linear(`hidden.${i}`, this.activations.features[i], z, units)
      moving = scratch(units)
      steps.push(
        { op: 'multiply', a: z, b: this.activations.derivatives[i], out: z, width: units },
        {
          op: 'layerNormTangent',
          dx: z,
          ...this.activations.norms[i],
          gamma: p(`hidden.${i}.norm.weight`),
          dgamma: d(`hidden.${i}.norm.weight`),
          dbeta: d(`hidden.${i}.norm.bias`),
          out: moving,
          width: units,
        },
      )
      width = units
    })
    if (this.#recurrent) {
      const entered = this.activations.features.at(-1)!
      const tangent = this.#recurrent.tangent(p, d, entered, moving)
      steps.push(...tangent.steps)
      moving = tangent.out
      width = headInputs(spec)
    }
    linear('head', this.#headFeatures, this.outputTangent, spec.head.size)
    return steps
  }

  /**
   * Gradient of sum(outputAdjoint * output) with respect to the parameters, at the kept activations.
   * @param inputGradient where the gradient with respect to the raw input is wanted, as a critic's dQ/da is: the input
   * that `forward` had, and f32 [rows, input size]
   */
  adjoint(
    parameters: Tensor,
    inputGradient?: { readonly input: NetworkInput; readonly gradient: Tensor },
  ): RowStep[] {
    const steps: RowStep[] = []
    const layers = this.spec.hidden.length
    const wantedBelow = (i: number) =>
      i > 0 || this.activations.inputNorm !== null || inputGradient !== undefined
    let g: Operand = this.outputAdjoint
    if (this.#recurrent) {
      const features = scratch(headInputs(this.spec))
      steps.push(...this.#linearAdjoint(parameters, layers, g, features))
      const gx = wantedBelow(layers) ? scratch(this.#width(layers)) : null
      const p = (name: string) => this.#parameter(parameters, name)
      steps.push(...this.#recurrent.adjoint(p, features, this.activations.features[layers], gx))
      if (gx) g = gx
    }
    for (let i = this.#recurrent ? layers - 1 : layers; i >= 0; i--) {
      if (i < layers) steps.push(...this.#hiddenAdjoint(parameters, i, g))
      const gx: Operand | null = wantedBelow(i) ? scratch(this.#width(i)) : null
      steps.push(...this.#linearAdjoint(parameters, i, g, gx))
      if (gx) g = gx
    }
    if (this.activations.inputNorm)
      steps.push(...this.#inputNormAdjoint(parameters, g, inputGradient !== undefined))
    if (inputGradient) {
      const { input, gradient } = inputGradient
      steps.push({ op: 'inputAdjoint', ...this.#inputOperands(input), g, graw: gradient })
    }
    return steps
  }

  /**
   * Passes `outputAdjoint` back through the layers of a feed-forward network, at the kept activations, without gradients of
   * parameters.
   * @param visit steps that read the adjoint of a layer's output [rows, outputs]
   */
  backPropagate(
    parameters: Tensor,
    visit: (layer: LinearLayer, adjoint: Operand) => readonly RowStep[],
  ): RowStep[] {
    const steps: RowStep[] = []
    let g: Operand = this.outputAdjoint
    for (const [i, layer] of [...this.layers.entries()].reverse()) {
      const { inputs, outputs, name } = layer
      if (i < this.spec.hidden.length) steps.push(...this.#normAdjoint(parameters, i, g))
      steps.push(...visit(layer, g))
      if (i === 0) break
      const gx = scratch(inputs)
      const weight = this.#parameter(parameters, `${name}.weight`)
      steps.push({ op: 'linearAdjoint', gy: g, outputs, weight, gx, inputs })
      g = gx
    }
    return steps
  }

  /**
   * Gradient of sum(outputAdjoint * output) with respect to the raw input, at the kept activations, without gradients of
   * parameters.
   * @param gradient f32 [rows, input size]
   */
  inputGradient(parameters: Tensor, input: NetworkInput, gradient: Tensor): RowStep[] {
    const steps: RowStep[] = []
    let g: Operand = this.outputAdjoint
    for (const [i, { inputs, outputs, name }] of [...this.layers.entries()].reverse()) {
      if (i < this.spec.hidden.length) steps.push(...this.#normAdjoint(parameters, i, g))
      const gx = scratch(inputs)
      const weight = this.#parameter(parameters, `${name}.weight`)
      steps.push({ op: 'linearAdjoint', gy: g, outputs, weight, gx, inputs })
      g = gx
    }
    const { inputNorm } = this.activations
    if (inputNorm) {
      const gamma = this.#parameter(parameters, 'input.norm.weight')
      const width = inputWidth(this.spec.input)
      steps.push({ op: 'layerNormAdjoint', g, ...inputNorm, gamma, gx: g, width })
    }
    return [...steps, { op: 'inputAdjoint', ...this.#inputOperands(input), g, graw: gradient }]
  }

  /** Adjoint of layer i's LayerNorm and activation, in place on g, and the gradients of the LayerNorm. */
  #hiddenAdjoint(parameters: Tensor, i: number, g: Operand): RowStep[] {
    const weights = this.#normWeights(`hidden.${i}.norm`, this.activations.norms[i], g, this.spec.hidden[i])
    return [...weights, ...this.#normAdjoint(parameters, i, g)]
  }

  #normAdjoint(parameters: Tensor, i: number, g: Operand): RowStep[] {
    const width = this.spec.hidden[i]
    const gamma = this.#parameter(parameters, `hidden.${i}.norm.weight`)
    return [
      { op: 'layerNormAdjoint', g, ...this.activations.norms[i], gamma, gx: g, width },
      { op: 'multiply', a: g, b: this.activations.derivatives[i], out: g, width },
    ]
  }

  /** Adjoint of layer i's product: its weights' gradient, and gx = g w where gx is wanted. */
  #linearAdjoint(parameters: Tensor, i: number, gy: Operand, gx: Operand | null): RowStep[] {
    const { hidden, head } = this.spec
    const layer = i === hidden.length ? 'head' : `hidden.${i}`
    const outputs = i === hidden.length ? head.size : hidden[i]
    const inputs = i === hidden.length ? headInputs(this.spec) : this.#width(i)
    const x = i === hidden.length ? this.#headFeatures : this.activations.features[i]
    const [weight, bias] = [this.#offset(`${layer}.weight`), this.#offset(`${layer}.bias`)]
    const steps: RowStep[] = [{ op: 'linearWeights', x, inputs, gy, outputs, weight, bias }]
    if (gx) {
      const weights = this.#parameter(parameters, `${layer}.weight`)
      steps.push({ op: 'linearAdjoint', gy, outputs, weight: weights, gx, inputs })
    }
    return steps
  }

  /** Adjoint of the input's LayerNorm, in place on g where the gradient goes further. */
  #inputNormAdjoint(parameters: Tensor, g: Operand, further: boolean): RowStep[] {
    const norm = this.activations.inputNorm!
    const width = inputWidth(this.spec.input)
    const steps = this.#normWeights('input.norm', norm, g, width)
    const gamma = this.#parameter(parameters, 'input.norm.weight')
    if (further) steps.push({ op: 'layerNormAdjoint', g, ...norm, gamma, gx: g, width })
    return steps
  }

  #normWeights(name: string, { xhat }: Norm, g: Operand, width: number): RowStep[] {
    const [gamma, beta] = [this.#offset(`${name}.weight`), this.#offset(`${name}.bias`)]
    return [{ op: 'layerNormWeights', g, xhat, width, gamma, beta }]
  }

  get #headFeatures(): Tensor {
    return this.#recurrent?.features ?? this.activations.features.at(-1)!
  }

  /** Width of the vector that the hidden layers before layer i give. */
  #width(i: number): number {
    return i === 0 ? inputWidth(this.spec.input) : this.spec.hidden[i - 1]
  }

  #inputOperands({ raw, agentIds }: NetworkInput) {
    const { size, agentId, standardise } = this.spec.input
    return { raw, size, agentId: agentIdInput(agentId, agentIds), standardise }
  }

  #offset(name: string): number {
    return parameterEntry(this.layout, name).offset
  }

  /** The part of a flat vector (parameters, or a direction among them) called `name`. */
  #parameter(vector: Tensor, name: string): Tensor {
    const { offset, size } = parameterEntry(this.layout, name)
    return this.#device.slice(vector, offset, size)
  }
}

function agentIdInput(
  agentId: NetworkSpec['input']['agentId'],
  indices: Tensor | undefined,
): AgentIdInput | null {
  if (agentId === null) return null
  const { index, count } = agentId
  if (index !== null) return { index, count }
  if (indices === undefined) throw new Error('a network whose agent id differs by row needs a column of ids')
  return { indices, count }
}
