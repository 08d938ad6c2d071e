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
  'Environment: its id and its options.',
  z
    .object(
      {
        id: key(text(idError), {
          text: 'Environment: a built-in one, a file, a package, or a Python environment.',
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
 * Configuration of a run: everything that its result depends on besides the version of the package. Settings of the
 * machine, such as the number of workers, are not part of it because they change no result.
 */
export const trainConfigSchema = group('Configuration of a run.', {
  env,
  algo: key(algo, {
    text: 'Name of the method.',
    unit: null,
    source: OWN,
    flag: '--algo',
    json: { enum: trainableAlgorithms },
  }),
  seed: key(whole(0, Number.MAX_SAFE_INTEGER), {
    text: 'Seed of all random numbers.',
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
    text: 'Number of environments stepped side by side.',
    unit: 'environments',
    default: 20,
    source: harl('n_rollout_threads'),
    flag: '--envs',
  }),
  rolloutSteps: key(whole(1, 1e6), {
    text: 'Steps of each environment in an iteration.',
    unit: 'steps',
    default: 200,
    source: harl('episode_length'),
  }),
  device: key(device, {
    text: 'Device that computes networks and updates. `auto` selects the one with the fastest update and stores its name.',
    unit: null,
    default: deviceChoices[0],
    source: OWN,
    flag: '--device',
    json: { enum: deviceChoices },
  }),
  actor,
  critic,
  adamEps: key(positive(), {
    text: "Adam's epsilon, for policies and critics.",
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
    text: "Value after a time limit: `bootstrap`, that of the final state; `harl`, the same with HARL's zeroed trace; `terminate`, 0 as at an ordinary end.",
    unit: null,
    default: 'bootstrap',
    source: 'Pardo et al. 2018, Time Limits in Reinforcement Learning',
  }),
  advantageNorm: key(oneOf(['joint', 'agent', 'none']), {
    text: 'Samples over which advantages are standardised: those of all agents together, those of each agent, or none.',
    unit: null,
    default: 'joint',
    source: OWN,
  }),
  order: key(oneOf(TURN_ORDERS), {
    text: 'Order in which the agents are updated: `random`, drawn for every iteration; `fixed`, ascending; `score`, the largest predicted gain first.',
    unit: null,
    default: 'random',
    source: harl('fixed_order'),
  }),
  trustRegion,
  allocation,
  clipped,
  init: laterGroup('Initial networks of a run.', {
    from: laterKey(text('none or the folder of a run'), {
      text: 'Folder of a run whose latest policies, critics and value normalisers are the initial ones; `none`: random parameters.',
      unit: null,
      default: NO_RUN,
      source: OWN,
      flag: '--init-from',
    }),
  }),
  opponents: laterGroup('Opponents of the one team that learns, in tasks of several teams.', {
    from: laterKey(text('none, past or the folder of a run'), {
      text: '`none`: all agents learn; `past`: opponents use earlier policies of the learning team; otherwise the folder of a run whose policies they use.',
      unit: null,
      default: NO_OPPONENTS,
      source: OWN,
    }),
    learner: laterKey(z.string({ error: 'the name of a team' }), {
      text: 'Team that learns; the first one if empty.',
      unit: null,
      default: '',
      source: OWN,
    }),
    every: laterKey(whole(1, 1e9), {
      text: "Iterations between additions of the learning team's policies to the pool of past opponents.",
      unit: 'iterations',
      default: 10,
      source: ownPage('teams.md'),
    }),
    pool: laterKey(whole(1, 1000), {
      text: 'Largest number of policies in the pool; the oldest is removed first.',
      unit: 'policies',
      default: 10,
      source: ownPage('teams.md'),
    }),
  }),
  offPolicy,
  evaluation: group('Evaluations during the run.', {
    every: key(whole(0, 1e9, ' (0 = never)'), {
      text: 'Iterations between evaluations; the last iteration is always followed by one.',
      unit: 'iterations',
      default: 25,
      source: harl('eval_interval'),
    }),
    episodes: key(whole(1, 1e6), {
      text: 'Episodes of an evaluation, in which agents take the modes of their policies.',
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
      text: 'Checkpoints of iterations that are multiples of this number are never deleted.',
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
