import type { FinishStep, RowStep, SetupStep } from '../devices/steps.js'
import type { Tensor } from '../devices/tensor.js'
import type { Network } from './network.js'

/** Products with the Jacobian J = d output / d parameters of a network, at the activations that `forward` kept. */
export interface Derivatives {
  /** Steps between `forward` and the products, in the same program as `forward`. */
  keep(parameters: Tensor): RowStep[]
  /** network.outputTangent = J v */
  tangent(parameters: Tensor, v: Tensor): { setup: SetupStep[]; rows: RowStep[] }
  /** gradient = J' network.outputAdjoint, for a program with this gradient vector. */
  adjoint(parameters: Tensor, gradient: Tensor): { rows: RowStep[]; finish: FinishStep[] }
}

/** Derivatives that pass through the layers one by one. */
export function layerwise(network: Network): Derivatives {
  return {
    keep: () => [],
    tangent: (parameters, v) => ({ setup: [], rows: network.tangent(parameters, v) }),
    adjoint: (parameters) => ({ rows: network.adjoint(parameters), finish: [] }),
  }
}
