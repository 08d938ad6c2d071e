import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import * as envs from '../../src/envs/index.js'
import { findChromium, openPage } from '../hosts/chromium.js'
import { findHosts } from '../hosts/find.js'
import { hashTrajectories } from './trajectories.js'

type Hashes = Record<string, string>

/**
 * A change of one of these is a change of numerics: it must be intended, and listed in CHANGELOG.md under Numerics.
 * node dist/test/envs/print-trajectories.js > test/golden/trajectories.json
 */
const known = JSON.parse(
  readFileSync(new URL('../../../test/golden/trajectories.json', import.meta.url), 'utf8'),
) as Hashes
const chromium = findChromium()

test('every environment has its recorded trajectory', async () => {
  const hashes = await hashTrajectories(envs)
  assert.deepEqual(hashes, known)
  const ids = envs.listEnvs().map(({ id }) => id)
  assert.deepEqual(Object.keys(hashes), ids)
  assert.equal(new Set(Object.values(hashes)).size, ids.length, 'no two are the same')
})

for (const host of Object.values(findHosts())) {
  test(`${host.name}: the same trajectories`, { skip: host.missing }, () => {
    const script = join(import.meta.dirname, 'print-trajectories.js')
    const { status, stdout, stderr } = spawnSync(host.path, [...host.args, script], { encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    assert.deepEqual(JSON.parse(stdout), known)
  })
}

test(
  'Chromium: the same trajectories, in the page of docs/pages.md',
  { skip: chromium.missing },
  async (t) => {
    const { page, errors } = await openPage(
      t,
      chromium,
      `<!doctype html><link rel="icon" href="data:,">${example()}`,
    )
    const hashes = await page.evaluate(async (url) => {
      const { hashTrajectories } = (await import(url)) as { hashTrajectories(envs: unknown): Promise<Hashes> }
      const entry = 'hatrpo/env'
      return hashTrajectories(await import(entry))
    }, '/node_modules/hatrpo/dist/test/envs/trajectories.js')
    assert.deepEqual(hashes, known)
    assert.deepEqual(errors, [])
    await page.waitForFunction(() => document.querySelector('output')!.textContent !== '...')
    assert.equal(await page.textContent('output'), String(await fall()))
  },
)

/** The page of docs/pages.md. */
function example(): string {
  const document = readFileSync(new URL('../../../docs/pages.md', import.meta.url), 'utf8')
  return /^```html\n(.*?)^```$/ms.exec(document)![1]
}

/** Steps until a hopper falls that does nothing, from seed 1. */
async function fall(): Promise<number> {
  const env = await envs.makeEnvFactory({ id: 'mamujoco/Hopper-3x1' }).create(new envs.EnvContext())
  env.reset(1)
  let steps = 1
  while (env.step() === 0) steps++
  return steps
}
