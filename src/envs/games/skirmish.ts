import { usageError } from '../../errors.js'
import { RUNNING, TERMINATED } from '../contract.js'
import type { DefinedEnvironment } from '../defined-family.js'
import type { EnvDefinition, EnvParts } from '../define.js'
import { whole } from '../options.js'
import { box, discrete } from '../spaces.js'

const WIDTH = 9
const HEIGHT = 5
/** Columns at its own edge of the field in which a side starts. */
const START_COLUMNS = 2
/** Largest distance along an axis at which a unit sees. */
const SIGHT = 5

interface Kind {
  readonly name: string
  readonly health: number
  /** Largest distance along an axis at which it hits, for 1. */
  readonly range: number
}
const ARCHER: Kind = { name: 'archer', health: 3, range: 3 }
const GUARD: Kind = { name: 'guard', health: 6, range: 1 }
const RAIDER: Kind = { name: 'raider', health: 3, range: 1 }

/** Actions before the attacks. A dead agent has `NONE` alone, and no other has it. */
const NONE = 0
const STOP = 1
const NORTH = 2
const SOUTH = 3
const EAST = 4
const WEST = 5
const ATTACKS = 6

/** Rewards of a kill and of the victory, in units of damage; all rewards of a victory sum to `TOTAL`. */
const KILL = 10
const VICTORY = 200
const TOTAL = 20

const OWN_SIZE = 4
const SEEN_SIZE = 5
const UNIT_SIZE = 3

/** State of an episode: [allies, then enemies] each. */
type Battle = {
  readonly x: Int32Array
  readonly y: Int32Array
  /** 0 of the dead. */
  readonly health: Int32Array
}

/**
 * A battle on a grid, similar to the StarCraft challenge: a team of archers and guards against scripted raiders. Agents
 * can die, observe a part of the field, and can only attack raiders in range. With 4 raiders, random play wins 1 battle
 * in 200, and a team that attacks whenever it can wins nearly all. With 5, standing and shooting wins three in four.
 */
export const skirmish: DefinedEnvironment = {
  description: 'archers and guards, who may die, fight scripted raiders on a grid; attacks are masked',
  options: { archers: whole(2, 0), guards: whole(1, 0), raiders: whole(4, 1), timeLimit: whole(40, 1) },
  define(id, { archers, guards, raiders, timeLimit }) {
    const allies = [...copies(ARCHER, Number(archers)), ...copies(GUARD, Number(guards))]
    if (allies.length === 0)
      throw usageError('env.archers=0 env.guards=0: leave no team: one of them must be at least 1')
    return new Skirmish(id, allies, copies(RAIDER, Number(raiders)), Number(timeLimit))
  },
}

function copies(kind: Kind, count: number): Kind[] {
  return Array.from({ length: count }, () => kind)
}

class Skirmish implements EnvDefinition<Battle> {
  readonly spec: EnvDefinition<Battle>['spec']
  readonly #units: readonly Kind[]
  readonly #allies: number
  /** Reward of a point of damage. */
  readonly #scale: number

  constructor(id: string, allies: readonly Kind[], enemies: readonly Kind[], timeLimit: number) {
    this.#units = [...allies, ...enemies]
    this.#allies = allies.length
    const damage = enemies.reduce((sum, { health }) => sum + health, 0)
    this.#scale = TOTAL / (damage + KILL * enemies.length + VICTORY)
    const size = OWN_SIZE + SEEN_SIZE * (this.#units.length - 1)
    this.spec = {
      id,
      agents: allies.map(({ name }, k) => ({
        id: `${name}_${allies.slice(0, k).filter((other) => other.name === name).length}`,
        observation: box(size, -1, 1),
        action: discrete(ATTACKS + enemies.length),
      })),
      stateSize: UNIT_SIZE * this.#units.length + 1,
      timeLimit,
      mode: 'cooperative',
    }
  }

  memory(): Battle {
    const array = () => new Int32Array(this.#units.length)
    return { x: array(), y: array(), health: array() }
  }

  reset({ memory: { x, y, health }, random }: EnvParts<Battle>): void {
    for (let k = 0; k < this.#units.length; k++) {
      const column = Math.floor(START_COLUMNS * random.uniform())
      x[k] = k < this.#allies ? column : WIDTH - 1 - column
      y[k] = Math.floor(HEIGHT * random.uniform())
      health[k] = this.#units[k].health
    }
  }

  step({ memory, actions, rewards }: EnvParts<Battle>): number {
    let reward = 0
    for (let i = 0; i < this.#allies; i++)
      if (memory.health[i] > 0) reward += this.#act(memory, i, actions[i][0])
    const won = this.#living(memory, this.#allies, this.#units.length) === 0
    if (won) reward += VICTORY
    else
      for (let k = this.#allies; k < this.#units.length; k++) if (memory.health[k] > 0) this.#raid(memory, k)
    rewards.fill(reward * this.#scale)
    return won || this.#living(memory, 0, this.#allies) === 0 ? TERMINATED : RUNNING
  }

  observe({ memory, observations, state, availableActions, active, steps }: EnvParts<Battle>): void {
    for (let i = 0; i < this.#allies; i++) {
      active[i] = memory.health[i] > 0 ? 1 : 0
      this.#observeFrom(memory, i, observations[i])
      this.#mask(memory, i, availableActions[i])
    }
    let at = 0
    for (let k = 0; k < this.#units.length; k++) {
      const alive = memory.health[k] > 0
      state[at++] = memory.health[k] / this.#units[k].health
      state[at++] = alive ? memory.x[k] / WIDTH : 0
      state[at++] = alive ? memory.y[k] / HEIGHT : 0
    }
    state[at] = steps / this.spec.timeLimit
  }

  /** An agent's action. @returns damage and kills, in units of damage */
  #act(memory: Battle, unit: number, action: number): number {
    const { x, y } = memory
    if (action >= ATTACKS) {
      const target = this.#allies + action - ATTACKS
      // Another agent may have killed it in this step.
      if (memory.health[target] === 0) return 0
      memory.health[target]--
      return memory.health[target] === 0 ? 1 + KILL : 1
    }
    if (action === NORTH) y[unit]++
    else if (action === SOUTH) y[unit]--
    else if (action === EAST) x[unit]++
    else if (action === WEST) x[unit]--
    return 0
  }

  /** A raider hits the nearest of the team, or walks towards it. */
  #raid(memory: Battle, unit: number): void {
    const { x, y, health } = memory
    let target = -1
    for (let i = 0; i < this.#allies; i++) {
      if (health[i] === 0) continue
      if (target < 0 || distance(memory, unit, i) < distance(memory, unit, target)) target = i
    }
    if (target < 0) return
    if (distance(memory, unit, target) <= this.#units[unit].range) {
      health[target]--
      return
    }
    const dx = x[target] - x[unit]
    const dy = y[target] - y[unit]
    if (Math.abs(dx) >= Math.abs(dy)) x[unit] += Math.sign(dx)
    else y[unit] += Math.sign(dy)
  }

  #mask(memory: Battle, agent: number, mask: Uint8Array): void {
    const { x, y, health } = memory
    mask.fill(0)
    if (health[agent] === 0) {
      mask[NONE] = 1
      return
    }
    mask[STOP] = 1
    mask[NORTH] = y[agent] < HEIGHT - 1 ? 1 : 0
    mask[SOUTH] = y[agent] > 0 ? 1 : 0
    mask[EAST] = x[agent] < WIDTH - 1 ? 1 : 0
    mask[WEST] = x[agent] > 0 ? 1 : 0
    for (let k = this.#allies; k < this.#units.length; k++)
      if (this.#reaches(memory, agent, k)) mask[ATTACKS + k - this.#allies] = 1
  }

  #reaches(memory: Battle, unit: number, target: number): boolean {
    return memory.health[target] > 0 && distance(memory, unit, target) <= this.#units[unit].range
  }

  #living({ health }: Battle, from: number, to: number): number {
    let living = 0
    for (let k = from; k < to; k++) if (health[k] > 0) living++
    return living
  }

  /** The agent itself, then every other unit, zeros where it is dead or out of sight; all zeros for a dead agent. */
  #observeFrom(memory: Battle, agent: number, out: Float32Array): void {
    const { x, y, health } = memory
    out.fill(0)
    if (health[agent] === 0) return
    out[0] = health[agent] / this.#units[agent].health
    out[1] = x[agent] / WIDTH
    out[2] = y[agent] / HEIGHT
    out[3] = this.#units[agent] === GUARD ? 1 : 0
    let at = OWN_SIZE
    for (let k = 0; k < this.#units.length; k++) {
      if (k === agent) continue
      if (health[k] > 0 && distance(memory, agent, k) <= SIGHT) {
        out[at] = health[k] / this.#units[k].health
        out[at + 1] = (x[k] - x[agent]) / WIDTH
        out[at + 2] = (y[k] - y[agent]) / HEIGHT
        out[at + 3] = this.#units[k] === GUARD ? 1 : 0
        out[at + 4] = k >= this.#allies && this.#reaches(memory, agent, k) ? 1 : 0
      }
      at += SEEN_SIZE
    }
  }
}

/** The larger of the distances along the axes. */
function distance({ x, y }: Battle, a: number, b: number): number {
  return Math.max(Math.abs(x[a] - x[b]), Math.abs(y[a] - y[b]))
}
