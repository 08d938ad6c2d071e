import assert from 'node:assert/strict'
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import type { EnvConfig } from '../../src/envs/index.js'
import { bundledEnv, placedEnv } from '../../src/envs/portable.js'
import { hatrpo } from '../cli/command.js'
import { contents, make, makeTrained, returns, run, train, wind } from './moved-projects.js'
import { temporaryDirectory } from './runs.js'

test('the same training in two folders exports the same bytes, wherever it is exported', (t) => {
  const [one, two, elsewhere] = [0, 1, 2].map(() => temporaryDirectory(t))
  make(one, wind)
  train(one, wind, 'runs/a')
  run(one, 'export', 'runs/a', '--out', 'bundle')
  make(two, wind)
  // Also where the environment's path from the working directory is another one.
  train(join(two, 'envs'), { ...wind, env: './wind.ts' }, '../other/place/b')
  run(elsewhere, 'export', join(two, 'other/place/b'), '--out', 'bundle')
  assert.deepEqual(contents(join(elsewhere, 'bundle')), contents(join(one, 'bundle')))
  assert.deepEqual(
    readFileSync(join(two, 'other/place/b/eval.json'), 'utf8'),
    readFileSync(join(one, 'runs/a/eval.json'), 'utf8'),
  )

  // Outside of its project, a bundle is evaluated from there.
  const found = returns(one, 'bundle')
  assert.deepEqual(returns(two, join(elsewhere, 'bundle')), found)
  const lost = hatrpo(['eval', 'bundle'], elsewhere)
  assert.equal(lost.code, 2)
  assert.equal(
    lost.stderr,
    `hatrpo: bundle bundle: there is no environment file wind.ts in its folder, in a folder above it, or in or below ${elsewhere}: name the file with --env FILE\n`,
  )
})

test('a run with an absolute path resumes while the file exists', (t) => {
  const cwd = makeTrained(t, wind)
  // As earlier versions wrote it; its checkpoints know the configuration by its digest.
  rmSync(join(cwd, 'runs/a/checkpoints'), { recursive: true })
  rmSync(join(cwd, 'runs/a/eval.json'))
  rmSync(join(cwd, 'runs/a/result.json'))
  const path = join(cwd, 'runs/a/config.json')
  const { about, ...config } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, object>
  const { envFolder: _, ...rest } = about as { envFolder: string }
  const env = { ...config['env'], id: join(cwd, 'envs/wind.ts') }
  writeFileSync(path, JSON.stringify({ ...config, env, about: rest }))
  run(cwd, 'train', '--resume', 'runs/a')
  const longer = run(temporaryDirectory(t), 'train', '--resume', join(cwd, 'runs/a'), '--steps', '480')
  assert.match(longer.stderr, /resuming from checkpoint/)
  assert.ok(!readFileSync(join(cwd, 'runs/a/eval.json'), 'utf8').includes(cwd))
  renameSync(join(cwd, 'envs'), join(cwd, 'moved'))
  const lost = hatrpo(['train', '--resume', 'runs/a', '--steps', '560'], cwd)
  assert.equal(lost.stderr, `hatrpo: environment ${env.id}: there is no file ${env.id}\n`)
})

test("a run's config.json starts another run from any folder", (t) => {
  const cwd = makeTrained(t, wind)
  const elsewhere = temporaryDirectory(t)
  const out = join(elsewhere, 'b')
  run(elsewhere, 'train', '--config', join(cwd, 'runs/a/config.json'), '--out', out)
  assert.ok(existsSync(join(out, 'result.json')))
})

test('a moved file is given in place of the file of the training', () => {
  const here = process.cwd()
  const python = { id: 'pettingzoo:./games.py:team', python: './.venv/bin/python' }
  const team = { id: 'mamujoco/custom', model: './robot.xml', reward: './rewards/run.ts', frames: 2 }
  const files = (model: string, reward: string) => ({
    ...team,
    model: join(here, model),
    reward: join(here, reward),
  })
  const cases: [env: EnvConfig, named: string, placed: EnvConfig][] = [
    [{ id: './envs/wind.ts', gust: 2 }, './moved.ts', { id: './moved.ts', gust: 2 }],
    [{ id: './game.json' }, 'other/name.json', { id: 'other/name.json' }],
    [python, 'moved.py', { ...python, id: 'pettingzoo:moved.py:team' }],
    [python, 'pettingzoo:moved.py:other', { ...python, id: 'pettingzoo:moved.py:other' }],
    [team, 'a/moved.xml', files('a/moved.xml', 'a/rewards/run.ts')],
    [team, './a/b/moved.ts', files('a/robot.xml', 'a/b/moved.ts')],
    [team, 'mamujoco/custom', team],
  ]
  for (const [env, named, placed] of cases) assert.deepEqual(placedEnv(env, named), placed, named)
})

test("a bundle's paths start from the deepest folder of the environment's files", () => {
  const team = { id: 'mamujoco/custom', model: '/a/b/robot.xml', reward: '/a/b/c/run.ts' }
  assert.deepEqual(bundledEnv(team), { ...team, model: './robot.xml', reward: './c/run.ts' })
  assert.deepEqual(bundledEnv({ id: '/a/b/wind.ts', gust: 2 }), { id: './wind.ts', gust: 2 })
  const games = (python: string) => bundledEnv({ id: 'pettingzoo:/a/b/games.py:team', python })
  const id = 'pettingzoo:./games.py:team'
  assert.deepEqual(games('/a/b/.venv/bin/python'), { id, python: './.venv/bin/python' })
  assert.deepEqual(games('/usr/bin/python3'), { id })
  assert.deepEqual(games('python3.11'), { id, python: 'python3.11' })
  for (const env of [{ id: 'mpe/spread' }, { id: 'npm:envs', gust: 1 }])
    assert.deepEqual(bundledEnv(env), env)
})
