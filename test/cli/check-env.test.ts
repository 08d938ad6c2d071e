import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { findPython, pythonId } from '../envs/python.js'
import { temporaryDirectory } from '../runs/fixtures.js'
import { hatrpo as run } from './command.js'

/** Runs the command. @returns its output, without the stages printed on a slow machine */
function hatrpo(...args: Parameters<typeof run>): ReturnType<typeof run> {
  const result = run(...args)
  return { ...result, stderr: result.stderr.replace(/^checking .*, for \d+ s so far\n/gm, '') }
}

/** TypeScript environment of one agent on a line. Tests may replace parts of it. */
const line = `
import { box, defineEnv, RUNNING, TERMINATED } from 'hatrpo/env'

export default defineEnv((options) => ({
  spec: {
    id: 'line',
    agents: [{ id: 'walker', observation: box(2), action: box(1, -1, 1) }],
    stateSize: 3,
    timeLimit: 30,
    mode: 'cooperative',
  },
  memory: () => ({ x: new Float64Array(1) }),
  reset({ memory, random }) {
    memory.x[0] = random.uniform()
  },
  step({ memory, actions, rewards }) {
    memory.x[0] += 0.1 * Math.max(-1, Math.min(1, actions[0][0]))
    rewards[0] = -memory.x[0] * memory.x[0]
    return memory.x[0] > Number(options.end ?? 1e9) ? TERMINATED : RUNNING
  },
  observe({ memory, observations, state }) {
    observations[0][0] = state[0] = memory.x[0]
    observations[0][1] = state[1] = memory.x[0] * memory.x[0]
    state[2] = 1
  },
}))
`

/** Writes a file to a new directory. @returns function that runs check-env there */
function project(
  t: TestContext,
  name: string,
  code: string,
): (...args: string[]) => ReturnType<typeof hatrpo> {
  const cwd = temporaryDirectory(t)
  writeFileSync(join(cwd, name), code)
  return (...args) => hatrpo(['check-env', ...args], cwd)
}

test('a valid environment: a description, its episodes and exit code 0', (t) => {
  const check = project(t, 'line.ts', line)
  const { code, stdout, stderr } = check('./line.ts', '--episodes', '2')
  assert.equal(stderr, '')
  assert.equal(code, 0)
  const lines = stdout.trim().split('\n')
  assert.equal(lines[0], './line.ts (line): 1 agent, cooperative, state 3, time limit 30')
  assert.equal(lines[1], '  walker  observation 2, action 1 in [-1, 1]')
  assert.match(
    lines[2],
    /^episodes 2 of random actions: 30 steps \(2 truncated\), return -\d+\.\d\d to -\d+\.\d\d, \d+ steps\/s$/,
  )
  assert.equal(lines[3], 'restored by saveState and loadState')
  assert.match(lines[4], /^checked {2}spec, shape, .*, allocation$/)
  assert.equal(lines[5], 'note     [2] of state never changed in 60 steps of random actions')
  assert.equal(lines[6], 'nothing wrong found')
})

test('options are passed to the environment, with and without the prefix env.; --json prints the report', (t) => {
  const check = project(t, 'line.ts', line)
  for (const setting of ['end=-5', 'env.end=-5']) {
    const { code, stdout } = check('line.ts', '--json', '--seed', '4', '--set', setting)
    assert.equal(code, 0)
    const report = JSON.parse(stdout) as {
      env: object
      spec: { agents: { observation: { low: unknown[] }; action: { low: unknown[] } }[] }
      episodes: { steps: number; end: string }[]
      findings: unknown[]
    }
    assert.deepEqual(report.env, { end: -5, id: 'line.ts' })
    assert.deepEqual(report.findings, [])
    assert.deepEqual(report.spec.agents[0].observation.low, [null, null])
    assert.deepEqual(report.spec.agents[0].action.low, [-1])
    assert.deepEqual(
      report.episodes.map(({ steps, end }) => [steps, end]),
      [1, 1, 1].map((steps) => [steps, 'terminated']),
    )
  }
})

test('errors are printed on stdout, one per line, and the exit code is 1', (t) => {
  const broken = line.replace('box(2)', 'box(2, 0, 0.5)').replace('random.uniform()', '1 + Math.random()')
  const { code, stdout, stderr } = project(t, 'line.ts', broken)('./line.ts')
  assert.equal(code, 1)
  assert.equal(stderr, '')
  const found = stdout.split('\n').filter((text) => text.startsWith('error'))
  assert.match(
    found[0],
    /^error {4}bounds: observations\[0\]\[0\] is \S+ after reset\(\d+\), outside \[0, 0\.5\]: widen the space/,
  )
  assert.match(found[1], /^error {4}determinism: the episode of seed \d+, run again/)
  assert.match(stdout, /^2 errors, 0 warnings\n$/m)
})

test('the exit code is 0 if there are only warnings', (t) => {
  const broken = line
    .replace('random.uniform()', '0.5')
    .replace('box(2)', 'box(1)')
    .replace(/.*\[1\] = .*\n/, '')
  const { code, stdout } = project(t, 'line.ts', broken)('./line.ts')
  assert.equal(code, 0)
  assert.match(
    stdout,
    /^warning {2}narrow-input: observation of agent walker has 1 number and with its id \(actor\.agentId\) 2, which /m,
  )
  assert.match(stdout, /^warning {2}seed-ignored: .*\n0 errors, 2 warnings\n$/m)
})

test('every missing part of an incomplete environment is reported', (t) => {
  const broken = 'export default () => ({ spec: { id: "half" }, step() {} })'
  const { code, stdout } = project(t, 'half.mjs', broken)('half.mjs')
  assert.equal(code, 1)
  const found = stdout.split('\n').filter((text) => text.startsWith('error'))
  assert.deepEqual(
    found.map((text) => /(\w+: [\w.]+) is/.exec(text)?.[1]),
    ['shape: reset', 'spec: spec.agents', 'spec: spec.stateSize', 'spec: spec.timeLimit', 'spec: spec.mode'],
  )
})

test('an environment that throws on creation is a finding; a missing file is a usage error', (t) => {
  const check = project(t, 'oops.mjs', 'export default () => { throw new TypeError("no robot") }')
  const made = check('oops.mjs')
  assert.equal(made.code, 1)
  assert.match(made.stdout, /^error {4}throws: making an environment threw .*no robot/m)
  const missing = check('./missing.ts')
  assert.equal(missing.code, 2)
  assert.equal(missing.stdout, '')
  assert.match(missing.stderr, /^hatrpo: environment \.\/missing\.ts: there is no file .*missing\.ts\n$/)
})

test('invalid flags are usage errors of one line', (t) => {
  const cwd = temporaryDirectory(t)
  const wrong: [string[], RegExp][] = [
    [[], /missing required argument 'id\|file'/],
    [['mamujoco/Reacher-2x1', '--episodes', '0'], /--episodes is "0": it must be a whole number from 1/],
    [['mamujoco/Reacher-2x1', '--seed', 'x'], /--seed is "x": it must be a whole number from 0/],
    [
      ['mamujoco/Reacher-2x1', '--set', 'partition'],
      /--set is "partition": it must be an option of the environment/,
    ],
    [['mamujoco/Reacher-2x1', '--set', 'partition=graf'], /partition=graf: must be/],
  ]
  for (const [args, message] of wrong) {
    const { code, stdout, stderr } = hatrpo(['check-env', ...args], cwd)
    assert.equal(code, 2, args.join(' '))
    assert.equal(stdout, '')
    assert.match(stderr, message)
    assert.equal(stderr.split('\n').length, 2)
  }
})

const { missing } = findPython()

test('a Python environment is checked over the bridge', { skip: missing }, () => {
  const { code, stdout, stderr } = hatrpo(['check-env', pythonId('team')], process.cwd())
  assert.equal(stderr, '')
  assert.match(stdout, /^note {5}allocation was not checked: the check is switched off$/m)
  assert.match(stdout, /^nothing wrong found$/m)
  assert.equal(code, 0)
})
