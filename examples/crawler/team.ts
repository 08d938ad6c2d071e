// A six-legged crawler as a team of three: the front, the middle and the rear pair of legs.
//   npx hatrpo train --env examples/crawler/team.ts --algo hatrpo --steps 400000
import { defineMujocoTeam, type View } from 'hatrpo/env'

/** The four actuators of a pair of legs. */
function legs(row: string): string[] {
  return ['left', 'right'].flatMap((side) => [`hip_${row}_${side}`, `knee_${row}_${side}`])
}

/** Observation of a pair: its own joints and feet, those of the pair beside it, and how the hull lies and turns. */
function senses(row: string): View[] {
  return [
    'own',
    'neighbours',
    `sensor:touch_${row}_left`,
    `sensor:touch_${row}_right`,
    'sensor:up',
    'sensor:gyro',
  ]
}

export default defineMujocoTeam({
  model: new URL('./crawler.xml', import.meta.url),
  agents: { front: legs('front'), middle: legs('middle'), rear: legs('rear') },
  observe: { front: senses('front'), middle: senses('middle'), rear: senses('rear') },
  frames: 5,
  timeLimit: 400,
  resetNoise: 0.02,
  keep: ['xpos:hull'],

  // Forwards in metres per second, less what goes sideways and a little for the effort.
  reward({ read, before, stepSeconds }) {
    const now = read('xpos:hull')
    const then = before('xpos:hull')
    const forwards = (now[0] - then[0]) / stepSeconds
    const sideways = Math.abs(now[1] - then[1]) / stepSeconds
    const force = read('actuator_force')
    let effort = 0
    for (let i = 0; i < force.length; i++) effort += force[i] * force[i]
    return 10 * forwards - 3 * sideways - 0.01 * effort
  },

  // On its back, or nearly.
  terminated: ({ read }) => read('sensor:up')[2] < 0.3,
})
