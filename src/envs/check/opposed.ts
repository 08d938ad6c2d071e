import { RUNNING, type MultiAgentEnv } from '../contract.js'
import { startEpisode } from './episodes.js'
import { calling, type Findings } from './finding.js'
import type { ActionSampler } from './sampler.js'

/** Steps in which rewards are compared. */
const COMPARED_STEPS = 1000
/** Fraction of the rewarded steps from which on opposed signs are not accidental. */
const OPPOSED_SHARE = 0.05

/**
 * Checks whether agents with a combined reward play against each other.
 * @param env an environment with separate rewards
 */
export function checkOpposed(
  env: MultiAgentEnv,
  seed: number,
  sampler: ActionSampler,
  findings: Findings,
): void {
  const { agents } = env.spec
  let [rewarded, opposed] = [0, 0]
  let example = ''
  startEpisode(env, seed, 0, sampler)
  for (let step = 1; step <= COMPARED_STEPS; step++) {
    sampler.fill(env)
    const end = calling(`step ${step}`, () => env.step())
    const { rewards } = env
    const [least, most] = [Math.min(...rewards), Math.max(...rewards)]
    if (least !== 0 || most !== 0) rewarded++
    if (least < 0 && most > 0) {
      opposed++
      const of = (reward: number) => `${reward.toPrecision(3)} to ${agents[rewards.indexOf(reward)].id}`
      example ||= `${of(most)} and ${of(least)} at step ${step}`
    }
    if (end !== RUNNING) startEpisode(env, seed + step, step, sampler)
  }
  if (opposed <= OPPOSED_SHARE * rewarded) return
  const how = `in ${opposed} of ${rewarded} rewarded steps some agents gain and others lose (${example}), and all get one reward`
  findings.add(
    'opposed-rewards',
    `${how}: set env.rewards=each if they have separate goals; otherwise the training return has little meaning`,
  )
}
