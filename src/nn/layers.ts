import type { Tensor } from '../devices/tensor.js'
import type { Activations } from './activations.js'
import { headInputs, inputWidth, type NetworkSpec } from './spec.js'

/** Linear layer of a network, and the LayerNorm whose rows enter it. */
export interface LinearLayer {
  /** Of its parameters, `NAME.weight` and `NAME.bias`. */
  readonly name: string
  readonly inputs: number
  readonly outputs: number
  /** Rows that enter it, [rows, inputs]. */
  readonly features: Tensor
  /** The same before gain and bias of the LayerNorm, or unchanged if no LayerNorm precedes the layer. */
  readonly normalised: Tensor
  /** Name of the LayerNorm before the layer, or null. */
  readonly norm: string | null
}

/** The linear layers of a network in ascending order, the head last, without those inside recurrent layers. */
export function linearLayers(spec: NetworkSpec, activations: Activations): LinearLayer[] {
  const { input, inputNorm, norms, features, recurrent } = activations
  const widths = [inputWidth(spec.input), ...spec.hidden, spec.head.size]
  return widths.slice(1).map((outputs, i): LinearLayer => {
    const name = i === spec.hidden.length ? 'head' : `hidden.${i}`
    const layer = { name, inputs: widths[i], outputs, features: features[i] }
    if (recurrent && name === 'head') {
      const { norm, features: rows } = recurrent
      return { ...layer, inputs: headInputs(spec), features: rows, normalised: norm.xhat, norm: 'gru.norm' }
    }
    if (i > 0) return { ...layer, normalised: norms[i - 1].xhat, norm: `hidden.${i - 1}.norm` }
    return { ...layer, normalised: inputNorm?.xhat ?? input, norm: inputNorm ? 'input.norm' : null }
  })
}
