import assert from 'node:assert/strict'
import test from 'node:test'
import { listEnvs, makeEnvFactory } from '../../src/envs/index.js'
import { readCheckpoint } from '../../src/runs/checkpoint.js'
import { resolveConfig } from '../../src/config/index.js'
import { takeSnapshot } from '../../src/training/snapshot.js'
import { TeamLearner } from '../../src/training/learner.js'
import { trained } from './runs.js'

const ITERATIONS = 2
const settings = [
  'envs=2',
  'rolloutSteps=25',
  'actor.hidden=[16]',
  'critic.hidden=[16]',
  'evaluation.every=0',
  `steps=${ITERATIONS * 2 * 25}`,
]
/** Teams with continuous actions. */
const ids = listEnvs()
  .map(({ id }) => id)
  .filter((id) => {
    const { agents, mode } = makeEnvFactory({ id }).spec
    return mode === 'cooperative' && agents.every(({ action }) => action.kind === 'box')
  })
/** The clipped update knows nothing of tasks but sizes: the smallest, the largest and one between. */
const clipped = ['mamujoco/Reacher-2x1', 'mamujoco/ManySegmentAnt-2x3', 'mamujoco/Humanoid-17x1']

for (const [algo, id] of [...ids.map((id) => ['hatrpo', id]), ...clipped.map((id) => ['happo', id])]) {
  test(`${algo} trains on ${id}`, async (t) => {
    const { config } = resolveConfig({ set: [`env.id=${id}`, `algo=${algo}`, ...settings] })
    const { spec } = makeEnvFactory({ id })
    const { method, storage } = await TeamLearner.create(config, spec)
    const untrained = takeSnapshot(method, storage, []).tensors
    const { dir, records, finished } = await trained(t, config, { workers: 1 })
    assert.ok(finished)
    assert.equal(records.length, ITERATIONS)
    assert.deepEqual(notFinite(records), [])

    const { tensors } = readCheckpoint(dir, ITERATIONS)
    assert.notDeepEqual(tensors['critics/critic_0'], untrained['critics/critic_0'])
    let moved = 0
    spec.agents.forEach((agent, i) => {
      const updates = records.map(({ agents }) => agents.find((record) => record.id === agent.id)!)
      const [after, before] = [tensors, untrained].map((saved) => saved[`actors/agent_${i}`])
      // A step that the line search refused leaves no trace.
      if (updates.every(({ accepted }) => accepted === false)) return assert.deepEqual(after, before)
      assert.notDeepEqual(after, before, agent.id)
      moved++
    })
    assert.ok(moved > 0, 'no agent has learned')
    for (const { agents } of records) {
      for (const { rejection } of agents) assert.ok(rejection === null || rejection === 'line-search')
    }
  })
}

/** Positions of numbers that are not finite. */
function notFinite(value: unknown, path = ''): string[] {
  if (typeof value === 'number') return Number.isFinite(value) ? [] : [path]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => notFinite(inner, `${path}.${key}`))
}
