import type { Device } from '../devices/device.js'
import { layerwise, type Derivatives } from './derivatives.js'
import { OutputJacobian } from './jacobian.js'
import type { Network } from './network.js'
import { inputWidth, type NetworkSpec } from './spec.js'

/**
 * Time of a multiply-add between vectors of a row, in units of one in a matrix product. Vectors are loaded and stored,
 * while a tile of a product keeps its sums in registers.
 */
export const VECTOR_WEIGHT = 4

/**
 * Multiply-adds per row of a gradient J' g and `products` Fisher products J' F J v with a network's Jacobian J, weighted
 * by their time, by the two ways of computing them. With widths n_0 (input) .. n_L (last hidden layer), K outputs and
 * P products, that is 2 P + 1 passes with J or J', of
 *   layer by layer: 2 (sum n_{i-1} n_i + n_L K), less n_0 n_1 without a LayerNorm on the input;
 *   kept Jacobian:  sum n_{i-1} n_i + n_L K + w K sum n_i, and once K sum of n_{i-1} n_i from i = 2 on + 2 w K sum n_i,
 * where i runs over the hidden layers 1 .. L and w is the weight of a vector's multiply-add. Steps on one vector per row
 * are not counted; they are fewer with the kept Jacobian.
 */
export function fisherCosts(spec: NetworkSpec, products: number): { layerwise: number; jacobian: number } {
  const outputs = spec.head.size
  const widths = [inputWidth(spec.input), ...spec.hidden]
  const matrices = [...spec.hidden, outputs].map((units, i) => units * widths[i])
  const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0)
  const constantInput = spec.input.layerNorm ? 0 : matrices[0]
  const vectors = VECTOR_WEIGHT * outputs * total(spec.hidden)
  const passes = 2 * products + 1
  return {
    layerwise: passes * (2 * total(matrices) - constantInput),
    jacobian: passes * (total(matrices) + vectors) + outputs * total(matrices.slice(1, -1)) + 2 * vectors,
  }
}

/**
 * The faster derivatives for `products` Fisher products at the same parameters. Allocates nothing but tensors, as the
 * network does, and belongs to the same overlay.
 * @param rows greatest number of rows of a batch, the network's by default
 */
export function derivativesFor(
  device: Device,
  network: Network,
  products: number,
  rows = network.rows,
): Derivatives {
  const { hidden, recurrent } = network.spec
  // A row's outputs depend on other rows of its chunk.
  if (recurrent) return layerwise(network)
  const { layerwise: byLayer, jacobian } = fisherCosts(network.spec, products)
  const keeps = products > 0 && hidden.length > 0 && jacobian < byLayer
  return keeps ? new OutputJacobian(device, network, rows) : layerwise(network)
}

/** Fisher products at the same parameters: their number on all rows, and on samples of one row in `stride`. */
export interface ProductCounts {
  readonly whole: number
  readonly sampled: number
  readonly stride: number
}

/** The faster derivatives for products on all rows and for those on samples. */
export function derivativesOf(device: Device, network: Network, { whole, sampled, stride }: ProductCounts) {
  return {
    derivatives: derivativesFor(device, network, whole),
    sampleDerivatives: derivativesFor(device, network, sampled, Math.ceil(network.rows / stride)),
  }
}
