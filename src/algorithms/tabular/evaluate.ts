import { actionStrides, jointActionCount, type FiniteGame } from '../../envs/finite-game.js'
import type { MarkovGame, TabularPolicy } from './game.js'

/** Everything that a joint policy earns, exact up to rounding. */
export interface Evaluation {
  /** V(s), [states]. */
  readonly values: Float64Array
  /** A(s, a) = Q(s, a) - V(s), [states, joint actions]. */
  readonly advantages: Float64Array
  /** Discounted visits rho(s) = sum over t of gamma^t P(s_t = s), [states]; they sum to 1 / (1 - gamma). */
  readonly visits: Float64Array
  /** J, the expected discounted return. */
  readonly return: number
}

/** [states, joint actions]: probability of each joint action, the product of the agents' own. */
export function jointPolicy(game: FiniteGame, policies: readonly TabularPolicy[]): Float64Array {
  const { states, actions } = game
  const joint = jointActionCount(actions)
  const strides = actionStrides(actions)
  const out = new Float64Array(states * joint).fill(1)
  for (let s = 0; s < states; s++) {
    for (let a = 0; a < joint; a++) {
      for (let i = 0; i < actions.length; i++) {
        const choice = Math.floor(a / strides[i]) % actions[i]
        out[s * joint + a] *= policies[i][s * actions[i] + choice]
      }
    }
  }
  return out
}

/** Evaluates a joint policy by two linear systems: V = r + gamma P V and rho = rho_0 + gamma P' rho. */
export function evaluatePolicies(game: MarkovGame, policies: readonly TabularPolicy[]): Evaluation {
  const { states, rewards, transitions, initial, gamma } = game
  const policy = jointPolicy(game, policies)
  const joint = policy.length / states
  const reward = new Float64Array(states)
  const forward = identity(states)
  const backward = identity(states)
  for (let s = 0; s < states; s++) {
    for (let a = s * joint; a < (s + 1) * joint; a++) {
      reward[s] += policy[a] * rewards[a]
      for (let t = 0; t < states; t++) {
        const flow = gamma * policy[a] * transitions[a * states + t]
        forward[s * states + t] -= flow
        backward[t * states + s] -= flow
      }
    }
  }
  const values = solveLinear(forward, reward)
  const visits = solveLinear(backward, initial.slice())
  const advantages = rewards.map((r, a) => {
    let next = 0
    for (let t = 0; t < states; t++) next += transitions[a * states + t] * values[t]
    return r + gamma * next - values[Math.floor(a / joint)]
  })
  const total = values.reduce((sum, v, s) => sum + initial[s] * v, 0)
  return { values, advantages, visits, return: total }
}

function identity(size: number): Float64Array {
  const out = new Float64Array(size * size)
  for (let i = 0; i < size; i++) out[i * size + i] = 1
  return out
}

/**
 * Solves A x = b by elimination with partial pivoting.
 * @param matrix [n, n], overwritten
 * @param rhs [n], overwritten by x
 */
export function solveLinear(matrix: Float64Array, rhs: Float64Array): Float64Array {
  const n = rhs.length
  for (let column = 0; column < n; column++) {
    let pivot = column
    for (let row = column + 1; row < n; row++) {
      if (Math.abs(matrix[row * n + column]) > Math.abs(matrix[pivot * n + column])) pivot = row
    }
    if (pivot !== column) swapRows(matrix, rhs, pivot, column)
    for (let row = column + 1; row < n; row++) {
      const factor = matrix[row * n + column] / matrix[column * n + column]
      for (let k = column; k < n; k++) matrix[row * n + k] -= factor * matrix[column * n + k]
      rhs[row] -= factor * rhs[column]
    }
  }
  for (let row = n - 1; row >= 0; row--) {
    for (let k = row + 1; k < n; k++) rhs[row] -= matrix[row * n + k] * rhs[k]
    rhs[row] /= matrix[row * n + row]
  }
  return rhs
}

function swapRows(matrix: Float64Array, rhs: Float64Array, a: number, b: number): void {
  const n = rhs.length
  for (let k = 0; k < n; k++) {
    const kept = matrix[a * n + k]
    matrix[a * n + k] = matrix[b * n + k]
    matrix[b * n + k] = kept
  }
  const kept = rhs[a]
  rhs[a] = rhs[b]
  rhs[b] = kept
}
