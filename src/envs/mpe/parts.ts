import type { Part } from './bodies.js'
import type { ParticleWorld, Scenario } from './world.js'

/** A part of observations. */
interface PartRule {
  /** Description of the part, for tables. */
  readonly text: string
  /** Numbers that it takes in an agent's observation. */
  size(scenario: Scenario, agent: number): number
  /** Writes them. @returns where the next part begins */
  write(world: ParticleWorld, agent: number, out: Float32Array | Float64Array, at: number): number
}

/** Every part that an observation may have. */
export const PARTS: Readonly<Record<Part, PartRule>> = {
  velocity: {
    text: 'own velocity',
    size: () => 2,
    write({ state: { velocity } }, agent, out, at) {
      out[at] = velocity[2 * agent]
      out[at + 1] = velocity[2 * agent + 1]
      return at + 2
    },
  },
  position: {
    text: 'own position',
    size: () => 2,
    write({ state: { position } }, agent, out, at) {
      out[at] = position[2 * agent]
      out[at + 1] = position[2 * agent + 1]
      return at + 2
    },
  },
  goal: {
    text: 'vector to the goal',
    size: () => 2,
    write: (world, agent, out, at) => writeWay(world, agent, world.goalOf(agent), out, at),
  },
  landmarks: {
    text: 'vectors to the landmarks',
    size: ({ landmarks }) => 2 * landmarks.length,
    write(world, agent, out, at) {
      const { agents, landmarks } = world.scenario
      let next = at
      for (let k = 0; k < landmarks.length; k++) next = writeWay(world, agent, agents.length + k, out, next)
      return next
    },
  },
  agents: {
    text: 'vectors to the other agents',
    size: ({ agents }) => 2 * (agents.length - 1),
    write(world, agent, out, at) {
      let next = at
      for (let other = 0; other < world.scenario.agents.length; other++) {
        if (other !== agent) next = writeWay(world, agent, other, out, next)
      }
      return next
    },
  },
  goodVelocities: {
    text: 'velocities of the other good agents',
    size: ({ agents }, agent) => 2 * agents.filter((other, k) => k !== agent && !other.adversary).length,
    write({ scenario: { agents }, state: { velocity } }, agent, out, at) {
      let next = at
      for (let other = 0; other < agents.length; other++) {
        if (other === agent || agents[other].adversary) continue
        out[next++] = velocity[2 * other]
        out[next++] = velocity[2 * other + 1]
      }
      return next
    },
  },
  messages: {
    text: 'last messages of the other agents',
    size: ({ agents, words }) => words * (agents.length - 1),
    write({ scenario: { agents, words }, state: { message } }, agent, out, at) {
      let next = at
      for (let other = 0; other < agents.length; other++) {
        if (other === agent) continue
        for (let w = 0; w < words; w++) out[next++] = message[words * other + w]
      }
      return next
    },
  },
  goalColour: {
    text: 'colour of the goal',
    size: ({ goalColours }) => goalColours![0].length,
    write({ scenario: { goalColours }, state: { goal } }, agent, out, at) {
      return writeColour(goalColours![goal[agent]], out, at)
    },
  },
  landmarkColours: {
    text: 'colours of the landmarks',
    size: ({ landmarkColours }) => landmarkColours!.length * landmarkColours![0].length,
    write({ scenario: { landmarkColours } }, _agent, out, at) {
      let next = at
      for (let k = 0; k < landmarkColours!.length; k++) next = writeColour(landmarkColours![k], out, next)
      return next
    },
  },
}

/** Length of an agent's observation. */
export function observationSize(scenario: Scenario, agent: number): number {
  return scenario.agents[agent].sees.reduce((size, part) => size + PARTS[part].size(scenario, agent), 0)
}

/** Writes an agent's observation. */
export function writeObservation(
  world: ParticleWorld,
  agent: number,
  out: Float32Array | Float64Array,
): void {
  const { sees } = world.scenario.agents[agent]
  let at = 0
  for (let k = 0; k < sees.length; k++) at = PARTS[sees[k]].write(world, agent, out, at)
}

/** Place of a body, seen from an agent. */
function writeWay(
  { state: { position } }: ParticleWorld,
  agent: number,
  body: number,
  out: Float32Array | Float64Array,
  at: number,
): number {
  out[at] = position[2 * body] - position[2 * agent]
  out[at + 1] = position[2 * body + 1] - position[2 * agent + 1]
  return at + 2
}

function writeColour(colour: readonly number[], out: Float32Array | Float64Array, at: number): number {
  for (let c = 0; c < colour.length; c++) out[at + c] = colour[c]
  return at + colour.length
}
