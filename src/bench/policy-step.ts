import { PolicyBatch } from '../learner/batch.js'
import { trainedPolicy } from '../learner/policy.js'
import { TrustRegionStep } from '../learner/trust-region.js'
import { derivativesOf } from '../nn/cost.js'
import { Network } from '../nn/network.js'
import type { TeamLearner } from '../training/learner.js'

/** Milliseconds of the parts of a trust-region step of one policy. */
export interface StepParts {
  readonly gradient: number
  /** Of an iteration of conjugate gradients: a product with the Fisher matrix, and its share of the preparation. */
  readonly product: number
  readonly search: number
}

/** Times the trust-region step of a learner's first policy, part by part. */
export function policyStep(learner: TeamLearner): () => StepParts {
  const { storage, plan, method, config } = learner
  const { device } = method
  const column = (name: 'observations' | 'actions' | 'logProb' | 'rewards') =>
    device.mirror(storage.agentColumn(name, [0])).tensor
  const { rows } = storage
  const [observations, actions, logProb] = [column('observations'), column('actions'), column('logProb')]
  const batch = new PolicyBatch(device, rows, { observations, actions, logProb })
  device.copy(column('rewards'), batch.factor)
  device.copy(logProb, batch.newLogProb)
  const parameters = method.policies[0].parameters.tensor
  const network = new Network(device, plan.actors[0], rows)
  const derivatives = derivativesOf(device, network, plan.parts.update.products(config))
  const policy = trainedPolicy(device, network, parameters, derivatives)
  const { trustRegion } = config
  const step = new TrustRegionStep(policy, batch, trustRegion)
  return () => {
    const gradient = milliseconds(() => step.differentiate(rows))
    const solving = milliseconds(() => step.solve())
    const proposal = step.propose(rows)
    const search = milliseconds(() => step.commit(proposal, trustRegion.delta))
    return { gradient, product: solving / proposal.residuals.length, search }
  }
}

function milliseconds(work: () => unknown): number {
  const begun = performance.now()
  work()
  return performance.now() - begun
}
