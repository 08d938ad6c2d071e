import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readMetrics } from '../../src/runs/metrics.js'

const main = join(import.meta.dirname, '../../lib/cli/main.js')

/** Runs `hatrpo train`. @returns its lines on stdout but the one that names the folder */
export function train(...args: string[]): { code: number | null; lines: string[]; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'train', ...args], {
    encoding: 'utf8',
  })
  return { code: status, lines: stdout.trim().split('\n').slice(1), stderr }
}

/** Starts or resumes the run in a folder, in a separate process group. @param run arguments to start it */
export function launch(dir: string, run: readonly string[]) {
  const args = existsSync(join(dir, 'config.json')) ? ['--resume', dir] : [...run, '--out', dir]
  const child = spawn(process.execPath, [main, 'train', ...args], { stdio: 'ignore', detached: true })
  const ended = once(child, 'close') as Promise<[code: number | null]>
  const kill = (signal: NodeJS.Signals) => {
    if (child.exitCode === null) process.kill(-child.pid!, signal)
  }
  return { child, ended, kill }
}

/** Waits until something is so, or the process has ended. */
export async function until(child: { exitCode: number | null }, holds: () => boolean): Promise<void> {
  while (child.exitCode === null && !holds()) await sleep(1)
}

/** Names of a run's checkpoints, unfinished ones included. */
export function checkpoints(dir: string): string[] {
  return existsSync(join(dir, 'checkpoints')) ? readdirSync(join(dir, 'checkpoints')) : []
}

/** All that the metrics of a run say but how long it took. */
export function course(dir: string) {
  return readMetrics(join(dir, 'metrics.jsonl')).map(
    ({ seconds: _, stepsPerSecond: _s, time: _t, ...record }) => record,
  )
}
