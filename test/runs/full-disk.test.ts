import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { listCheckpoints } from '../../src/runs/checkpoint.js'
import { openRun, readRunCheckpoint } from '../../src/runs/folder.js'
import { checkpointData, iterationRecord, saying, temporaryDirectory, testConfig } from './fixtures.js'

type Call = 'writeSync' | 'fsyncSync' | 'renameSync' | 'mkdirSync'

/** From the `count`-th call on, a function of node:fs fails as it does on a full disk. */
function failFrom(t: TestContext, name: Call, count: number): { restore(): void } {
  const original = fs[name] as (...args: unknown[]) => unknown
  let calls = 0
  const mock = t.mock.method(fs, name, (...args: unknown[]) => {
    if (++calls < count) return original(...args)
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
  })
  syncBuiltinESMExports()
  const restore = () => {
    mock.mock.restore()
    syncBuiltinESMExports()
  }
  t.after(restore)
  return { restore }
}

test('a disk that fills up at any point of a checkpoint leaves the previous one intact', (t) => {
  const points: [Call, number][] = [
    ['mkdirSync', 1],
    ['writeSync', 1],
    ['writeSync', 4],
    ['fsyncSync', 2],
    ['fsyncSync', 5],
    ['renameSync', 1],
  ]
  for (const [name, count] of points) {
    const dir = temporaryDirectory(t)
    const run = openRun(dir, testConfig())
    run.saveCheckpoint(1, 4000, checkpointData(1))
    const failing = failFrom(t, name, count)
    assert.throws(
      () => run.saveCheckpoint(2, 8000, checkpointData(2)),
      (error: { exitCode: number } & Error) =>
        error.exitCode === 1 && saying('the disk is full (ENOSPC', dir, 'free some space', '--resume')(error),
      `${name} ${count}`,
    )
    failing.restore()
    run.close()
    assert.deepEqual(listCheckpoints(dir), [1])
    assert.deepEqual(fs.readdirSync(join(dir, 'checkpoints')), ['000001'])
    assert.equal(readRunCheckpoint(dir).iteration, 1)
    const resumed = openRun(dir, testConfig(), { resume: true })
    resumed.saveCheckpoint(2, 8000, checkpointData(2))
    resumed.close()
    assert.deepEqual(listCheckpoints(dir), [1, 2])
  }
})

test('a full disk while an iteration is logged is reported in one line', (t) => {
  const dir = temporaryDirectory(t)
  const run = openRun(dir, testConfig())
  const failing = failFrom(t, 'writeSync', 1)
  assert.throws(() => run.logIteration(iterationRecord(1)), saying('the disk is full', 'metrics.jsonl'))
  failing.restore()
  run.close()
})

const namespaces = spawnSync('unshare', ['-Urm', 'true']).status === 0

test('a file system that really fills up', { skip: !namespaces && 'needs user namespaces' }, (t) => {
  const dir = temporaryDirectory(t)
  const disk = join(dir, 'disk')
  const rest = join(dir, 'rest')
  fs.mkdirSync(disk)
  const script = join(import.meta.dirname, 'fill-disk.js')
  const steps = [
    `mount -t tmpfs -o size=512k none ${disk}`,
    `${process.execPath} ${script} ${disk}/run`,
    `cp -r ${disk}/run ${rest}`,
  ]
  const { stdout, stderr, status } = spawnSync('unshare', ['-Urm', 'sh', '-ec', steps.join('\n')], {
    encoding: 'utf8',
  })
  assert.equal(status, 0, stderr)
  const { written, message, exitCode } = JSON.parse(stdout) as {
    written: number
    message: string
    exitCode: number
  }
  assert.match(message, /^the disk is full \(ENOSPC while writing [^\n]*$/)
  assert.equal(exitCode, 1)
  assert.ok(written >= 5 && written < 13, `${written} checkpoints of 40 kB in 512 kB`)
  assert.equal(listCheckpoints(rest).length, written)
  const { iteration, tensors } = readRunCheckpoint(rest)
  assert.equal(iteration, written)
  assert.deepStrictEqual(tensors['actors/agent_0'], new Float32Array(10_000).fill(written))
})
