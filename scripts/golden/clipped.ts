import { z } from 'zod'
import type { Device } from '../../src/devices/device.js'
import { Adam, clipScale } from '../../src/learner/adam.js'
import { ClippedStep } from '../../src/learner/clipped.js'
import { weightedCase, actorInputs } from './actor-batch.js'
import type { Computed, Values } from './compare.js'
import { goldenParameter, readAs, type Fixture } from './fixture.js'
import { clippedKeys } from './keys.js'
import { actorKeys } from './networks.js'
import { clippedOptions } from './updates.js'

const schema = z.object({
  header: z.object({
    params: z.array(goldenParameter),
    hyper_parameters: z.object({ ...actorKeys, ...clippedKeys }),
  }),
  inputs: z.object(actorInputs),
})

/** Epochs of the clipped update of a Gaussian actor. */
export function checkClipped(fixture: Fixture, device: Device): Computed {
  const { header, inputs } = readAs(fixture, schema)
  const keys = header.hyper_parameters
  const { rows, policy, batch } = weightedCase(device, keys, header.params, inputs)
  const options = clippedOptions(keys)
  const { parameters } = policy
  const adam = new Adam(device, parameters, keys.opti_eps)
  const update = new ClippedStep(policy, batch, adam, options)

  const endToEnd: Values = new Map([['epochs.length', keys.ppo_epoch]])
  const ratio = device.tensor('f32', rows)
  for (let epoch = 0; epoch < keys.ppo_epoch; epoch++) {
    const set = (name: string, value: number | ArrayLike<number>) =>
      endToEnd.set(`epochs.${epoch}.${name}`, value)
    const result = update.step(rows, keys.lr)
    set('policy_loss', -result.surrogate)
    set('dist_entropy', result.entropy)
    set('grad_norm', result.gradNorm)
    device.scale(clipScale(result.gradNorm, options.maxGradNorm), update.gradient)
    set('clipped_grad', device.read(update.gradient))
    device.fill(ratio, 1)
    device.multiplyByRatio(ratio, batch.newLogProb, batch.logProb, null)
    set('ratio', device.read(ratio))
    set('params', device.read(parameters))
  }
  return { endToEnd, notes: [] }
}
