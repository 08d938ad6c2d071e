import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { checkLearnerFile } from '../../scripts/golden/kinds.js'
import { deviceNames } from '../../src/devices/open.js'

// Each file's header names the calls of HARL that made its numbers.
const folder = fileURLToPath(new URL('../../../test/golden/harl/', import.meta.url))
const files = readdirSync(folder).filter((name) => name.endsWith('.json'))

test('there are files of every kind', () => {
  const kinds = new Set(files.map((name) => name.split('.')[0]))
  assert.deepEqual(Array.from(kinds).sort(), [
    'critic_update',
    'gae_returns',
    'gaussian_actor',
    'happo_update',
    'hatrpo_update_gaussian',
    'sequential_happo',
    'sequential_hatrpo',
  ])
})

for (const [name, device] of files.flatMap((name) => deviceNames.map((device) => [name, device]))) {
  test(`${name}, device ${device}: every quantity within the bound that the file suggests`, async () => {
    const { comparisons, notes } = await checkLearnerFile(folder + name, device)
    assert.ok(comparisons.length > 0)
    for (const { quantity, maxAbs, bound, suggested } of comparisons) {
      assert.equal(bound, suggested, `${quantity}: no bound of our own`)
      assert.ok(maxAbs <= bound, `${quantity}: ${maxAbs} > ${bound}`)
    }
    assert.deepEqual(
      notes.filter((note) => note.includes('skipped')),
      [],
    )
  })
}

test('a step file is checked as a whole and stage by stage, decisions exactly', async () => {
  const { comparisons } = await checkLearnerFile(`${folder}hatrpo_update_gaussian.backtrack.s1.json`)
  const bounds = new Map(comparisons.map(({ quantity, bound }) => [quantity, bound]))
  for (const quantity of ['trials.length', 'trials.0.accepted', 'trials.3.accepted']) {
    assert.equal(bounds.get(quantity), 0)
  }
  assert.equal(bounds.get('trials.3.kl'), 0.0000012)
  assert.equal(bounds.get('stagewise.trials.3.kl'), 5.5e-7)
  assert.ok(bounds.has('stagewise.fvp_of_cg_solution') && bounds.has('stagewise.new_log_probs'))
})

test('what HARL does against our defaults is said', async () => {
  const { notes } = await checkLearnerFile(`${folder}sequential_hatrpo.agents3.s1.json`)
  for (const option of ['klRows', 'factorRows', 'advantageNorm', 'truncation']) {
    assert.ok(
      notes.some((note) => note.includes(option)),
      option,
    )
  }
})
