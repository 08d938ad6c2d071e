import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { actorSpecs } from '../../src/algorithms/specs.js'
import { resolveConfig, type TrainConfig } from '../../src/config/index.js'
import { makeEnvFactory } from '../../src/envs/index.js'
import { parameterLayout } from '../../src/nn/layout.js'
import { openRun } from '../../src/runs/folder.js'
import { Random } from './random-policy.js'

/** A run folder whose two checkpoints hold different random actors; the first was evaluated better. */
export function storedRun(t: TestContext, id = 'mamujoco/Hopper-3x1', algo: TrainConfig['algo'] = 'hatrpo') {
  const parent = mkdtempSync(join(tmpdir(), 'hatrpo-export-'))
  t.after(() => rmSync(parent, { recursive: true, force: true }))
  const { config } = resolveConfig({
    flags: { env: { id }, algo, seed: 5, steps: 800, envs: 4 },
    set: ['rolloutSteps=100', 'actor.hidden=[24,20]'],
  })
  const specs = actorSpecs(config.actor, makeEnvFactory(config.env).spec)
  const dir = join(parent, 'run')
  const run = openRun(dir, config)
  for (const [iteration, mean] of [
    [1, 20],
    [2, 10],
  ] as const) {
    const random = new Random(iteration)
    const tensors = Object.fromEntries(
      specs.map((spec, i) => [`actors/agent_${i}`, random.vector(parameterLayout(spec).size, 0.5)]),
    )
    run.logEvaluation({ iteration, steps: 400 * iteration, returns: [mean], mean, sd: 0 })
    run.saveCheckpoint(iteration, 400 * iteration, { tensors, state: {} })
  }
  run.close()
  return { dir, out: join(parent, 'bundle') }
}
