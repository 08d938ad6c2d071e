import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { readMetrics } from '../../src/runs/metrics.js'
import { evaluate } from '../../src/training/evaluate.js'
import { findPython, markerFile, pythonEnv, pythonId } from '../envs/python.js'
import { findHosts } from '../hosts/find.js'
import { until } from './command.js'
import { isRunning, killAndResumePython, pidFolder } from './python-kills.js'
import { temporaryDirectory, tiny, tinyConfig, trained } from './runs.js'

const main = join(import.meta.dirname, '../../lib/cli/main.js')
const ITERATIONS = 2
const { missing } = findPython()

/** Digest of the parameters that a training of the team ends with: the first test finds it, other engines repeat it. */
let parametersHere = ''

test(
  'two workers train to the bits of one, also if Python dies, hangs or exits; no process remains',
  { skip: missing },
  async (t) => {
    const { folder, allEnd } = pidFolder(t)
    const config = (env: Parameters<typeof tinyConfig>[0]) => tinyConfig(env, ITERATIONS)
    const one = await trained(t, config(pythonEnv('team', { pids: folder })), { workers: 1 })
    assert.equal(one.finished, true)
    assert.deepEqual(one.events, [])
    parametersHere = one.parametersSha256
    const two = await trained(t, config(pythonEnv('team', { pids: folder })), { workers: 2 })
    assert.equal(two.parametersSha256, one.parametersSha256)
    for (const [what, how] of [
      ['die', /was killed by SIGKILL/],
      ['exit', /exited with code 3/],
      // A sleep takes no processor time. An endless loop of Python is tested in test/envs/pettingzoo.test.ts.
      ['sleep', /gave no answer for 2 s/],
    ] as const) {
      const env = pythonEnv('breaking', { what, once: markerFile(t), pids: folder }, { timeout: 2 })
      const run = await trained(t, config(env), { workers: 2 })
      assert.equal(run.parametersSha256, one.parametersSha256, what)
      assert.equal(run.events.length, 1, run.events.join('\n'))
      assert.match(run.events[0], how)
      const faults = run.records.map((record) => record.faults)
      const total = (key: keyof (typeof faults)[number]) => faults.reduce((sum, each) => sum + each[key], 0)
      assert.deepEqual(
        [total('environmentRestarts'), total('workerRestarts'), total('brokenSteps')],
        [1, 0, 0],
        what,
      )
    }
    await allEnd()
  },
)

test(
  'a step that hangs twice is broken for its environment, and its worker does not count as hanging',
  { skip: missing },
  async (t) => {
    const env = pythonEnv('breaking', { what: 'sleep', once: markerFile(t), times: 2 }, { timeout: 5 })
    // Two timeouts exceed the time after which a worker counts as hanging.
    const run = await trained(t, tinyConfig(env, ITERATIONS), { workers: 1, workerPatience: 8000 })
    const [first] = run.records.map((record) => record.faults)
    assert.deepEqual(first, { environmentRestarts: 2, workerRestarts: 0, brokenSteps: 1 })
    assert.match(
      run.events.join('\n'),
      /its Python gave no answer for 5 s, twice in this step; the environment/,
    )
  },
)

for (const host of Object.values(findHosts())) {
  test(`${host.name} trains to the same bits`, { skip: missing || host.missing }, async (t) => {
    const { folder, allEnd } = pidFolder(t)
    const env = pythonEnv('team', { pids: folder })
    const options = ['--env', env.id, '--algo', 'hatrpo', '--workers', '2', '--steps', `${ITERATIONS * 80}`]
    const out = join(temporaryDirectory(t), 'run')
    const args = [
      main,
      'train',
      ...options,
      '--out',
      out,
      '--set',
      ...tiny,
      `env.kwargs=${String(env.kwargs)}`,
    ]
    const { status, stdout, stderr } = spawnSync(host.path, [...host.args, ...args], { encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    assert.equal(stdout.trim().split('\n').at(-1), `parameters sha256 ${parametersHere}`)
    await allEnd()
  })
}

for (const what of ['throw', 'die'] as const) {
  test(
    `steps that always ${what} are reported, counted and excluded, with any number of workers`,
    { skip: missing },
    async (t) => {
      const config = (how: string) => tinyConfig(pythonEnv('breaking', { what: how, every: 4 }), ITERATIONS)
      const [one, two, thrown] = await Promise.all([
        trained(t, config(what), { workers: 1 }),
        trained(t, config(what), { workers: 2 }),
        ...(what === 'throw' ? [] : [trained(t, config('throw'), { workers: 0 })]),
      ])
      assert.equal(one.parametersSha256, two.parametersSha256)
      if (thrown) assert.equal(one.parametersSha256, thrown.parametersSha256)
      const resets = one.records.reduce((sum, { faults }) => sum + faults.brokenSteps, 0)
      assert.ok(resets > 0)
      const named = (events: readonly string[]) => events.filter((event) => /^environment \d/.test(event))
      assert.equal(named(one.events).length, resets)
      assert.deepEqual(named(one.events), named(two.events))
      const how = {
        throw: /ValueError: the wheel came off \(games\.py:\d+\)/,
        die: /was killed by SIGKILL, twice/,
      }
      for (const event of named(one.events)) {
        assert.match(event, how[what])
        assert.match(event, /^environment \d, step \d+: .*; the environment was reset$/)
      }
    },
  )
}

test(
  'a run killed at any moment resumes to the same bits, and leaves no Python process',
  { skip: missing },
  (t) => killAndResumePython(t, 1),
)

test(
  'a hanging Python ends with a killed run; Ctrl-C reaches only the run, which ends all processes of Python',
  { skip: missing },
  async (t) => {
    const { folder, allEnd } = pidFolder(t)
    const marker = markerFile(t)
    const start = (name: string, kwargs: Record<string, unknown>, ...more: string[]) => {
      const { id, kwargs: text } = pythonEnv(name, { ...kwargs, pids: folder })
      const out = join(temporaryDirectory(t), 'run')
      const settings = ['--set', ...tiny, ...more, `env.kwargs=${String(text)}`]
      const args = ['train', '--env', id, '--algo', 'hatrpo', '--workers', '1', '--out', out, ...settings]
      const child = spawn(process.execPath, [main, ...args], {
        stdio: ['ignore', 'ignore', 'pipe'],
        detached: true,
      })
      let stderr = ''
      child.stderr.on('data', (text: Buffer) => (stderr += text.toString()))
      return { child, out, stderr: () => stderr }
    }
    const hanging = start('breaking', { what: 'hang', once: marker })
    await until(hanging.child, () => existsSync(marker))
    hanging.child.kill('SIGKILL')
    await allEnd()

    const running = start('team', { forks: true }, 'steps=1000000000')
    const metrics = join(running.out, 'metrics.jsonl')
    await until(running.child, () => existsSync(metrics) && readMetrics(metrics).length > 1)
    for (const pid of readdirSync(folder).map(Number)) if (isRunning(pid)) process.kill(pid, 'SIGINT')
    process.kill(-running.child.pid!, 'SIGINT')
    // The end of stderr: no process keeps it open.
    const [code] = (await once(running.child, 'close')) as [number]
    assert.equal(code, 130, running.stderr())
    assert.doesNotMatch(running.stderr(), /Traceback|KeyboardInterrupt|was started again/)
    await allEnd()
  },
)

test(
  'a run is evaluated, exported and evaluated again, with the same returns',
  { skip: missing },
  async (t) => {
    const { folder, allEnd } = pidFolder(t)
    const config = tinyConfig(pythonEnv('team', { pids: folder }), ITERATIONS)
    const run = await trained(t, config, { workers: 0 })
    const { returns } = await evaluate({ source: run.dir, episodes: 3, seed: 2, workers: 2 })
    assert.equal(new Set(returns).size, 3)
    const bundle = join(temporaryDirectory(t), 'bundle')
    const exported = spawnSync(process.execPath, [main, 'export', run.dir, '--out', bundle], {
      encoding: 'utf8',
    })
    assert.equal(exported.status, 0, exported.stderr)
    const args = ['eval', bundle, '--episodes', '3', '--seed', '2', '--workers', '0', '--json']
    const evaluated = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' })
    assert.equal(evaluated.status, 0, evaluated.stderr)
    assert.deepEqual((JSON.parse(evaluated.stdout) as { returns: number[] }).returns, returns)
    await allEnd()
  },
)

test(
  'the command reports mistakes in one line, with exit code 2, and makes no folder',
  { skip: missing },
  (t) => {
    const out = join(temporaryDirectory(t), 'run')
    const train = (...args: string[]) =>
      spawnSync(process.execPath, [main, 'train', '--algo', 'hatrpo', '--out', out, ...args], {
        encoding: 'utf8',
      })
    const missing = train('--env', pythonId('team'), '--set', 'env.python=no-such-python')
    assert.equal(missing.status, 2)
    assert.match(
      missing.stderr,
      /^hatrpo: .*env\.python is "no-such-python" and there is no such program[^\n]*\n$/,
    )
    const failing = ['--env', pythonId('breaking'), '--set', 'env.kwargs={"what":"throw","colour":2}']
    const failed = train(...failing)
    assert.equal(failed.status, 1)
    assert.match(failed.stderr, /^hatrpo: [^\n]*unexpected keyword argument 'colour'[^\n]*\n$/)
    assert.match(train(...failing, '--verbose').stderr, /\nTraceback \(most recent call last\):\n/)
    const unknown = train('--env', 'no/such')
    assert.equal(unknown.status, 2)
    assert.match(unknown.stderr, /pettingzoo:MODULE:FACTORY/)
    assert.ok(!existsSync(out))
  },
)
