import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { listCheckpoints } from '../../src/runs/checkpoint.js'
import { openRun, readRunCheckpoint } from '../../src/runs/folder.js'
import { readMetrics } from '../../src/runs/metrics.js'
import {
  checkpointData,
  evaluationRecord,
  iterationRecord,
  temporaryDirectory,
  testConfig,
} from './fixtures.js'

const KILLS = 10

test('a process killed at any moment leaves a folder that resumes to the same result', async (t) => {
  const dir = temporaryDirectory(t)
  const script = join(import.meta.dirname, 'write-run.js')
  let reached = 0
  for (let kill = 0; kill < KILLS; kill++) {
    const child = spawn(process.execPath, [script, dir], { stdio: ['ignore', 'pipe', 'inherit'] })
    await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])
    assert.equal(child.exitCode, null, 'the folder could not be opened again')
    await sleep(37 * kill)
    child.kill('SIGKILL')
    await once(child, 'close')
    if (reached === 0 && listCheckpoints(dir).length === 0) continue
    const { iteration, tensors } = readRunCheckpoint(dir)
    assert.ok(iteration >= reached, 'a checkpoint was lost')
    assert.deepStrictEqual(tensors['actors/agent_0'], checkpointData(iteration).tensors['actors/agent_0'])
    reached = iteration
  }
  assert.ok(reached > KILLS, 'the run got nowhere')

  const said: string[] = []
  const config = testConfig('steps=4000000000', 'checkpoint.keepEvery=50')
  const run = openRun(dir, config, { resume: true, onEvent: (message) => said.push(message) })
  run.close()
  assert.match(said.join(), /^resuming from checkpoint [^,]*$/, 'no checkpoint was damaged')
  const iterations = Array.from({ length: reached }, (_, i) => i + 1)
  assert.deepEqual(readMetrics(join(dir, 'metrics.jsonl')), iterations.map(iterationRecord))
  const tree = JSON.parse(readFileSync(join(dir, 'eval.json'), 'utf8')) as Record<string, never>
  const evaluations: { return: number[] }[] = Object.values(
    tree.mamujoco['HalfCheetah-2x3']['hatrpo']['seed_1'],
  )
  assert.deepEqual(
    evaluations.map((entry) => entry.return),
    iterations.map((iteration) => evaluationRecord(iteration, iteration % 100).returns),
  )
  assert.deepEqual(
    readdirSync(join(dir, 'checkpoints')).filter((name) => !/^\d{6}$/.test(name)),
    [],
  )
})
