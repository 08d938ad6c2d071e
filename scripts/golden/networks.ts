import { z } from 'zod'
import type { Activation } from '../../src/devices/steps.js'
import { HatrpoError } from '../../src/errors.js'
import { categoricalHead, type CategoricalHeadSpec } from '../../src/learner/heads/categorical.js'
import { gaussianHead, type GaussianHeadSpec } from '../../src/learner/heads/gaussian.js'
import { parameterLayout } from '../../src/nn/layout.js'
import { VALUE_HEAD, type NetworkSpec, type RecurrentSpec } from '../../src/nn/spec.js'
import type { GoldenParameter } from './fixture.js'

/** torch's names of the activations. */
const ACTIVATION_NAMES: Readonly<Record<string, Activation>> = {
  relu: 'relu',
  tanh: 'tanh',
  sigmoid: 'sigmoid',
  leaky_relu: 'leakyRelu',
  selu: 'selu',
  elu: 'elu',
  gelu: 'gelu',
  silu: 'silu',
}

/** HARL's keys for a network's body. */
export const bodyKeys = {
  hidden_sizes: z.array(z.int().positive()).min(1),
  activation_func: z
    .enum(Object.keys(ACTIVATION_NAMES), {
      error: ({ input }) => `${String(input)}: must be one of ${Object.keys(ACTIVATION_NAMES).join(', ')}`,
    })
    .transform((name) => ACTIVATION_NAMES[name]),
  use_feature_normalization: z.boolean(),
}

/** HARL's keys for a Gaussian actor. */
export const actorKeys = {
  ...bodyKeys,
  std_x_coef: z.number().positive(),
  std_y_coef: z.number().positive(),
}

/** Actor of the golden files. */
export type ActorSpec = NetworkSpec<GaussianHeadSpec>

export type BodyKeys = z.infer<z.ZodObject<typeof bodyKeys>>
export type ActorKeys = z.infer<z.ZodObject<typeof actorKeys>>

/** The Gaussian actor that HARL builds, its parameters where the file has them. */
export function actorSpec(
  keys: ActorKeys,
  observation: number,
  action: number,
  parameters: readonly GoldenParameter[],
  recurrent: RecurrentSpec | null = null,
): ActorSpec {
  const head = gaussianHead(action, { stdX: keys.std_x_coef, stdY: keys.std_y_coef })
  return checkLayout({ ...bodySpec(keys, observation), recurrent, head }, parameters)
}

/** Actor that makes one choice. */
export type ChoosingSpec = NetworkSpec<CategoricalHeadSpec>

/** The categorical actor that HARL builds, its parameters where the file has them. */
export function choosingSpec(
  keys: BodyKeys,
  observation: number,
  choices: number,
  parameters: readonly GoldenParameter[],
): ChoosingSpec {
  return checkLayout({ ...bodySpec(keys, observation), head: categoricalHead([choices]) }, parameters)
}

/** The critic that HARL builds, its parameters where the file has them. */
export function criticSpec(
  keys: BodyKeys,
  state: number,
  parameters: readonly GoldenParameter[],
): NetworkSpec {
  return checkLayout({ ...bodySpec(keys, state), head: VALUE_HEAD }, parameters)
}

function bodySpec(keys: BodyKeys, size: number): Omit<NetworkSpec, 'head'> {
  return {
    input: { size, agentId: null, standardise: false, layerNorm: keys.use_feature_normalization },
    hidden: keys.hidden_sizes,
    activation: keys.activation_func,
  }
}

/** The spec, if its flat vector has the file's tensors in the file's order. */
function checkLayout<Spec extends NetworkSpec>(spec: Spec, parameters: readonly GoldenParameter[]): Spec {
  const { entries } = parameterLayout(spec)
  entries.forEach(({ name, shape, offset }, i) => {
    const golden = parameters[i]
    if (golden?.shape.join() !== shape.join() || golden.offset !== offset) {
      const found = golden ? `${golden.name} [${golden.shape.join()}] at ${golden.offset}` : 'nothing'
      throw new HatrpoError(`header.params.${i}: ${found}, must be ${name} [${shape.join()}] at ${offset}`)
    }
  })
  if (parameters.length > entries.length) {
    throw new HatrpoError(
      `header.params.${entries.length}: ${parameters[entries.length].name} is not a parameter of ours`,
    )
  }
  return spec
}
