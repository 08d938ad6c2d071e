import assert from 'node:assert/strict'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import test from 'node:test'
import { pathToFileURL } from 'node:url'
import { loadEnvFactory } from '../../src/envs/index.js'
import { readRunConfig } from '../../src/runs/folder.js'
import type { TrainOptions } from '../../src/runs/types.js'
import { evaluate } from '../../src/training/evaluate.js'
import { train } from '../../src/training/train.js'
import { fixture, temporaryDirectory, tinyConfig, trained } from './runs.js'

const team = { id: fixture('team') }

test('impossible trainings are refused in one line, and no folder is made', async (t) => {
  const folder = temporaryDirectory(t)
  const dir = join(folder, 'run')
  const config = tinyConfig({ id: 'mamujoco/HalfCheetah-2x3' }, 1)
  const general = join(folder, 'general.mjs')
  writeFileSync(
    general,
    `import { Team } from ${JSON.stringify(pathToFileURL(fixture('team')).href)}
     export default () => Object.assign(new Team(), { spec: { ...new Team().spec, mode: 'general' } })`,
  )
  const wrong: [options: Partial<TrainOptions>, message: RegExp][] = [
    [
      { config: { ...config, env: { id: 'mamujoco/HalfCheetah-9x9' } } },
      /^environment mamujoco\/HalfCheetah-9x9: /,
    ],
    [
      { config: { ...config, env: { id: './nowhere.js' } } },
      /^environment .\/nowhere.js: there is no file \//,
    ],
    [
      { config: { ...config, algo: 'trpo', env: { id: general } } },
      /^environment team has mode general: trpo has one policy for all agents/,
    ],
    [{ config: { ...config, gamma: 2 } }, /^gamma is 2: /],
    [{ workers: -1 }, /^workers is -1: it must be a whole number, 0 for none but the calling thread$/],
    [{ workerPatience: -1 }, /^workerPatience is -1: /],
  ]
  for (const [options, message] of wrong) {
    await assert.rejects(train({ config, dir, ...options }), { name: 'HatrpoError', exitCode: 2, message })
    assert.ok(!existsSync(dir), String(message))
  }
})

test('a run whose environment cannot be reset leaves no folder, unless another process has taken it', async (t) => {
  const folder = temporaryDirectory(t)
  const dir = join(folder, 'run')
  const file = join(folder, 'mute.mjs')
  const start = (reset: string) => {
    writeFileSync(
      file,
      `import { Team } from ${JSON.stringify(pathToFileURL(fixture('team')).href)}
       import { writeFileSync } from 'node:fs'
       export default () => Object.assign(new Team(), { reset() { ${reset} } })`,
    )
    return train({ config: tinyConfig({ id: file }, 1), dir, workers: 0 })
  }
  await assert.rejects(start(`throw new TypeError('no ball')`), /team: reset\(\d+\) threw TypeError: no ball/)
  assert.deepEqual(readdirSync(folder), ['mute.mjs'])
  // The environment has another method then.
  const dispose = `}, dispose() { throw new TypeError('no end')`
  await assert.rejects(start(dispose), {
    name: 'HatrpoError',
    message: /mute.mjs: dispose\(\) threw no end$/,
  })
  await assert.rejects(start('this.state.fill(NaN)'), /the state is not finite after reset/)
  assert.deepEqual(readdirSync(folder), ['mute.mjs'])
  const lock = JSON.stringify(join(dir, 'lock'))
  await assert.rejects(start(`writeFileSync(${lock}, 'another'); throw new TypeError('no ball')`))
  assert.ok(readdirSync(dir).includes('config.json'))
})

test("the options of the environment are filled in, and a file's path is made absolute", async (t) => {
  const dir = join(temporaryDirectory(t), 'run')
  const relativePath = `./${relative(process.cwd(), fixture('team'))}`
  await trained(t, tinyConfig({ id: relativePath, size: 3 }, 1), { dir, workers: 0 })
  assert.deepEqual(readRunConfig(dir).env, { id: fixture('team'), size: 3 })
  const cheetah = join(temporaryDirectory(t), 'run')
  await trained(t, tinyConfig({ id: 'mamujoco/HalfCheetah-2x3' }, 1), { dir: cheetah, workers: 0 })
  assert.equal(readRunConfig(cheetah).env.version, 'v4')
})

test('an aborted training keeps its progress and resumes to the same result', async (t) => {
  const config = tinyConfig(team, 6)
  const whole = await trained(t, config, { workers: 0 })
  const dir = join(temporaryDirectory(t), 'run')
  const controller = new AbortController()
  const iterations: number[] = []
  const stopped = await train({
    config,
    dir,
    signal: controller.signal,
    onIteration: ({ iteration }) => {
      iterations.push(iteration)
      if (iteration === 2) controller.abort()
    },
  })
  assert.deepEqual(iterations, [1, 2])
  assert.equal(stopped.finished, false)
  assert.equal(stopped.iterations, 2)
  const rest = await trained(t, config, { dir, resume: true })
  assert.equal(rest.finished, true)
  assert.equal(rest.parametersSha256, whole.parametersSha256)
  assert.deepEqual(
    rest.records.map(({ iteration, agents }) => ({ iteration, agents })),
    whole.records.map(({ iteration, agents }) => ({ iteration, agents })),
  )
  const again = await trained(t, config, { dir, workers: 0, resume: true })
  assert.deepEqual([again.parametersSha256, again.finished], [whole.parametersSha256, true])
})

test('training on the calling thread runs its timers and signal handlers, and can be aborted', async (t) => {
  const signal = AbortSignal.timeout(300)
  const config = tinyConfig(team, 1_000_000)
  const dir = join(temporaryDirectory(t), 'run')
  const { finished, iterations } = await train({ config, dir, workers: 0, signal })
  assert.equal(finished, false)
  assert.ok(iterations < 1_000_000)
})

test('an aborted training does not return an older evaluation as that of its parameters', async (t) => {
  const controller = new AbortController()
  const dir = join(temporaryDirectory(t), 'run')
  const stopped = await train({
    config: tinyConfig(team, 6, 'evaluation.every=2', 'evaluation.episodes=2'),
    dir,
    workers: 0,
    signal: controller.signal,
    onIteration: ({ iteration }) => {
      if (iteration === 3) controller.abort()
    },
  })
  assert.equal(stopped.iterations, 3)
  assert.equal(stopped.evaluation, undefined)
})

test('eval gives the same return for a seed, with any number of workers, before and after the run is extended', async (t) => {
  const dir = join(temporaryDirectory(t), 'run')
  const config = tinyConfig({ id: 'mamujoco/HalfCheetah-2x3', timeLimit: 100 }, 2)
  await trained(t, config, { dir, workers: 0 })
  const options = { source: dir, episodes: 3, seed: 5, workers: 0 } as const
  const one = await evaluate(options)
  assert.equal(one.returns.length, 3)
  assert.equal(new Set(one.returns).size, 3)
  assert.deepEqual(await evaluate(options), one)
  assert.deepEqual(await evaluate({ ...options, workers: 2 }), one)
  // Episode k is the same however many follow it.
  assert.deepEqual((await evaluate({ ...options, episodes: 2 })).returns, one.returns.slice(0, 2))
  assert.notDeepEqual((await evaluate({ ...options, seed: 6 })).returns, one.returns)
  await trained(
    t,
    { ...config, steps: 3 * 80, checkpoint: { every: 1, keepEvery: 1 } },
    { dir, workers: 0, resume: true },
  )
  assert.deepEqual(await evaluate({ ...options, checkpoint: 2 }), one)
  assert.notDeepEqual(await evaluate(options), one)
})

test('a module that does not make an environment is refused in one line', async (t) => {
  const folder = temporaryDirectory(t)
  let count = 0
  const load = (source: string, name = `env-${count++}.mjs`) => {
    writeFileSync(join(folder, name), source)
    return loadEnvFactory({ id: join(folder, name) })
  }
  const base = `import { Team } from ${JSON.stringify(pathToFileURL(fixture('team')).href)}\n`
  const withSpec = (change: string) =>
    `${base}export default () => { const env = new Team(); Object.assign(env.spec, ${change}); return env }`
  const wrong: [source: string, message: RegExp][] = [
    [
      'export default 3',
      /its default export is number: it must export by default a function \(options\) => env/,
    ],
    [
      'export const env = 3',
      /it has no default export \(it exports env\): it must export by default a function/,
    ],
    ['import "./nowhere.mjs"', /\.mjs:1:8: there is no file \.\/nowhere\.mjs$/],
    ['throw new Error("no luck\\nat all")', /cannot be imported: no luck$/],
    ['export default () => { throw new Error("no sensor") }', /cannot be made: no sensor$/],
    ['export default async () => null', /returned null: it must return an environment/],
    ['export default () => ({ reset() {} })', /step is undefined: it must be a function/],
    [
      `${base}export default () => Object.assign(new Team(), { saveState: undefined })`,
      /it has loadState but no saveState: give both, or neither/,
    ],
    [
      `${base}export default () => Object.assign(new Team(), { saveState: 3 })`,
      /saveState is number: it must be a function, or left out$/,
    ],
    [
      `${base}export default () => Object.assign(new Team(), { state: new Float32Array(3) })`,
      /state has 3 numbers: it must have 2$/,
    ],
    [
      `${base}export default () => Object.assign(new Team(), { rewards: [0, 0] })`,
      /rewards is Array: it must be a Float32Array of 2$/,
    ],
    [withSpec('{ agents: [] }'), /spec.agents is \[\]: it must list agents$/],
    [withSpec('{ agents: [{ id: "a" }] }'), /spec.agents\[0\].observation is undefined: it must be a box/],
    [withSpec('{ stateSize: 1.5 }'), /spec.stateSize is 1.5: it must be a whole number above 0$/],
    [withSpec('{ timeLimit: 0 }'), /spec.timeLimit is 0: /],
    [withSpec('{ mode: "team" }'), /spec.mode is "team": it must be cooperative or general$/],
  ]
  for (const [source, message] of wrong) {
    await assert.rejects(load(source), (error: Error) => {
      assert.equal(error.name, 'HatrpoError')
      assert.match(error.message, message)
      assert.match(error.message, /^environment \/[^\n]*$/)
      return true
    })
  }
  const { spec, config } = await loadEnvFactory({ id: pathToFileURL(fixture('team')).href })
  assert.deepEqual([spec.agents.length, config.id], [2, fixture('team')])
  assert.equal(readdirSync(folder).length, wrong.length)
})
