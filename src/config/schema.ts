import { NO_OPPONENTS } from '../algorithms/learners.js'
import { trainableAlgorithms, TURN_ORDERS } from '../algorithms/parts.js'
import { algorithms, type AlgorithmName } from '../algorithms/table.js'
import { deviceChoices, expectedDevice } from '../devices/open.js'
import { didYouMean } from '../text/nearest.js'
import { asGroup, entriesOf, group, key, keysOf, laterGroup, laterKey } from './about.js'
import { actor, critic } from './networks.js'
import { allocation, clipped, offPolicy, trustRegion } from './rules.js'
import { harl, HARL_TUNED, OWN, ownPage } from './sources.js'
import { fraction, oneOf, positive, text, whole } from './values.js'
import * as z from './zod.js'

/** Value of `init.from` where networks begin with random parameters. */
export const NO_RUN = 'none'

const algo = z.custom<AlgorithmName>((name) => (trainableAlgorithms as readonly unknown[]).includes(name), {
  error: ({ input }) => {
    const known = Object.hasOwn(algorithms, input as AlgorithmName)
    const end = known ? ` (${String(input)} is not supported yet)` : didYouMean(input, trainableAlgorithms)
    return `one of ${trainableAlgorithms.join(', ')}${end}`
  },
})

const device = z.custom<string>((name) => (deviceChoices as readonly unknown[]).includes(name), {
  error: ({ input }) => expectedDevice(input),
})

const envError = 'an object with an id, such as {"id": "mamujoco/HalfCheetah-2x3"}'
const idError = 'the name of an environment, such as mamujoco/HalfCheetah-2x3'
const optionError = 'a text, a number, true or false'
const env = asGroup(
  'The environment: its id, and its options beside it.',
  z
    .object(
      {
        id: key(text(idError), {
          text: 'Environment: a built-in one, a file, a package, or one of Python.',
          unit: null,
          source: OWN,
          flag: '--env',
        }),
      },
      { error: envError },
    )
    .catchall(z.union([z.string(), z.number(), z.boolean()], { error: optionError })),
)

/**
 * The configuration of a run: everything that its result depends on besides the package's version. Settings of the
 * machine, such as the number of workers, are no part of it because they change no result.
 */
export const trainConfigSchema = group('The configuration of a run.', {
  env,
  algo: key(algo, {
    text: 'Name of the method.',
    unit: null,
    source: OWN,
    flag: '--algo',
    json: { enum: trainableAlgorithms },
  }),
  seed: key(whole(0, Number.MAX_SAFE_INTEGER), {
    text: 'Seed of everything random.',
    unit: null,
    default: 1,
    source: harl('seed'),
    flag: '--seed',
  }),
  steps: key(whole(1, 1e12), {
    text: 'Steps of all environments together, rounded up to whole iterations.',
    unit: 'steps',
    default: 10_000_000,
    source: harl('num_env_steps'),
    flag: '--steps',
  }),
  envs: key(whole(1, 65536), {
    text: 'Environments stepped side by side.',
    unit: 'environments',
    default: 20,
    source: harl('n_rollout_threads'),
    flag: '--envs',
  }),
  rolloutSteps: key(whole(1, 1e6), {
    text: 'Steps that each environment makes in an iteration.',
    unit: 'steps',
    default: 200,
    source: harl('episode_length'),
  }),
  device: key(device, {
    text: 'Device that computes networks and updates; `auto`: the one with the fastest update, whose name is stored.',
    unit: null,
    default: deviceChoices[0],
    source: OWN,
    flag: '--device',
    json: { enum: deviceChoices },
  }),
  actor,
  critic,
  adamEps: key(positive(), {
    text: "Adam's epsilon, of policies and critics.",
    unit: null,
    default: 1e-5,
    source: harl('opti_eps'),
  }),
  gamma: key(fraction(), {
    text: 'Discount of rewards per step.',
    unit: 'per step',
    default: 0.99,
    source: harl('gamma'),
  }),
  lambda: key(fraction(), {
    text: 'Decay of the trace of generalised advantage estimation.',
    unit: 'per step',
    default: 0.95,
    source: harl('gae_lambda'),
  }),
  truncation: key(oneOf(['bootstrap', 'harl', 'terminate']), {
    text: "Value that follows a time limit: that of the final state, that with HARL's zeroed trace, or 0 as at an ordinary end.",
    unit: null,
    default: 'bootstrap',
    source: 'Pardo et al. 2018, Time Limits in Reinforcement Learning',
  }),
  advantageNorm: key(oneOf(['joint', 'agent', 'none']), {
    text: "Samples over which advantages are standardised: those of all agents, each agent's own, or none.",
    unit: null,
    default: 'joint',
    source: OWN,
  }),
  order: key(oneOf(TURN_ORDERS), {
    text: 'Order in which the agents are updated: a new one in every iteration, ascending, or by what their steps promise.',
    unit: null,
    default: 'random',
    source: harl('fixed_order'),
  }),
  trustRegion,
  allocation,
  clipped,
  init: laterGroup('Networks that a run begins with.', {
    from: laterKey(text('none or the folder of a run'), {
      text: 'Folder of the run whose latest policies, critics and value normalisers the networks begin with; `none`: random parameters.',
      unit: null,
      default: NO_RUN,
      source: OWN,
      flag: '--init-from',
    }),
  }),
  opponents: laterGroup('Opponents of the one team that learns, in tasks of several teams.', {
    from: laterKey(text('none, past or the folder of a run'), {
      text: '`none`: all agents learn; `past`: opponents play earlier policies of the learning team; otherwise the folder of the run whose policies they play.',
      unit: null,
      default: NO_OPPONENTS,
      source: OWN,
    }),
    learner: laterKey(z.string({ error: 'the name of a team' }), {
      text: 'Team that learns; empty for the first.',
      unit: null,
      default: '',
      source: OWN,
    }),
    every: laterKey(whole(1, 1e9), {
      text: "Iterations after which the learning team's policies join the pool of past opponents.",
      unit: 'iterations',
      default: 10,
      source: ownPage('teams.md'),
    }),
    pool: laterKey(whole(1, 1000), {
      text: 'Policies that the pool holds; the oldest leaves first.',
      unit: 'policies',
      default: 10,
      source: ownPage('teams.md'),
    }),
  }),
  offPolicy,
  evaluation: group('Evaluations during the run.', {
    every: key(whole(0, 1e9, ' (0 = never)'), {
      text: 'Iterations between evaluations; there is one after the last iteration, too.',
      unit: 'iterations',
      default: 25,
      source: harl('eval_interval'),
    }),
    episodes: key(whole(1, 1e6), {
      text: 'Episodes of an evaluation, with the modes of the policies.',
      unit: 'episodes',
      default: 40,
      source: HARL_TUNED,
    }),
  }),
  checkpoint: group('Checkpoints.', {
    every: key(whole(1, 1e9), {
      text: 'Iterations between checkpoints.',
      unit: 'iterations',
      default: 10,
      source: OWN,
    }),
    keepEvery: key(whole(0, 1e9, ' (0 = none)'), {
      text: 'Checkpoints of iterations divisible by this are kept for good.',
      unit: 'iterations',
      default: 0,
      source: OWN,
    }),
  }),
})

/** A configuration as zod describes it; `TrainConfig` is the same with documentation. */
export type ConfigValues = z.infer<typeof trainConfigSchema>

/** Keys and groups of keys, in the order of the schema; `env` holds any options besides `env.id`. */
export const configEntries = entriesOf(trainConfigSchema)

/** Dotted names of the keys that hold values, such as `trustRegion.delta`. */
export const configKeys: readonly string[] = keysOf(configEntries).map(({ key }) => key)
