import assert from 'node:assert/strict'
import test from 'node:test'
import type { AgentRecord, IterationRecord } from '../../src/runs/types.js'
import { iterationScalars } from '../../src/runs/scalars.js'
import { train } from '../../src/training/train.js'
import { updateFaults } from '../../src/training/update-faults.js'
import { iterationRecord } from '../runs/fixtures.js'
import { fixture, isNarrow, temporaryDirectory, tinyConfig } from './runs.js'

/** An iteration's record with this agent and this number of skipped critic steps. */
function recordOf(agent: Partial<AgentRecord>, skippedSteps = 0): IterationRecord {
  const record = iterationRecord(3)
  return {
    ...record,
    agents: [{ ...record.agents[0], ...agent }],
    critic: { ...record.critic, skippedSteps },
  }
}

test('steps with a numerical fault get a line, ordinary line searches do not', () => {
  assert.deepEqual(updateFaults(recordOf({})), [])
  assert.deepEqual(updateFaults(recordOf({ rejection: 'line-search', rejectedSteps: 1 })), [])
  assert.deepEqual(updateFaults(recordOf({ rejection: 'non-finite', rejectedSteps: 1 })), [
    '1 step of agent_0 was not taken in iteration 3: a number that is not finite',
  ])
  assert.deepEqual(updateFaults(recordOf({ rejection: 'curvature', rejectedSteps: 2 }, 5)), [
    '2 steps of agent_0 were not taken in iteration 3: a curvature that is not positive',
    '5 steps of the critic were not taken in iteration 3: its gradient was not finite, or no sample counted',
  ])
})

test('the reason of a rejection is no scalar, the number of skipped steps is', () => {
  const scalars = iterationScalars(recordOf({ rejection: 'curvature', rejectedSteps: 1 }, 2))
  assert.equal('agent_0/rejection' in scalars, false)
  assert.equal(scalars['agent_0/rejectedSteps'], 1)
  assert.equal(scalars['critic/skippedSteps'], 2)
})

for (const algo of ['hatrpo', 'happo'] as const) {
  test(`${algo}: a run reports why no step was rejected and how many the critic skipped`, async (t) => {
    const records: IterationRecord[] = []
    const events: string[] = []
    await train({
      config: tinyConfig({ id: fixture('team') }, 1, `algo=${algo}`),
      dir: temporaryDirectory(t),
      workers: 1,
      onIteration: (record) => records.push(record),
      onEvent: (event) => isNarrow(event) || events.push(event),
    })
    assert.deepEqual(events, [])
    assert.equal(records[0].critic.skippedSteps, 0)
    for (const { rejection, rejectedSteps, klUsed } of records[0].agents) {
      assert.deepEqual([rejection, rejectedSteps], [null, 0])
      assert.ok(klUsed! > 0, `KL ${klUsed}`)
    }
  })
}
