// Determinism of environments: checks that run for one division of each robot at every change, and for all of them in
// `npm run test:long`.
import assert from 'node:assert/strict'
import {
  EnvContext,
  makeEnvFactory,
  RUNNING,
  type EnvConfig,
  type MultiAgentEnv,
} from '../../src/envs/index.js'

/** Steps of a comparison: several episodes of the robots that can fall. */
const STEPS = 60

const context = new EnvContext()
const make = (config: EnvConfig, where = context) => makeEnvFactory(config).create(where)

/** Actions that depend on nothing but the step. */
function act(env: MultiAgentEnv, step: number): void {
  let x = step * 7 + 1
  for (const action of env.actions) {
    for (let i = 0; i < action.length; i++) {
      x = (Math.imul(x, 1664525) + 1013904223) >>> 0
      action[i] = x / 2 ** 31 - 1
    }
  }
}

/** Everything a caller can see after each of `steps` steps, starting over when an episode ends. */
export function play(env: MultiAgentEnv, seed: number, steps: number): Float64Array[] {
  env.reset(seed)
  return Array.from({ length: steps }, (_, step) => observeStep(env, seed, step))
}

export function observeStep(env: MultiAgentEnv, seed: number, step: number): Float64Array {
  act(env, step)
  const status = env.step()
  const parts: readonly ArrayLike<number>[] = [[status], env.state, env.rewards, ...env.observations]
  const seen = new Float64Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    seen.set(part, at)
    at += part.length
  }
  if (status !== RUNNING) env.reset(seed + step + 1)
  return seen
}

/** Checks that an environment gives the same bits for the same seed, and after a saved state is loaded. */
export const BITS: Readonly<Record<string, (id: string) => Promise<void>>> = {
  'the same seed gives the same bits, alone and among others': async (id) => {
    const alone = await make({ id }, new EnvContext())
    const expected = play(alone, 7, STEPS)
    assert.notDeepEqual(play(alone, 8, STEPS), expected)
    assert.deepEqual(play(alone, 7, STEPS), expected)
    const many = await Promise.all(Array.from({ length: 4 }, () => make({ id })))
    many.forEach((env, k) => env.reset(7 + (k % 2)))
    for (let step = 0; step < STEPS; step++) {
      const seen = many.map((env, k) => observeStep(env, 7 + (k % 2), step))
      assert.deepEqual(seen[0], expected[step])
      assert.deepEqual(seen[2], expected[step])
    }
    for (const env of many) env.dispose!()
  },

  'a saved state continues with the same bits elsewhere': async (id) => {
    const env = await make({ id })
    play(env, 3, 30)
    const saved = env.saveState!()
    const go = (from: MultiAgentEnv) => Array.from({ length: STEPS }, (_, k) => observeStep(from, 3, 30 + k))
    const expected = go(env)
    const elsewhere = await make({ id }, new EnvContext())
    elsewhere.loadState!(saved)
    assert.deepEqual(go(elsewhere), expected)
    // Also in an environment that has another episode behind it.
    play(env, 99, 17)
    env.loadState!(Buffer.from(saved))
    assert.deepEqual(go(env), expected)
    env.dispose!()
  },
}
