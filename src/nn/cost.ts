import type { Device } from '../devices/device.js'
import { layerwise, type Derivatives } from './derivatives.js'
import { OutputJacobian } from './jacobian.js'
import type { Network } from './network.js'
import { inputWidth, type NetworkSpec } from './spec.js'

/**
 * Time of a multiply-add between vectors of a row, in units of one in a matrix product. Vectors are loaded and stored,
 * while a tile of a product keeps its sums in registers.
 */
const VECTOR_WEIGHT = 4

/**
 * Multiply-adds per row of products J' F J v with a network's Jacobian J, weighted by their time, by the two ways of
 * computing them. With widths n_0 (input) .. n_L (last hidden layer), K outputs and P products,
 *   layer by layer: P (4 sum n_i n_{i+1} + 4 n_L K), less 2 n_0 n_1 without a LayerNorm on the input;
 *   kept Jacobian:  P (2 sum n_i n_{i+1} + 2 n_L K + 2 w K sum n_i) + (K - 1) (sum of n_i n_{i+1} from i = 1 on + w K n_i),
 * where i in sums over hidden layers runs from 1 to L, and w is the weight of a vector's multiply-add.
 */
export function fisherCosts(spec: NetworkSpec, products: number): { layerwise: number; jacobian: number } {
  const outputs = spec.head.size
  const widths = [inputWidth(spec.input), ...spec.hidden]
  const inner = spec.hidden.map((units, i) => units * widths[i])
  const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0)
  const head = widths.at(-1)! * outputs
  const constantInput = spec.input.layerNorm ? 0 : 2 * (inner[0] ?? 0)
  const vectors = VECTOR_WEIGHT * outputs * total(spec.hidden)
  return {
    layerwise: products * (4 * (total(inner) + head) - constantInput),
    jacobian:
      products * (2 * (total(inner) + head) + 2 * vectors) +
      (outputs - 1) * total(inner.slice(1)) +
      2 * vectors,
  }
}

/**
 * The faster derivatives for `products` Fisher products at the same parameters. Allocates nothing but tensors, as the
 * network does, and belongs to the same overlay.
 */
export function derivativesFor(device: Device, network: Network, products: number): Derivatives {
  const { layerwise: byLayer, jacobian } = fisherCosts(network.spec, products)
  const keeps = network.spec.hidden.length > 0 && jacobian < byLayer
  return keeps ? new OutputJacobian(device, network) : layerwise(network)
}
