import * as z from './zod.js'
import { CRITIC_INPUTS, CRITIC_SHARING } from '../algorithms/critics.js'
import { RESCORING } from '../algorithms/kl-allocation.js'
import { trainableAlgorithms, TURN_ORDERS } from '../algorithms/parts.js'
import type { Sharing } from '../algorithms/specs.js'
import { algorithms, type AlgorithmName } from '../algorithms/table.js'
import { deviceNames, expectedDevice } from '../devices/open.js'
import { ACTIVATIONS } from '../devices/steps.js'
import { PRECONDITIONERS } from '../learner/sampled-fisher.js'
import { LATER } from './later.js'
import { isTree } from './tree.js'

/** A whole number from `min` to `max`, both included. */
function whole(min: number, max: number, note = '') {
  const error = `a whole number from ${min} to ${max}${note}`
  return z.number({ error }).int({ error }).min(min, { error }).max(max, { error })
}

/** A finite number above 0. */
function positive() {
  const error = 'a number above 0'
  return z.number({ error }).positive({ error })
}

/** A finite number, 0 or more. */
function nonNegative() {
  const error = 'a number, 0 or more'
  return z.number({ error }).min(0, { error })
}

/** A number from 0 to 1, both included. */
function fraction() {
  const error = 'a number from 0 to 1'
  return z.number({ error }).min(0, { error }).max(1, { error })
}

/** A finite number, 1 or more. */
function atLeastOne() {
  const error = 'a number, 1 or more'
  return z.number({ error }).min(1, { error })
}

/** A number from 0, which is excluded, to 1. */
function share() {
  const error = 'a number above 0 and at most 1'
  return z.number({ error }).gt(0, { error }).max(1, { error })
}

/** A number between 0 and 1, both excluded. */
function openFraction() {
  const error = 'a number above 0 and below 1'
  return z.number({ error }).gt(0, { error }).lt(1, { error })
}

function oneOf<const T extends readonly string[]>(values: T) {
  return z.enum(values, { error: `one of ${values.join(', ')}` })
}

const text = (error: string) => z.string({ error }).min(1, { error })

const keys = <T extends object>(table: T) => Object.keys(table) as (keyof T & string)[]

const flag = () => z.boolean({ error: 'true or false' })

const group = <T extends z.core.$ZodLooseShape>(shape: T) =>
  z.strictObject(shape, { error: (issue) => (issue.code === 'invalid_type' ? 'an object' : undefined) })

const hiddenError = 'a list of 1 to 8 layer widths such as [128,128], each a whole number from 1 to 8192'
const hidden = () => z.array(whole(1, 8192), { error: hiddenError }).min(1, hiddenError).max(8, hiddenError)

const sharingError =
  'own, shared, or groups of agents by name, such as {"walkers": ["agent_0", "agent_1"], "arms": ["agent_2"]}'
const sharing = z.custom<Sharing>((value) => value === 'own' || value === 'shared' || isGroups(value), {
  error: sharingError,
})

/** Names of groups are names of tensors in checkpoints. */
function isGroups(value: unknown): boolean {
  if (!isTree(value) || Object.keys(value).length === 0) return false
  return Object.entries(value).every(
    ([name, ids]) =>
      /^[A-Za-z][\w-]*$/.test(name) &&
      Array.isArray(ids) &&
      ids.length > 0 &&
      ids.every((id) => typeof id === 'string'),
  )
}

/** Recurrent layers of a network. */
const recurrent = (later: { gruLayers: number; gruSize: number; chunk: number }) => ({
  /** Layers of gated recurrent units behind the hidden layers; 0 for a feed-forward network. */
  gruLayers: whole(0, 8, ' (0 = none)').default(later.gruLayers),
  /** Units of each. */
  gruSize: whole(1, 8192).default(later.gruSize),
  /** Steps of time through which gradients pass. */
  chunk: whole(1, 1e6).default(later.chunk),
})

const algo = z.custom<AlgorithmName>((name) => (trainableAlgorithms as readonly unknown[]).includes(name), {
  error: ({ input }) =>
    Object.hasOwn(algorithms, input as AlgorithmName)
      ? `one of ${trainableAlgorithms.join(', ')} (${String(input)} is not supported yet)`
      : `one of ${trainableAlgorithms.join(', ')}`,
})

const device = z.custom<string>((name) => (deviceNames as readonly unknown[]).includes(name), {
  error: ({ input }) => expectedDevice(input),
})

const envError = 'an object with an id, such as {"id": "mamujoco/HalfCheetah-2x3"}'
const idError = 'the name of an environment, such as mamujoco/HalfCheetah-2x3'
const env = z
  .object({ id: z.string({ error: idError }).min(1, idError) }, { error: envError })
  .catchall(z.union([z.string(), z.number(), z.boolean()], { error: 'a text, a number, true or false' }))

/**
 * The configuration of a run: everything that its result depends on besides the package's version. Settings of the
 * machine, such as the number of workers, are no part of it because they change no result.
 */
export const trainConfigSchema = group({
  /** The environment and its options. */
  env,
  algo,
  seed: whole(0, Number.MAX_SAFE_INTEGER),
  /** Steps of all environments together, rounded up to whole iterations. */
  steps: whole(1, 1e12),
  /** Environments stepped side by side. */
  envs: whole(1, 65536),
  /** Steps each environment makes in an iteration. */
  rolloutSteps: whole(1, 1e6),
  device,
  actor: group({
    hidden: hidden(),
    activation: oneOf(ACTIVATIONS),
    /** LayerNorm on the input. */
    inputNorm: flag(),
    /** Subtract each observation's own mean and divide by the standard deviation of its own entries. */
    standardise: flag(),
    /** A one-hot of the agent's number appended to its observation. */
    agentId: flag(),
    /** Whether the std of continuous actions is the same in all states, or an output of the network. */
    std: oneOf(['independent', 'dependent']).default(LATER.actor.std),
    /** std = sigmoid(log_std / stdX) * stdY */
    stdX: positive(),
    stdY: positive(),
    /** Gain of the orthogonal initialisation of the last layer. */
    headGain: positive(),
    /** Whether each agent has a policy of its own, all agents one in common, or each named group of agents one. */
    sharing: sharing.default(LATER.actor.sharing),
    ...recurrent(LATER.actor),
  }),
  critic: group({
    hidden: hidden(),
    activation: oneOf(ACTIVATIONS),
    inputNorm: flag(),
    standardise: flag(),
    lr: positive(),
    epochs: whole(1, 1000),
    miniBatches: whole(1, 1e6),
    /** Largest change of a value in an update before `clippedLoss` stops it. */
    clip: positive(),
    clippedLoss: flag(),
    huberDelta: positive(),
    maxGradNorm: positive(),
    /** Running normalisation of the value targets. */
    valueNorm: flag(),
    lossCoef: positive(),
    /** Vector that critics value; `default` is that of the method. */
    input: oneOf(['default', ...keys(CRITIC_INPUTS)]).default(LATER.critic.input),
    /** Whether each team has a critic, or each agent one of its own rewards; `default` is that of the method. */
    sharing: oneOf(['default', ...keys(CRITIC_SHARING)]).default(LATER.critic.sharing),
    ...recurrent(LATER.critic),
  }),
  /** Adam's epsilon, actors and critic. */
  adamEps: positive(),
  gamma: fraction(),
  lambda: fraction(),
  /** Next value at a time limit: V of the final state, HARL's zeroed trace, or 0 as at an ordinary end. */
  truncation: oneOf(['bootstrap', 'harl', 'terminate']),
  /** Samples over which advantages are standardised: those of all agents, or each agent's own. */
  advantageNorm: oneOf(['joint', 'agent', 'none']),
  /** Order in which the agents are updated; `score`: by what their steps promise. */
  order: oneOf(TURN_ORDERS),
  /** Read by methods whose update rule is the trust region. */
  trustRegion: group({
    /** KL an agent may spend in a step; where one budget is split, its mean over the agents. */
    delta: positive(),
    damping: nonNegative(),
    cgIterations: whole(1, 1000),
    /** On the squared residual. */
    cgTolerance: nonNegative(),
    lineSearchSteps: whole(1, 1000),
    backtrack: openFraction(),
    /** Least share of the predicted gain that a step must realise. */
    acceptRatio: fraction(),
    miniBatches: whole(1, 1e6),
    /** Fisher products pass over one row in so many of those that count. */
    fisherStride: whole(1, 1000).default(LATER.trustRegion.fisherStride),
    preconditioner: oneOf(PRECONDITIONERS).default(LATER.trustRegion.preconditioner),
    /** Steps of a policy that a preconditioner serves before it is measured anew. */
    preconditionerAge: whole(1, 1e6).default(LATER.trustRegion.preconditionerAge),
  }),
  /** Division of the KL, `trustRegion.delta` times the number of policies; read by methods that compare policies. */
  allocation: group({
    /** Which policies are scored anew before a turn. */
    rescore: oneOf(RESCORING).default(LATER.allocation.rescore),
    /** Least and largest share of a policy, in multiples of an equal one. */
    min: fraction().default(LATER.allocation.min),
    max: atLeastOne().default(LATER.allocation.max),
  }).default(LATER.allocation),
  /** Read by methods whose update rule is the clipped surrogate. */
  clipped: group({
    lr: positive(),
    clip: openFraction(),
    epochs: whole(1, 1000),
    miniBatches: whole(1, 1e6),
    entropyCoef: nonNegative(),
    maxGradNorm: positive(),
    /** Whether the learning rates of actors and critic fall linearly to 0 over the run. */
    lrDecay: flag(),
  }),
  /** Opponents of the one team that learns, in tasks of several teams. */
  opponents: group({
    /** `none`: all agents learn; `past`: earlier policies of the learning team; or the folder of a run. */
    from: text('none, past or the folder of a run').default(LATER.opponents.from),
    /** Team that learns; empty for the first. */
    learner: z.string({ error: 'the name of a team' }).default(LATER.opponents.learner),
    /** Iterations after which the learning team's policies join the pool of past opponents. */
    every: whole(1, 1e9).default(LATER.opponents.every),
    /** Policies that the pool holds; the oldest leaves first. */
    pool: whole(1, 1000).default(LATER.opponents.pool),
  }).default(LATER.opponents),
  /** Read by methods that learn from a replay of earlier rollouts. */
  offPolicy: group({
    /** Of the actors; `critic.lr` is the critics'. */
    lr: positive(),
    /** Transitions that an update step draws. */
    batchSize: whole(1, 1e6),
    /** Transitions that the replay keeps, in whole rollouts. */
    bufferSize: whole(1, 1e9),
    /** Steps of each environment, from the first on, with uniform actions; nothing is learned until then. */
    warmup: whole(0, 1e9),
    /** Update steps per step of every environment. */
    updatesPerStep: positive(),
    /** Rewards that a target adds up before it looks at a value. */
    nStep: whole(1, 1000),
    /** Share of the parameters that target networks take over after an update step. */
    polyak: share(),
    /** Standard deviation of the exploring noise, in halves of an action's range. */
    noise: nonNegative(),
  }).default(LATER.offPolicy),
  evaluation: group({
    /** Iterations between evaluations; 0 = never. */
    every: whole(0, 1e9, ' (0 = never)'),
    episodes: whole(1, 1e6),
  }),
  checkpoint: group({
    /** Iterations between checkpoints. */
    every: whole(1, 1e9),
    /** Checkpoints of iterations divisible by this are kept for good; 0 = none. */
    keepEvery: whole(0, 1e9, ' (0 = none)'),
  }),
})

export type TrainConfig = z.infer<typeof trainConfigSchema>

/** Dotted names of the keys that hold values, such as `trustRegion.delta`; `env` holds any options besides `env.id`. */
export const configKeys: readonly string[] = leafKeys(trainConfigSchema, '')

function leafKeys(schema: z.ZodObject, prefix: string): string[] {
  return Object.entries(schema.shape).flatMap(([key, field]) => {
    const inner: unknown = field instanceof z.ZodDefault ? field.unwrap() : field
    return inner instanceof z.ZodObject ? leafKeys(inner, `${prefix}${key}.`) : [`${prefix}${key}`]
  })
}
