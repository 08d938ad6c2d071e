import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { temporaryDirectory } from '../runs/fixtures.js'
import { MAIN } from './command.js'

/** Sends signals to the script, each after it printed another line. @returns its lines and exit code */
async function signalled(...signals: NodeJS.Signals[]): Promise<{ lines: string[]; code: number }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'wait-for-signal.js')])
  let text = ''
  child.stdout.on('data', (data: Buffer) => {
    text += String(data)
    const signal = signals.shift()
    if (signal) child.kill(signal)
  })
  const [code] = (await once(child, 'close')) as [number]
  return { lines: text.trim().split('\n'), code }
}

test('the first signal requests an orderly end and determines the exit code', async () => {
  assert.deepEqual(await signalled('SIGINT'), { lines: ['ready', 'announced', 'ended'], code: 130 })
  assert.deepEqual(await signalled('SIGTERM'), { lines: ['ready', 'announced', 'ended'], code: 143 })
})

test('the second signal ends the process at once', async () => {
  assert.deepEqual(await signalled('SIGINT', 'SIGINT'), { lines: ['ready', 'announced'], code: 130 })
})

/** An environment of two cells whose 60th step waits for a writer of a pipe, which there is none of. */
const STUCK = `import { readFileSync } from 'node:fs'
import { box, defineEnv } from 'hatrpo/env'
let steps = 0
export default defineEnv(({ pipe }) => ({
  spec: { id: 'stuck', agents: ['a', 'b'].map((id) => ({ id, observation: box(2, -9, 9), action: box(1, -1, 1) })), stateSize: 2, timeLimit: 10, mode: 'cooperative' },
  memory: () => ({ x: new Float64Array(2) }),
  reset: () => {},
  step: ({ memory }) => {
    if (++steps === 60) {
      console.log('stuck')
      readFileSync(pipe)
    }
    memory.x[0]++
    return 0
  },
  observe: ({ memory, state, observations }) => [state, ...observations].forEach((view) => view.set(memory.x)),
}))`

test(
  'the second signal ends a training whose step never returns, and leaves its checkpoint but no lock',
  { skip: process.platform === 'win32' && 'no named pipes', timeout: 60_000 },
  async (t) => {
    const cwd = temporaryDirectory(t)
    writeFileSync(join(cwd, 'stuck.ts'), STUCK)
    execFileSync('mkfifo', [join(cwd, 'pipe')])
    const set = ['env.pipe=pipe', 'rolloutSteps=10', 'checkpoint.every=1', 'evaluation.every=0', 'actor.hidden=[4]', 'critic.hidden=[4]'] // oxfmt-ignore
    const args = ['--env', './stuck.ts', '--algo', 'ppo', '--envs', '2', '--workers', '0', '--out', 'run']
    const child = spawn(process.execPath, [MAIN, 'train', ...args, '--set', ...set], { cwd })
    t.after(() => child.kill('SIGKILL'))
    let text = ''
    const said = async (word: string) => {
      while (!text.includes(word)) text += String((await once(child.stderr, 'data'))[0])
    }
    child.stdout.on('data', (data: Buffer) => child.stderr.emit('data', data))
    await said('stuck\n')
    child.kill('SIGTERM')
    await said('stopping')
    child.kill('SIGTERM')
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
    assert.deepEqual([code, signal], [null, 'SIGTERM'])
    assert.deepEqual(readdirSync(join(cwd, 'run', 'checkpoints')), ['000001', '000002'])
    assert.ok(!existsSync(join(cwd, 'run', 'lock')))
  },
)
