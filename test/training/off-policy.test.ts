import assert from 'node:assert/strict'
import { appendFileSync, cpSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { resolveConfig } from '../../src/config/index.js'
import { exportPolicies } from '../../src/index.js'
import { listCheckpoints } from '../../src/runs/checkpoint.js'
import { evaluate } from '../../src/training/evaluate.js'
import { course } from './command.js'
import { DECAY, EPISODE, START } from './fixtures/team.js'
import { fixture, temporaryDirectory, trained, type Trained } from './runs.js'

const team = { id: fixture('team') }

function config(steps: number, ...set: string[]) {
  const small = ['actor.hidden=[16]', 'critic.hidden=[32]', 'envs=4', 'rolloutSteps=25', 'evaluation.every=0']
  const settings = [
    ...small,
    'offPolicy.batchSize=100',
    'offPolicy.warmup=50',
    'offPolicy.polyak=0.05',
    ...set,
  ]
  return resolveConfig({ flags: { env: team, algo: 'maddpg', steps }, set: settings }).config
}

test('a team learns with its critics a task that neither agent can do alone', async (t) => {
  const rates = ['offPolicy.lr=0.002', 'critic.lr=0.005', 'critic.activation=tanh', 'gamma=0.95']
  const set = ['envs=10', 'rolloutSteps=50', 'offPolicy.nStep=3', ...rates]
  const evaluation = ['evaluation.every=1000', 'evaluation.episodes=200']
  const { records, evaluation: final } = await trained(t, config(15_000, ...set, ...evaluation), {
    workers: 1,
  })
  // Two coordinates, uniform in [-START, START], that decay by themselves.
  let idle = 0
  for (let step = 0, square = (2 * START * START) / 3; step < EPISODE; step++, square *= DECAY * DECAY)
    idle -= square
  assert.ok(records[0].episodeReturn!.mean < idle, 'random actions are worse than none')
  // One agent moves x along one diagonal only. Along the other, half of the idle cost always remains.
  assert.ok(final!.mean > idle / 2, `evaluated at ${final!.mean}`)
})

/** Twelve rollouts, of which the replay keeps five. */
const short = [
  'offPolicy.bufferSize=590',
  'checkpoint.every=3',
  'evaluation.every=6',
  'evaluation.episodes=3',
]

test('the same results with any number of workers, killed, resumed or extended', async (t) => {
  const whole = await trained(t, config(1200, ...short), { workers: 0 })
  const expectSame = ({ dir, parametersSha256 }: Trained) => {
    assert.equal(parametersSha256, whole.parametersSha256)
    assert.deepEqual(course(dir), course(whole.dir))
  }

  await t.test('nothing is learned while actions are random', () => {
    const learned = whole.records.map(({ agents }) => agents.length)
    assert.deepEqual(learned, [0, 0, ...new Array<number>(10).fill(2)])
    const [warm, then] = [whole.records[1], whole.records[2]]
    assert.equal(warm.critic.loss, null)
    for (const number of [then.critic.loss, then.critic.meanValue, then.agents[1].policyLoss])
      assert.ok(Number.isFinite(number))
    assert.equal(then.critics!.length, 2)
  })

  await t.test('three workers; another seed', async (t) => {
    expectSame(await trained(t, config(1200, ...short), { workers: 3 }))
    const other = await trained(t, config(300, ...short, 'seed=2'), { workers: 0 })
    const same = await trained(t, config(300, ...short), { workers: 0 })
    assert.notEqual(other.parametersSha256, same.parametersSha256)
  })

  await t.test('a process that was killed', async (t) => {
    // It leaves no result, and a log that is ahead of the last checkpoint and ends in a torn record.
    const dir = join(temporaryDirectory(t), 'killed')
    cpSync(whole.dir, dir, { recursive: true })
    rmSync(join(dir, 'result.json'))
    rmSync(join(dir, 'checkpoints', '000012'), { recursive: true })
    assert.equal(listCheckpoints(dir).at(-1), 9)
    appendFileSync(join(dir, 'replay', readdirSync(join(dir, 'replay'))[0]), 'torn')
    expectSame(await trained(t, config(1200, ...short), { dir, resume: true, workers: 2 }))
  })

  await t.test('a run that is extended', async (t) => {
    const { dir } = await trained(t, config(600, ...short), { workers: 0 })
    const extended = await trained(t, config(1200, ...short), { dir, resume: true, workers: 0 })
    assert.equal(extended.parametersSha256, whole.parametersSha256)
  })
})

test('critics of a team, and critics of all observations, give different results', async (t) => {
  const hashes = new Set<string>()
  for (const set of [[], ['critic.sharing=team'], ['critic.input=observations']]) {
    const { parametersSha256, records } = await trained(t, config(300, ...short, ...set), { workers: 0 })
    hashes.add(parametersSha256)
    assert.equal(records[2].critics?.length ?? 1, set[0] === 'critic.sharing=team' ? 1 : 2)
  }
  assert.equal(hashes.size, 3)
})

test('an exported policy has the return of the run', async (t) => {
  const { dir } = await trained(t, config(600, ...short), { workers: 0 })
  const out = join(temporaryDirectory(t), 'bundle')
  await exportPolicies({ run: dir, out, format: 'wasm', checkpoint: 'latest' })
  const evaluated = await Promise.all(
    [dir, out].map((source) => evaluate({ source, episodes: 4, seed: 3, workers: 0 })),
  )
  assert.deepEqual(evaluated[0].returns, evaluated[1].returns)
})

test('unsupported settings of the method are refused in one line', async (t) => {
  const wrong: [set: string[], message: RegExp][] = [
    [['critic.epochs=3'], /^critic\.epochs is 3: maddpg never reads it$/],
    [['lambda=0.9'], /^lambda is 0\.9: maddpg never reads it$/],
    [
      ['clipped.lr=1'],
      /^clipped\.lr is 1: maddpg never reads it; in place of clipped\.\* it reads offPolicy\.lr/,
    ],
    [
      ['offPolicy.bufferSize=99'],
      /^offPolicy\.bufferSize is 99: it must be at least envs x rolloutSteps = 100$/,
    ],
    [['truncation=harl'], /^truncation is "harl": maddpg has no trace .* must be bootstrap or terminate$/],
    [['offPolicy.polyak=0'], /^offPolicy\.polyak is 0: it must be a number above 0 and at most 1$/],
  ]
  for (const [set, message] of wrong) assert.throws(() => config(100, ...set), { message })
  await assert.rejects(trained(t, config(100, 'critic.input=observation')), {
    message: /^critic\.input is observation: the critics of maddpg .* it must be state or observations$/,
  })
  const shared = config(100, 'actor.sharing=shared')
  await assert.rejects(trained(t, shared), { message: 'actor.sharing is "shared": maddpg needs "own"' })
  await assert.rejects(trained(t, config(1e9, 'offPolicy.bufferSize=1000000000')), {
    message:
      /^offPolicy\.bufferSize is 1000000000: learning from 1000000000 transitions takes .* GiB, and WebAssembly has 4 GiB: it must be at most \d+000$/,
  })
})
