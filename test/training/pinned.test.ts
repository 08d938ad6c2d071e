import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import type { IterationRecord } from '../../src/index.js'
import { findPython } from '../envs/python.js'
import { findHosts } from '../hosts/find.js'
import { digests, expected, ITERATIONS, pinnedRuns, portable, type PinnedRun } from './pinned-runs.js'
import { temporaryDirectory, tinyConfig, trained } from './runs.js'

function configOf({ env, set }: PinnedRun, t: TestContext) {
  return tinyConfig(typeof env === 'function' ? env(t) : env, ITERATIONS, ...set)
}

for (const [name, pinned] of Object.entries(pinnedRuns)) {
  const skip = pinned.needsPython ? findPython().missing : false
  test(`pinned: ${name}`, { skip }, async (t) => {
    const run = await trained(t, configOf(pinned, t))
    assert.deepEqual(run.events, [])
    assert.deepEqual(digests(run), expected(pinned))
  })
}

for (const name of [
  'hatrpo, mini-batches, bootstrap',
  'happo, mini-batches, decay, distinct clips, bootstrap',
]) {
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
    const whole = await trained(t, config, { dir, resume: true })
    assert.equal(whole.finished, true)
    assert.deepEqual(digests(whole), expected(pinned))
  })
}

for (const host of Object.values(findHosts())) {
  test(`${host.name} has the same digests`, { skip: host.missing }, () => {
    const script = join(import.meta.dirname, 'print-pinned.js')
    const { status, stdout, stderr } = spawnSync(host.path, [...host.args, script], { encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    assert.deepEqual(
      JSON.parse(stdout),
      Object.fromEntries(portable.map((name) => [name, expected(pinnedRuns[name])])),
    )
  })
}
