import { number, whole } from '../options.js'
import { agentBody, landmarks } from './bodies.js'
import type { ParticleTask } from './task.js'
import type { ParticleWorld, Scenario } from './world.js'

/** Agents cover landmarks without touching one another. */
export const spread: ParticleTask = {
  description: 'agents cover as many landmarks without touching one another',
  rewards: 'sum',
  options: { agents: whole(3, 1), localRatio: number(0.5, 0, 1) },
  scenario: ({ agents, localRatio }): Scenario => ({
    agents: Array.from({ length: Number(agents) }, (_, k) =>
      agentBody({
        id: `agent_${k}`,
        radius: 0.15,
        collides: true,
        sees: ['velocity', 'position', 'landmarks', 'agents', 'messages'],
      }),
    ),
    landmarks: landmarks(Number(agents)),
    words: 2,
    goals: 'none',
    landmarkRange: 1,
    localRatio: Number(localRatio),
    local: touches,
    global: coverage,
  }),
}

/** -1 for each agent that is touched. */
function touches(world: ParticleWorld, agent: number): number {
  let reward = 0
  for (let other = 0; other < world.scenario.agents.length; other++) {
    if (other !== agent && world.touch(agent, other)) reward -= 1
  }
  return reward
}

/** The sum over landmarks of the distance of the nearest agent, negative. */
function coverage(world: ParticleWorld): number {
  const { agents, landmarks } = world.scenario
  let reward = 0
  for (let k = 0; k < landmarks.length; k++) {
    let nearest = Infinity
    for (let i = 0; i < agents.length; i++) nearest = Math.min(nearest, world.distance(i, agents.length + k))
    reward -= nearest
  }
  return reward
}
