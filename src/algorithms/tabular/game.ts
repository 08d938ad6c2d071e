import { jointActionCount, type FiniteGame } from '../../envs/finite-game.js'
import { RandomStream } from '../../envs/random.js'
import { HatrpoError } from '../../errors.js'

/** A cooperative Markov game <N, S, A, P, r, gamma> as tables. */
export interface MarkovGame extends FiniteGame {
  /** Discount, from 0 and below 1. */
  readonly gamma: number
}

/** Probability of each action in each state, [states, actions of the agent]. */
export type TabularPolicy = Float64Array

const GAME_PURPOSE = 0x67616d65
const POLICY_PURPOSE = 0x706f6c69

/** Size of a random game. */
export interface GameSize {
  readonly states: number
  readonly actions: readonly number[]
  readonly gamma: number
}

/** A game with rewards uniform in [-1, 1] and distributions uniform over the simplex. */
export function randomGame({ states, actions, gamma }: GameSize, seed: number): MarkovGame {
  const random = new RandomStream(seed, GAME_PURPOSE)
  const pairs = states * jointActionCount(actions)
  const rewards = new Float64Array(pairs).map(() => 2 * random.uniform() - 1)
  const transitions = randomRows(random, pairs, states)
  const initial = randomRows(random, 1, states)
  return { states, actions, rewards, transitions, initial, gamma }
}

/**
 * Joint policies uniform over those that give every action at least the probability `floor`.
 * @throws HatrpoError for a floor that leaves no such policy
 */
export function randomPolicies(game: FiniteGame, seed: number, floor = 0): TabularPolicy[] {
  const random = new RandomStream(seed, POLICY_PURPOSE)
  return game.actions.map((count) => {
    requireFloor(floor, count)
    const free = 1 - count * floor
    return randomRows(random, game.states, count).map((p) => floor + free * p)
  })
}

/** The same probability for every action. */
export function uniformPolicies({ states, actions }: FiniteGame): TabularPolicy[] {
  return actions.map((count) => new Float64Array(states * count).fill(1 / count))
}

/** @throws HatrpoError for a floor that no policy over `count` actions can have */
export function requireFloor(floor: number, count: number): void {
  if (!(floor >= 0 && floor * count <= 1))
    throw new HatrpoError(`floor is ${floor}: with ${count} actions it must be from 0 to ${1 / count}`)
}

/** Rows uniform over the simplex: exponential variates over their sum. */
function randomRows(random: RandomStream, rows: number, width: number): Float64Array {
  const out = new Float64Array(rows * width)
  for (let row = 0; row < rows; row++) {
    let sum = 0
    for (let i = row * width; i < (row + 1) * width; i++) {
      // Half the square of a normal pair's length is exponential.
      const [x, y] = [random.normal(), random.normal()]
      out[i] = (x * x + y * y) / 2
      sum += out[i]
    }
    for (let i = row * width; i < (row + 1) * width; i++) out[i] /= sum
  }
  return out
}
