import { usageError } from '../../errors.js'
import { show } from '../../text/show.js'

/** A finite game: in each state every agent chooses an action, all are paid, and the next state is drawn. */
export interface MatrixGame {
  readonly name: string
  readonly agents: readonly string[]
  /** Names of each agent's actions. */
  readonly actions: readonly (readonly string[])[]
  readonly states: readonly MatrixState[]
  /** [states], cumulative probabilities of the start. */
  readonly start: Float64Array
  /** Whether all agents always get the same reward. */
  readonly shared: boolean
  /** Whether nothing is drawn, at the start or later. */
  readonly deterministic: boolean
  readonly timeLimit: number
}

export interface MatrixState {
  readonly name: string
  /** [joint actions, agents]; the first agent's action changes slowest. */
  readonly payoffs: Float64Array
  /** [joint actions, states], cumulative probabilities of the next state; what lacks to 1 ends the game. */
  readonly next: Float64Array
  /** One per agent, an entry per action. */
  readonly available: readonly Uint8Array[]
}

/** Entries of all tables together, above which a game is refused. */
const LARGEST = 1 << 22
const USUAL_TIME_LIMIT = 100
const ROUNDING = 1e-9

const KEYS = ['name', 'agents', 'actions', 'states', 'start', 'timeLimit']
const STATE_KEYS = ['name', 'payoffs', 'next', 'available']

type Fields = Readonly<Record<string, unknown>>

/**
 * Reads a game in the format of docs/envs/games.md.
 * @param value content of the file
 * @param where name of the file, for errors
 * @param usualName default name of the game
 * @throws HatrpoError (exit code 2) in one line for any mistake
 */
export function parseMatrixGame(value: unknown, where: string, usualName: string): MatrixGame {
  return new GameReader(where).read(value, usualName)
}

class GameReader {
  readonly #where: string
  #agents: readonly string[] = []
  #actions: readonly (readonly string[])[] = []
  #states: readonly string[] = []

  constructor(where: string) {
    this.#where = where
  }

  read(value: unknown, usualName: string): MatrixGame {
    const fields = this.#object(value, 'the file')
    const lone = fields['states'] === undefined
    this.#refuseUnknown(fields, lone ? [...new Set([...KEYS, ...STATE_KEYS])] : KEYS, '')
    this.#agents = this.#readAgents(fields['agents'])
    this.#actions = this.#readActions(fields['actions'])
    const listed = lone ? [fields] : this.#list(fields['states'], 'states')
    const places = listed.map((_, s) => (lone ? '' : `states[${s}].`))
    const descriptions = listed.map((state, s) => this.#object(state, `states[${s}]`))
    this.#states = lone ? ['0'] : this.#readNames(descriptions)
    this.#checkSize()
    const states = descriptions.map((state, s) => this.#readState(state, places[s], lone, s))
    const start = this.#readStart(fields['start'])
    const tables = [start, ...states.map(({ next }) => next)]
    return {
      name: this.#readText(fields['name'], 'name', usualName),
      agents: this.#agents,
      actions: this.#actions,
      states,
      start,
      shared: states.every(({ payoffs }) =>
        payoffs.every((x, k) => x === payoffs[k - (k % this.#agents.length)]),
      ),
      deterministic: tables.every((table) => table.every((p) => p === 0 || p === 1)),
      timeLimit: this.#readTimeLimit(fields['timeLimit']),
    }
  }

  #fail(key: string, value: unknown, right: string): never {
    throw usageError(`game ${this.#where}: ${key} is ${show(value)}: must be ${right}`)
  }

  #object(value: unknown, key: string): Fields {
    if (isObject(value)) return value
    return this.#fail(
      key,
      value,
      'an object, such as {"agents": 2, "actions": 2, "payoffs": [[1, 0], [0, 1]]}',
    )
  }

  #list(value: unknown, key: string): readonly unknown[] {
    if (Array.isArray(value) && value.length > 0) return value as unknown[]
    return this.#fail(key, value, 'a list that is not empty')
  }

  #refuseUnknown(fields: Fields, known: readonly string[], prefix: string): void {
    const key = Object.keys(fields).find((name) => !known.includes(name))
    if (key !== undefined)
      throw usageError(`game ${this.#where}: ${prefix}${key}: no such key; keys are ${known.join(', ')}`)
  }

  #readText(value: unknown, key: string, usual: string): string {
    if (value === undefined) return usual
    return typeof value === 'string' && value !== '' ? value : this.#fail(key, value, 'text')
  }

  #readTimeLimit(value: unknown): number {
    if (value === undefined) return USUAL_TIME_LIMIT
    return isCount(value) ? value : this.#fail('timeLimit', value, 'a whole number from 1')
  }

  #readAgents(value: unknown): readonly string[] {
    if (isSize(value)) return Array.from({ length: value }, (_, k) => `agent_${k}`)
    return isNames(value)
      ? value
      : this.#fail('agents', value, `a number of agents up to ${LARGEST}, or a list of their names`)
  }

  #readActions(value: unknown): (readonly string[])[] {
    const right = `a number of actions up to ${LARGEST}, or a list with a number or a list of names for each agent`
    if (!isSize(value) && !(Array.isArray(value) && value.length === this.#agents.length))
      return this.#fail('actions', value, right)
    return this.#agents.map((_, i) => {
      const own: unknown = isSize(value) ? value : (value as unknown[])[i]
      if (isSize(own)) return Array.from({ length: own }, (_, a) => `${a}`)
      return isNames(own)
        ? own
        : this.#fail(`actions[${i}]`, own, `a number of actions up to ${LARGEST}, or a list of their names`)
    })
  }

  /** The states' names: their numbers where they have none. */
  #readNames(states: readonly Fields[]): readonly string[] {
    const names = states.map(({ name }, s) => this.#readText(name, `states[${s}].name`, `${s}`))
    const twice = names.findIndex((name, s) => names.indexOf(name) < s)
    return twice < 0 ? names : this.#fail(`states[${twice}].name`, names[twice], 'a unique name')
  }

  get #joint(): number {
    return this.#actions.reduce((product, { length }) => product * length, 1)
  }

  #checkSize(): void {
    const entries = this.#states.length * this.#joint * (this.#states.length + this.#agents.length)
    if (entries > LARGEST) {
      const [states, joint] = [this.#states.length, this.#joint]
      throw usageError(
        `game ${this.#where}: ${states} states and ${joint} joint actions make tables of ${entries} numbers: must be at most ${LARGEST}`,
      )
    }
  }

  #readState(fields: Fields, prefix: string, lone: boolean, index: number): MatrixState {
    if (!lone) this.#refuseUnknown(fields, STATE_KEYS, prefix)
    const payoffs = new Float64Array(this.#joint * this.#agents.length)
    this.#readPayoffs(fields['payoffs'], `${prefix}payoffs`, payoffs)
    const next = new Float64Array(this.#joint * this.#states.length)
    this.#visit(fields['next'] ?? null, `${prefix}next`, (leaf, key, joint) =>
      this.#readDistribution(
        leaf,
        key,
        next.subarray(joint * this.#states.length, (joint + 1) * this.#states.length),
      ),
    )
    return {
      name: this.#states[index],
      payoffs,
      next,
      available: this.#readAvailable(fields['available'], prefix),
    }
  }

  /** A number for all joint actions, a table, or an object by joint actions. */
  #readPayoffs(value: unknown, key: string, out: Float64Array): void {
    const agents = this.#agents.length
    const write = (leaf: unknown, key: string, joint: number) =>
      out.set(this.#readPayoff(leaf, key), joint * agents)
    if (!isObject(value)) {
      this.#visit(value, key, write)
      return
    }
    for (let joint = 0; joint < this.#joint; joint++) write(value['default'] ?? 0, `${key}.default`, joint)
    for (const [name, leaf] of Object.entries(value)) {
      if (name !== 'default') write(leaf, `${key}["${name}"]`, this.#findJoint(name, key))
    }
  }

  #readPayoff(value: unknown, key: string): number[] {
    const { length } = this.#agents
    if (isNumber(value)) return new Array<number>(length).fill(value)
    if (Array.isArray(value) && value.length === length && value.every(isNumber)) return value
    return this.#fail(key, value, `a number for all agents, or a list of ${length} numbers`)
  }

  /** Number of the joint action given by names or numbers of actions, separated by commas. */
  #findJoint(name: string, key: string): number {
    const words = name.split(',').map((word) => word.trim())
    const found = this.#actions.map((actions, i) => {
      const at = actions.indexOf(words[i])
      return at >= 0 ? at : Number(/^\d+$/.test(words[i] ?? '') ? words[i] : -1)
    })
    const right =
      words.length === found.length && found.every((a, i) => a >= 0 && a < this.#actions[i].length)
    if (!right) {
      const example = this.#actions.map((actions) => actions[0]).join(',')
      throw usageError(
        `game ${this.#where}: ${key}["${name}"]: no such joint action: must be an action of each agent, such as "${example}"`,
      )
    }
    return found.reduce((joint, action, i) => joint * this.#actions[i].length + action, 0)
  }

  /**
   * Visits the entry of every joint action in a table of nested lists, one level per agent. An entry at a higher level
   * applies to all joint actions below it.
   */
  #visit(value: unknown, key: string, leaf: (value: unknown, key: string, joint: number) => void): void {
    const descend = (inner: unknown, name: string, agent: number, joint: number) => {
      if (agent === this.#agents.length) return leaf(inner, name, joint)
      const count = this.#actions[agent].length
      const nested = Array.isArray(inner)
      if (nested && inner.length !== count) {
        const whose = `one entry for each action of ${this.#agents[agent]}`
        this.#fail(name, inner, `a list of ${count}, ${whose}`)
      }
      for (let a = 0; a < count; a++) {
        const entry: unknown = nested ? (inner as unknown[])[a] : inner
        descend(entry, nested ? `${name}[${a}]` : name, agent + 1, joint * count + a)
      }
    }
    descend(value, key, 0, 0)
  }

  #readStart(value: unknown): Float64Array {
    const start = new Float64Array(this.#states.length)
    this.#readDistribution(value ?? this.#states[0], 'start', start)
    if (start[start.length - 1] !== 1) this.#fail('start', value, 'a state, or probabilities that sum to 1')
    return start
  }

  /** A state, probabilities of states, or null for the end of the game; as cumulative probabilities. */
  #readDistribution(value: unknown, key: string, out: Float64Array): void {
    if (isObject(value)) {
      for (const [name, p] of Object.entries(value)) {
        const state = this.#findState(name, key)
        out[state] = isNumber(p) && p >= 0 ? p : this.#fail(`${key}.${name}`, p, 'a probability from 0 to 1')
      }
    } else if (value !== null) out[this.#findState(value, key)] = 1
    let sum = 0
    for (let s = 0; s < out.length; s++) {
      sum += out[s]
      if (sum > 1 + ROUNDING) this.#fail(key, value, 'probabilities that sum to at most 1')
      // A sum of 1 within rounding never ends the game.
      out[s] = sum > 1 - ROUNDING ? 1 : sum
    }
  }

  #findState(value: unknown, key: string): number {
    const state = typeof value === 'number' ? value : this.#states.indexOf(value as string)
    if (Number.isInteger(state) && state >= 0 && state < this.#states.length) return state
    return this.#fail(
      key,
      value,
      `one of the states ${this.#states.join(', ')}, probabilities of them, or null`,
    )
  }

  #readAvailable(value: unknown, prefix: string): Uint8Array[] {
    const key = `${prefix}available`
    if (value === undefined) return this.#actions.map(({ length }) => new Uint8Array(length).fill(1))
    if (!Array.isArray(value) || value.length !== this.#agents.length)
      return this.#fail(key, value, `a list of ${this.#agents.length}, one mask for each agent`)
    return value.map((mask: unknown, i) => {
      const { length } = this.#actions[i]
      const right = Array.isArray(mask) && mask.length === length && mask.every((x) => x === 0 || x === 1)
      if (!right || !mask.includes(1))
        return this.#fail(`${key}[${i}]`, mask, `a list of ${length} zeros and ones, not all of them 0`)
      return Uint8Array.from(mask as number[])
    })
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function isSize(value: unknown): value is number {
  return isCount(value) && value <= LARGEST
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0
}

/** A list of different names. Commas separate actions. */
function isNames(value: unknown): value is string[] {
  if (!Array.isArray(value) || value.length === 0) return false
  const named = value.every(
    (name) => typeof name === 'string' && name.trim() === name && /^[^,]+$/.test(name),
  )
  return named && new Set(value).size === value.length
}
