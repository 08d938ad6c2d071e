import { agentBody, colours, landmarks } from './bodies.js'
import type { ParticleTask } from './task.js'
import type { ParticleWorld, Scenario } from './world.js'

const COLOURS = colours(3, 0.65, 0.15)
const LISTENER = 1

/** A speaker that cannot move directs a listener that does not observe the goal. */
export const speakerListener: ParticleTask = {
  description: 'a speaker that cannot move directs a listener',
  rewards: 'sum',
  options: {},
  scenario: (): Scenario => ({
    agents: [
      agentBody({ id: 'speaker_0', radius: 0.075, moves: false, talks: true, sees: ['goalColour'] }),
      agentBody({ id: 'listener_0', radius: 0.075, sees: ['velocity', 'landmarks', 'messages'] }),
    ],
    landmarks: landmarks(3, 0.04),
    words: 3,
    goals: 'shared',
    landmarkRange: 1,
    goalColours: COLOURS,
    landmarkColours: COLOURS,
    localRatio: 1,
    local: squaredDistance,
  }),
}

/** The square of the listener's distance to the goal, negative, for both. */
function squaredDistance(world: ParticleWorld): number {
  const distance = world.distance(LISTENER, world.goalOf(LISTENER))
  return -distance * distance
}
