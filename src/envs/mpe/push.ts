import { agentBody, colours, landmarks } from './bodies.js'
import type { ParticleTask } from './task.js'
import type { ParticleWorld, Scenario } from './world.js'

const ADVERSARY = 0
const GOOD = 1

/** An adversary that does not know the goal keeps an agent that does away from it. */
export const push: ParticleTask = {
  description: 'an adversary keeps an agent away from a goal that only the agent knows',
  rewards: 'each',
  options: {},
  scenario: (): Scenario => ({
    agents: [
      agentBody({
        id: 'adversary_0',
        collides: true,
        adversary: true,
        sees: ['velocity', 'landmarks', 'agents'],
      }),
      agentBody({
        id: 'agent_0',
        collides: true,
        sees: ['velocity', 'goal', 'goalColour', 'landmarks', 'landmarkColours', 'agents'],
      }),
    ],
    landmarks: landmarks(2),
    words: 2,
    goals: 'shared',
    landmarkRange: 1,
    goalColours: colours(2, 0.75, 0.25, 1),
    landmarkColours: colours(2, 0.9, 0.1, 1),
    localRatio: 1,
    local: (world, agent) => (agent === ADVERSARY ? away(world) : -toGoal(world, GOOD)),
  }),
}

/** Distance of the good agent to the goal, less the adversary's own. */
function away(world: ParticleWorld): number {
  return toGoal(world, GOOD) - toGoal(world, ADVERSARY)
}

function toGoal(world: ParticleWorld, agent: number): number {
  return world.distance(agent, world.goalOf(agent))
}
