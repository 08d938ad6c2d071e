import { exponential } from '../exponential.js'
import { whole } from '../options.js'
import { agentBody, landmarks, type Part } from './bodies.js'
import type { ParticleTask } from './task.js'
import type { ParticleWorld, Scenario } from './world.js'

/** Reward of adversaries and cost of the good agent when one touches the other. */
const CATCH = 10
const SEES: readonly Part[] = ['velocity', 'position', 'landmarks', 'agents', 'goodVelocities']

/** Slow adversaries chase a fast agent among obstacles. */
export const tag: ParticleTask = {
  description: 'slow adversaries chase faster agents among obstacles',
  rewards: 'each',
  options: { good: whole(1, 1), adversaries: whole(3, 1), obstacles: whole(2, 0) },
  scenario: ({ good, adversaries, obstacles }): Scenario => ({
    agents: [
      ...Array.from({ length: Number(adversaries) }, (_, k) =>
        agentBody({
          id: `adversary_${k}`,
          radius: 0.075,
          sensitivity: 3,
          maxSpeed: 1,
          collides: true,
          adversary: true,
          team: 'adversaries',
          sees: SEES,
        }),
      ),
      ...Array.from({ length: Number(good) }, (_, k) =>
        // Each is caught, and leaves the field, by itself.
        agentBody({
          id: `agent_${k}`,
          sensitivity: 4,
          maxSpeed: 1.3,
          collides: true,
          team: `agent_${k}`,
          sees: SEES,
        }),
      ),
    ],
    landmarks: landmarks(Number(obstacles), 0.2, true),
    words: 2,
    goals: 'none',
    landmarkRange: 0.9,
    localRatio: 1,
    local: (world, agent) => (world.scenario.agents[agent].adversary ? catches(world) : escape(world, agent)),
  }),
}

/** All catches, whichever adversary's they are. */
function catches(world: ParticleWorld): number {
  const { agents } = world.scenario
  let reward = 0
  for (let i = 0; i < agents.length; i++) {
    if (!agents[i].adversary) reward += CATCH * catchersOf(world, i)
  }
  return reward
}

/** Cost of being caught, and of leaving the field. */
function escape(world: ParticleWorld, agent: number): number {
  const { position } = world.state
  const outside = boundary(Math.abs(position[2 * agent])) + boundary(Math.abs(position[2 * agent + 1]))
  return -CATCH * catchersOf(world, agent) - outside
}

/** Adversaries that touch an agent. */
function catchersOf(world: ParticleWorld, agent: number): number {
  const { agents } = world.scenario
  let catchers = 0
  for (let i = 0; i < agents.length; i++) if (agents[i].adversary && world.touch(i, agent)) catchers++
  return catchers
}

/** Cost of being at x along one axis: 0 well inside, 1 at x = 1, at most 10. */
function boundary(x: number): number {
  if (x < 0.9) return 0
  if (x < 1) return (x - 0.9) * 10
  return Math.min(exponential(2 * x - 2), 10)
}
