import type { Device } from '../devices/device.js'
import type { RowStep } from '../devices/steps.js'
import { slice, type Tensor } from '../devices/tensor.js'
import { parameterEntry, parameterLayout, type ParameterLayout } from '../nn/layout.js'
import { inputWidth, type NetworkSpec } from '../nn/spec.js'

interface Norm {
  readonly xhat: Tensor
  readonly rstd: Tensor
}

/**
 * A network's activations for a batch on a device, and the steps that compute them.
 *
 * The forward pass keeps what derivatives need: each layer's input, the activation's derivative, and LayerNorm's
 * normalised rows. Tangents (J v) and adjoints (J' g) then cost one pass each, however many are asked for.
 */
export class Network<Spec extends NetworkSpec = NetworkSpec> {
  readonly spec: Spec
  readonly rows: number
  readonly layout: ParameterLayout
  /** [rows, head size]: a policy's mean, or a value. */
  readonly output: Tensor
  /** [rows, head size]: tangent of the output, and where its adjoint is expected. */
  readonly cotangent: Tensor

  readonly #input: Tensor
  readonly #inputNorm: Norm | null
  /** features[i] enters layer i; the last one enters the head. */
  readonly #features: Tensor[] = []
  readonly #derivatives: Tensor[] = []
  readonly #norms: Norm[] = []
  /** Two work arrays per layer width. An array has one width, so that blocks of rows never touch each other's. */
  readonly #work = new Map<number, readonly [Tensor, Tensor]>()

  /** Allocates for batches of up to `rows` rows; nothing but tensors, so that networks can share memory (`overlay`). */
  constructor(device: Device, spec: Spec, rows: number) {
    this.spec = spec
    this.rows = rows
    this.layout = parameterLayout(spec)
    const matrix = (width: number) => device.tensor('f32', rows * width)
    const norm = (width: number): Norm => ({ xhat: matrix(width), rstd: matrix(1) })
    const width = inputWidth(spec.input)
    this.#input = matrix(width)
    this.#inputNorm = spec.input.layerNorm ? norm(width) : null
    this.#features.push(this.#inputNorm ? matrix(width) : this.#input)
    for (const units of spec.hidden) {
      this.#derivatives.push(matrix(units))
      this.#norms.push(norm(units))
      this.#features.push(matrix(units))
    }
    this.output = matrix(spec.head.size)
    this.cotangent = matrix(spec.head.size)
    for (const units of new Set([width, ...spec.hidden]))
      this.#work.set(units, [matrix(units), matrix(units)])
  }

  /** raw [rows, input size] -> output. */
  forward(parameters: Tensor, raw: Tensor): RowStep[] {
    const { spec } = this
    const p = (name: string) => this.#parameter(parameters, name)
    const { size, agentId, standardise } = spec.input
    const steps: RowStep[] = [{ op: 'input', raw, size, agentId, standardise, out: this.#input }]
    let width = inputWidth(spec.input)
    if (this.#inputNorm) {
      steps.push({
        op: 'layerNorm',
        x: this.#input,
        gamma: p('input.norm.weight'),
        beta: p('input.norm.bias'),
        ...this.#inputNorm,
        out: this.#features[0],
        width,
      })
    }
    spec.hidden.forEach((units, i) => {
      const [z] = this.#work.get(units)!
      steps.push(
        {
          op: 'linear',
          x: this.#features[i],
          inputs: width,
          weight: p(`hidden.${i}.weight`),
          bias: p(`hidden.${i}.bias`),
          y: z,
          outputs: units,
          accumulate: false,
        },
        {
          op: 'activation',
          z,
          y: z,
          derivative: this.#derivatives[i],
          width: units,
          kind: spec.activation,
        },
        {
          op: 'layerNorm',
          x: z,
          gamma: p(`hidden.${i}.norm.weight`),
          beta: p(`hidden.${i}.norm.bias`),
          ...this.#norms[i],
          out: this.#features[i + 1],
          width: units,
        },
      )
      width = units
    })
    steps.push({
      op: 'linear',
      x: this.#features.at(-1)!,
      inputs: width,
      weight: p('head.weight'),
      bias: p('head.bias'),
      y: this.output,
      outputs: spec.head.size,
      accumulate: false,
    })
    return steps
  }

  /** cotangent = (d output / d parameters) v, at the kept activations. */
  tangent(parameters: Tensor, v: Tensor): RowStep[] {
    const { spec } = this
    const p = (name: string) => this.#parameter(parameters, name)
    const d = (name: string) => this.#parameter(v, name)
    const steps: RowStep[] = []
    let width = inputWidth(spec.input)
    // The tangent of the current layer's input, or null while nothing upstream has parameters.
    let moving: Tensor | null = null
    if (this.#inputNorm) {
      moving = this.#work.get(width)![1]
      steps.push({
        op: 'layerNormTangent',
        dx: null,
        ...this.#inputNorm,
        gamma: p('input.norm.weight'),
        dgamma: d('input.norm.weight'),
        dbeta: d('input.norm.bias'),
        out: moving,
        width,
      })
    }
    // y = x w' + b moves by x dw' + db + dx w'.
    const linear = (layer: string, x: Tensor, inputs: number, y: Tensor, outputs: number) => {
      const weight = `${layer}.weight`
      const shape = { inputs, y, outputs }
      steps.push({
        op: 'linear',
        x,
        weight: d(weight),
        bias: d(`${layer}.bias`),
        accumulate: false,
        ...shape,
      })
      if (moving) {
        steps.push({ op: 'linear', x: moving, weight: p(weight), bias: null, accumulate: true, ...shape })
      }
    }
    spec.hidden.forEach((units, i) => {
      const [z, out] = this.#work.get(units)!
      linear(`hidden.${i}`, this.#features[i], width, z, units)
      moving = out
      steps.push(
        { op: 'multiply', a: z, b: this.#derivatives[i], out: z, width: units },
        {
          op: 'layerNormTangent',
          dx: z,
          ...this.#norms[i],
          gamma: p(`hidden.${i}.norm.weight`),
          dgamma: d(`hidden.${i}.norm.weight`),
          dbeta: d(`hidden.${i}.norm.bias`),
          out: moving,
          width: units,
        },
      )
      width = units
    })
    linear('head', this.#features.at(-1)!, width, this.cotangent, spec.head.size)
    return steps
  }

  /** Parameter gradient of sum(cotangent * output), at the kept activations. */
  adjoint(parameters: Tensor): RowStep[] {
    const { spec } = this
    const p = (name: string) => this.#parameter(parameters, name)
    const offset = (name: string) => parameterEntry(this.layout, name).offset
    const steps: RowStep[] = []
    const widths = [inputWidth(spec.input), ...spec.hidden]
    const layers = spec.hidden.length
    // g is the adjoint of the current layer's output; two arrays take turns.
    let g = this.cotangent
    let outputs: number = spec.head.size
    for (let i = layers; i >= 0; i--) {
      const layer = i === layers ? 'head' : `hidden.${i}`
      const inputs = widths[i]
      if (i < layers) {
        const norm = this.#norms[i]
        steps.push(
          {
            op: 'layerNormWeights',
            g,
            xhat: norm.xhat,
            width: outputs,
            gamma: offset(`${layer}.norm.weight`),
            beta: offset(`${layer}.norm.bias`),
          },
          {
            op: 'layerNormAdjoint',
            g,
            ...norm,
            gamma: p(`${layer}.norm.weight`),
            gx: g,
            width: outputs,
          },
          { op: 'multiply', a: g, b: this.#derivatives[i], out: g, width: outputs },
        )
      }
      steps.push({
        op: 'linearWeights',
        x: this.#features[i],
        inputs,
        gy: g,
        outputs,
        weight: offset(`${layer}.weight`),
        bias: offset(`${layer}.bias`),
      })
      if (i > 0 || this.#inputNorm) {
        const [first, second] = this.#work.get(inputs)!
        const gx = g === first ? second : first
        steps.push({ op: 'linearAdjoint', gy: g, outputs, weight: p(`${layer}.weight`), gx, inputs })
        g = gx
        outputs = inputs
      }
    }
    if (this.#inputNorm) {
      steps.push({
        op: 'layerNormWeights',
        g,
        xhat: this.#inputNorm.xhat,
        width: outputs,
        gamma: offset('input.norm.weight'),
        beta: offset('input.norm.bias'),
      })
    }
    return steps
  }

  /** The part of a flat vector (parameters, or a direction among them) called `name`. */
  #parameter(vector: Tensor, name: string): Tensor {
    const { offset, size } = parameterEntry(this.layout, name)
    return slice(vector, offset, size)
  }
}
