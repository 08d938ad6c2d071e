import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs, { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { hostname } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { RunLock } from '../../src/runs/lock.js'
import { processStart } from '../../src/runs/processes.js'
import { saying, temporaryDirectory } from './fixtures.js'

function writeLock(dir: string, owner: object | string): void {
  writeFileSync(join(dir, 'lock'), typeof owner === 'string' ? owner : JSON.stringify(owner))
}

function assertTakes(dir: string): void {
  const lock = new RunLock(dir)
  assert.equal((JSON.parse(readFileSync(lock.path, 'utf8')) as { pid: number }).pid, process.pid)
  assert.deepEqual(readdirSync(dir), ['lock'])
  lock.release()
  assert.deepEqual(readdirSync(dir), [])
}

test('a lock is held until it is released', (t) => {
  const dir = temporaryDirectory(t)
  const lock = new RunLock(dir)
  assert.throws(() => new RunLock(dir), saying(dir, `in use by process ${process.pid}`, join(dir, 'lock')))
  lock.assertHeld()
  lock.release()
  assertTakes(dir)
})

test('the lock of another running process is refused, and is stale after its end', async (t) => {
  const dir = temporaryDirectory(t)
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  const { pid } = child
  writeLock(dir, { pid, host: hostname(), start: processStart(pid!) })
  assert.throws(() => new RunLock(dir), saying(`in use by process ${pid!}`))
  child.kill('SIGKILL')
  await once(child, 'exit')
  assertTakes(dir)
})

test('a zombie process does not hold its lock', { skip: !existsSync('/proc/self/stat') }, (t) => {
  const dir = temporaryDirectory(t)
  // The shell starts a child and becomes a program that never waits for it: the child stays as a zombie.
  const parent = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 30'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  t.after(() => parent.kill('SIGKILL'))
  return once(parent.stdout, 'data').then(async ([data]) => {
    const pid = Number(String(data))
    const state = () => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1][0]
    for (let tries = 0; tries < 200 && state() !== 'Z'; tries++)
      await new Promise((wake) => setTimeout(wake, 10))
    assert.equal(state(), 'Z')
    assert.equal(processStart(pid), undefined)
    writeLock(dir, { pid, host: hostname(), start: 'whatever' })
    assertTakes(dir)
  })
})

test(
  'a lock whose process id was reused by another process is stale',
  { skip: !existsSync('/proc/self/stat') },
  (t) => {
    const dir = temporaryDirectory(t)
    const start = processStart(process.pid)!
    const [boot, ticks] = start.split(':')
    assert.match(ticks, /^\d+$/)
    writeLock(dir, { pid: process.pid, host: hostname(), start: `${boot}:${Number(ticks) - 1}` })
    assertTakes(dir)
    writeLock(dir, { pid: process.pid, host: hostname(), start: `another-boot:${ticks}` })
    assertTakes(dir)
  },
)

/** Writes the lock of a process on another host, with the age of its last refresh in seconds. */
function writeForeignLock(dir: string, age: number): void {
  writeLock(dir, { pid: 1, host: `not-${hostname()}`, start: '' })
  const path = join(dir, 'lock')
  const then = statSync(path).mtimeMs / 1000 - age
  utimesSync(path, then, then)
}

test('the lock of another host is refused until two minutes after its last refresh', (t) => {
  const dir = temporaryDirectory(t)
  for (const age of [0, 90]) {
    writeForeignLock(dir, age)
    assert.throws(
      () => new RunLock(dir),
      saying(
        `${dir} is in use by process 1 on not-${hostname()}: its lock was refreshed`,
        's ago and is stale after 120 s',
        `delete ${join(dir, 'lock')}`,
      ),
    )
  }
  writeForeignLock(dir, 125)
  assertTakes(dir)
})

test('the age of a lock does not depend on the clock of this host', (t) => {
  const dir = temporaryDirectory(t)
  const now = Date.now()
  const hour = 3_600_000
  for (const skew of [-hour, hour]) {
    t.mock.method(Date, 'now', () => now + skew)
    writeForeignLock(dir, 90)
    assert.throws(() => new RunLock(dir), saying('in use by process 1 on'))
    writeForeignLock(dir, 125)
    assertTakes(dir)
  }
})

test('a lock is refreshed while its process is busy, until it is released', (t) => {
  const dir = temporaryDirectory(t)
  const lock = new RunLock(dir, 20)
  const content = readFileSync(lock.path, 'utf8')
  const pause = new Int32Array(new SharedArrayBuffer(4))
  const refreshes = () => {
    utimesSync(lock.path, 1000, 1000)
    for (let waits = 0; waits < 1000 && statSync(lock.path).mtimeMs === 1_000_000; waits++)
      Atomics.wait(pause, 0, 0, 10)
    return statSync(lock.path).mtimeMs > 1_000_000
  }
  assert.ok(refreshes())
  assert.ok(refreshes())
  assert.equal(readFileSync(lock.path, 'utf8'), content)
  lock.assertHeld()
  lock.release()
  writeFileSync(lock.path, content)
  utimesSync(lock.path, 1000, 1000)
  Atomics.wait(pause, 0, 0, 200)
  assert.equal(statSync(lock.path).mtimeMs, 1_000_000)
})

test('a lock taken over by another process is not refreshed by the former owner', (t) => {
  const dir = temporaryDirectory(t)
  const lock = new RunLock(dir, 20)
  writeForeignLock(dir, 125)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
  new RunLock(dir).release()
  lock.release()
})

test('a damaged lock is stale', (t) => {
  const dir = temporaryDirectory(t)
  for (const damaged of ['', '{"pid":', '{"pid":"x"}', '[]']) {
    writeLock(dir, damaged)
    assertTakes(dir)
  }
})

test('a lock taken over by another process is detected and not released', (t) => {
  const dir = temporaryDirectory(t)
  const lock = new RunLock(dir)
  writeLock(dir, { pid: 1, host: hostname(), start: 'x' })
  assert.throws(() => lock.assertHeld(), saying(lock.path, 'taken by another process'))
  lock.release()
  assert.equal(existsSync(lock.path), true)
})

test('a lock on a read-only disk is abandoned without a further error', (t) => {
  const lock = new RunLock(temporaryDirectory(t))
  const { mock } = t.mock.method(fs, 'rmSync', () => {
    throw Object.assign(new Error('EROFS: read-only file system'), { code: 'EROFS' })
  })
  syncBuiltinESMExports()
  try {
    lock.release()
  } finally {
    mock.restore()
    syncBuiltinESMExports()
  }
})

test('of many processes that find a stale lock, one gets the folder', (t) => {
  const dir = temporaryDirectory(t)
  writeLock(dir, { pid: 2 ** 30, host: hostname(), start: 'x' })
  const script = join(import.meta.dirname, 'take-lock.js')
  const racers = `for i in 1 2 3 4 5 6; do "${process.execPath}" "${script}" "${dir}" & done; wait`
  const { stdout } = spawnSync('sh', ['-c', racers], { encoding: 'utf8' })
  assert.deepEqual(stdout.trim().split('\n').sort(), [
    'held',
    'refused',
    'refused',
    'refused',
    'refused',
    'refused',
  ])
})
