import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import type { IterationRecord } from '../../src/index.js'
import { findPython } from '../envs/python.js'
import { findHosts, type Host } from '../hosts/find.js'
import {
  digests,
  expected,
  ITERATIONS,
  ONE_OF_EACH_RULE,
  pinnedRuns,
  portable,
  workersFor,
  type PinnedRun,
} from './pinned-runs.js'
import { temporaryDirectory, tinyConfig, trained } from './runs.js'

function configOf({ env, set }: PinnedRun, t: TestContext) {
  return tinyConfig(typeof env === 'function' ? env(t) : env, ITERATIONS, ...set)
}

for (const [name, pinned] of Object.entries(pinnedRuns)) {
  const skip = pinned.needsPython ? findPython().missing : false
  test(`pinned: ${name}`, { skip }, async (t) => {
    const run = await trained(t, configOf(pinned, t), { workers: workersFor(name) })
    assert.deepEqual(run.events, [])
    assert.deepEqual(digests(run), expected(pinned))
  })
}

for (const name of ONE_OF_EACH_RULE) {
  test(`a run that is stopped twice and resumed has the same digests: ${name}`, async (t) => {
    const pinned = pinnedRuns[name]
    const config = configOf(pinned, t)
    const dir = join(temporaryDirectory(t), 'run')
    for (const [stopAfter, workers] of [
      [1, 1],
      [3, 2],
    ]) {
      const stop = new AbortController()
      const onIteration = ({ iteration }: IterationRecord) => {
        if (iteration === stopAfter) stop.abort()
      }
      const { signal } = stop
      const part = await trained(t, config, { dir, workers, resume: stopAfter > 1, signal, onIteration })
      assert.equal(part.finished, false)
      assert.equal(part.iterations, stopAfter)
    }
    const whole = await trained(t, config, { dir, workers: 0, resume: true })
    assert.equal(whole.finished, true)
    assert.deepEqual(digests(whole), expected(pinned))
  })
}

/** Asserts that an engine prints the digests of runs. */
function assertPrinted({ path, args }: Host, names: readonly string[], ...options: string[]): void {
  const script = join(import.meta.dirname, 'print-pinned.js')
  const { status, stdout, stderr } = spawnSync(path, [...args, script, ...options], { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  const wanted = names.map((name) => [name, expected(pinnedRuns[name])])
  assert.deepEqual(JSON.parse(stdout), Object.fromEntries(wanted))
}

const hosts = findHosts()

for (const host of Object.values(hosts)) {
  test(`${host.name} has the same digests`, { skip: host.missing }, () => assertPrinted(host, portable))
}

test('wide vectors give the same digests', { skip: hosts.node26.missing }, () => {
  // Runs this short would end before V8 compiles their kernels with its optimising tier, which alone widens vectors.
  const args = [...hosts.node26.args, '--wasm-tiering-budget=1']
  assertPrinted({ ...hosts.node26, args }, ONE_OF_EACH_RULE, 'wide', ...ONE_OF_EACH_RULE)
})
