// One team learns and the others play with policies of a pool: its own past ones, or those of another run.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { planMethod } from '../../src/algorithms/assemble.js'
import { resolveConfig, type TrainConfig } from '../../src/config/index.js'
import { loadEnvFactory } from '../../src/envs/index.js'
import { readCheckpoint } from '../../src/runs/checkpoint.js'
import { loadBundle } from '../../src/runtime/index.js'
import { evaluate } from '../../src/training/evaluate.js'
import { exportPolicies } from '../../src/training/export.js'
import type { EvaluationRecord } from '../../src/runs/types.js'
import { fixture, temporaryDirectory, tiny, trained } from './runs.js'

/** Two teams on the cart of fixtures/line, agents of even and of odd numbers. */
const RIVALS = { unequal: 1, mode: 'general', teams: 1 }

function configOf(
  algo: string,
  options: Record<string, number | string>,
  iterations: number,
  ...set: string[]
) {
  const flags = { env: { id: fixture('line'), ...RIVALS, ...options }, steps: iterations * 80 }
  const plain = ['actor.standardise=false', 'critic.standardise=false', 'checkpoint.every=1']
  return resolveConfig({ flags, set: [`algo=${algo}`, ...tiny, ...plain, ...set] }).config
}

/** A run and its evaluations. */
async function trainedWith(
  t: TestContext,
  config: TrainConfig,
  ...[options]: [Parameters<typeof trained>[2]?]
) {
  const evaluations: EvaluationRecord[] = []
  const run = await trained(t, config, {
    workers: 0,
    ...options,
    onEvaluation: (record) => evaluations.push(record),
  })
  return { ...run, evaluations }
}

const PAST = ['opponents.from=past', 'opponents.every=1', 'opponents.pool=2', 'checkpoint.keepEvery=1']

for (const [algo, ...set] of [
  ['hatrpo', 'opponents.learner=odd'],
  ['mappo', 'actor.sharing=shared'],
] as const) {
  test(`${algo} ${set.join(' ')}: a team learns against its past policies, and runs resume`, async (t) => {
    const config = configOf(
      algo,
      { agents: 4 },
      4,
      ...PAST,
      ...set,
      'evaluation.every=2',
      'evaluation.episodes=3',
    )
    const whole = await trainedWith(t, config)
    assert.deepEqual(whole.events, [])
    const dir = join(temporaryDirectory(t), 'run')
    const stop = new AbortController()
    const onIteration = ({ iteration }: { iteration: number }) => void (iteration === 3 && stop.abort())
    await trainedWith(t, config, { dir, signal: stop.signal, onIteration })
    const workers = algo === 'hatrpo' ? 1 : 0
    const resumed = await trainedWith(t, config, { workers, dir, resume: true })
    assert.equal(resumed.parametersSha256, whole.parametersSha256)
    const course = ({ records }: typeof whole) =>
      records.map(({ agents, critic, opponent, episodeReturn }) => ({
        agents,
        critic,
        opponent,
        episodeReturn,
      }))
    assert.deepEqual(course(resumed), course(whole))

    const learners = algo === 'hatrpo' ? ['agent_1', 'agent_3'] : ['shared']
    const vectors = algo === 'hatrpo' ? ['agent_1', 'agent_3'] : ['shared']
    for (const [i, { agents, critics, opponent }] of whole.records.entries()) {
      assert.deepEqual(
        agents.map(({ id }) => id),
        learners,
      )
      assert.equal(critics, undefined, 'one team learns from one critic')
      // The pool holds the policies of the last two iterations.
      const pool = [i - 1, i]
        .filter((iteration) => iteration >= 0)
        .map((iteration) => `iteration ${iteration}`)
      assert.ok(pool.includes(opponent!), `${opponent} of ${pool.join(', ')}`)
    }
    const { tensors, state } = readCheckpoint(dir, 4)
    assert.deepEqual((state as { opponents: unknown }).opponents, { names: ['iteration 3', 'iteration 4'] })
    for (const [v, name] of vectors.entries()) {
      assert.deepEqual(tensors[`opponents/opponent_1_${v}`], tensors[`actors/${name}`])
      assert.deepEqual(tensors[`opponents/opponent_0_${v}`], readCheckpoint(dir, 3).tensors[`actors/${name}`])
    }

    // Each opponent is met apart, the latest first.
    assert.deepEqual(resumed.evaluations, whole.evaluations.slice(1))
    const [first, second] = whole.evaluations
    assert.deepEqual(
      [first, second].map(({ opponents }) => opponents!.map(({ name, episodes }) => [name, episodes])),
      [
        [
          ['iteration 2', 1],
          ['iteration 1', 2],
        ],
        [
          ['iteration 4', 1],
          ['iteration 3', 2],
        ],
      ],
    )
    assert.equal(first.returns.length, 3)
    // A bundle holds the latest opponent, which the first half of an evaluation meets.
    const out = join(temporaryDirectory(t), 'bundle')
    await exportPolicies({ run: dir, out, format: 'wasm', checkpoint: 'latest' })
    const ofRun = await evaluate({ source: dir, workers: 0, episodes: 4, seed: 9 })
    assert.equal(ofRun.opponents!.length, 2)
    const ofBundle = await evaluate({ source: out, episodes: 2, seed: 9 })
    assert.deepEqual(ofBundle.returns, ofRun.returns.slice(0, 2))
  })
}

test('past policies affect results, and so does the draw among them', async (t) => {
  const hash = async (...set: string[]) => {
    const config = configOf('ippo', {}, 3, ...set)
    return (await trainedWith(t, config)).parametersSha256
  }
  const hashes = [
    await hash('opponents.from=past', 'opponents.every=1', 'opponents.pool=3'),
    await hash('opponents.from=past', 'opponents.every=1', 'opponents.pool=1'),
    // The first policies alone.
    await hash('opponents.from=past', 'opponents.every=9'),
  ]
  assert.equal(new Set(hashes).size, hashes.length)
})

test("a team learns against another run's policies, which do not change", async (t) => {
  const rivals = await trainedWith(t, configOf('ippo', {}, 2, 'actor.hidden=[5]'))
  const from = `opponents.from=${rivals.dir}`
  const { dir, records, events } = await trainedWith(t, configOf('happo', {}, 2, from))
  assert.deepEqual(events, [])
  const name = `${basename(rivals.dir)}, iteration 2`
  for (const file of ['config.json', 'metrics.jsonl', 'result.json'])
    assert.ok(!readFileSync(join(dir, file), 'utf8').includes(dirname(dirname(rivals.dir))), file)
  assert.deepEqual(
    records.map(({ opponent, agents }) => [opponent, agents.map(({ id }) => id)]),
    [
      [name, ['agent_0']],
      [name, ['agent_0']],
    ],
  )
  const bundles: string[] = []
  for (const run of [rivals.dir, dir]) {
    const out = join(temporaryDirectory(t), 'bundle')
    await exportPolicies({ run, out, format: 'wasm', checkpoint: 'latest' })
    bundles.push(out)
  }
  const [theirs, ours] = await Promise.all(
    bundles.map((folder) => loadBundle((file) => readFileSync(join(folder, file)))),
  )
  assert.deepEqual(ours.info.learners, ['agent_0'])
  assert.deepEqual(theirs.info.learners, undefined)
  const seen = [0.4, -0.3]
  assert.deepEqual(ours.agents[1].act(seen), theirs.agents[1].act(seen))
  assert.notDeepEqual(ours.agents[0].act(seen), theirs.agents[0].act(seen))
  const options = { episodes: 3, seed: 9 }
  const ofRun = await evaluate({ source: dir, workers: 0, ...options })
  assert.deepEqual((await evaluate({ source: bundles[1], ...options })).returns, ofRun.returns)
})

test('unusable opponents are refused before a folder is made', async (t) => {
  const { spec } = await loadEnvFactory(configOf('ippo', {}, 1).env)
  const refused = (message: RegExp, ...set: string[]) =>
    assert.throws(() => planMethod(configOf('ippo', {}, 1, ...set), spec), { exitCode: 2, message })
  refused(
    /^opponents\.learner is "blue": the teams of line are even, odd$/,
    'opponents.from=past',
    'opponents.learner=blue',
  )
  refused(/^opponents\.every is 3: opponents\.from is "none", which never reads it$/, 'opponents.every=3')
  refused(
    /^opponents\.pool is 3: opponents\.from is "\.\/run", which never reads it$/,
    'opponents.from=./run',
    'opponents.pool=3',
  )
  const rejects = (message: RegExp, options: Record<string, number | string>, ...set: string[]) =>
    assert.rejects(trainedWith(t, configOf('ippo', options, 1, ...set)), { exitCode: 2, message })
  await rejects(
    /^opponents\.from is "past": line has one team, which has no opponents; it must be none$/,
    { teams: 0, mode: 'cooperative', unequal: 0 },
    'opponents.from=past',
  )
  await rejects(
    /^opponents\.from: agent_1 of line cannot use the policy of agent_0: their spaces differ$/,
    { wide: 1 },
    'opponents.from=past',
  )
  await rejects(/nowhere/, {}, 'opponents.from=./nowhere')
  const { dir } = await trainedWith(t, configOf('ippo', {}, 1, 'actor.gruLayers=1', 'actor.gruSize=3'))
  await rejects(
    /its policies have a recurrent state of 3 numbers and the learning ones of 0: actor\.gruLayers times actor\.gruSize/,
    {},
    `opponents.from=${dir}`,
  )
})
