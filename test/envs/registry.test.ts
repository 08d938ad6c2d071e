import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { assertEnvExists, EnvContext, loadEnvFactory } from '../../src/envs/index.js'
import { temporaryDirectory } from '../runs/fixtures.js'

const ROOT = process.cwd()

/** Works, while the test runs, in a folder where packages of these names have the boat of fixtures/. */
function installed(t: TestContext, ...packages: string[]): string {
  const folder = temporaryDirectory(t)
  for (const name of packages) {
    const place = join(folder, 'node_modules', name)
    mkdirSync(place, { recursive: true })
    for (const file of ['wind.js', 'gusts.js'])
      copyFileSync(join(import.meta.dirname, 'fixtures', file), join(place, file))
    const exports = { './wind': './wind.js', './Hopper-3x1': './wind.js' }
    writeFileSync(join(place, 'package.json'), JSON.stringify({ name, type: 'module', exports }))
  }
  t.after(() => process.chdir(ROOT))
  process.chdir(folder)
  return folder
}

test('a package makes environments, but cannot replace a built-in one', async (t) => {
  installed(t, 'my-envs', '@me/envs', 'mamujoco')
  const made = async (id: string) => {
    assertEnvExists(id)
    const { config, spec, sha256 } = await loadEnvFactory({ id, wind: 0.5 })
    return { config, id: spec.id, hashed: sha256 !== undefined }
  }
  const boat = (id: string) => ({ config: { id, wind: 0.5 }, id: 'wind', hashed: true })
  assert.deepEqual(await made('my-envs/wind'), boat('npm:my-envs/wind'))
  assert.deepEqual(await made('npm:my-envs/wind'), boat('npm:my-envs/wind'))
  assert.deepEqual(await made('@me/envs/wind'), boat('npm:@me/envs/wind'))
  assert.deepEqual(await made('npm:mamujoco/Hopper-3x1'), boat('npm:mamujoco/Hopper-3x1'))
  const hopper = await loadEnvFactory({ id: 'mamujoco/Hopper-3x1' })
  assert.deepEqual([hopper.spec.agents.length, hopper.sha256], [3, undefined])
  for (const id of ['mamujoco/wind', 'my-envz/wind', 'wind', '@me', 'a b', '../node_modules/my-envs']) {
    await assert.rejects(loadEnvFactory({ id }), { name: 'HatrpoError', exitCode: 2 }, id)
    assert.throws(() => assertEnvExists(id), { name: 'HatrpoError', exitCode: 2 }, id)
  }
})

test('an environment of a module gets its options, and can save its state', async (t) => {
  const folder = installed(t, 'my-envs')
  symlinkSync(join(folder, 'node_modules/my-envs/wind.js'), join(folder, 'link.js'))
  for (const id of ['my-envs/wind', './link.js']) {
    const factory = await loadEnvFactory({ id, wind: 0.25 })
    const env = await factory.create(new EnvContext())
    env.reset(1)
    assert.equal(env.observations[0][2], 0.25)
    env.step()
    const [saved, state] = [env.saveState!(), env.state.slice()]
    env.step()
    assert.notDeepEqual(env.state, state)
    env.loadState!(saved)
    assert.deepEqual(env.state, state)
  }
})
