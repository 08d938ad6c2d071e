import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
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

test('the lock of another living process is refused, and is stale once that has ended', async (t) => {
  const dir = temporaryDirectory(t)
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  const { pid } = child
  writeLock(dir, { pid, host: hostname(), start: processStart(pid!) })
  assert.throws(() => new RunLock(dir), saying(`in use by process ${pid!}`))
  child.kill('SIGKILL')
  await once(child, 'exit')
  assertTakes(dir)
})

test(
  'a process that ended and was not waited for does not hold its lock',
  { skip: !existsSync('/proc/self/stat') },
  (t) => {
    const dir = temporaryDirectory(t)
    // The shell starts a child and becomes a program that never waits for it: the child stays as a zombie.
    const parent = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 30'], {
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
  },
)

test(
  'a lock whose process number went to another process is stale',
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

test('a lock of another machine is refused, a damaged one is stale', (t) => {
  const dir = temporaryDirectory(t)
  writeLock(dir, { pid: 1, host: `not-${hostname()}`, start: '' })
  assert.throws(() => new RunLock(dir), saying('in use by process 1 on', `delete ${join(dir, 'lock')}`))
  for (const damaged of ['', '{"pid":', '{"pid":"x"}', '[]']) {
    writeLock(dir, damaged)
    assertTakes(dir)
  }
})

test('a lock that someone else took over is noticed and not released', (t) => {
  const dir = temporaryDirectory(t)
  const lock = new RunLock(dir)
  writeLock(dir, { pid: 1, host: hostname(), start: 'x' })
  assert.throws(() => lock.assertHeld(), saying(lock.path, 'taken by another process'))
  lock.release()
  assert.equal(existsSync(lock.path), true)
})

test('of many processes that find a stale lock one gets the folder', (t) => {
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
