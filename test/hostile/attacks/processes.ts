import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { MAIN } from '../../cli/command.js'
import type { Random } from '../../export/random-policy.js'
import { tiny } from '../../training/runs.js'
import { expect, Fault, type Attack, type Verdict } from '../attack.js'
import { pick } from '../mutate.js'

/** Milliseconds within which a signalled run must have ended. */
const ENDING = 20_000
/** Milliseconds between two looks at it. */
const LOOK = 50
/** Milliseconds in which a run starts, and makes its iterations. */
const COURSE = 1500

const SETTINGS = [...tiny, 'checkpoint.every=1', 'env.agents=2']
const TASK = ['train', '--env', 'mpe/spread', '--algo', 'ppo', '--workers', '1', '--steps', '4000']
const fresh = (out: string) => [...TASK, '--out', out, '--set', ...SETTINGS]

/** The command that continues a run, or begins it where it was stopped before there was one. */
const resumed = (out: string) =>
  existsSync(join(out, 'config.json')) ? ['train', '--resume', out] : fresh(out)

function run(args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' })
  return { status, stderr, last: stdout.trimEnd().split('\n').at(-1) ?? '' }
}

/** Last line of an undisturbed run. */
function untouched(folder: string): string {
  const { status, last, stderr } = run(fresh(join(folder, 'whole')))
  if (status !== 0) throw new Error(stderr)
  return last
}

/** Continues a run to its end. @returns whether there was anything to continue */
function expectSameEnd(out: string, expected: string): Verdict {
  const began = existsSync(join(out, 'config.json'))
  // A folder that was made but not written to is empty except for a lock.
  const { status, last, stderr } = run(resumed(out))
  expect(status === 0, `it cannot be continued: ${stderr}`)
  expect(last === expected, `continued to ${last} where ${expected} was expected`)
  expect(!existsSync(join(out, 'lock')), 'the lock is left')
  return began ? 'harmless' : 'refused'
}

/** Starts a run and sends it signals at random moments. */
async function signalled(out: string, random: Random, signals: readonly NodeJS.Signals[]): Promise<void> {
  const child = spawn(process.execPath, [MAIN, ...resumed(out)], { stdio: ['ignore', 'ignore', 'pipe'] })
  let stderr = ''
  child.stderr.on('data', (text: Buffer) => (stderr += String(text)))
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  for (const signal of signals) {
    await sleep(random.uniform() * COURSE)
    child.kill(signal)
  }
  // Looks are counted, because a suspended process also misses its looks.
  for (let looks = 0; child.exitCode === null && child.signalCode === null; looks++) {
    if (looks * LOOK > ENDING) {
      child.kill('SIGKILL')
      throw new Fault(`${signals.join()} did not end it within ${ENDING / 1000} s: ${stderr}`)
    }
    await sleep(LOOK)
  }
  const [code] = await ended
  expect(!/internal error|\n {4}at /.test(stderr), stderr)
  // 0 and not 130 where it had finished before the signal.
  if (code !== null) expect([0, 130, 143].includes(code), `exit code ${code}: ${stderr}`)
  if (code !== null) expect(!existsSync(join(out, 'lock')), 'the lock is left')
}

function interruptions(name: string, signals: readonly NodeJS.Signals[], most: number): Attack {
  return {
    name,
    input: `a run gets one to ${most} of ${signals.join(', ')} at random moments, up to three times, and is then continued`,
    fault: 'another end than that of a run that was left alone, a lock that stays, an exit that takes 20 s',
    limit: 120,
    share: 5,
    prepare(folder) {
      const expected = untouched(folder)
      return async (random) => {
        const out = join(folder, 'run')
        rmSync(out, { recursive: true, force: true })
        for (let left = random.whole(1, 3); left > 0; left--) {
          const sent = Array.from({ length: random.whole(1, most) }, () => pick(random, signals))
          await signalled(out, random, sent)
        }
        return expectSameEnd(out, expected)
      }
    },
  }
}

export const signals = interruptions('signals', ['SIGINT', 'SIGTERM'], 3)
export const kills = interruptions('kill-9', ['SIGKILL'], 1)

const namespaces = () =>
  spawnSync('unshare', ['-Urm', 'true']).status === 0 ? false : 'needs user namespaces'

/** Runs the command on a separate small file system, with shell steps before and after it, and copies its files. */
function onDisk(folder: string, kilobytes: number, steps: readonly string[]): void {
  const [disk, rest] = [join(folder, 'disk'), join(folder, 'run')]
  rmSync(rest, { recursive: true, force: true })
  mkdirSync(disk, { recursive: true })
  const command = [process.execPath, MAIN, ...fresh(join(disk, 'run'))].map((part) => `'${part}'`).join(' ')
  const script = [
    `mount -t tmpfs -o size=${kilobytes}k none ${disk}`,
    `run() { ${command} > /dev/null 2> ${join(folder, 'stderr')}; }`,
    ...steps,
    `[ ! -e ${disk}/run ] || cp -r ${disk}/run ${rest}`,
  ]
  const { status, stderr } = spawnSync('unshare', ['-Urm', 'sh', '-ec', script.join('\n')], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Fault(`exit code ${status}: ${stderr}`)
}

export const disks: Attack = {
  name: 'disks',
  input: 'a run on a disk of 8 to 300 kB, or on one that becomes read-only, continued elsewhere afterwards',
  fault: 'another end than that of a run that was left alone, an error that is not one line',
  limit: 120,
  share: 5,
  missing: namespaces,
  async prepare(folder) {
    const expected = untouched(folder)
    const { readFileSync } = await import('node:fs')
    return (random) => {
      const disk = join(folder, 'disk')
      if (random.uniform() < 0.6) onDisk(folder, random.whole(8, 300), ['run || [ $? -le 2 ]'])
      else {
        const wait = (random.uniform() * 2).toFixed(2)
        onDisk(folder, 4096, ['run & child=$!', `sleep ${wait}`, `mount -o remount,ro ${disk} || true`, 'wait $child || [ $? -le 2 ]']) // oxfmt-ignore
      }
      const lines = readFileSync(join(folder, 'stderr'), 'utf8').trimEnd().split('\n')
      expect(!lines.some((line) => /internal error|^ {4}at /.test(line)), lines.join(' | '))
      const [out, copied] = [join(disk, 'run'), join(folder, 'run')]
      // The run's own folder, where paths lead that it has kept.
      rmSync(out, { recursive: true, force: true })
      if (existsSync(copied)) cpSync(copied, out, { recursive: true })
      const verdict = expectSameEnd(out, expected)
      rmSync(out, { recursive: true, force: true })
      return verdict
    }
  },
}
