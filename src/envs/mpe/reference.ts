import { number } from '../options.js'
import { agentBody, colours, landmarks } from './bodies.js'
import type { ParticleTask } from './task.js'
import type { ParticleWorld, Scenario } from './world.js'

const COLOURS = colours(3, 0.75, 0.25)

/** Each of two agents observes the goal of the other and can send messages. */
export const reference: ParticleTask = {
  description: 'two agents direct each other: each knows the goal of the other',
  rewards: 'sum',
  options: { localRatio: number(0.5, 0, 1) },
  scenario: ({ localRatio }): Scenario => ({
    agents: [0, 1].map((k) =>
      agentBody({
        id: `agent_${k}`,
        talks: true,
        sees: ['velocity', 'landmarks', 'goalColour', 'messages'],
      }),
    ),
    landmarks: landmarks(3),
    words: 10,
    goals: 'each',
    landmarkRange: 1,
    goalColours: COLOURS,
    landmarkColours: COLOURS,
    localRatio: Number(localRatio),
    local: other,
    global: (world) => (other(world, 0) + other(world, 1)) / 2,
  }),
}

/** Distance of the other agent from the landmark that this one knows, negative. */
function other(world: ParticleWorld, agent: number): number {
  return -world.distance(1 - agent, world.goalOf(agent))
}
