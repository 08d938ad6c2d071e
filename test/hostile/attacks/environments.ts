import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { checkEnv } from '../../../src/envs/check/index.js'
import { loadEnvFactory } from '../../../src/envs/registry.js'
import { train } from '../../../src/training/train.js'
import { findPython } from '../../envs/python.js'
import { tinyConfig } from '../../training/runs.js'
import { expect, expectOneLine, judge, type Attack } from '../attack.js'

/** A second digit of a digest would be as rare: parameters that are not finite are never hashed. */
const DIGEST = /^[0-9a-f]{64}$/

export const environments: Attack = {
  name: 'environments',
  input:
    'a module whose environment throws, returns or shows what it should not, checked and then trained in',
  fault: 'an error or an event that is not one line, a lock that stays, parameters that are not finite',
  limit: 30,
  share: 4,
  prepare(folder) {
    const module = join(import.meta.dirname, '../fixtures/defective.js')
    return async (random) => {
      const env = { id: module, seed: random.whole(0, 2 ** 31) }
      const dir = join(folder, 'run')
      rmSync(dir, { recursive: true, force: true })
      if (random.uniform() < 0.3)
        return judge(
          async () => checkEnv(await loadEnvFactory(env), { allocation: false }),
          ({ findings }) => findings.forEach(({ message }) => expectOneLine(message)),
        )
      const verdict = await judge(
        () =>
          train({
            config: tinyConfig(env, 2, 'algo=ppo', 'envs=2'),
            dir,
            workers: 0,
            onEvent: expectOneLine,
          }),
        ({ parametersSha256 }) => expect(DIGEST.test(parametersSha256), 'no digest'),
      )
      expect(!existsSync(join(dir, 'lock')), 'the lock is left')
      return verdict
    }
  },
}

const python = () => {
  try {
    return findPython().missing
  } catch {
    return 'no python3' as const
  }
}

/** Whether a process runs that is not only waiting to be asked how it ended. */
function isRunning(pid: number): boolean {
  try {
    return !/\) [ZX] [^)]*$/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/** Milliseconds for processes to end after the run that started them. */
const GONE = 15_000

export const pythonProcesses: Attack = {
  name: 'python-processes',
  input: 'a Python environment that dies, hangs, forks, throws, or writes to every pipe at some step',
  fault: 'an error or an event that is not one line, a process that stays, a lock that stays',
  limit: 120,
  share: 5,
  missing: python,
  prepare(folder) {
    const file = join(import.meta.dirname, '../../../../test/hostile/fixtures/hostile.py')
    return async (random) => {
      const dir = join(folder, 'run')
      const pids = join(folder, 'pids')
      for (const path of [dir, pids]) rmSync(path, { recursive: true, force: true })
      mkdirSync(pids)
      const kwargs = JSON.stringify({ seed: random.whole(0, 2 ** 31), pids })
      const env = { id: `pettingzoo:${file}:hostile`, kwargs, timeout: 1 }
      const verdict = await judge(
        () => train({ config: tinyConfig(env, 2, 'algo=ppo', 'envs=2'), dir, workers: random.whole(0, 1), onEvent: expectOneLine }), // oxfmt-ignore
        ({ parametersSha256 }) => expect(DIGEST.test(parametersSha256), 'no digest'),
      )
      expect(!existsSync(join(dir, 'lock')), 'the lock is left')
      const running = () => readdirSync(pids).filter((pid) => isRunning(Number(pid)))
      for (let waited = 0; waited < GONE && running().length > 0; waited += 50) await sleep(50)
      expect(running().length === 0, `Python processes ${running().join()} still run`)
      return verdict
    }
  },
}
