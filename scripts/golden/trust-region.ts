import { z } from 'zod'
import type { Device } from '../../src/devices/device.js'
import type { PolicySpec } from '../../src/learner/heads/head.js'
import { TrustRegionStep, type TrustRegionResult } from '../../src/learner/trust-region.js'
import { weightedCase, actorInputs, filled, type ActorCase } from './actor-batch.js'
import type { Computed, Values } from './compare.js'
import type { Derive } from './derivatives.js'
import {
  float32,
  goldenArray,
  goldenBlock,
  goldenParameter,
  readAs,
  type Fixture,
  type GoldenArray,
} from './fixture.js'
import { trustRegionKeys } from './keys.js'
import { actorKeys } from './networks.js'
import { PolicyProbe } from './policy-probe.js'
import { KL_NOTE, trustRegionOptions } from './updates.js'

const schema = z.object({
  header: z.object({
    params: z.array(goldenParameter),
    hyper_parameters: z.object({ ...actorKeys, ...trustRegionKeys }),
  }),
  inputs: z.object({ ...actorInputs, v: goldenArray }),
})

const goldenStages = z.object({
  cg_solution: goldenArray,
  full_step: goldenArray,
  trials: z.array(z.object({ fraction: z.number() })),
  final_params: goldenArray,
})

/** One trust-region step of a Gaussian actor: as a whole, and each stage from the golden result before it. */
export function checkTrustRegion(fixture: Fixture, device: Device, derive: Derive): Computed {
  const { header, inputs } = readAs(fixture, schema)
  const keys = header.hyper_parameters
  const actor = weightedCase(device, keys, header.params, inputs, derive)
  const { batch, rows, spec } = actor
  const actions = float32('actions', inputs.actions, rows, spec.head.size)
  const probe = new PolicyProbe(device, spec, rows, batch.input, actions)
  return checkStep(fixture, device, keys, actor, inputs.v, probe)
}

/** Log-probabilities of the file's actions at some parameters. */
export interface LogProbProbe {
  at(parameters: ArrayLike<number>): { readonly logProbs: ArrayLike<number> }
}

/** One trust-region step of an actor of any kind. */
export function checkStep(
  fixture: Fixture,
  device: Device,
  keys: z.infer<z.ZodObject<typeof trustRegionKeys>>,
  actor: ActorCase<PolicySpec>,
  direction: GoldenArray,
  probe: LogProbProbe,
): Computed {
  const { policy, batch, rows } = actor
  const { network, parameters } = policy
  const step = new TrustRegionStep(policy, batch, trustRegionOptions(keys))
  const v = filled(device, float32('v', direction, network.layout.size))
  const start = device.read(parameters)

  const endToEnd: Values = new Map()
  const product = device.tensor('f32', network.layout.size)
  step.differentiate(rows)
  step.fisherProduct(v, product)
  endToEnd.set('fvp_of_v', device.read(product))
  step.solve()
  step.fisherProduct(step.direction, product)
  endToEnd.set('fvp_of_cg_solution', device.read(product))

  const result = step.commit(step.propose(rows), keys.kl_threshold)
  endToEnd.set('loss_grad', device.read(step.gradient))
  endToEnd.set('cg_solution', device.read(step.direction))
  endToEnd.set('cg_rdotr', result.residuals)
  const left = result.residual * result.residual * (result.residuals[0] ?? 0)
  endToEnd.set('cg_rdotr_end', left)
  endToEnd.set('shs', result.curvature / 2)
  device.scale(result.stepScale, step.direction)
  endToEnd.set('full_step', device.read(step.direction))
  describeStep(endToEnd, '', result)
  if (result.trials[0]) endToEnd.set('expected_improve', result.trials[0].predictedGain)
  const final = device.read(parameters)
  endToEnd.set('final_params', final)
  endToEnd.set('new_log_probs', probe.at(final).logProbs)

  device.write(parameters, start)
  const stagewise = checkStages(device, step, actor, probe, fixture)
  return { endToEnd, stagewise, notes: actor.someInactive ? [KL_NOTE] : [] }
}

/** Loss, step size and trials, by the names that the single and the sequential files share. */
export function describeStep(values: Values, prefix: string, result: TrustRegionResult): void {
  values.set(`${prefix}loss`, result.surrogate)
  values.set(`${prefix}step_size`, result.stepScale)
  values.set(`${prefix}trials.length`, result.trials.length)
  result.trials.forEach(({ fraction, kl, gain, predictedGain, accepted }, i) => {
    values.set(`${prefix}trials.${i}.fraction`, fraction)
    values.set(`${prefix}trials.${i}.kl`, kl)
    values.set(`${prefix}trials.${i}.loss_improve`, gain)
    values.set(`${prefix}trials.${i}.expected_improve`, predictedGain)
    values.set(`${prefix}trials.${i}.accepted`, accepted)
  })
}

function checkStages(
  device: Device,
  step: TrustRegionStep,
  { rows, policy }: ActorCase<PolicySpec>,
  probe: LogProbProbe,
  fixture: Fixture,
): Values {
  const values: Values = new Map()
  const golden = goldenStages.safeParse(goldenBlock(fixture))
  if (!golden.success) return values
  const { cg_solution, full_step, trials, final_params } = golden.data
  const size = policy.network.layout.size
  const { surrogate, valid } = step.differentiate(rows)

  const product = device.tensor('f32', size)
  step.fisherProduct(filled(device, float32('cg_solution', cg_solution, size)), product)
  values.set('fvp_of_cg_solution', device.read(product))

  device.write(step.direction, full_step.data)
  trials.forEach(({ fraction }, i) => {
    const trial = step.evaluate({ rows, valid }, fraction)
    values.set(`trials.${i}.kl`, trial.kl)
    values.set(`trials.${i}.loss_improve`, trial.surrogate - surrogate)
  })

  values.set('new_log_probs', probe.at(final_params.data).logProbs)
  return values
}
