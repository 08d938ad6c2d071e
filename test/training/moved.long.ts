import assert from 'node:assert/strict'
import { appendFileSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import type { EvaluateResult } from '../../src/training/evaluate.js'
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

test('the model of a team that was moved or renamed is named in eval', (t) => {
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
