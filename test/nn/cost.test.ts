import assert from 'node:assert/strict'
import test from 'node:test'
import { ReferenceDevice } from '../../src/devices/reference/device.js'
import type { RowStep } from '../../src/devices/steps.js'
import { derivativesFor, fisherCosts, VECTOR_WEIGHT } from '../../src/nn/cost.js'
import { layerwise, type Derivatives } from '../../src/nn/derivatives.js'
import { OutputJacobian } from '../../src/nn/jacobian.js'
import { Network } from '../../src/nn/network.js'
import { actorSpec, criticSpec } from '../learner/setup.js'

/** Weighted multiply-adds of a step on a row. Steps on one vector per row count as none. */
function costOf(step: RowStep): number {
  switch (step.op) {
    case 'linear':
    case 'linearWeights':
      return step.inputs * step.outputs
    case 'linearAdjoint':
      return (step.repeat ?? 1) * step.inputs * step.outputs
    case 'dotVectors':
    case 'mixVectors':
      return VECTOR_WEIGHT * step.count * step.width
    case 'multiply':
    case 'layerNormAdjoint':
      return VECTOR_WEIGHT * (step.repeat ?? 0) * step.width
    default:
      return 0
  }
}

/** Cost of a gradient and `products` Fisher products, by the steps that compute them. */
function countedCost(device: ReferenceDevice, derivatives: Derivatives, size: number, products: number) {
  const [parameters, vector] = [device.tensor('f32', size), device.tensor('f32', size)]
  const count = (rows: readonly RowStep[]) => rows.reduce((sum, step) => sum + costOf(step), 0)
  const [keep, tangent, adjoint] = [
    derivatives.keep(parameters),
    derivatives.tangent(parameters, vector).rows,
    derivatives.adjoint(parameters, vector).rows,
  ].map(count)
  return keep + products * (tangent + adjoint) + adjoint
}

test('the estimated costs of both ways are those of their steps', () => {
  const device = new ReferenceDevice()
  for (const spec of [
    actorSpec({ hidden: [128, 128, 128], size: 19, layerNorm: true }, 3),
    actorSpec({ hidden: [7, 5], size: 4 }, 2),
    actorSpec({ hidden: [9], size: 6, layerNorm: true, agentId: { index: 1, count: 3 } }, 1),
    actorSpec({ hidden: [], size: 5 }, 2),
    actorSpec({ hidden: [], size: 5, layerNorm: true }, 2),
    criticSpec({ hidden: [6, 8, 4] }),
  ]) {
    const network = new Network(device, spec, 1)
    for (const products of [1, 10]) {
      const costs = fisherCosts(spec, products)
      const counted = (derivatives: Derivatives) =>
        countedCost(device, derivatives, network.layout.size, products)
      assert.equal(costs.layerwise, counted(layerwise(network)))
      if (spec.hidden.length > 0) assert.equal(costs.jacobian, counted(new OutputJacobian(device, network)))
    }
  }
})

test('policies with few outputs store the Jacobian, those with many or without hidden layers do not', () => {
  const device = new ReferenceDevice()
  const keeps = (hidden: number[], actions: number, products = 10, size = 19) => {
    const network = new Network(device, actorSpec({ hidden, size, layerNorm: true }, actions), 1)
    return derivativesFor(device, network, products) instanceof OutputJacobian
  }
  const wide = [128, 128, 128]
  assert.deepEqual(
    [
      keeps(wide, 1),
      keeps(wide, 3),
      keeps(wide, 17),
      keeps([32, 32], 17),
      keeps([], 1),
      keeps(wide, 1, 0, 400),
    ],
    [true, true, false, false, false, false],
  )
})
