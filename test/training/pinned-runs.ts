import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { IterationRecord, TrainConfig } from '../../src/index.js'
import { pythonEnv } from '../envs/python.js'
import { CRAWLER, writeFiles } from '../envs/team-model.js'
import { fixture, type Trained } from './runs.js'

/** Iterations of a run. */
export const ITERATIONS = 4

/** Result of a run: its last parameters, its course, its evaluations. */
export interface Digests {
  /** `parametersSha256` of the result. */
  readonly parameters: string
  /** First 16 digits of the SHA-256 of the iterations in metrics.jsonl. */
  readonly metrics: string
  /** The same of the returns in eval.json; empty for a run without evaluations. */
  readonly returns: string
}

/**
 * A short run and the digests of its results. A change of a digest is a change of numerics: it must be deliberate and
 * listed in CHANGELOG.md under Numerics.
 */
export interface PinnedRun extends Digests {
  readonly env: TrainConfig['env'] | ((t: TestContext) => TrainConfig['env'])
  readonly set: readonly string[]
  readonly needsPython?: true
}

const cheetah = { id: 'mamujoco/HalfCheetah-2x3' }
/** Rollouts of 20 steps hold up to four truncations of each environment. */
const rough = { id: fixture('rough') }
/** Units that choose, and die one by one. */
const outpost = { id: fixture('outpost') }
const plainInput = ['actor.standardise=false', 'critic.standardise=false']
const evaluated = ['evaluation.every=2', 'evaluation.episodes=3']

const TEAM = `import { defineMujocoTeam, type Reading, type TeamScene } from 'hatrpo/env'
export default defineMujocoTeam({
  model: new URL('./robot.xml', import.meta.url),
  agents: [['front', 'knee_front'], ['hip_back', 'pull']],
  observe: { agent_0: ['own', 'neighbours', 'sensor:velocity'], agent_1: ['base', 'own'] },
  frames: 3,
  timeLimit: 7,
  resetNoise: { position: 0.02, velocity: 0.1 },
  keep: ['xpos:hull'] as Reading[],
  reward: ({ read, before, stepSeconds }: TeamScene) =>
    (read('xpos:hull')[0] - before('xpos:hull')[0]) / stepSeconds - 0.1 * read('sensor:touch')[0],
  terminated: ({ read }: TeamScene) => read('xpos:hull[2]')[0] > 0.45,
})
`
const crawler = (t: TestContext) => ({ id: join(writeFiles(t, { ...CRAWLER, 'team.ts': TEAM }), 'team.ts') })

export const pinnedRuns: Readonly<Record<string, PinnedRun>> = {
  'hatrpo, HalfCheetah': {
    env: cheetah,
    set: ['algo=hatrpo', ...evaluated],
    parameters: '5a4f36b7868e57bb762cfa13e55e6a95166dfc3f7a4c24e34eb313b87fbbf413',
    metrics: 'ea49a3b6af1aebeb',
    returns: 'cda309a487a400d1',
  },
  'happo, HalfCheetah': {
    env: cheetah,
    set: ['algo=happo', ...evaluated],
    parameters: '166059f420a59810f5749128a8c5ebc52a76cc15db0316e37bddbf3bb2325d1f',
    metrics: 'fb457120d891bc57',
    returns: '641514d071714bf8',
  },
  'hatrpo, mini-batches, bootstrap': {
    env: rough,
    set: ['algo=hatrpo', 'trustRegion.miniBatches=2', 'critic.miniBatches=3', ...plainInput, ...evaluated],
    parameters: '49995978db0f45fc4759494aef53f226cfe64d0e2126e3b3cf44f0cba7439b85',
    metrics: '21f00d6f887a4c6c',
    returns: '19b9150567350d2a',
  },
  'hatrpo, advantages by agent, fixed order, harl, no value normalisation': {
    env: rough,
    set: [
      'algo=hatrpo',
      'truncation=harl',
      'advantageNorm=agent',
      'order=fixed',
      'critic.valueNorm=false',
      'critic.clippedLoss=false',
      'actor.agentId=false',
      ...plainInput,
    ],
    parameters: 'd104481d076b19b702ff443857388b7f27d0d6bb737cc775300b0cb20c16e595',
    metrics: '85a15e94e6832897',
    returns: '',
  },
  'hatrpo, plain advantages, terminate': {
    env: rough,
    set: ['algo=hatrpo', 'truncation=terminate', 'advantageNorm=none', 'actor.inputNorm=false'],
    parameters: '8ecee5548e9fc6d62370d2bee24aa08dfb150bcb05dd5257f39ddca0d53bc30e',
    metrics: '1353a21cbc4685ab',
    returns: '',
  },
  'hatrpo, a preconditioner of three steps on a quarter of the rows': {
    env: rough,
    set: ['algo=hatrpo', 'trustRegion.solver=fast', 'trustRegion.preconditionerAge=3', ...plainInput],
    parameters: 'fcb4f5ef325d637994cb008a76092a6269e261a2dc3b71a99bf5779dccfa40a0',
    metrics: '15c2e737f705ac34',
    returns: '',
  },
  'happo, mini-batches, decay, distinct clips, bootstrap': {
    env: rough,
    set: [
      'algo=happo',
      'clipped.miniBatches=2',
      'critic.miniBatches=3',
      'clipped.lrDecay=true',
      'clipped.lr=0.003',
      'critic.lr=0.01',
      'clipped.clip=0.1',
      'critic.clip=0.02',
      'clipped.entropyCoef=0.05',
      ...plainInput,
      ...evaluated,
    ],
    parameters: 'c568969366a2365047f2aecd70297a8891fdace88dcbd53f72e70e10c9d07341',
    metrics: 'f29b3e878dcae178',
    returns: '6966c1047cf91b7e',
  },
  'happo, advantages by agent, fixed order, harl': {
    env: rough,
    set: [
      'algo=happo',
      'truncation=harl',
      'advantageNorm=agent',
      'order=fixed',
      'clipped.lrDecay=true',
      'clipped.clip=0.05',
      'critic.clip=0.5',
      'critic.valueNorm=false',
      'actor.activation=tanh',
    ],
    parameters: '2cef33f484b1db95f4c7b0e76d9342217ae36a43165bc497e9b9c574b2ed34c4',
    metrics: 'b50c25baf9e1a9eb',
    returns: '',
  },
  'happo, plain advantages, terminate, two layers': {
    env: rough,
    set: [
      'algo=happo',
      'truncation=terminate',
      'advantageNorm=none',
      'actor.hidden=[8,8]',
      'critic.hidden=[8,4]',
      'clipped.miniBatches=3',
    ],
    parameters: 'c6249d991a681bab9b3f2fd90964178772a2cda8cd285e4aba7d6acf193bbbe5',
    metrics: '5638e31026b4804e',
    returns: '',
  },
  'hatrpo, choices with masks, fewer products': {
    env: outpost,
    set: ['algo=hatrpo', 'trustRegion.solver=fast', ...plainInput, ...evaluated],
    parameters: '298c12749189d55888f400f6bf0e60c4583025ba76a9a8b871d235921dec5ee7',
    metrics: '25c1b4a96854cddd',
    returns: '010abf39f80c0914',
  },
  'happo, choices with masks, mini-batches': {
    env: outpost,
    set: ['algo=happo', 'clipped.miniBatches=2', 'clipped.entropyCoef=0.05', ...plainInput],
    parameters: 'a4a5b67fd39446bed2a0fb6b111cafe3733b42040009b3115202ce71904bac67',
    metrics: '53b1e04cbfabb872',
    returns: '',
  },
  'hatrpo, a deviation that depends on the state': {
    env: rough,
    set: ['algo=hatrpo', 'actor.std=dependent', 'trustRegion.miniBatches=2', ...plainInput],
    parameters: '8a3975fd320d1e65c52191961c1844d57512134a03f0a7d98e8add78c5b3eb48',
    metrics: 'be0a410a75171d22',
    returns: '',
  },
  'maddpg, a replay of two rollouts': {
    env: rough,
    set: [
      'algo=maddpg',
      'offPolicy.warmup=15',
      'offPolicy.batchSize=30',
      'offPolicy.bufferSize=190',
      'offPolicy.nStep=3',
      'offPolicy.polyak=0.1',
      ...evaluated,
    ],
    parameters: '19e6b6e79648845d8ebb0980fed6cc1a52d10e8e36963edc46553efcc2330876',
    metrics: '4f261f671ef157c9',
    returns: 'e5d5d4f2aebac32d',
  },
  'hatrpo, a MuJoCo team': {
    env: crawler,
    set: ['algo=hatrpo', 'critic.miniBatches=2', ...evaluated],
    parameters: 'ab7c74cffb6499ad7199a6804d1e35d2b941e38d10f09012347009494f432863',
    metrics: 'a24602129fae7982',
    returns: '73b1ae8bcdd4e0e3',
  },
  'happo, a Python environment': {
    env: pythonEnv('drift', { max_cycles: 7 }),
    set: ['algo=happo', 'clipped.miniBatches=2', ...plainInput, ...evaluated],
    needsPython: true,
    parameters: '96604a40ceb78a78769aed9f4207c22e999bf4f704b253d461cb08ee9c6ae7ad',
    metrics: 'e37fd15cc39c658c',
    returns: 'ccc0aba145eb272e',
  },
}

/** A run of each rule of updates. */
export const ONE_OF_EACH_RULE: readonly string[] = [
  'hatrpo, mini-batches, bootstrap',
  'hatrpo, a preconditioner of three steps on a quarter of the rows',
  'happo, mini-batches, decay, distinct clips, bootstrap',
  'hatrpo, choices with masks, fewer products',
  'maddpg, a replay of two rollouts',
]

/** Two threads for one run of each rule. The other runs have none, because threads take longer to start than they run. */
export const workersFor = (name: string): number => (ONE_OF_EACH_RULE.includes(name) ? 2 : 0)

/** Numbers of a record that do not depend on time. The list is explicit, so that a new column changes no digest. */
function numbersOf({ iteration, steps, episodeReturn, agents, critic }: IterationRecord): unknown[] {
  const ofAgents = agents.map((agent) => [
    ...[agent.id, agent.klUsed, agent.klAllowed, agent.predictedGain, agent.realisedGain],
    ...[agent.lineSearchTrials, agent.accepted, agent.rejectedSteps, agent.rejection],
    ...[agent.factorSpread?.min, agent.factorSpread?.max, agent.factorSpread?.sd],
    ...[agent.entropy, agent.policyLoss, agent.clipFraction, agent.gradNorm],
  ])
  const ofCritic = [critic.loss, critic.explainedVariance, critic.gradNorm, critic.skippedSteps]
  const ofReplay = critic.meanValue === undefined ? [] : [critic.meanValue]
  return [iteration, steps, episodeReturn?.mean, episodeReturn?.count, ofAgents, [...ofCritic, ...ofReplay]]
}

/** Returns of all evaluations in eval.json, in order. */
function returnsOf(dir: string): number[] {
  const found: number[] = []
  const collect = (value: unknown) => {
    if (typeof value === 'number') found.push(value)
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(collect)
  }
  JSON.parse(readFileSync(join(dir, 'eval.json'), 'utf8'), (key, value: unknown) => {
    if (key === 'return') collect(value)
    return value
  })
  return found
}

const shortDigest = (value: unknown) =>
  createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16)

export function digests({ dir, parametersSha256, records }: Omit<Trained, 'events'>): Digests {
  return {
    parameters: parametersSha256,
    metrics: shortDigest(records.map(numbersOf)),
    returns: existsSync(join(dir, 'eval.json')) ? shortDigest(returnsOf(dir)) : '',
  }
}

/** The digests that a run must have. */
export const expected = ({ parameters, metrics, returns }: PinnedRun): Digests => ({
  parameters,
  metrics,
  returns,
})

/** Names of the runs that need nothing but an engine. */
export const portable = Object.keys(pinnedRuns).filter((name) => {
  const { env } = pinnedRuns[name]
  return env === rough || env === outpost
})
