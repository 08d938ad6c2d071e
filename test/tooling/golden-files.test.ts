import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { checkLearnerFile } from '../../scripts/golden/kinds.js'
import { builtInDevices } from '../../src/devices/open.js'

// Each file's header names the calls of HARL that made its numbers.
const folder = fileURLToPath(new URL('../../../test/golden/harl/', import.meta.url))
const files = readdirSync(folder).filter((name) => name.endsWith('.json'))

test('there are files of every kind', () => {
  const kinds = new Set(files.map((name) => name.split('.')[0]))
  assert.deepEqual(Array.from(kinds).sort(), [
    'critic_update',
    'gae_returns',
    'gaussian_actor',
    'gru_actor',
    'happo_update',
    'hatrpo_update_categorical',
    'hatrpo_update_gaussian',
    'sequential_happo',
    'sequential_hatrpo',
  ])
})

/** Ways to compute Fisher products, for the kinds of files whose updates take any. */
const waysOf = (name: string) =>
  name.includes('hatrpo') ? (['layerwise', 'jacobian'] as const) : (['chosen'] as const)
const cases = files.flatMap((name) =>
  builtInDevices.flatMap((device) => waysOf(name).map((way) => ({ name, device, way }))),
)

for (const { name, device, way } of cases) {
  test(`${name}, device ${device}, derivatives ${way}: every quantity within the bound that the file suggests`, async () => {
    const { comparisons, notes } = await checkLearnerFile(folder + name, device, way)
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

test('the way selected by training is one of the two', async () => {
  const file = `${folder}hatrpo_update_gaussian.all_active.s1.json`
  const [chosen, layerwise, jacobian] = await Promise.all(
    (['chosen', 'layerwise', 'jacobian'] as const).map(async (way) => {
      const { comparisons } = await checkLearnerFile(file, 'wasm', way)
      return comparisons.map(({ maxAbs }) => maxAbs)
    }),
  )
  assert.notDeepEqual(jacobian, layerwise)
  assert.ok([layerwise, jacobian].some((values) => isDeepStrictEqual(values, chosen)))
})

test('deviations of HARL from the defaults are printed', async () => {
  const { notes } = await checkLearnerFile(`${folder}sequential_hatrpo.agents3.s1.json`)
  for (const option of ['klRows', 'factorRows', 'advantageNorm', 'truncation']) {
    assert.ok(
      notes.some((note) => note.includes(option)),
      option,
    )
  }
})
