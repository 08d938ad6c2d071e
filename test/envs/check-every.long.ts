import assert from 'node:assert/strict'
import test from 'node:test'
import { checkEnv, EnvContext, listEnvs, makeEnvFactory } from '../../src/envs/index.js'

const context = new EnvContext()
/**
 * Note on constant places, which several environments have by definition: forces on the world's body (Humanoid), a fixed
 * height (Pusher), messages of silent agents (mpe).
 */
const constantPlaces = (note: string) => /never changed in \d+ steps of random actions$/.test(note)

for (const { id, timeLimit } of listEnvs()) {
  test(`${id}: check-env finds nothing in three episodes`, async () => {
    const { findings, notes, episodes, restoredBy } = await checkEnv(makeEnvFactory({ id }), { context })
    assert.deepEqual(findings, [])
    assert.deepEqual(
      notes.filter((note) => !constantPlaces(note)),
      [],
      'unchecked rules',
    )
    assert.equal(episodes.length, 3)
    for (const { steps } of episodes) assert.ok(steps > 0 && steps <= timeLimit)
    assert.equal(restoredBy, 'saveState')
  })
}
