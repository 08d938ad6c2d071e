import assert from 'node:assert/strict'
import { cpSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import type { EnvConfig } from '../../src/envs/index.js'
import { bundledEnv, placedEnv } from '../../src/envs/portable.js'
import { readRun, taskKey, taskNames } from '../../src/report/runs.js'
import type { EvaluateResult } from '../../src/training/evaluate.js'
import { render } from '../../src/training/render.js'
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

test('of several files with the name in a bundle, the one with its code is taken', async (t) => {
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
      /^hatrpo: env is \.\/moved\.ts: its code is not that of \S+wind\.ts, which the policies were trained in \(sha256 [0-9a-f]{8}, it must be [0-9a-f]{8}\)\n$/,
    )
  }
  cpSync(join(cwd, 'envs'), join(cwd, 'policies'), { recursive: true })
  writeFileSync(join(cwd, 'policies/gusts.ts'), `${readFileSync(join(cwd, 'envs/gusts.ts'), 'utf8')}\n`)
  assert.deepEqual(returns(cwd, 'policies/a'), found)
})

test('a run with an absolute path goes on while the file is there', (t) => {
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
  assert.match(longer.stderr, /going on from checkpoint/)
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

test('a file that was moved is named in the place of the one that policies were trained with', () => {
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
