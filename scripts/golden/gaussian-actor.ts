import { z } from 'zod'
import type { Device } from '../../src/devices/device.js'
import { openHost } from '../../src/devices/open.js'
import { filled } from './actor-batch.js'
import type { Computed, Values } from './compare.js'
import { float32, goldenArray, goldenParameter, readAs, type Fixture } from './fixture.js'
import { compareInitialisation } from './initialisation.js'
import { actorKeys, actorSpec } from './networks.js'
import { PolicyProbe, type Policy } from './policy-probe.js'

const schema = z.object({
  header: z.object({
    params: z.array(goldenParameter),
    hyper_parameters: z.object({
      ...actorKeys,
      gain: z.number().positive().optional(),
      initialization_method: z.string().optional(),
    }),
  }),
  inputs: z.object({
    params: goldenArray,
    new_params: goldenArray,
    harl_initial_params: goldenArray.optional(),
    obs: goldenArray,
    actions: goldenArray,
  }),
})

/** The forward pass of a Gaussian actor at two parameter vectors, and its untouched initialisation. */
export async function checkGaussianActor(fixture: Fixture, device: Device): Promise<Computed> {
  const { header, inputs } = readAs(fixture, schema)
  const keys = header.hyper_parameters
  const [rows = 0, observation = 0] = inputs.obs.shape
  const action = inputs.actions.shape[1] ?? 0
  const spec = actorSpec(keys, observation, action, header.params)
  const observations = filled(device, float32('obs', inputs.obs, rows, observation))
  const actions = float32('actions', inputs.actions, rows, action)
  const probe = new PolicyProbe(device, spec, rows, { raw: observations }, actions)

  const old = probe.at(inputs.params.data)
  const moved = probe.at(inputs.new_params.data)
  const endToEnd: Values = new Map()
  describe(endToEnd, '', old)
  describe(endToEnd, 'new_', moved)
  // The entropy does not depend on the state: over all rows and over the active ones it is the same.
  endToEnd.set('entropy_active_rows', old.entropy)
  const logProb = (policy: Policy) => filled(device, jointLogProb(policy, rows, action))
  const ratio = filled(device, new Float32Array(rows).fill(1))
  device.multiplyByRatio(ratio, logProb(moved), logProb(old), null)
  endToEnd.set('joint_ratio_new_over_old', device.read(ratio))

  const initialisation = compareInitialisation(await openHost(), spec, inputs.harl_initial_params, keys)
  return { endToEnd, more: initialisation.comparisons, notes: initialisation.notes }
}

function describe(values: Values, prefix: string, policy: Policy): void {
  values.set(`${prefix}mean`, policy.mean)
  values.set(`${prefix}std`, policy.std)
  values.set(`${prefix}log_probs`, policy.logProbs)
  values.set(`${prefix}entropy_all_rows`, policy.entropy)
}

function jointLogProb({ logProbs }: Policy, rows: number, action: number): Float32Array {
  return Float32Array.from({ length: rows }, (_, r) =>
    logProbs.slice(r * action, (r + 1) * action).reduce((sum, x) => sum + x, 0),
  )
}
