import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { readBundle } from '../../src/export/read.js'
import { evaluate } from '../../src/training/evaluate.js'
import { exportPolicies } from '../../src/index.js'
import { storedRun } from './stored-run.js'

test('a run becomes a bundle that records its origin and has the same returns', async (t) => {
  const { dir, out } = storedRun(t)
  const { files } = await exportPolicies({ run: dir, out, format: 'wasm', checkpoint: 'latest' })
  assert.deepEqual(
    files.map(({ name }) => name),
    ['agent_0.wasm', 'agent_1.wasm', 'agent_2.wasm', 'bundle.json'],
  )
  const { info, agents } = await readBundle(out)
  const { algorithm, seed, steps, iteration, evaluation, environment } = info
  assert.deepEqual(
    { algorithm, seed, steps, iteration, evaluation },
    { algorithm: 'hatrpo', seed: 5, steps: 800, iteration: 2, evaluation: 10 },
  )
  // All options are explicit, so that later defaults do not change the inputs of the policies.
  assert.deepEqual(environment, {
    id: 'mamujoco/Hopper-3x1',
    obs: 'full',
    partition: 'harl',
    version: 'v4',
  })
  assert.equal(agents.length, 3)
  assert.deepEqual(agents[2].info.action, { kind: 'box', size: 1, low: [-1], high: [1] })

  const options = { episodes: 3, seed: 9 }
  const ofRun = await evaluate({ source: dir, workers: 1, ...options })
  const ofBundle = await evaluate({ source: out, ...options })
  assert.deepEqual(ofBundle.returns, ofRun.returns)
  assert.equal(new Set(ofRun.returns).size, 3)
})

test('the checkpoint is the requested one', async (t) => {
  const { dir, out } = storedRun(t)
  const exported = async (checkpoint: 'latest' | 'best' | number) => {
    await exportPolicies({ run: dir, out, format: 'wasm', checkpoint })
    const { info } = await readBundle(out)
    return { iteration: info.iteration, module: readFileSync(join(out, 'agent_0.wasm')).toString('base64') }
  }
  const [latest, best, first] = [await exported('latest'), await exported('best'), await exported(1)]
  assert.deepEqual([latest.iteration, best.iteration], [2, 1])
  assert.deepEqual(first, best)
  assert.notEqual(latest.module, best.module)
  await assert.rejects(exported(7), /checkpoint is 7: .* has 1, 2/)
})

test('formats that do not exist yet are refused', async (t) => {
  const { dir, out } = storedRun(t)
  const options = { run: dir, out, format: 'onnx' as 'wasm', checkpoint: 'latest' } as const
  await assert.rejects(
    exportPolicies(options),
    /format is "onnx": it must be wasm \(onnx is not supported yet\)/,
  )
})

test('an evaluation refuses impossible numbers', async () => {
  const wrong = [{ episodes: 0 }, { episodes: 1.5 }, { seed: -1 }, { seed: NaN }, { workers: -1 }]
  for (const options of wrong) {
    const [[name, value]] = Object.entries(options)
    await assert.rejects(evaluate({ source: 'nowhere', episodes: 1, seed: 1, ...options }), {
      name: 'HatrpoError',
      exitCode: 2,
      message: new RegExp(`^${name} is ${value}: it must be a whole number`),
    })
  }
})
