import type { Device } from '../devices/device.js'
import type { FinishStep, RowStep, SetupStep } from '../devices/steps.js'
import { scratch, type Operand, type Tensor } from '../devices/tensor.js'
import type { Derivatives } from './derivatives.js'
import type { LinearLayer } from './layers.js'
import { parameterEntry } from './layout.js'
import type { Network } from './network.js'

/**
 * Derivatives by the kept Jacobian of the outputs, for networks with few outputs.
 *
 * For every row, output k and hidden layer i, delta_ik = d output[k] / d z_i is kept, z_i being the layer's product. With
 * z_i = W_i (gamma_i xhat_i + beta_i) + b_i and xhat_i as the forward pass kept it,
 *   (J v)_k = sum over i of delta_ik . (M_i xhat_i + c_i), M_i and c_i being the layer's tangent at constant xhat_i;
 *   J' u:     S_i = (sum over k of u_k delta_ik)' xhat_i, from which the gradients of W_i, b_i, gamma_i and beta_i follow
 *             without another pass over the rows.
 * One matrix product per layer and direction, where passing through the layers takes two.
 */
export class OutputJacobian implements Derivatives {
  readonly #device: Device
  readonly #network: Network
  readonly #layers: readonly LinearLayer[]
  /** delta_i, [rows, outputs, units] */
  readonly #deltas: readonly Tensor[]
  /** M_i and c_i at the places of the weights and biases. */
  readonly #tangents: Tensor

  /**
   * Allocates nothing but tensors.
   * @param rows greatest number of rows of a batch, the network's by default
   * @throws Error for a recurrent network and for one without hidden layers
   */
  constructor(device: Device, network: Network, rows = network.rows) {
    const { spec, layout } = network
    if (spec.hidden.length === 0) throw new Error('a network without hidden layers has no Jacobian to keep')
    if (spec.recurrent)
      throw new Error('the outputs of a recurrent network depend on other rows: no Jacobian is kept')
    this.#device = device
    this.#network = network
    this.#layers = network.layers
    this.#deltas = spec.hidden.map((units) => device.tensor('f32', rows * spec.head.size * units))
    this.#tangents = device.tensor('f32', layout.size)
  }

  /** delta of all layers, from the last hidden layer to the first. */
  keep(parameters: Tensor): RowStep[] {
    const { spec, activations } = this.#network
    const repeat = spec.head.size
    const widths = spec.hidden
    let g: Operand = scratch(repeat * widths.at(-1)!)
    const vector = this.#part(parameters, 'head.weight')
    const steps: RowStep[] = [{ op: 'broadcast', vector, out: g, width: repeat * widths.at(-1)! }]
    for (let i = widths.length - 1; i >= 0; i--) {
      const width = widths[i]
      const gamma = this.#part(parameters, `hidden.${i}.norm.weight`)
      steps.push(
        { op: 'layerNormAdjoint', repeat, g, ...activations.norms[i], gamma, gx: g, width },
        { op: 'multiply', repeat, a: g, b: activations.derivatives[i], out: this.#deltas[i], width },
      )
      if (i === 0) break
      g = scratch(repeat * widths[i - 1])
      const weight = this.#part(parameters, `hidden.${i}.weight`)
      const shape = { outputs: width, inputs: widths[i - 1] }
      steps.push({ op: 'linearAdjoint', repeat, gy: this.#deltas[i], weight, gx: g, ...shape })
    }
    return steps
  }

  tangent(parameters: Tensor, v: Tensor): { setup: SetupStep[]; rows: RowStep[] } {
    const { outputTangent: out, spec } = this.#network
    const setup: SetupStep[] = []
    const linear = ({ name, inputs, outputs, normalised: x, norm }: LinearLayer, y: Operand): RowStep => {
      const [dweight, dbias] = [this.#part(v, `${name}.weight`), this.#part(v, `${name}.bias`)]
      const shape = { x, inputs, y, outputs, accumulate: false }
      if (norm === null) return { op: 'linear', weight: dweight, bias: dbias, ...shape }
      const m = this.#part(this.#tangents, `${name}.weight`)
      const c = this.#part(this.#tangents, `${name}.bias`)
      setup.push({
        op: 'foldTangent',
        ...this.#normalised(parameters, name, norm),
        dweight,
        dgamma: this.#part(v, `${norm}.weight`),
        dbeta: this.#part(v, `${norm}.bias`),
        dbias,
        m,
        c,
        outputs,
        inputs,
      })
      return { op: 'linear', weight: m, bias: c, ...shape }
    }
    const rows = [linear(this.#layers.at(-1)!, out)]
    this.#deltas.forEach((vectors, i) => {
      const y = scratch(spec.hidden[i])
      const width = spec.hidden[i]
      rows.push(linear(this.#layers[i], y), {
        op: 'dotVectors',
        vectors,
        x: y,
        count: spec.head.size,
        width,
        out,
      })
    })
    return { setup, rows }
  }

  adjoint(parameters: Tensor, gradient: Tensor): { rows: RowStep[]; finish: FinishStep[] } {
    const { outputAdjoint: coefficients, spec } = this.#network
    const rows: RowStep[] = []
    this.#layers.forEach(({ name, inputs, outputs, normalised: x }, i) => {
      let gy: Operand = coefficients
      if (i < spec.hidden.length) {
        gy = scratch(outputs)
        const count = spec.head.size
        rows.push({
          op: 'mixVectors',
          vectors: this.#deltas[i],
          coefficients,
          count,
          width: outputs,
          out: gy,
        })
      }
      const [weight, bias] = [this.#offset(`${name}.weight`), this.#offset(`${name}.bias`)]
      rows.push({ op: 'linearWeights', x, inputs, gy, outputs, weight, bias })
    })
    const finish = this.#layers.flatMap(({ name, inputs, outputs, norm }): FinishStep[] => {
      if (norm === null) return []
      const [gweight, gbias] = [this.#part(gradient, `${name}.weight`), this.#part(gradient, `${name}.bias`)]
      const [ggamma, gbeta] = [this.#part(gradient, `${norm}.weight`), this.#part(gradient, `${norm}.bias`)]
      const layer = this.#normalised(parameters, name, norm)
      return [{ op: 'unfoldGradient', ...layer, gweight, gbias, ggamma, gbeta, outputs, inputs }]
    })
    return { rows, finish }
  }

  #normalised(parameters: Tensor, layer: string, norm: string) {
    return {
      weight: this.#part(parameters, `${layer}.weight`),
      gamma: this.#part(parameters, `${norm}.weight`),
      beta: this.#part(parameters, `${norm}.bias`),
    }
  }

  #offset(name: string): number {
    return parameterEntry(this.#network.layout, name).offset
  }

  /** The part of a flat vector called `name`. */
  #part(vector: Tensor, name: string): Tensor {
    const { offset, size } = parameterEntry(this.#network.layout, name)
    return this.#device.slice(vector, offset, size)
  }
}
