import { type Algorithm, type UpdateRule } from '../algorithms/table.js'

/** Value of a published run: a dotted key, the value, and its source. */
export interface PublishedValue {
  readonly key: string
  readonly value: unknown
  readonly source: string
}

/** Published settings of a family of methods, with the source of every value. */
export interface PublishedSettings {
  /** Of all methods. */
  readonly common: readonly PublishedValue[]
  /** Of methods with an update rule, and of those of them whose agents move in turn. */
  readonly rules: Readonly<Partial<Record<UpdateRule, readonly PublishedValue[]>>>
  readonly inTurn: Readonly<Partial<Record<UpdateRule, readonly PublishedValue[]>>>
  /** Of some tasks, by the beginning of their ids; for one update rule each. */
  readonly tasks: readonly {
    readonly rule: UpdateRule
    readonly id: RegExp
    readonly values: readonly PublishedValue[]
  }[]
}

/** The values for a method on a task, later ones in place of earlier ones; undefined for an update rule without any. */
export function publishedValues(
  settings: PublishedSettings,
  envId: string,
  { update, schedule }: Algorithm,
): readonly PublishedValue[] | undefined {
  const { common, rules, inTurn, tasks } = settings
  const rule = rules[update]
  if (!rule) return undefined
  const turns = schedule === 'sequential' || schedule === 'greedy' ? (inTurn[update] ?? []) : []
  const own = tasks.filter((task) => task.rule === update && task.id.test(envId))
  return [...common, ...rule, ...turns, ...own.flatMap(({ values }) => values)]
}

/** Values from one place. */
function from(source: string, values: Readonly<Record<string, unknown>>): PublishedValue[] {
  return Object.entries(values).map(([key, value]) => ({ key, value, source }))
}

const SCRIPT = 'TRPO-in-MARL, scripts/train_mujoco.sh'
const PARSER = 'TRPO-in-MARL, configs/config.py'
const TRAINER = 'TRPO-in-MARL, algorithms/hatrpo_trainer.py'
const WRAPPER = 'TRPO-in-MARL, envs/ma_mujoco/multiagent_mujoco/mujoco_multi.py'
const RUNNER = 'TRPO-in-MARL, runners/separated/base_runner.py'
/** The appendix could not be opened. */
const APPENDIX = 'Kuba et al. 2022, Appendix E, quoted from memory'

const delta = (id: RegExp, value: number) =>
  ({ rule: 'trustRegion', id, values: from(APPENDIX, { 'trustRegion.delta': value }) }) as const

/**
 * The settings of Kuba et al. (2022) for Multi-Agent MuJoCo, from the code that the paper's authors published,
 * github.com/cyanrain7/TRPO-in-MARL. A batch is dealt to 40 mini-batches, and each has a whole trust-region step.
 */
export const PAPER: PublishedSettings = {
  common: [
    ...from(SCRIPT, { steps: 10_000_000, envs: 4, rolloutSteps: 1000 }),
    ...from(PARSER, { gamma: 0.99, lambda: 0.95, truncation: 'terminate', adamEps: 1e-5 }),
    ...from(TRAINER, { advantageNorm: 'agent' }),
    ...['actor', 'critic'].flatMap((who) => [
      ...from(PARSER, {
        [`${who}.hidden`]: [64, 64],
        [`${who}.activation`]: 'relu',
        [`${who}.inputNorm`]: true,
      }),
      ...from(WRAPPER, { [`${who}.standardise`]: true }),
    ]),
    ...from(WRAPPER, { 'actor.agentId': true }),
    ...from(SCRIPT, { 'actor.stdX': 1, 'actor.stdY': 0.5 }),
    ...from(PARSER, { 'actor.headGain': 0.01 }),
    ...from(SCRIPT, { 'critic.lr': 5e-3, 'critic.miniBatches': 40 }),
    ...from(PARSER, {
      'critic.clip': 0.2,
      'critic.clippedLoss': true,
      'critic.huberDelta': 10,
      'critic.maxGradNorm': 10,
      'critic.valueNorm': true,
      'critic.lossCoef': 1,
      'evaluation.every': 25,
      'evaluation.episodes': 32,
    }),
  ],
  rules: {
    trustRegion: [
      ...from(SCRIPT, { 'trustRegion.delta': 1e-4, 'trustRegion.miniBatches': 40 }),
      ...from(PARSER, { 'trustRegion.lineSearchSteps': 10, 'trustRegion.acceptRatio': 0.5 }),
      ...from(TRAINER, {
        'trustRegion.backtrack': 0.5,
        'trustRegion.damping': 0.1,
        'trustRegion.cgIterations': 10,
        'trustRegion.cgTolerance': 1e-10,
        'critic.epochs': 1,
      }),
    ],
    clipped: [
      ...from(SCRIPT, {
        'clipped.lr': 5e-6,
        'clipped.epochs': 5,
        'clipped.miniBatches': 40,
        'critic.epochs': 5,
      }),
      ...from(PARSER, {
        'clipped.clip': 0.2,
        'clipped.entropyCoef': 0.01,
        'clipped.maxGradNorm': 10,
        'clipped.lrDecay': false,
      }),
    ],
  },
  inTurn: Object.fromEntries(
    ['trustRegion', 'clipped'].map((rule) => [rule, from(RUNNER, { 'critic.sharing': 'own' })]),
  ),
  tasks: [
    delta(/^mamujoco\/Walker2d-2x3/, 1e-3),
    delta(/^mamujoco\/Humanoid-/, 7e-4),
    delta(/^mamujoco\/ManySegmentSwimmer-/, 1.5e-4),
  ],
}

const TUNED = 'MARLlib, marl/algos/hyperparams/finetuned/mamujoco/'
const LAUNCH = 'MARLlib, marl/algos/scripts/hatrpo.py'
const REGION = 'MARLlib, marl/algos/utils/trust_regions.py'
const LOSS = 'MARLlib, marl/algos/core/CC/hatrpo.py'
const MODEL = 'MARLlib, marl/models/zoo/mlp/base_mlp.py'
const ENCODER = 'MARLlib, marl/models/configs/fc_encoder.yaml'
const ENVIRONMENT = 'MARLlib, envs/base_env/mamujoco.py'
const RAY = 'MARLlib, marl/ray/ray.yaml'
const DEFAULTS = 'default of RLlib or PyTorch'

/** The settings of MARLlib for Multi-Agent MuJoCo (github.com/Replicable-MARL/MARLlib), with its multi-layer perceptron. */
export const MARLLIB: PublishedSettings = {
  common: [
    ...from(RAY, { steps: 2_000_000, 'evaluation.every': 10 }),
    ...from(LAUNCH, { envs: 10, rolloutSteps: 1000, 'critic.miniBatches': 1 }),
    ...from(`${TUNED}*.yaml`, { lambda: 1, 'critic.clip': 10, 'critic.clippedLoss': true }),
    ...from(`${TUNED}hatrpo.yaml`, { gamma: 0.99 }),
    ...from(ENVIRONMENT, { truncation: 'terminate', 'actor.agentId': false }),
    ...from(DEFAULTS, { adamEps: 1e-8, advantageNorm: 'agent' }),
    ...['actor', 'critic'].flatMap((who) => [
      ...from(ENCODER, { [`${who}.hidden`]: [128, 64] }),
      ...from(DEFAULTS, { [`${who}.activation`]: 'tanh' }),
      ...from(MODEL, { [`${who}.inputNorm`]: false }),
    ]),
    ...from(MODEL, { 'actor.headGain': 0.01 }),
    ...from(DEFAULTS, { 'actor.std': 'dependent' }),
    ...from(ENVIRONMENT, { 'actor.standardise': true, 'critic.standardise': false }),
    // A squared error is twice Huber's loss below its bound.
    ...from(LOSS, { 'critic.valueNorm': false, 'critic.huberDelta': 1e6, 'critic.lossCoef': 2 }),
  ],
  rules: {
    trustRegion: [
      ...from(`${TUNED}{hatrpo,itrpo,matrpo}.yaml`, {
        'trustRegion.delta': 1e-5,
        'trustRegion.acceptRatio': 0.5,
        'critic.lr': 5e-4,
        'critic.epochs': 1,
        'critic.maxGradNorm': 10,
      }),
      ...from(LAUNCH, { 'trustRegion.miniBatches': 1 }),
      ...from(REGION, {
        'trustRegion.lineSearchSteps': 15,
        'trustRegion.backtrack': 0.8,
        'trustRegion.damping': 0.1,
        'trustRegion.cgIterations': 10,
        'trustRegion.cgTolerance': 1e-10,
      }),
    ],
    clipped: [
      ...from(`${TUNED}{ippo,mappo}.yaml`, {
        'clipped.lr': 5e-4,
        'clipped.clip': 0.3,
        'clipped.epochs': 10,
        'clipped.entropyCoef': 0.01,
        'critic.lr': 5e-4,
        'critic.epochs': 10,
      }),
      ...from('MARLlib, marl/algos/scripts/mappo.py', { 'clipped.miniBatches': 1, 'clipped.lrDecay': false }),
      // RLlib does not clip gradients by default.
      ...from(DEFAULTS, { 'clipped.maxGradNorm': 1e9, 'critic.maxGradNorm': 1e9 }),
    ],
  },
  inTurn: {
    clipped: from(`${TUNED}happo.yaml`, {
      'clipped.lr': 1e-4,
      'critic.lr': 1e-6,
      'clipped.maxGradNorm': 10,
      'critic.maxGradNorm': 10,
    }),
  },
  tasks: [],
}
