import { z } from 'zod'
import type { Device } from '../../src/devices/device.js'
import { Adam, clipScale } from '../../src/learner/adam.js'
import { CriticStep, type TrainedCritic, type ValueBatch } from '../../src/learner/critic.js'
import { Workspace } from '../../src/learner/policy.js'
import { ValueNorm, type ValueNormState } from '../../src/learner/value-norm.js'
import { Network } from '../../src/nn/network.js'
import { filled } from './actor-batch.js'
import type { Computed, Values } from './compare.js'
import {
  float32,
  goldenArray,
  goldenParameter,
  readAs,
  type Fixture,
  type GoldenArray,
  type GoldenParameter,
} from './fixture.js'
import { criticKeys } from './keys.js'
import { bodyKeys, criticSpec, type BodyKeys } from './networks.js'
import { criticOptions } from './updates.js'

const criticInputs = {
  params: goldenArray,
  valuenorm_state: goldenArray.optional(),
  obs: goldenArray,
  value_preds: goldenArray,
  returns: goldenArray,
}

type CriticInputs = z.infer<z.ZodObject<typeof criticInputs>>
type CriticKeys = BodyKeys & z.infer<z.ZodObject<typeof criticKeys>>

/** A critic of a golden file and its samples on a device. */
interface CriticCase {
  readonly critic: TrainedCritic
  readonly batch: ValueBatch
}

const schema = z.object({
  header: z.object({
    params: z.array(goldenParameter),
    hyper_parameters: z.object({ ...bodyKeys, ...criticKeys }),
  }),
  inputs: z.object(criticInputs),
})

/** Epochs of the critic's regression. */
export function checkCritic(fixture: Fixture, device: Device): Computed {
  const { header, inputs } = readAs(fixture, schema)
  const keys = header.hyper_parameters
  const { critic, batch } = criticCase(device, keys, header.params, inputs)
  const { parameters, valueNorm } = critic
  const options = criticOptions(keys)
  const update = new CriticStep(critic, batch, options)

  const endToEnd: Values = new Map([['epochs.length', keys.critic_epoch]])
  for (let epoch = 0; epoch < keys.critic_epoch; epoch++) {
    const set = (name: string, value: number | ArrayLike<number>) =>
      endToEnd.set(`epochs.${epoch}.${name}`, value)
    const { loss, gradNorm } = update.step(batch.maxRows, keys.critic_lr)
    set('value_loss', loss)
    set('grad_norm', gradNorm)
    device.scale(clipScale(gradNorm, options.maxGradNorm), update.gradient)
    set('clipped_grad', device.read(update.gradient))
    set('params', device.read(parameters))
    if (!valueNorm) continue
    const { mean, deviation } = valueNorm.moments()
    set('valuenorm_state', valueNorm.save())
    set('valuenorm_mean_std', [mean, deviation])
  }
  return { endToEnd, notes: [] }
}

/** Puts a critic and its samples where its update expects them; every row counts. */
export function criticCase(
  device: Device,
  keys: CriticKeys,
  layout: readonly GoldenParameter[],
  inputs: CriticInputs,
): CriticCase {
  const [rows = 0, state = 0] = inputs.obs.shape
  const network = new Network(device, criticSpec(keys, state, layout), rows)
  const parameters = filled(device, float32('params', inputs.params, network.layout.size))
  const batch = {
    maxRows: rows,
    inputs: filled(device, float32('obs', inputs.obs, rows, state)),
    oldValues: filled(device, float32('value_preds', inputs.value_preds, rows, 1)),
    returns: filled(device, float32('returns', inputs.returns, rows, 1)),
    weight: filled(device, new Float32Array(rows).fill(1)),
  }
  const adam = new Adam(device, parameters, keys.opti_eps)
  const valueNorm = valueNormOf(inputs.valuenorm_state)
  return { critic: { device, network, parameters, adam, valueNorm, workspace: new Workspace() }, batch }
}

/** The normaliser in the state that the file gives; null where it gives none. */
export function valueNormOf(state: GoldenArray | undefined): ValueNorm | null {
  if (state === undefined) return null
  const valueNorm = new ValueNorm()
  valueNorm.restore(Array.from(float32('valuenorm_state', state, 3)) as unknown as ValueNormState)
  return valueNorm
}
