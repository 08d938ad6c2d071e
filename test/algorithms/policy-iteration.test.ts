import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { assembleTabular } from '../../src/algorithms/tabular/assemble.js'
import { planMethod } from '../../src/algorithms/assemble.js'
import { evaluatePolicies } from '../../src/algorithms/tabular/evaluate.js'
import { randomGame, type MarkovGame } from '../../src/algorithms/tabular/game.js'
import { nashGap, policyIteration } from '../../src/algorithms/tabular/iteration.js'
import { FLOOR } from '../../src/algorithms/tabular/method.js'
import { soften } from '../../src/algorithms/tabular/soften.js'
import { resolveConfig, type TrainConfig } from '../../src/config/index.js'
import { openHost } from '../../src/devices/open.js'
import { loadEnvFactory } from '../../src/envs/index.js'
import { HatrpoError } from '../../src/errors.js'
import { evaluate } from '../../src/training/evaluate.js'
import { exportPolicies } from '../../src/training/export.js'
import { fixture, temporaryDirectory, trained } from '../training/runs.js'
import { near } from './theory-checks.js'

const GAMMA = 0.5

/** Writes a game as a file for `--env`. @param ends probability with which every step ends the episode */
function writeGame(t: TestContext, game: MarkovGame, ends = 0): string {
  const { states, actions, rewards, transitions, initial } = game
  const [rows, columns] = actions
  const pairs = (make: (pair: number) => unknown) => (s: number) =>
    Array.from({ length: rows }, (_, i) =>
      Array.from({ length: columns }, (_, j) => make((s * rows + i) * columns + j)),
    )
  const payoffs = pairs((pair) => rewards[pair])
  const next = pairs((pair) =>
    Object.fromEntries(
      Array.from({ length: states }, (_, to) => [`s${to}`, (1 - ends) * transitions[pair * states + to]]),
    ),
  )
  const listed = Array.from({ length: states }, (_, s) => ({
    name: `s${s}`,
    payoffs: payoffs(s),
    next: next(s),
  }))
  const start = Object.fromEntries(Array.from(initial, (p, s) => [`s${s}`, p]))
  const file = join(temporaryDirectory(t), 'game.json')
  writeFileSync(
    file,
    JSON.stringify({ agents: 2, actions: [rows, columns], states: listed, start, timeLimit: 20 }),
  )
  return file
}

function configOf(id: string, iterations: number, ...set: string[]): TrainConfig {
  const flags = { env: { id }, algo: 'policy-iteration' as const, steps: iterations * 80 }
  const small = ['envs=4', 'rolloutSteps=20', 'evaluation.every=0', `gamma=${GAMMA}`, 'checkpoint.every=1']
  return resolveConfig({ flags, set: [...small, ...set] }).config
}

test('the game of a file becomes its original tables, with a state after its end', async (t) => {
  const game = randomGame({ states: 3, actions: [2, 3], gamma: GAMMA }, 5)
  const { spec } = await loadEnvFactory({ id: writeGame(t, game) })
  const tables = spec.finiteGame!()
  assert.deepEqual([tables.states, tables.actions], [3, [2, 3]])
  for (const key of ['rewards', 'transitions', 'initial'] as const)
    tables[key].forEach((value, i) => near(value, game[key][i], 1e-15))

  const ending = (await loadEnvFactory({ id: writeGame(t, game, 0.25) })).spec.finiteGame!()
  assert.equal(ending.states, 4)
  for (let pair = 0; pair < 18; pair++) {
    near(ending.transitions[pair * 4 + 3], 0.25, 1e-15)
    near(ending.transitions[pair * 4], 0.75 * game.transitions[pair * 3], 1e-15)
  }
  assert.deepEqual(ending.rewards.subarray(18), new Float64Array(6))
  assert.equal(ending.transitions[(3 * 6 + 5) * 4 + 3], 1)
})

test('the row raises the exact return in every iteration, like the function of the library', async (t) => {
  for (const ends of [0, 0.25]) {
    const config = configOf(
      writeGame(t, randomGame({ states: 3, actions: [2, 3], gamma: GAMMA }, 9), ends),
      1,
    )
    const { spec } = await loadEnvFactory(config.env)
    const game = { ...spec.finiteGame!(), gamma: GAMMA }
    const host = await openHost()
    const method = assembleTabular(planMethod(config, spec), config, host, host)
    const current = () =>
      game.actions.map((width, agent) => {
        const values = host.f32(method.actingParameters(agent))
        const out = new Float64Array(game.states * width).fill(1 / width)
        for (let s = 0; s < 3; s++) {
          const row = out.subarray(s * width, (s + 1) * width)
          for (let a = 0; a < width; a++) row[a] = Math.exp(values[a * 3 + s] + values[width * 3 + a])
          soften(row, FLOOR)
        }
        return out
      })
    const start = current()
    let last = evaluatePolicies(game, start).return
    for (let k = 1; k <= 250; k++) {
      const { turns } = method.improve(k)
      assert.equal(turns.length, 2)
      for (const { predictedGain, klUsed } of turns) assert.ok(predictedGain! >= 0 && klUsed >= 0)
      const reached = evaluatePolicies(game, current()).return
      assert.ok(reached >= last - 1e-6, `${reached} after ${last}`)
      last = reached
    }
    assert.ok(nashGap(game, current(), FLOOR) < 1e-3)
    const exact = policyIteration(game, { iterations: 250, floor: FLOOR, initial: start })
    assert.ok(exact.nashGap < 1e-3)
  }
})

test('a run of the row is resumed, evaluated and exported like any other', async (t) => {
  const id = writeGame(t, randomGame({ states: 3, actions: [2, 3], gamma: GAMMA }, 7), 0.1)
  const config = configOf(id, 6)
  const whole = await trained(t, config, { workers: 1 })
  assert.deepEqual(whole.events, [])
  assert.equal(whole.records.length, 6)
  assert.deepEqual(
    whole.records[0].agents.map(({ id: name }) => name),
    ['agent_0', 'agent_1'],
  )
  const dir = join(temporaryDirectory(t), 'run')
  const stop = new AbortController()
  const onIteration = ({ iteration }: { iteration: number }) => void (iteration === 3 && stop.abort())
  const half = await trained(t, config, { workers: 0, dir, signal: stop.signal, onIteration })
  assert.equal(half.finished, false)
  const resumed = await trained(t, config, { workers: 0, dir, resume: true })
  assert.equal(resumed.parametersSha256, whole.parametersSha256)

  const out = join(dirname(id), 'bundle')
  await exportPolicies({ run: dir, out, format: 'wasm', checkpoint: 'latest' })
  const options = { episodes: 5, seed: 3 }
  const ofRun = await evaluate({ source: dir, workers: 0, ...options })
  assert.deepEqual((await evaluate({ source: out, ...options })).returns, ofRun.returns)
})

test('unsupported settings of the row are refused in one line', async (t) => {
  const id = writeGame(t, randomGame({ states: 2, actions: [2, 2], gamma: GAMMA }, 1))
  const refused = (message: RegExp) => (error: unknown) => {
    assert.ok(error instanceof HatrpoError, String(error))
    assert.equal(error.exitCode, 2)
    assert.match(error.message, message)
    return true
  }
  await assert.rejects(
    trained(t, configOf(fixture('line'), 1), { workers: 0 }),
    refused(/^environment line has no tables: policy-iteration needs a finite game .*$/),
  )
  await assert.rejects(
    trained(t, configOf(id, 1, 'gamma=1'), { workers: 0 }),
    refused(/^gamma is 1: for policy-iteration it must be below 1$/),
  )
  await assert.rejects(
    trained(t, configOf(id, 1, 'order=score'), { workers: 0 }),
    refused(/^order is "score": exact steps .* for policy-iteration$/),
  )
  for (const [setting, name] of [
    ['actor.hidden=[8]', 'actor.hidden'],
    ['critic.lr=0.1', 'critic.lr'],
    ['lambda=0.9', 'lambda'],
  ])
    assert.throws(
      () => configOf(id, 1, setting),
      refused(new RegExp(`^${name} is .*: policy-iteration never reads it$`)),
    )
  // A resolved configuration, which has a value for everything, can be given as a file.
  const flags = { env: { id }, algo: 'policy-iteration' as const }
  const { config } = resolveConfig({ flags, set: ['gamma=0.5'] })
  assert.deepEqual(resolveConfig({ file: JSON.parse(JSON.stringify(config)) as object }).config, config)
})

test('softened rows keep the floor and sum to 1', () => {
  for (const row of [
    [1, 0, 0],
    [0.3, 0.3, 0.4],
    [5, 5, 0],
    [0.25, 0.25, 0.5],
  ]) {
    const soft = Float64Array.from(row)
    soften(soft, 0.25)
    assert.ok(soft.every((p) => p >= 0.25))
    assert.equal(
      soft.reduce((sum, p) => sum + p, 0),
      1,
    )
  }
})
