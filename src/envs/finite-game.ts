import { HatrpoError } from '../errors.js'

/**
 * A cooperative game with finitely many states and actions, as tables. Joint actions are numbered with the choice of
 * the last agent varying fastest: for two agents with 2 and 3 actions, (1, 2) is 5.
 */
export interface FiniteGame {
  readonly states: number
  /** Number of actions, one per agent. */
  readonly actions: readonly number[]
  /** [states, joint actions] */
  readonly rewards: Float64Array
  /** Probability of the next state, [states, joint actions, states]. */
  readonly transitions: Float64Array
  /** Distribution of the first state, [states]. */
  readonly initial: Float64Array
}

/** Rounding that a row of probabilities may have in its sum. */
const SUM_TOLERANCE = 1e-9

/** Number of joint actions. */
export function jointActionCount(actions: readonly number[]): number {
  return actions.reduce((product, count) => product * count, 1)
}

/** Distance between joint actions that differ by one in an agent's choice, one per agent. */
export function actionStrides(actions: readonly number[]): number[] {
  const strides = new Array<number>(actions.length).fill(1)
  for (let i = actions.length - 2; i >= 0; i--) strides[i] = strides[i + 1] * actions[i + 1]
  return strides
}

/**
 * Checks the sizes of a game's tables, and that its probabilities are probabilities.
 * @throws HatrpoError
 */
export function checkFiniteGame(game: FiniteGame): void {
  const { states, actions, rewards, transitions, initial } = game
  requireCount('states', states)
  if (actions.length === 0) throw new HatrpoError('actions is empty: there must be an agent')
  actions.forEach((count, agent) => requireCount(`actions[${agent}]`, count))
  const pairs = states * jointActionCount(actions)
  requireLength('rewards', rewards, pairs, 'states times joint actions')
  requireLength('transitions', transitions, pairs * states, 'states times joint actions times states')
  requireLength('initial', initial, states, 'states')
  rewards.forEach((reward, i) => {
    if (!Number.isFinite(reward)) throw new HatrpoError(`rewards[${i}] is ${reward}: it must be finite`)
  })
  requireDistribution('initial', initial, 0, states)
  for (let i = 0; i < pairs; i++) requireDistribution('transitions', transitions, i * states, states)
}

function requireCount(key: string, count: number): void {
  if (!Number.isSafeInteger(count) || count < 1)
    throw new HatrpoError(`${key} is ${count}: it must be a whole number from 1`)
}

function requireLength(key: string, { length }: Float64Array, expected: number, meaning: string): void {
  if (length !== expected)
    throw new HatrpoError(`${key} has ${length} entries: it must have ${expected}, ${meaning}`)
}

function requireDistribution(key: string, table: Float64Array, from: number, count: number): void {
  let sum = 0
  for (let i = from; i < from + count; i++) {
    if (!(table[i] >= 0)) throw new HatrpoError(`${key}[${i}] is ${table[i]}: it must be a probability`)
    sum += table[i]
  }
  if (Math.abs(sum - 1) > SUM_TOLERANCE)
    throw new HatrpoError(`${key}[${from}] to [${from + count - 1}] sum to ${sum}: they must sum to 1`)
}
