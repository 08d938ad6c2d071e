import assert from 'node:assert/strict'
import { appendFileSync, cpSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { readRun, taskKey, taskNames } from '../../src/report/runs.js'
import type { EvaluateResult } from '../../src/training/evaluate.js'
import { render } from '../../src/training/render.js'
import { hatrpo } from '../cli/command.js'
import { findPython } from '../envs/python.js'
import {
  contents,
  custom,
  games,
  make,
  makeTrained,
  moves,
  returns,
  run,
  train,
  wind,
} from './moved-projects.js'
import { temporaryDirectory } from './runs.js'

const skip = findPython().missing

test('a project with a module moves: eval, export and --resume work in its new place', (t) => moves(t, wind))
test('a project with a Python file moves: eval, export and --resume work in its new place', { skip }, (t) =>
  moves(t, games),
)
test('a project with a team of a model and a reward moves: eval, export and --resume work in its new place', (t) =>
  moves(t, custom))

test('eval accepts the name of a moved or renamed model of a team', (t) => {
  const cwd = makeTrained(t, custom)
  run(cwd, 'export', 'runs/a', '--out', 'policies')
  const found = returns(cwd, 'policies')
  const elsewhere = temporaryDirectory(t)
  make(elsewhere, custom)
  renameSync(join(elsewhere, 'robot.xml'), join(elsewhere, 'moved.xml'))
  for (const source of ['runs/a', 'policies']) {
    const named = ['eval', join(cwd, source), '--episodes', '2', '--json', '--env', 'moved.xml']
    const { returns: told } = JSON.parse(run(elsewhere, ...named).stdout) as EvaluateResult
    assert.deepEqual(told, found)
    appendFileSync(join(elsewhere, 'rewards/run.ts'), '\n')
    const refused = hatrpo(named, elsewhere)
    assert.equal(refused.code, 2)
    assert.match(
      refused.stderr,
      /^hatrpo: env is moved.xml: its code is not that of mamujoco\/custom, [^\n]*\n$/,
    )
    make(elsewhere, custom)
  }
})

test('an environment outside of the working directory is named by its own folder alone', (t) => {
  const [one, two, elsewhere] = [0, 1, 2].map(() => temporaryDirectory(t))
  for (const folder of [one, two]) {
    make(folder, wind)
    train(elsewhere, { ...wind, env: join(folder, 'envs/wind.ts') }, join(folder, 'runs/a'))
    run(elsewhere, 'export', join(folder, 'runs/a'), '--out', join(folder, 'bundle'))
  }
  assert.deepEqual(contents(join(one, 'bundle')), contents(join(two, 'bundle')))
  const { env } = JSON.parse(readFileSync(join(one, 'runs/a/config.json'), 'utf8')) as { env: { id: string } }
  assert.equal(env.id, './wind.ts')
  renameSync(one, join(elsewhere, 'moved'))
  assert.equal(returns(elsewhere, join(elsewhere, 'moved/runs/a')).length, 2)
})

test('of several files with the name in a bundle, the one with the same code is used', async (t) => {
  const cwd = makeTrained(t, wind)
  run(cwd, 'export', 'runs/a', '--out', 'policies/a')
  const found = returns(cwd, 'policies/a')
  writeFileSync(join(cwd, 'policies/wind.ts'), 'export default () => { throw new Error("another") }')
  assert.deepEqual(returns(cwd, 'policies/a'), found)
  renameSync(join(cwd, 'envs'), join(cwd, '.envs'))
  const other = hatrpo(['eval', 'policies/a'], cwd)
  assert.match(other.stderr, /policies\/wind.ts cannot be made: another/)
  renameSync(join(cwd, '.envs'), join(cwd, 'envs'))

  // Bundles of earlier versions have the path from the folder that training was started in.
  const info = join(cwd, 'policies/a/bundle.json')
  const text = readFileSync(info, 'utf8')
  assert.match(text, /"id": ".\/wind.ts"/)
  writeFileSync(info, text.replace('./wind.ts', './envs/wind.ts'))
  assert.deepEqual(returns(cwd, 'policies/a'), found)
  writeFileSync(info, text)

  // A comparison names it by its spec, and by its file only where another one has the same name.
  const one = readRun({ dir: join(cwd, 'runs/a'), label: undefined }, 'training')
  const two = { ...one, config: { ...one.config, env: { ...one.config.env, id: './other.ts' } } }
  assert.equal(taskNames([one]).get(taskKey(one.config.env)), 'wind')
  assert.deepEqual([...taskNames([one, two]).values()], ['wind (id=./envs/wind.ts)', 'wind (id=./other.ts)'])

  // A file that is named must have the code that the policies were trained with.
  for (const source of ['runs/a', 'policies/a']) {
    const elsewhere = temporaryDirectory(t)
    cpSync(join(cwd, 'envs'), elsewhere, { recursive: true })
    // Neither the place nor the name of the file is part of its digest.
    renameSync(join(elsewhere, 'wind.ts'), join(elsewhere, 'moved.ts'))
    const named = ['eval', join(cwd, source), '--episodes', '2', '--env', './moved.ts']
    const out = join(elsewhere, 'returns.json')
    const { stdout } = run(elsewhere, ...named, '--out', out)
    const told = JSON.parse(readFileSync(out, 'utf8')) as EvaluateResult
    assert.deepEqual(told.returns, found)
    assert.match(
      stdout,
      new RegExp(`^${told.env}: return .* over 2 episodes of ${told.meanLength.toFixed(1)} steps\n$`),
    )
    assert.equal(told.env, 'wind')
    const drawn = await render({
      source: join(cwd, source),
      env: join(elsewhere, 'moved.ts'),
      trajectory: join(elsewhere, 'episodes.jsonl'),
      episodes: 2,
    })
    assert.deepEqual([drawn.env, drawn.returns], ['wind', found])
    writeFileSync(join(elsewhere, 'gusts.ts'), `${readFileSync(join(cwd, 'envs/gusts.ts'), 'utf8')}\n`)
    const refused = hatrpo(named, elsewhere)
    assert.equal(refused.code, 2)
    assert.match(
      refused.stderr,
      /^hatrpo: env is \.\/moved\.ts: its code is not that of \S+wind\.ts, the environment of the training \(sha256 [0-9a-f]{8}, it must be [0-9a-f]{8}\)\n$/,
    )
  }
  cpSync(join(cwd, 'envs'), join(cwd, 'policies'), { recursive: true })
  writeFileSync(join(cwd, 'policies/gusts.ts'), `${readFileSync(join(cwd, 'envs/gusts.ts'), 'utf8')}\n`)
  assert.deepEqual(returns(cwd, 'policies/a'), found)
})
