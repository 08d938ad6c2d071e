import assert from 'node:assert/strict'
import test from 'node:test'
import { train } from '../../src/training/train.js'
import { temporaryDirectory } from '../runs/fixtures.js'
import { fixture, isNarrow, tinyConfig } from './runs.js'

test('training warns at its start of vectors lost by normalisation, unless it is switched off', async (t) => {
  const said = async (...set: string[]) => {
    const lines: string[] = []
    await train({
      config: tinyConfig({ id: fixture('team') }, 1, ...set),
      dir: temporaryDirectory(t),
      workers: 1,
      onStart: () => lines.push('start'),
      onEvent: (event) => lines.push(event),
      onIteration: () => lines.push('iteration'),
    })
    return lines
  }
  const [start, warning, iteration, ...more] = await said()
  assert.deepEqual([start, iteration, more], ['start', 'iteration', []])
  assert.match(
    warning,
    /^state has 2 numbers, which critic\.standardise and critic\.inputNorm reduce to 1 and -1/,
  )
  assert.ok(isNarrow(warning))
  assert.deepEqual(await said('critic.standardise=false', 'critic.inputNorm=false'), ['start', 'iteration'])
  const [, both] = await said('actor.agentId=false', 'critic.standardise=false')
  assert.match(both, /^observation of agents left, right has 2 numbers, /)
})
