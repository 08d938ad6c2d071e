import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import type { TrainConfig } from '../../src/config/index.js'
import { loadEnvFactory } from '../../src/envs/index.js'
import { readRunCheckpoint, readRunConfig } from '../../src/runs/folder.js'
import { readInitial } from '../../src/training/initial.js'
import { createLearner } from '../../src/training/learners.js'
import { train } from '../../src/training/train.js'
import { fixture, temporaryDirectory, tinyConfig, trained } from './runs.js'

const team = { id: fixture('team') }
const inline = { workers: 0 }

/** Configurations of a run, and of one that begins with its networks. */
function pair(algo: TrainConfig['algo'], from: string, ...set: string[]): [TrainConfig, TrainConfig] {
  const settings =
    algo === 'maddpg' ? ['offPolicy.warmup=0', 'offPolicy.batchSize=20', 'rolloutSteps=20'] : []
  const config = { ...tinyConfig(team, 2, `algo=${algo}`, ...settings, ...set) }
  return [config, { ...config, seed: 7, init: { from } }]
}

for (const algo of ['hatrpo', 'ippo', 'maddpg'] as const) {
  test(`${algo} starts with the policies, critics and normalisers of another run`, async (t) => {
    const dir = join(temporaryDirectory(t), 'first')
    const [first, second] = pair(algo, dir)
    await trained(t, first, { dir, ...inline })
    const { spec } = await loadEnvFactory(team)
    const learner = await createLearner(second, spec, await readInitial(second, spec))
    const { tensors, state } = readRunCheckpoint(dir)
    // Before any step, a learner has these parameters.
    const begun = await createLearner(first, spec, null)
    assert.notEqual(learner.sha256(), begun.sha256())
    const { iterations, parametersSha256 } = JSON.parse(readFileSync(join(dir, 'result.json'), 'utf8')) as {
      iterations: number
      parametersSha256: string
    }
    assert.equal(iterations, 2)
    assert.equal(learner.sha256(), parametersSha256)
    const { method } = learner as unknown as {
      method: {
        read(tensor: unknown): Float32Array
        critics: { valueNorm: { save(): unknown } | null; target?: { tensor: unknown } }[]
      }
    }
    const { valueNorms } = state as { valueNorms: unknown[] }
    method.critics.forEach(({ valueNorm, target }, j) => {
      assert.deepEqual(valueNorm?.save() ?? null, valueNorms[j])
      if (target) assert.deepEqual(method.read(target.tensor), tensors[`critics/critic_${j}`])
    })
  })
}

test('a run that starts from another run resumes to the same result, and names it relative to its folder', async (t) => {
  const folder = temporaryDirectory(t)
  const dir = join(folder, 'first')
  const [first, second] = pair('hatrpo', dir)
  await trained(t, first, { dir, ...inline })
  const whole = await trained(t, second, inline)
  const stopped = join(folder, 'second')
  const controller = new AbortController()
  await train({
    config: second,
    dir: stopped,
    ...inline,
    signal: controller.signal,
    onIteration: () => controller.abort(),
  })
  const { init } = JSON.parse(readFileSync(join(stopped, 'config.json'), 'utf8')) as TrainConfig
  assert.deepEqual(init, { from: '../first' })
  const config = readRunConfig(stopped)
  assert.deepEqual(config.init, { from: dir })
  const resumed = await train({ config, dir: stopped, resume: true, ...inline })
  assert.equal(resumed.parametersSha256, whole.parametersSha256)
  const fresh = await trained(t, { ...second, init: { from: 'none' } }, inline)
  assert.notEqual(fresh.parametersSha256, whole.parametersSha256)
})

test('networks of another shape are refused in one line, and no folder is made', async (t) => {
  const folder = temporaryDirectory(t)
  const dir = join(folder, 'first')
  const [first, second] = pair('hatrpo', dir)
  await trained(t, first, { dir, ...inline })
  const out = join(folder, 'second')
  const wrong: [change: Partial<TrainConfig>, message: RegExp][] = [
    [
      { actor: { ...second.actor, hidden: [9] } },
      /: the policy of left is 2 inputs .*hidden \[8\] .* there, it must be as here: .*hidden \[9\] /,
    ],
    [
      { critic: { ...second.critic, valueNorm: false } },
      /: critic 0 is .*valueNorm true there, .*valueNorm false$/,
    ],
    [{ algo: 'ippo' }, /: critic 0 is .*of state, .*of observation, /],
    [
      { algo: 'mappo', actor: { ...second.actor, sharing: 'shared' } },
      /: the policy of \S+ is absent there, /,
    ],
    [{ init: { from: join(folder, 'nowhere') } }, /nowhere holds no run: it has no config\.json$/],
  ]
  for (const [change, message] of wrong) {
    await assert.rejects(train({ config: { ...second, ...change }, dir: out, ...inline }), {
      name: 'HatrpoError',
      exitCode: 2,
      message,
    })
    assert.ok(!existsSync(out), String(message))
  }
})
