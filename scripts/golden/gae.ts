import { z } from 'zod'
import type { Device, GaeOptions } from '../../src/devices/device.js'
import { TERMINATED, TRUNCATED } from '../../src/envs/contract.js'
import { filled } from './actor-batch.js'
import { comparison, tensorData, type Computed, type Values } from './compare.js'
import { valueNormOf } from './critic.js'
import { float32, goldenArray, readAs, type Fixture } from './fixture.js'
import type { Comparison } from './report.js'

/** Inputs of the advantage estimation of one rollout. */
export const rolloutInputs = {
  rewards: goldenArray,
  value_preds: goldenArray,
  next_value: goldenArray,
  masks: goldenArray,
  bad_masks: goldenArray,
  final_values: goldenArray.optional(),
  valuenorm_state: goldenArray.optional(),
}
type RolloutInputs = z.infer<z.ZodObject<typeof rolloutInputs>>

export const gaeKeys = { gamma: z.number(), gae_lambda: z.number() }
type GaeKeys = z.infer<z.ZodObject<typeof gaeKeys>>

const schema = z.object({
  header: z.object({ hyper_parameters: z.object(gaeKeys) }),
  inputs: z.object(rolloutInputs),
})

/** Returns of a rollout under the three rules for truncation, with values in reward units or normalised ones. */
export function checkGae(fixture: Fixture, device: Device): Computed {
  const { header, inputs } = readAs(fixture, schema)
  const endToEnd: Values = new Map()
  const more: Comparison[] = []
  const notes: string[] = []
  for (const units of ['plain', 'valuenorm'] as const) {
    const given = units === 'plain' ? { ...inputs, valuenorm_state: undefined } : inputs
    if (units === 'valuenorm' && !inputs.valuenorm_state) continue
    const estimate = (truncation: GaeOptions['truncation']) =>
      estimateReturns(device, header.hyper_parameters, given, truncation)
    endToEnd.set(`returns_proper_${units}`, estimate('harl').returns)
    endToEnd.set(`returns_not_proper_${units}`, estimate('terminate').returns)
    if (!inputs.final_values) continue
    const textbook = estimate('bootstrap')
    // The file has no bound for the textbook rule, which has the same sums with one more term at truncations.
    const bound = fixture.tolerance[`returns_not_proper_${units}`]?.suggest_atol
    for (const quantity of ['returns', 'advantages'] as const) {
      const name = `textbook_${units}_${quantity}`
      const golden = tensorData(fixture.ref64?.[name])
      if (golden === undefined || bound === undefined)
        notes.push(`ref64.${name}: not in this file, or without a bound`)
      else more.push(comparison(`ref64.${name}`, golden, textbook[quantity], bound))
    }
  }
  notes.push("returns_proper_*: truncated steps have advantage 0, as HARL does (truncation: 'harl')")
  notes.push("returns_not_proper_*: a truncation counts as an end (truncation: 'terminate')")
  if (more.length > 0) notes.push("ref64.textbook_*: the default rule (truncation: 'bootstrap')")
  return { endToEnd, more, notes }
}

/** GAE over [T, E] by the operation that training uses; values are taken out of normalised units first. */
export function estimateReturns(
  device: Device,
  keys: GaeKeys,
  inputs: RolloutInputs,
  truncation: GaeOptions['truncation'],
): { returns: Float32Array; advantages: Float32Array } {
  const [T = 0, E = 0] = inputs.rewards.shape
  const scale = valueNormOf(inputs.valuenorm_state)?.moments() ?? { mean: 0, deviation: 1 }
  const inRewardUnits = (values: Float32Array) => values.map((x) => x * scale.deviation + scale.mean)
  const values = inRewardUnits(float32('value_preds', inputs.value_preds, T, E, 1))
  const last = inRewardUnits(float32('next_value', inputs.next_value, E, 1))
  const final = inputs.final_values && inRewardUnits(float32('final_values', inputs.final_values, T, E, 1))
  const masks = float32('masks', inputs.masks, T + 1, E, 1)
  const badMasks = float32('bad_masks', inputs.bad_masks, T + 1, E, 1)

  const ends = new Uint8Array(T * E)
  const nextValues = new Float32Array(T * E)
  for (let i = 0; i < T * E; i++) {
    // Entry t + 1 of the masks belongs to step t.
    if (masks[i + E] === 0) ends[i] = badMasks[i + E] === 0 ? TRUNCATED : TERMINATED
    nextValues[i] = i + E < T * E ? values[i + E] : last[i + E - T * E]
    if (ends[i] === TRUNCATED && final) nextValues[i] = final[i]!
  }

  const endings = device.tensor('u8', T * E)
  device.write(endings, ends)
  const rollout = {
    steps: T,
    envs: E,
    rewards: filled(device, float32('rewards', inputs.rewards, T, E, 1)),
    values: filled(device, values),
    nextValues: filled(device, nextValues),
    ends: endings,
  }
  const advantages = device.tensor('f32', T * E)
  const returns = device.tensor('f32', T * E)
  device.gae(rollout, { gamma: keys.gamma, lambda: keys.gae_lambda, truncation }, advantages, returns)
  return {
    returns: device.read(returns) as Float32Array,
    advantages: device.read(advantages) as Float32Array,
  }
}
