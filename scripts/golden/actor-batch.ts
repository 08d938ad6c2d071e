import type { Device } from '../../src/devices/device.js'
import type { Tensor } from '../../src/devices/tensor.js'
import { PolicyBatch } from '../../src/learner/batch.js'
import { trainedPolicy, type TrainedPolicy } from '../../src/learner/policy.js'
import type { PolicySpec } from '../../src/learner/heads/head.js'
import { Network } from '../../src/nn/network.js'
import type { RecurrentSpec } from '../../src/nn/spec.js'
import type { Derive } from './derivatives.js'
import { float32, goldenArray, type GoldenArray, type GoldenParameter } from './fixture.js'
import { actorSpec, type ActorKeys, type ActorSpec } from './networks.js'

/** An actor and its samples. */
export const actorSamples = {
  params: goldenArray,
  obs: goldenArray,
  actions: goldenArray,
  old_log_probs: goldenArray,
  active_masks: goldenArray,
}
/** Inputs of an update of one actor. */
export const actorInputs = { ...actorSamples, advantages: goldenArray, factor: goldenArray }

type Samples = Record<keyof typeof actorSamples, GoldenArray>

/** Recurrent layers of an actor, and its states over the rows. */
export interface ActorMemory {
  readonly recurrent: RecurrentSpec
  readonly chunk: number
  /** [rows, state width] */
  readonly states: Float32Array
  /** [rows], 1 where an episode starts. */
  readonly starts: Float32Array
}

/** An actor of a golden file and its batch on a device. */
export interface ActorCase<Spec extends PolicySpec = ActorSpec> {
  readonly rows: number
  readonly spec: Spec
  readonly policy: TrainedPolicy
  readonly batch: PolicyBatch
  /** Some rows are inactive. */
  readonly someInactive: boolean
}

/**
 * Puts an actor and its samples where updates expect them; rows count where they are active.
 * @param derive for updates that take Fisher products
 * @param memory of a recurrent actor
 */
export function actorCase(
  device: Device,
  keys: ActorKeys,
  parameters: readonly GoldenParameter[],
  given: Samples,
  derive?: Derive,
  memory?: ActorMemory,
): ActorCase {
  const action = given.actions.shape[1] ?? 0
  const spec = actorSpec(keys, given.obs.shape[1] ?? 0, action, parameters, memory?.recurrent)
  return placeActor(device, spec, given, derive, { memory })
}

/** Case of an actor of any kind. @param more masks of an actor that chooses, and memory of a recurrent one */
export function placeActor<Spec extends PolicySpec>(
  device: Device,
  spec: Spec,
  given: Samples,
  derive?: Derive,
  { available, memory }: { available?: GoldenArray; memory?: ActorMemory | undefined } = {},
): ActorCase<Spec> {
  const rows = given.obs.shape[0] ?? 0
  const { size: observation } = spec.input
  const { width: action } = spec.head.action
  const network = new Network(device, spec, rows, memory?.chunk)
  const tensor = (values: Float32Array) => filled(device, values)
  const active = float32('active_masks', given.active_masks, rows, 1)
  const batch = new PolicyBatch(device, rows, {
    observations: tensor(float32('obs', given.obs, rows, observation)),
    actions: tensor(float32('actions', given.actions, rows, action)),
    logProb: tensor(jointLogProb(given.old_log_probs, rows, action)),
    weight: tensor(active),
    ...(available && { availableActions: maskTensor(device, available, rows, spec.head.choices) }),
    ...(memory && { hidden: tensor(memory.states), episodeStarts: tensor(memory.starts) }),
  })
  const start = tensor(float32('params', given.params, network.layout.size))
  return {
    rows,
    spec,
    policy: trainedPolicy(device, network, start, { derivatives: derive?.(device, network) }),
    batch,
    someInactive: active.includes(0),
  }
}

/** The actor and batch of a single update: M is the file's advantage times its factor. */
export function weightedCase(
  device: Device,
  keys: ActorKeys & { use_policy_active_masks: boolean },
  parameters: readonly GoldenParameter[],
  given: Samples & { advantages: GoldenArray; factor: GoldenArray },
  derive?: Derive,
  memory?: ActorMemory,
): ActorCase {
  const actor = actorCase(device, keys, parameters, given, derive, memory)
  weigh(device, actor, keys, given)
  return actor
}

/** Writes M and the weights of an update to the batch. */
export function weigh(
  device: Device,
  { batch, rows }: Pick<ActorCase, 'batch' | 'rows'>,
  keys: { use_policy_active_masks: boolean },
  given: { advantages: GoldenArray; factor: GoldenArray },
): void {
  const factor = float32('factor', given.factor, rows, 1)
  const advantages = float32('advantages', given.advantages, rows, 1)
  device.write(
    batch.factor,
    advantages.map((advantage, r) => advantage * factor[r]),
  )
  if (!keys.use_policy_active_masks) device.fill(batch.weight, 1)
}

function maskTensor(device: Device, available: GoldenArray, rows: number, choices: number): Tensor {
  const tensor = device.tensor('u8', rows * choices)
  device.write(tensor, float32('available_actions', available, rows, choices))
  return tensor
}

/** Log-probabilities of joint actions, f32 [rows], from those of single dimensions [rows, action]. */
export function jointLogProb(perDimension: GoldenArray, rows: number, action: number): Float32Array {
  const each = float32('old_log_probs', perDimension, rows, action)
  return Float32Array.from({ length: rows }, (_, r) =>
    each.subarray(r * action, (r + 1) * action).reduce((sum, x) => sum + x, 0),
  )
}

/** A new tensor that holds `values`. */
export function filled(device: Device, values: Float32Array): Tensor {
  const tensor = device.tensor('f32', values.length)
  device.write(tensor, values)
  return tensor
}
