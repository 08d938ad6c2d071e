import { RUNNING, type Box, type MultiAgentEnv } from '../envs/index.js'
import type { World } from '../envs/mujoco/world.js'
import { RandomStream } from '../envs/random.js'

/** Steps after which an episode is cut. */
const LONGEST = 200
/** Actions are drawn from this part of their range, so that robots stay on their feet for a while. */
const MODERATE = 0.5
/** Numbers that a saved state begins with, before MuJoCo's own. */
const HEADER = 4
const ACTIONS_PURPOSE = 100

/** An episode that can be run again: actions change from block to block. */
export interface Episode {
  readonly seed: number
  /** Initial state. */
  readonly qpos: readonly number[]
  readonly qvel: readonly number[]
  /** [blocks][agents] */
  readonly actions: readonly (readonly Float32Array[])[]
  /** [blocks][nu]: controls of the actions. */
  readonly controls: readonly (readonly number[])[]
}

export interface Recording {
  /** Physics frames in a step. */
  readonly frames: number
  /** Steps in a block, through which the action is held. */
  readonly blockSteps: number
  readonly episodes: readonly Episode[]
}

/** MuJoCo's part of the state that an environment is in. */
export function physicsState(env: MultiAgentEnv): Float64Array {
  return new Float64Array(env.saveState!().buffer).subarray(HEADER)
}

/**
 * Plays episodes of random actions, each until it ends or is cut, until all have `steps` steps together. A block that
 * an episode ends in is left out.
 * @param world another world of the environment's model
 */
export function record(
  env: MultiAgentEnv,
  world: World,
  { frames, blockSteps, steps }: { frames: number; blockSteps: number; steps: number },
): Recording {
  const episodes: Episode[] = []
  let blocks = 0
  for (let seed = 1; blocks * blockSteps < steps; seed++) {
    const most = Math.min(LONGEST, steps - blocks * blockSteps) / blockSteps
    const episode = play(env, world, seed, { blockSteps, most })
    blocks += episode.controls.length
    if (episode.controls.length > 0) episodes.push(episode)
  }
  return { frames, blockSteps, episodes }
}

function play(
  env: MultiAgentEnv,
  world: World,
  seed: number,
  { blockSteps, most }: { blockSteps: number; most: number },
): Episode {
  const { nq, nv, nu } = world.model
  const random = new RandomStream(seed, ACTIONS_PURPOSE)
  const read = (at: number, count: number) => Array.from(world.doubles().subarray(at, at + count))
  env.reset(seed)
  world.load(physicsState(env))
  const start = { seed, qpos: read(world.qpos, nq), qvel: read(world.qvel, nv) }
  const actions: Float32Array[][] = []
  const controls: number[][] = []
  while (actions.length < most) {
    for (const [k, { action }] of env.spec.agents.entries()) {
      const { high } = action as Box
      env.actions[k].forEach((_, i, out) => {
        out[i] = MODERATE * high[i] * (2 * random.uniform() - 1)
      })
    }
    let end = RUNNING
    let played = 0
    while (played < blockSteps && end === RUNNING) {
      end = env.step()
      played++
    }
    if (played < blockSteps) break
    world.load(physicsState(env))
    actions.push(env.actions.map((action) => action.slice()))
    controls.push(read(world.ctrl, nu))
    if (end !== RUNNING) break
  }
  return { ...start, actions, controls }
}
