import assert from 'node:assert/strict'
import test from 'node:test'
import { hatrpo } from '../cli/command.js'

interface Result {
  name: string
  unit: string
  median: number
  min: number
  max: number
}

const UNITS = ['GFLOP/s', '%', 'ms', 'us', 'x', 'trials', 'steps/s', 'MiB', 'KiB']

/** Results of a bench with as little work as there can be. */
function measure(name: string, ...args: string[]): Result[] {
  const tiny = ['--rounds', '1', '--batch', '20', '--env', 'mamujoco/Reacher-2x1', '--json']
  const { code, stdout, stderr } = hatrpo(['bench', name, ...tiny, ...args], process.cwd())
  assert.equal(code, 0, stderr)
  assert.equal(stderr, '')
  const { host, results, ...rest } = JSON.parse(stdout) as { host: Record<string, string>; results: Result[] }
  assert.deepEqual(rest, {})
  assert.deepEqual(Object.keys(host).sort(), ['arch', 'cpu', 'node', 'platform'])
  assert.equal(host['node'], process.version)
  for (const result of results) {
    const { name: title, unit, median, min, max } = result
    assert.deepEqual(Object.keys(result), ['name', 'unit', 'median', 'min', 'max'])
    assert.ok(UNITS.includes(unit), `${title}: ${unit}`)
    assert.ok(0 <= min && min <= median && median <= max && max < Infinity, `${title}: ${median}`)
  }
  const names = results.map((result) => result.name)
  assert.equal(new Set(names).size, names.length, 'names are unique')
  return results
}

/** Names of results that are missing. */
function missing(results: readonly Result[], names: readonly string[]): string[] {
  return names.filter((name) => !results.some((result) => result.name === name))
}

test('the learner benchmark has kernels, updates by thread, and the parts of an update', () => {
  const results = measure('learner', '--threads', '1,2')
  assert.deepEqual(
    missing(results, [
      'peak of 128-bit vectors',
      'weight gradient 128 to 128',
      'weight gradient 128 to 128, share of the peak',
      'Reacher-2x1 hatrpo update, 1 thread',
      'Reacher-2x1 hatrpo update, 2 threads, processor',
      'Reacher-2x1 hatrpo update, solver fast, 2 threads',
      'Reacher-2x1 hatrpo update, 2 threads against 1',
      'Reacher-2x1 happo critic, 2 threads',
      'Reacher-2x1 conjugate-gradient product, 1 thread',
    ]),
    [],
  )
  const trials = results.find(({ name }) => name === 'Reacher-2x1 hatrpo update, 1 thread, line search')
  assert.ok(trials && trials.median >= 1)
})

test('the rollout benchmark has physics, shares of an iteration, start-up and memory', () => {
  const results = measure('rollout', '--threads', '1')
  assert.deepEqual(
    missing(results, [
      'Reacher-2x1 env.step() / mj_step, same binary',
      'Reacher-2x1 rollout, 1 worker',
      'Reacher-2x1 iteration, 1 worker',
      'Reacher-2x1 iteration, solver fast, 1 worker',
      'Reacher-2x1 start to the end of the first rollout, 1 worker',
      'Reacher-2x1 memory of the process, 1 worker',
    ]),
    [],
  )
  const shares = results.filter(({ name }) => name.includes('share of an iteration'))
  assert.equal(shares.length, 4)
  const whole = shares.reduce((sum, { median }) => sum + median, 0)
  assert.ok(Math.abs(whole - 100) < 1e-6, String(whole))
})
