// Web-standard code alone: pages run it too.
import type * as Envs from '../../src/envs/index.js'
import type { ActionSpace, MultiAgentEnv } from '../../src/envs/index.js'
import { RandomStream } from '../../src/envs/random.js'

const STEPS = 200
const SEED = 2024
/** Purpose of the random stream of the actions. */
const ACTIONS = 77

/**
 * Every built-in id with the SHA-256 of a trajectory of it: `trajectory` with random actions.
 * @param envs `hatrpo/env`
 */
export async function hashTrajectories({
  EnvContext,
  listEnvs,
  makeEnvFactory,
}: Pick<typeof Envs, 'EnvContext' | 'listEnvs' | 'makeEnvFactory'>): Promise<Record<string, string>> {
  const context = new EnvContext()
  const hashes: Record<string, string> = {}
  for (const { id } of listEnvs()) {
    const env = await makeEnvFactory({ id }).create(context)
    hashes[id] = await sha256(trajectory(env))
    env.dispose?.()
  }
  return hashes
}

/**
 * The bits of 200 steps: after each, all observations, the state, the rewards and how the step ended; at last the saved
 * state. Episode k starts from seed SEED + k.
 */
function trajectory(env: MultiAgentEnv): Uint8Array<ArrayBuffer> {
  const random = new RandomStream(SEED, ACTIONS)
  const end = new Float32Array(1)
  const views = [...env.observations, env.state, env.rewards, end]
  const size = views.reduce((sum, view) => sum + view.length, 0)
  const numbers = new Float32Array(STEPS * size)
  let at = 0
  let seed = SEED
  env.reset(seed)
  for (let step = 0; step < STEPS; step++) {
    env.actions.forEach((action, agent) =>
      draw(env.spec.agents[agent].action, random, action, env.availableActions?.[agent]),
    )
    end[0] = env.step()
    for (const view of views) {
      numbers.set(view, at)
      at += view.length
    }
    if (end[0] !== 0) env.reset(++seed)
  }
  // NaNs have other bits on other engines: they must not come at all.
  const bad = numbers.findIndex((x) => !Number.isFinite(x))
  if (bad >= 0) throw new Error(`${env.spec.id}: not finite in step ${Math.floor(bad / size)}`)
  const saved = env.saveState!()
  const bytes = new Uint8Array(numbers.byteLength + saved.byteLength)
  bytes.set(new Uint8Array(numbers.buffer))
  bytes.set(saved, numbers.byteLength)
  return bytes
}

/** Draws an action uniformly from the available part of its space into `out`. */
function draw(space: ActionSpace, random: RandomStream, out: Float32Array, mask?: Uint8Array): void {
  let first = 0
  for (let j = 0; j < out.length; j++) {
    if (space.kind === 'box') {
      out[j] = space.low[j] + (space.high[j] - space.low[j]) * random.uniform()
      continue
    }
    const count = space.kind === 'discrete' ? space.n : space.sizes[j]
    const choices = Array.from({ length: count }, (_, k) => k).filter((k) => mask?.[first + k] !== 0)
    out[j] = choices[Math.floor(random.uniform() * choices.length)]
    first += count
  }
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
