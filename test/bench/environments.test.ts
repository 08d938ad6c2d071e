import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import test from 'node:test'
import { fileURLToPath } from 'node:url'

const bench = fileURLToPath(new URL('../../bench/environments.js', import.meta.url))
const TINY = ['mamujoco/Reacher-2x1', '--rounds', '2', '--steps', '10']

function run(args: string[], env: Record<string, string> = {}) {
  return spawnSync(process.execPath, [bench, ...args], { encoding: 'utf8', env: { ...process.env, ...env } })
}

test('the environment benchmark prints JSON, without native figures if there is no compiler', () => {
  const { status, stdout, stderr } = run([...TINY, '--json'], { CC: 'no-such-compiler' })
  assert.equal(status, 0, stderr)
  assert.match(stderr, /^native figures are left out: there is no C compiler no-such-compiler: .+\n$/)
  const { host, results } = JSON.parse(stdout) as {
    host: Record<string, string>
    results: { name: string; unit: string; median: number; min: number; max: number }[]
  }
  assert.equal(host['node'], process.version)
  assert.deepEqual(
    results.map(({ name, unit }) => [name, unit]),
    [
      ['mamujoco/Reacher-2x1 env.step()', 'us'],
      ['mamujoco/Reacher-2x1 mj_step, same binary', 'us'],
      ['mamujoco/Reacher-2x1 env.step() / mj_step, same binary', 'x'],
      ['mamujoco/Reacher-2x1 memory of a world', 'KiB'],
    ],
  )
  for (const { name, median, min, max } of results) {
    assert.ok(0 < min && min <= median && median <= max, `${name}: ${min}, ${median}, ${max}`)
  }
})

test('the environment benchmark reports a wrong id or number in one line, exit code 2', () => {
  for (const [args, message] of [
    [
      ['mamujoco/Cheetah-2x3'],
      /^environment mamujoco\/Cheetah-2x3: no such environment; did you mean mamujoco\/HalfCheetah-2x3\? .+\n$/,
    ],
    [['--rounds', '0'], /^--rounds 0: must be a whole number from 1\n$/],
    [['--round', '1'], /^Unknown option '--round'.*\n$/],
  ] as const) {
    const { status, stderr } = run([...args])
    assert.match(stderr, message)
    assert.equal(status, 2)
  }
})
