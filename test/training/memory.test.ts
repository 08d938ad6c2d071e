import assert from 'node:assert/strict'
import test from 'node:test'
import { HatrpoError } from '../../src/errors.js'
import { loadEnvFactory } from '../../src/envs/index.js'
import { TeamLearner } from '../../src/training/learner.js'
import { fixture, tinyConfig } from './runs.js'

test('rollouts beyond the memory of WebAssembly are refused with a size that fits', async () => {
  const config = tinyConfig({ id: fixture('team') }, 1, 'envs=4096', 'rolloutSteps=10000')
  const { spec } = await loadEnvFactory(config.env)
  const pattern =
    /^envs is 4096 and rolloutSteps 10000: an update from 40960000 steps takes (\S+) GiB, and WebAssembly has 4 GiB: envs times rolloutSteps must be at most (\d+)$/
  let fit = 0
  await assert.rejects(TeamLearner.create(config, spec), (error: Error) => {
    const [, need, most] = pattern.exec(error.message) ?? assert.fail(error.message)
    assert.ok(Number(need) > 4)
    fit = Number(most)
    return error instanceof HatrpoError && error.exitCode === 2
  })
  const learner = await TeamLearner.create({ ...config, rolloutSteps: Math.floor(fit / config.envs) }, spec)
  // The estimate leaves a twentieth for the policies of workers.
  assert.ok(learner.host.arena.used > 0.9 * 2 ** 32)
})

test('networks beyond the memory of WebAssembly are refused before their parameters are drawn', async () => {
  const { env } = tinyConfig({ id: fixture('team') }, 1)
  const { spec } = await loadEnvFactory(env)
  const refused = async (hidden: string) => {
    const config = tinyConfig(env, 1, `actor.hidden=${hidden}`, `critic.hidden=${hidden}`)
    await assert.rejects(TeamLearner.create(config, spec), (error: Error) => {
      const line =
        /^actor\.hidden is \S+ and critic\.hidden \S+: networks of (\d+) parameters do not fit into the 4 GiB/
      assert.ok(Number(line.exec(error.message)?.[1]) > 1e8, error.message)
      return error instanceof HatrpoError && error.exitCode === 2
    })
  }
  await refused('[8192,8192,8192,8192,8192]')
  // Their parameters alone would fit.
  await refused('[8192,8192]')
})
