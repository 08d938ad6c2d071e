import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { EvaluateResult } from '../../src/training/evaluate.js'
import { hatrpo } from '../cli/command.js'
import { CRAWLER } from '../envs/team-model.js'
import { temporaryDirectory, tiny } from './runs.js'

const read = (path: string) => readFileSync(join(import.meta.dirname, '../../../test/envs', path), 'utf8')
const settings = [...tiny, 'evaluation.every=2', 'evaluation.episodes=2']

/** An environment of the user's own: its files, and the flags that name it. */
export interface Project {
  readonly env: string
  readonly set?: readonly string[]
  /** Texts of files by their path in the project. */
  readonly files: Readonly<Record<string, string>>
}

export const wind: Project = {
  env: './envs/wind.ts',
  files: { 'envs/wind.ts': read('fixtures/wind.ts'), 'envs/gusts.ts': read('fixtures/gusts.ts') },
}
export const games: Project = {
  env: 'pettingzoo:./games.py:team',
  files: { 'games.py': read('python/games.py') },
}
export const custom: Project = {
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

export function make(folder: string, { files }: Project): string {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, path, '..'), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}

/** Runs the command and expects it to succeed. */
export function run(cwd: string, ...args: string[]): { stdout: string; stderr: string } {
  const { code, stdout, stderr } = hatrpo(args, cwd)
  assert.equal(code, 0, stderr)
  return { stdout, stderr }
}

export function train(cwd: string, { env, set = [] }: Project, out: string, steps = 320): void {
  const flags = ['--algo', 'hatrpo', '--steps', String(steps), '--out', out, '--workers', '0']
  run(cwd, 'train', '--env', env, ...flags, '--set', ...settings, ...set)
}

const trainedProjects = new Map<Project, string>()

/** Copies a project that has the run runs/a, which is trained once in this process, into a folder. */
export function makeTrained(t: TestContext, project: Project): string {
  let from = trainedProjects.get(project)
  if (from === undefined) {
    from = make(mkdtempSync(join(tmpdir(), 'hatrpo-')), project)
    process.once(
      'exit',
      (
        (folder) => () =>
          rmSync(folder, { recursive: true, force: true })
      )(from),
    )
    train(from, project, 'runs/a')
    trainedProjects.set(project, from)
  }
  const folder = temporaryDirectory(t)
  cpSync(from, folder, { recursive: true })
  return folder
}

export function returns(cwd: string, source: string): readonly number[] {
  const { stdout, stderr } = run(cwd, 'eval', source, '--episodes', '2', '--workers', '0', '--json')
  assert.equal(stderr, '')
  return (JSON.parse(stdout) as EvaluateResult).returns
}

/** Every file below a folder with its content. */
export function contents(folder: string): Record<string, string> {
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

export const digest = (text: string) => /^parameters sha256 .*$/m.exec(text)![0]

/** Moves a project with its runs and bundles, then evaluates, exports and resumes them in the new place. */
export function moves(t: TestContext, project: Project): void {
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
  for (const source of ['runs/a', 'policies/a']) assert.deepEqual(returns(parent, join(after, source)), found)
  run(after, 'export', 'runs/a', '--out', 'policies/again')
  assert.deepEqual(contents(join(after, 'policies/again')), contents(join(after, 'policies/a')))
  const resumed = run(after, 'train', '--resume', 'runs/a', '--steps', '480')
  assert.match(resumed.stderr, /resuming from checkpoint/)
  assert.equal(digest(resumed.stdout), digest(run(after, 'train', '--resume', 'runs/longer').stdout))
}
