import type { RandomStream } from '../random.js'
import { softplus } from '../exponential.js'
import type { AgentBody, Landmark } from './bodies.js'

/** Seconds in a step. */
export const STEP_SECONDS = 0.1
/** Share of its velocity that an agent loses in a step. */
const DAMPING = 0.25
/** Force of a contact per metre of overlap, and the width of its smooth onset. */
const CONTACT_FORCE = 100
const CONTACT_MARGIN = 0.001
/** none, left, right, down, up */
export const MOVES = 5

/** Format of actions; `multiDiscrete`: separate choices of a move and a word, for agents that have both. */
export type ActionForm = 'discrete' | 'multiDiscrete' | 'continuous'

/** A task of the particle environments. */
export interface Scenario {
  readonly agents: readonly AgentBody[]
  readonly landmarks: readonly Landmark[]
  /** Length of a message. */
  readonly words: number
  /** Landmarks that are goals: none, the same one for all agents, or one drawn for each. */
  readonly goals: 'none' | 'shared' | 'each'
  /** Landmarks start within this distance of the centre along each axis; agents always within 1. */
  readonly landmarkRange: number
  /** Colours that represent goals, by landmark; and those of the landmarks. */
  readonly goalColours?: readonly (readonly number[])[]
  readonly landmarkColours?: readonly (readonly number[])[]
  /** Weight of `local` in an agent's reward, if there is also a `global` part. */
  readonly localRatio: number
  /** Reward of an agent for the present state. */
  readonly local: (world: ParticleWorld, agent: number) => number
  /** Reward that all agents have in common. */
  readonly global?: (world: ParticleWorld) => number
}

/** State of an episode. */
export type ParticleState = {
  /** [agents, then landmarks, 2] */
  readonly position: Float64Array
  /** [agents, 2] */
  readonly velocity: Float64Array
  /** [agents, words]: last message of each */
  readonly message: Float64Array
  /** [agents]: landmark that an agent observes or that determines its reward */
  readonly goal: Int32Array
}

/**
 * Discs in the plane that push one another, as in the multi-agent particle environments (R. Lowe et al. 2017) in the
 * version of Farama's MPE2. Double precision throughout; nothing is allocated after construction.
 */
export class ParticleWorld {
  readonly scenario: Scenario
  readonly state: ParticleState
  /** [agents, 2], of the last step: from the actions, and together with contacts. */
  readonly controlForce: Float64Array
  readonly force: Float64Array

  constructor(scenario: Scenario) {
    const { agents, landmarks, words } = scenario
    this.scenario = scenario
    this.state = {
      position: new Float64Array(2 * (agents.length + landmarks.length)),
      velocity: new Float64Array(2 * agents.length),
      message: new Float64Array(words * agents.length),
      goal: new Int32Array(agents.length),
    }
    this.controlForce = new Float64Array(2 * agents.length)
    this.force = new Float64Array(2 * agents.length)
  }

  /** Draws goals and places; everything rests and is silent. */
  reset(random: RandomStream): void {
    const { agents, landmarks, goals, landmarkRange } = this.scenario
    const { position, velocity, message, goal } = this.state
    velocity.fill(0)
    message.fill(0)
    goal.fill(0)
    if (goals === 'shared') goal.fill(Math.floor(landmarks.length * random.uniform()))
    if (goals === 'each') {
      for (let i = 0; i < goal.length; i++) goal[i] = Math.floor(landmarks.length * random.uniform())
    }
    for (let k = 0; k < position.length; k++) {
      const range = k < 2 * agents.length ? 1 : landmarkRange
      position[k] = range * (2 * random.uniform() - 1)
    }
  }

  /** Takes an agent's action for the next `move`. Numbers of a continuous action are limited to [0, 1]. */
  act(agent: number, action: ArrayLike<number>, form: ActionForm): void {
    const { moves, talks } = this.scenario.agents[agent]
    if (form === 'continuous') {
      if (moves) this.#push(agent, axis(action, 1), axis(action, 3))
      if (talks) this.#say(agent, action, moves ? MOVES : 0)
      return
    }
    const first = action[0]
    const apart = form === 'multiDiscrete' && moves && talks
    const move = moves && !apart ? first % MOVES : first
    if (moves) {
      const forwards = move === 2 || move === 4 ? 1 : -1
      this.#push(agent, move === 1 || move === 2 ? forwards : 0, move === 3 || move === 4 ? forwards : 0)
    }
    if (talks) this.#sayWord(agent, apart ? action[1] : moves ? Math.floor(first / MOVES) : first)
  }

  /** Moves all bodies by one step. */
  move(): void {
    const { agents } = this.scenario
    const { position, velocity } = this.state
    this.force.set(this.controlForce)
    this.#addContacts()
    for (let i = 0; i < agents.length; i++) {
      if (!agents[i].moves) continue
      for (let k = 2 * i; k < 2 * i + 2; k++) {
        // With the velocity of before the step, as MPE2 does; the older MPE moved with the new one.
        position[k] += STEP_SECONDS * velocity[k]
        velocity[k] = velocity[k] * (1 - DAMPING) + STEP_SECONDS * this.force[k]
      }
      this.#limitSpeed(i, agents[i].maxSpeed)
    }
  }

  /** Distance between two bodies, agents first, then landmarks. */
  distance(a: number, b: number): number {
    const { position } = this.state
    const x = position[2 * a] - position[2 * b]
    const y = position[2 * a + 1] - position[2 * b + 1]
    return Math.sqrt(x * x + y * y)
  }

  /** Whether two bodies overlap. */
  touch(a: number, b: number): boolean {
    return this.distance(a, b) < this.radius(a) + this.radius(b)
  }

  radius(body: number): number {
    const { agents, landmarks } = this.scenario
    return body < agents.length ? agents[body].radius : landmarks[body - agents.length].radius
  }

  /** Number among the bodies of the landmark that is an agent's goal. */
  goalOf(agent: number): number {
    return this.scenario.agents.length + this.state.goal[agent]
  }

  /** Reward of an agent for the present state, without a share of the others'. */
  reward(agent: number, global: number): number {
    const { localRatio, local } = this.scenario
    const own = local(this, agent)
    return this.scenario.global === undefined ? own : global * (1 - localRatio) + own * localRatio
  }

  /** Common part of all agents' rewards; 0 if there is none. */
  globalReward(): number {
    return this.scenario.global?.(this) ?? 0
  }

  #push(agent: number, x: number, y: number): void {
    const { sensitivity } = this.scenario.agents[agent]
    this.controlForce[2 * agent] = sensitivity * x
    this.controlForce[2 * agent + 1] = sensitivity * y
  }

  /** A message of any numbers, from the action's element `from` on. */
  #say(agent: number, action: ArrayLike<number>, from: number): void {
    const { words } = this.scenario
    for (let w = 0; w < words; w++) this.state.message[words * agent + w] = limited(action[from + w])
  }

  #sayWord(agent: number, word: number): void {
    const { words } = this.scenario
    for (let w = 0; w < words; w++) this.state.message[words * agent + w] = w === word ? 1 : 0
  }

  #limitSpeed(agent: number, maxSpeed: number): void {
    const { velocity } = this.state
    const x = velocity[2 * agent]
    const y = velocity[2 * agent + 1]
    const speed = Math.sqrt(x * x + y * y)
    if (!(speed > maxSpeed)) return
    velocity[2 * agent] = (x / speed) * maxSpeed
    velocity[2 * agent + 1] = (y / speed) * maxSpeed
  }

  /** Contacts push the agents of each pair apart. */
  #addContacts(): void {
    const { agents, landmarks } = this.scenario
    for (let a = 0; a < agents.length; a++) {
      if (!agents[a].collides) continue
      for (let b = a + 1; b < agents.length; b++) {
        if (agents[b].collides && (agents[a].moves || agents[b].moves))
          this.#addContact(a, b, agents[b].moves)
      }
      for (let b = 0; b < landmarks.length; b++) {
        if (landmarks[b].collides && agents[a].moves) this.#addContact(a, agents.length + b, false)
      }
    }
  }

  /** @param both whether the second body is an agent that moves */
  #addContact(a: number, b: number, both: boolean): void {
    const { position } = this.state
    const { force } = this
    const distance = this.distance(a, b)
    // Bodies in the very same place have no direction to be pushed in.
    if (distance === 0) return
    const overlap = (this.radius(a) + this.radius(b) - distance) / CONTACT_MARGIN
    const push = (CONTACT_FORCE * CONTACT_MARGIN * softplus(overlap)) / distance
    const x = push * (position[2 * a] - position[2 * b])
    const y = push * (position[2 * a + 1] - position[2 * b + 1])
    if (this.scenario.agents[a].moves) {
      force[2 * a] += x
      force[2 * a + 1] += y
    }
    if (!both) return
    force[2 * b] -= x
    force[2 * b + 1] -= y
  }
}

/** Direction along an axis, from the numbers for its two ways. */
function axis(action: ArrayLike<number>, first: number): number {
  return limited(action[first + 1]) - limited(action[first])
}

function limited(value: number): number {
  return Math.max(0, Math.min(1, value))
}
