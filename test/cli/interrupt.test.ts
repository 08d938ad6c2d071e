import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import test from 'node:test'

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
