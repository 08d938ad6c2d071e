import assert from 'node:assert/strict'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import type { EvaluateResult } from '../../src/training/evaluate.js'
import { hatrpo } from '../cli/command.js'
import { findPython } from '../envs/python.js'
import { CRAWLER } from '../envs/team-model.js'
import { temporaryDirectory, tiny } from './runs.js'

const read = (path: string) => readFileSync(join(import.meta.dirname, '../../../test/envs', path), 'utf8')
const settings = [...tiny, 'evaluation.every=2', 'evaluation.episodes=2']

/** An environment of the user's own: its files, and the flags that name it. */
interface Project {
  readonly env: string
  readonly set?: readonly string[]
  /** Texts of files by their path in the project. */
  readonly files: Readonly<Record<string, string>>
}

const wind: Project = {
  env: './envs/wind.ts',
  files: { 'envs/wind.ts': read('fixtures/wind.ts'), 'envs/gusts.ts': read('fixtures/gusts.ts') },
}
const games: Project = {
  env: 'pettingzoo:./games.py:team',
  files: { 'games.py': read('python/games.py') },
}
const custom: Project = {
  env: 'mamujoco/custom',
  set: [
    'env.model=./robot.xml',
    'env.reward=./rewards/run.ts',
    'env.agents=front,knee_front/hip_back,pull',
    'env.timeLimit=30',
  ],
  files: {
    ...CRAWLER,
    'rewards/run.ts': `export const reward = ({ read }) => -0.1 * read('sensor:touch')[0]`,
  },
}

function make(folder: string, { files }: Project): string {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, path, '..'), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}

/** Runs the command and expects it to succeed. */
function run(cwd: string, ...args: string[]): { stdout: string; stderr: string } {
  const { code, stdout, stderr } = hatrpo(args, cwd)
  assert.equal(code, 0, stderr)
  return { stdout, stderr }
}

function train(cwd: string, { env, set = [] }: Project, out: string, steps = 320): void {
  const flags = ['--algo', 'hatrpo', '--steps', String(steps), '--out', out]
  run(cwd, 'train', '--env', env, ...flags, '--set', ...settings, ...set)
}

function returns(cwd: string, source: string): readonly number[] {
  const { stdout, stderr } = run(cwd, 'eval', source, '--episodes', '2', '--json')
  assert.equal(stderr, '')
  return (JSON.parse(stdout) as EvaluateResult).returns
}

/** Every file below a folder with its content. */
function contents(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  )
  return Object.fromEntries(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name)
      return [path.slice(folder.length), readFileSync(path, 'latin1')]
    }),
  )
}

const digest = (text: string) => /^parameters sha256 .*$/m.exec(text)![0]
const python = findPython().missing

for (const [name, project, skip] of [
  ['a module', wind, false],
  ['a Python file', games, python],
  ['a team of a model and a reward', custom, false],
] as const) {
  test(`a project with ${name} moves: eval, export and --resume work in its new place`, { skip }, (t) => {
    const parent = temporaryDirectory(t)
    const [before, after] = ['before', 'after/deeper'].map((path) => join(parent, path))
    make(before, project)
    train(before, project, 'runs/a')
    run(before, 'export', 'runs/a', '--out', 'policies/a')
    const found = returns(before, 'runs/a')
    train(before, project, 'runs/longer', 480)
    for (const [path, text] of Object.entries(contents(join(before, 'runs/a'))))
      assert.ok(!text.includes(parent), `${path} names the project's folder`)

    mkdirSync(join(after, '..'), { recursive: true })
    renameSync(before, after)
    for (const source of ['runs/a', 'policies/a', join(after, 'policies/a')])
      assert.deepEqual(returns(after, source), found)
    // A run and a bundle inside the project find it from anywhere.
    for (const source of ['runs/a', 'policies/a'])
      assert.deepEqual(returns(parent, join(after, source)), found)
    run(after, 'export', 'runs/a', '--out', 'policies/again')
    assert.deepEqual(contents(join(after, 'policies/again')), contents(join(after, 'policies/a')))
    const resumed = run(after, 'train', '--resume', 'runs/a', '--steps', '480')
    assert.match(resumed.stderr, /going on from checkpoint/)
    assert.equal(digest(resumed.stdout), digest(run(after, 'train', '--resume', 'runs/longer').stdout))
  })
}

test('the same training in two folders exports the same bytes, wherever it is exported', (t) => {
  const [one, two, elsewhere] = [0, 1, 2].map(() => temporaryDirectory(t))
  make(one, wind)
  train(one, wind, 'runs/a')
  run(one, 'export', 'runs/a', '--out', 'bundle')
  make(two, wind)
  train(two, wind, 'other/place/b')
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
    `hatrpo: bundle bundle: no environment file ./envs/wind.ts in the bundle's folder, in a folder above it or in ${elsewhere}: run this in the folder that the path is relative to\n`,
  )
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

test('of several files with the name in a bundle, the one with its code is taken', (t) => {
  const cwd = make(temporaryDirectory(t), wind)
  train(cwd, wind, 'runs/a')
  run(cwd, 'export', 'runs/a', '--out', 'policies/a')
  const found = returns(cwd, 'policies/a')
  mkdirSync(join(cwd, 'policies/envs'))
  writeFileSync(join(cwd, 'policies/envs/wind.ts'), 'export default () => { throw new Error("another") }')
  const other = hatrpo(['eval', 'policies/a'], cwd)
  assert.match(other.stderr, /policies\/envs\/wind.ts cannot be made: another/)
  cpSync(join(cwd, 'envs'), join(cwd, 'policies/envs'), { recursive: true })
  writeFileSync(join(cwd, 'policies/envs/gusts.ts'), `${readFileSync(join(cwd, 'envs/gusts.ts'), 'utf8')}\n`)
  assert.deepEqual(returns(cwd, 'policies/a'), found)
})

test('a run with an absolute path goes on while the file is there', (t) => {
  const cwd = make(temporaryDirectory(t), wind)
  train(cwd, wind, 'runs/a')
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
  assert.ok(readFileSync(join(cwd, 'runs/a/eval.json'), 'utf8').includes(env.id))
  renameSync(join(cwd, 'envs'), join(cwd, 'moved'))
  const lost = hatrpo(['train', '--resume', 'runs/a', '--steps', '560'], cwd)
  assert.equal(lost.stderr, `hatrpo: environment ${env.id}: there is no file ${env.id}\n`)
})

test("a run's config.json starts another run from any folder", (t) => {
  const cwd = make(temporaryDirectory(t), wind)
  const elsewhere = temporaryDirectory(t)
  train(cwd, wind, 'runs/a')
  const out = join(elsewhere, 'b')
  run(elsewhere, 'train', '--config', join(cwd, 'runs/a/config.json'), '--out', out)
  assert.ok(existsSync(join(out, 'result.json')))
})
