import assert from 'node:assert/strict'
import test from 'node:test'
import { checkEnv, EnvContext, listEnvs, makeEnvFactory } from '../../src/envs/index.js'

const context = new EnvContext()

for (const { id, timeLimit } of listEnvs()) {
  test(`${id}: check-env finds nothing in three episodes`, async () => {
    const { findings, notes, episodes, restoredBy } = await checkEnv(makeEnvFactory({ id }), { context })
    assert.deepEqual(findings, [])
    assert.deepEqual(notes, [], 'all was checked')
    assert.equal(episodes.length, 3)
    for (const { steps } of episodes) assert.ok(steps > 0 && steps <= timeLimit)
    assert.equal(restoredBy, 'saveState')
  })
}
