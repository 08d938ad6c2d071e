import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { Busy } from '../../src/cli/busy.js'
import { duration, LineProgress } from '../../src/cli/progress-lines.js'
import { episodeCount, parseSeeds } from '../../src/cli/numbers.js'
import { envName, makeRunFolder } from '../../src/cli/run-name.js'
import {
  listPresets,
  presetNames,
  resolveConfig,
  type DescribedValue,
  type TrainConfig,
} from '../../src/config/index.js'
import { deviceChoices, listDevices } from '../../src/devices/open.js'
import type { Comparison } from '../../src/report/comparison.js'
import type { MarlEval } from '../../src/runs/evaluations.js'
import { openRun } from '../../src/runs/folder.js'
import { packageVersion } from '../../src/runs/version.js'
import { checkpointData, iterationRecord, saying, temporaryDirectory, testConfig } from '../runs/fixtures.js'
import { hatrpo, hatrpoEach, MAIN } from './command.js'

/** Finished run of ten iterations. */
function finishedRun(dir: string): void {
  const run = openRun(dir, testConfig())
  run.logIteration(iterationRecord(10))
  run.saveCheckpoint(10, 40000, checkpointData(10))
  const evaluation = { mean: 1234.56, sd: 7.89, episodes: 40 }
  run.finish({ iterations: 10, steps: 40000, parametersSha256: 'ab'.repeat(32), evaluation })
  run.close()
}

test('the help of every command contains an example', (t) => {
  const cwd = temporaryDirectory(t)
  const commands = [[], ['train'], ['eval'], ['compare'], ['export'], ['check-env'], ['config'], ['list']]
  const helps = hatrpoEach(
    commands.map((command) => [...command, '--help']),
    cwd,
  )
  for (const [index, command] of commands.entries()) {
    const { code, stdout, stderr } = helps[index]
    assert.equal(code, 0)
    assert.equal(stderr, '')
    assert.match(stdout, new RegExp(`^Usage: ${['hatrpo', ...command].join(' ')} `))
    assert.match(stdout, /\nExamples?:\n {2}hatrpo [\w-]+ /)
  }
})

test('the help of train lists only values that are accepted', (t) => {
  const { stdout } = hatrpo(['train', '--help'], temporaryDirectory(t))
  const [, offered] = /published settings: (.*)/.exec(stdout)!
  assert.deepEqual(offered.split(', '), presetNames)
  const [, devices] = /device that computes the networks: (.*)/.exec(stdout.replaceAll(/,\n +/g, ', '))!
  assert.deepEqual(devices.split(', '), deviceChoices)
  assert.ok(!stdout.includes('onnx'), 'planned')
})

test('--version prints the version of the package', (t) => {
  const manifest = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  assert.equal(packageVersion, manifest.version)
  assert.deepEqual(hatrpo(['--version'], temporaryDirectory(t)), {
    code: 0,
    stdout: `${manifest.version}\n`,
    stderr: '',
  })
})

test('list prints names or, with --json, an array of objects with an id', async (t) => {
  const cwd = temporaryDirectory(t)
  const [methods, names, tasks, table, devices, presets, presetTable] = hatrpoEach(
    [
      ['list', 'algorithms', '--json'],
      ['list', 'algorithms'],
      ['list', 'envs', '--json'],
      ['list', 'envs'],
      ['list', 'devices', '--json'],
      ['list', 'presets', '--json'],
      ['list', 'presets'],
    ],
    cwd,
  )
  const algorithms = JSON.parse(methods.stdout) as { id: string }[]
  assert.deepEqual(
    algorithms.find(({ id }) => id === 'hatrpo'),
    {
      id: 'hatrpo',
      update: 'trustRegion',
      klBudget: 'fixed',
      supported: true,
      schedule: 'sequential',
      critic: 'state',
      actors: 'own',
    },
  )
  const { stdout, code } = names
  assert.equal(code, 0)
  assert.deepEqual(stdout.split('\n').slice(0, 3), ['hatrpo', 'happo', 'trpo'])
  const envs = JSON.parse(tasks.stdout) as {
    id: string
    description: string
  }[]
  assert.ok(envs.some(({ id }) => id === 'mamujoco/HalfCheetah-2x3'))
  const lines = table.stdout.split('\n')
  assert.equal(lines.pop(), '')
  const column = lines[0].indexOf(envs[0].description)
  assert.ok(envs.every(({ id }) => id.length < column))
  assert.deepEqual(
    lines.map((line) => [line.slice(0, column).trimEnd(), line.slice(column)]),
    envs.map(({ id, description }) => [id, description]),
  )
  assert.deepEqual(JSON.parse(devices.stdout), await listDevices())
  assert.deepEqual(JSON.parse(presets.stdout), listPresets())
  for (const { id, source } of listPresets())
    assert.match(presetTable.stdout, new RegExp(`^${id} +\\S.* \\(${source}\\)$`, 'm'))
})

test('config prints the values that are read, with their origins, or with --json all of them', (t) => {
  const cwd = temporaryDirectory(t)
  writeFileSync(
    join(cwd, 'mine.json'),
    '{"$schema": "x", "env": {"id": "mamujoco/Hopper-3x1"}, "gamma": 0.9}',
  )
  const args = [
    'config',
    '--config',
    'mine.json',
    '--algo',
    'hatrpo',
    '--preset',
    'paper',
    '--set',
    'lambda=0.8',
  ]
  const [shown, json, again] = hatrpoEach([args, [...args, '--json'], args], cwd)
  assert.equal(shown.code, 0)
  assert.match(
    shown.stderr,
    /^\d+ keys that this configuration never reads are omitted \(--json lists them\)\n$/,
  )
  const rows = shown.stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/))
  assert.deepEqual(rows[0], ['key', 'value', 'unit', 'from', 'source'])
  const row = (key: string) => rows.find(([name]) => name === key)
  assert.deepEqual(row('env.id'), ['env.id', 'mamujoco/Hopper-3x1', 'file mine.json'])
  assert.deepEqual(row('env.version'), ['env.version', 'v4', 'default', 'the environment'])
  assert.deepEqual(row('algo'), ['algo', 'hatrpo', 'flag --algo'])
  assert.deepEqual(row('gamma'), ['gamma', '0.9', 'per step', 'file mine.json'])
  assert.deepEqual(row('lambda'), ['lambda', '0.8', 'per step', 'flag --set'])
  assert.deepEqual(row('envs'), [
    'envs',
    '4',
    'environments',
    'preset paper',
    'TRPO-in-MARL, scripts/train_mujoco.sh',
  ])
  assert.deepEqual(row('order')?.slice(0, 3), ['order', 'random', 'default'])
  assert.equal(row('clipped.lr'), undefined)
  const { config, values } = JSON.parse(json.stdout) as { config: TrainConfig; values: DescribedValue[] }
  assert.equal(json.stderr, '')
  assert.deepEqual(resolveConfig({ file: config }).config, config)
  assert.equal(config.gamma, 0.9)
  const lr = values.find(({ key }) => key === 'clipped.lr')!
  assert.equal(lr.value, config.clipped.lr)
  assert.match(lr.unread!, /^hatrpo never reads it/)
  assert.equal(values.filter(({ unread }) => unread === undefined).length, rows.length - 1)
  assert.deepEqual(again, shown)
})

test('output that cannot be written is a failure of one line', { skip: !existsSync('/dev/full') }, (t) => {
  const full = openSync('/dev/full', 'w')
  t.after(() => closeSync(full))
  const { status, stderr } = spawnSync(process.execPath, [MAIN, 'list', 'envs'], {
    stdio: ['ignore', full, 'pipe'],
    encoding: 'utf8',
  })
  assert.match(stderr, /^hatrpo: cannot write to stdout: ENOSPC[^\n]*\n$/)
  assert.equal(status, 1)
})

test('resuming a finished run prints its result again', (t) => {
  const cwd = temporaryDirectory(t)
  finishedRun(join(cwd, 'run'))
  const steps = [[], ['--steps', '40000'], ['--steps', '39999'], ['--steps', '4000']]
  const outcomes = hatrpoEach(
    steps.map((flags) => ['train', '--resume', 'run', ...flags]),
    cwd,
  )
  const shorter = outcomes.pop()!
  for (const { code, stdout, stderr } of outcomes) {
    assert.equal(code, 0)
    assert.equal(
      stdout,
      [
        'run run',
        'steps 40000 in 10 iterations',
        'evaluation 1234.6 +- 7.9 over 40 episodes',
        `parameters sha256 ${'ab'.repeat(32)}`,
        '',
      ].join('\n'),
    )
    assert.equal(stderr, 'run is finished\n')
  }
  assert.equal(shorter.code, 2)
  assert.match(shorter.stderr, /^hatrpo: steps is 4000: it must be at least 40000[^\n]*\n$/)
})

test('several seeds end with their mean, and compare reads them: tables, files, absolute metrics', (t) => {
  const cwd = temporaryDirectory(t)
  const tiny = ['actor.hidden=[8]', 'critic.hidden=[8]', 'rolloutSteps=20']
  const task = [
    '--env',
    'games/two-peaks',
    '--algo',
    'hatrpo',
    '--envs',
    '4',
    '--steps',
    '160',
    '--workers',
    '0',
  ]
  const files = ['--svg', 'a.svg', '--html', 'a.html', '--marl-eval', 'a.json', '--workers', '0']
  const evaluated = ['evaluation.every=1', 'evaluation.episodes=2']
  const [trained, table, json, silent] = hatrpoEach(
    [
      ['train', ...task, '--seeds', '1-2', '--out', 'sweep', '--set', ...tiny, ...evaluated],
      ['compare', 'sweep', ...files],
      ['compare', 'sweep', '--json', '--resamples', '200'],
      ['train', ...task, '--seeds', '3,4', '--out', 'other', '--set', ...tiny, 'evaluation.every=0'],
    ],
    cwd,
  )
  const { tasks } = JSON.parse(json.stdout) as Comparison
  const [{ mean, sd, scores }] = tasks[0].methods
  assert.deepEqual(
    scores.map(({ dir }) => dir),
    ['sweep/s1', 'sweep/s2'],
  )
  const line = `seeds 1-2: evaluation return ${mean.toFixed(1)}, s.d. ${sd!.toFixed(1)} over 2 runs`
  assert.match(trained.stdout, new RegExp(`\n${line}\nparameters sha256 [0-9a-f]{64}\n$`))
  assert.match(
    silent.stdout,
    /\nseeds 3,4: training return -?[\d.]+, s\.d\. [\d.]+ over 2 runs\nparameters sha256 /,
  )
  assert.equal(table.code, 0, table.stderr)
  assert.match(table.stdout, /^games\/two-peaks\n=+\n\nevaluation return after 160 steps\nmethod /)
  assert.match(table.stderr, /^sweep\/s1: 20 episodes for its absolute metric$/m)
  assert.match(table.stderr, /^wrote a\.json$/m)
  for (const name of ['a.svg', 'a.html']) assert.match(readFileSync(join(cwd, name), 'utf8'), /<svg /)
  const tree = JSON.parse(readFileSync(join(cwd, 'a.json'), 'utf8')) as MarlEval
  const { seed_1: run } = tree.games['two-peaks'].hatrpo
  assert.deepEqual(Object.keys(run), ['step_0', 'step_1', 'absolute_metrics'])
  assert.equal(run.absolute_metrics.return.length, 20)
})

test('a single episode is printed in the singular', () => {
  assert.deepEqual([1, 2, 40].map(episodeCount), ['1 episode', '2 episodes', '40 episodes'])
})

test('without a terminal, a line about every ten seconds shows the progress of the training', () => {
  let now = 5000
  const lines: string[] = []
  const stream = { write: (line: string) => lines.push(line) } as unknown as NodeJS.WritableStream
  const progress = new LineProgress(stream, { verbose: false, total: 100, clock: () => now })
  // A run resumed at iteration 20, 4000 steps in 3 s.
  for (let iteration = 21; iteration <= 31; iteration++) {
    now += 3000
    progress.iteration(iterationRecord(iteration))
  }
  assert.deepEqual(lines, [
    'iteration 24 of 100: 96000 steps, return 230.0, 1333 steps/s, 4 min left\n',
    'iteration 28 of 100: 112000 steps, return 270.0, 1333 steps/s, 4 min left\n',
  ])
  assert.deepEqual([3.4, 99.4, 100, 5999, 11_100, 360_000].map(duration), [
    '3 s',
    '99 s',
    '2 min',
    '1 h 40 min',
    '3 h 05 min',
    '100 h 00 min',
  ])
})

test('seeds are lists and ranges', () => {
  assert.deepEqual(parseSeeds('1-5'), [1, 2, 3, 4, 5])
  assert.deepEqual(parseSeeds('7'), [7])
  assert.deepEqual(parseSeeds('3,1-2, 9'), [3, 1, 2, 9])
  for (const wrong of ['', '1-', '-1', '1..3', '1,,2', '2-1', '1-2,2', '1-99999999', '1e3'])
    assert.throws(() => parseSeeds(wrong), saying('--seeds is'), wrong)
})

test('a run is named after its environment, algorithm and seed, and has its own folder', (t) => {
  const before = process.cwd()
  t.after(() => process.chdir(before))
  process.chdir(temporaryDirectory(t))
  const config = testConfig('seed=3')
  assert.equal(makeRunFolder(config), join('runs', 'HalfCheetah-2x3-hatrpo-s3'))
  assert.equal(makeRunFolder(config), join('runs', 'HalfCheetah-2x3-hatrpo-s3-2'))
  assert.equal(makeRunFolder(config), join('runs', 'HalfCheetah-2x3-hatrpo-s3-3'))
  assert.equal(envName('./envs/my env.ts'), 'my_env')
  assert.equal(envName('mamujoco/Humanoid-9_8'), 'Humanoid-9_8')
  assert.equal(envName('npm:my-envs'), 'my-envs')
  assert.equal(envName('npm:@me/envs/cheetah'), 'cheetah')
})

test('a long phase is reported repeatedly, also while the thread is blocked', async (t) => {
  const file = join(temporaryDirectory(t), 'lines')
  const fd = openSync(file, 'w')
  t.after(() => closeSync(fd))
  const busy = new Busy({ first: 20, every: 20, fd })
  busy.phase('iteration 3: an update from 4000 steps')
  const lines = () => readFileSync(file, 'utf8').split('\n')
  const idle = new Int32Array(new SharedArrayBuffer(4))
  for (let waits = 0; waits < 2000 && lines().length < 4; waits++) Atomics.wait(idle, 0, 0, 10)
  for (const line of lines().slice(0, 3))
    assert.match(line, /^iteration 3: an update from 4000 steps, for \d+ s so far$/)
  busy.stop()

  // Names that change all the time do not begin another phase.
  truncateSync(file)
  const check = new Busy({ first: 50, every: 20, fd })
  check.phase('checking')
  for (let waits = 0; waits < 10_000 && lines().length < 3; waits++) {
    check.rename(`checking: step ${waits}`)
    Atomics.wait(idle, 0, 0, 2)
  }
  check.stop()
  for (const line of lines().slice(0, 2)) assert.match(line, /^\0*checking: step \d+, for \d+ s so far$/)
})
