import type { Device } from '../../src/devices/device.js'
import { derivativesFor } from '../../src/nn/cost.js'
import { layerwise, type Derivatives } from '../../src/nn/derivatives.js'
import { OutputJacobian } from '../../src/nn/jacobian.js'
import type { Network } from '../../src/nn/network.js'
import { CG_ITERATIONS } from './updates.js'

/** Makes the products with the Jacobian of a network. */
export type Derive = (device: Device, network: Network) => Derivatives

/** Ways to compute Fisher products: the one that training chooses, and each of them. */
export const DERIVATIVES = {
  chosen: (device, network) => derivativesFor(device, network, CG_ITERATIONS),
  layerwise: (_, network) => layerwise(network),
  jacobian: (device, network) => new OutputJacobian(device, network),
} as const satisfies Record<string, Derive>

export type DerivativesName = keyof typeof DERIVATIVES
export const derivativesNames = Object.keys(DERIVATIVES) as DerivativesName[]
