import { whole } from '../options.js'
import { agentBody, landmarks } from './bodies.js'
import type { ParticleTask } from './task.js'
import type { ParticleWorld, Scenario } from './world.js'

const ADVERSARY = 0

/** Good agents know which landmark is the goal; an adversary has to guess it from where they go. */
export const adversary: ParticleTask = {
  description: 'good agents go to a goal that an adversary has to guess from where they go',
  rewards: 'each',
  options: { good: whole(2, 1) },
  scenario: ({ good }): Scenario => ({
    agents: [
      agentBody({
        id: 'adversary_0',
        radius: 0.15,
        adversary: true,
        team: 'adversary',
        sees: ['landmarks', 'agents'],
      }),
      ...Array.from({ length: Number(good) }, (_, k) =>
        agentBody({ id: `agent_${k}`, radius: 0.15, team: 'good', sees: ['goal', 'landmarks', 'agents'] }),
      ),
    ],
    landmarks: landmarks(Number(good), 0.08),
    words: 2,
    goals: 'shared',
    landmarkRange: 1,
    localRatio: 1,
    local: (world, agent) => (agent === ADVERSARY ? -fooled(world) : fooled(world) - nearest(world)),
  }),
}

/** Distance of the adversary to the goal. */
function fooled(world: ParticleWorld): number {
  return world.distance(ADVERSARY, world.goalOf(ADVERSARY))
}

/** Distance of the nearest good agent to the goal. */
function nearest(world: ParticleWorld): number {
  let distance = Infinity
  for (let i = 1; i < world.scenario.agents.length; i++)
    distance = Math.min(distance, world.distance(i, world.goalOf(i)))
  return distance
}
