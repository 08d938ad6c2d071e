import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { listCheckpoints } from '../../src/runs/checkpoint.js'
import { readMetrics } from '../../src/runs/metrics.js'
import { pythonEnv } from '../envs/python.js'
import { launch, train, until } from './command.js'
import { temporaryDirectory, tiny } from './runs.js'

/** Longer than a process whose other end has gone away may take to end, in milliseconds. */
const GONE = 20_000

/** A folder in which every Python process leaves its number, and whether those have all ended. */
export function pidFolder(t: TestContext) {
  const folder = join(temporaryDirectory(t), 'pids')
  mkdirSync(folder)
  const alive = () => readdirSync(folder).filter((pid) => isRunning(Number(pid)))
  const allEnd = async () => {
    assert.ok(readdirSync(folder).length > 0, 'no Python was started')
    for (let waited = 0; waited < GONE && alive().length > 0; waited += 50) await sleep(50)
    assert.deepEqual(alive(), [])
  }
  return { folder, allEnd }
}

// One that has ended is listed until its parent asks how, which a thread that has ended does not.
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !existsSync('/proc/self/stat') || !/\) Z [^)]*$/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/**
 * Kills a run of a Python environment some times, each a little later after a checkpoint. It ends as one that is not
 * killed, and leaves no process behind.
 */
export async function killAndResumePython(t: TestContext, kills: number): Promise<void> {
  const { folder, allEnd } = pidFolder(t)
  const { id, kwargs } = pythonEnv('team', { pids: folder, max_cycles: 33 })
  const iterations = 12
  const settings = [...tiny, 'checkpoint.every=1', `steps=${iterations * 80}`, `env.kwargs=${String(kwargs)}`]
  const args = ['--env', id, '--algo', 'hatrpo', '--workers', '2', '--set', ...settings]
  const whole = join(temporaryDirectory(t), 'run')
  const untouched = train(...args, '--out', whole)
  assert.equal(untouched.code, 0, untouched.stderr)

  const dir = join(temporaryDirectory(t), 'run')
  const iteration = () => Math.max(0, ...listCheckpoints(dir))
  for (let k = 0; k < kills; k++) {
    const { child, ended, kill } = launch(dir, args)
    const reached = existsSync(dir) ? iteration() : 0
    await until(child, () => existsSync(dir) && iteration() > reached + 1)
    await sleep(7 * k)
    assert.equal(child.exitCode, null, 'it ended before it was killed')
    kill('SIGKILL')
    await ended
  }
  await allEnd()
  const resumed = train('--resume', dir)
  assert.equal(resumed.code, 0, resumed.stderr)
  assert.equal(resumed.lines.at(-1), untouched.lines.at(-1))
  const course = (of: string) =>
    readMetrics(join(of, 'metrics.jsonl')).map(({ agents, critic, episodeReturn }) => [
      agents,
      critic,
      episodeReturn,
    ])
  assert.deepEqual(course(dir), course(whole))
  await allEnd()
}
