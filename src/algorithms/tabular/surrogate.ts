import { actionStrides, jointActionCount, type FiniteGame } from '../../envs/finite-game.js'
import { jointPolicy, type Evaluation } from './evaluate.js'
import type { MarkovGame, TabularPolicy } from './game.js'
import { largestKl } from './kl.js'

/**
 * Mean of a table over joint actions, given the choices of a group of agents: with Q, the multi-agent value
 * Q^{i_1..i_m}(s, a^{i_1..i_m}) of Kuba et al. 2022, Definition 1.
 * @param table [states, joint actions]
 * @param policies that the other agents follow
 * @param group agents, in the order of the result's axes
 * @returns [states, actions of the first of the group, ..., of the last]
 */
export function meanGiven(
  game: FiniteGame,
  table: Float64Array,
  policies: readonly TabularPolicy[],
  group: readonly number[],
): Float64Array {
  const { states, actions } = game
  const joint = jointActionCount(actions)
  const strides = actionStrides(actions)
  const sizes = group.map((agent) => actions[agent])
  const [width, groupStrides] = [jointActionCount(sizes), actionStrides(sizes)]
  const others = actions.map((_, agent) => agent).filter((agent) => !group.includes(agent))
  const out = new Float64Array(states * width)
  for (let s = 0; s < states; s++) {
    for (let a = 0; a < joint; a++) {
      const choice = (agent: number) => Math.floor(a / strides[agent]) % actions[agent]
      let weight = 1
      for (const agent of others) weight *= policies[agent][s * actions[agent] + choice(agent)]
      let at = s * width
      for (let m = 0; m < group.length; m++) at += groupStrides[m] * choice(group[m])
      out[at] += weight * table[s * joint + a]
    }
  }
  return out
}

/**
 * Multi-agent advantage A^{i_m}(s, a^{i_1..i_{m-1}}, a^{i_m}) = Q^{i_1..i_m} - Q^{i_1..i_{m-1}} (Definition 1).
 * @param table Q or A, [states, joint actions]: V is in both of the terms or in none
 * @param before i_1 ... i_{m-1}
 * @returns [states, actions of i_1, ..., of i_m]
 */
export function agentAdvantage(
  game: FiniteGame,
  table: Float64Array,
  policies: readonly TabularPolicy[],
  before: readonly number[],
  agent: number,
): Float64Array {
  const known = meanGiven(game, table, policies, before)
  const width = game.actions[agent]
  return meanGiven(game, table, policies, [...before, agent]).map(
    (value, i) => value - known[Math.floor(i / width)],
  )
}

/** An agent's turn: which agents have moved, and where to. */
export interface Turn {
  readonly agent: number
  readonly before: readonly number[]
  /** Policies under which the advantages hold. */
  readonly old: readonly TabularPolicy[]
  /** Those of the agents before are read, and for a surrogate the agent's own. */
  readonly moved: readonly TabularPolicy[]
}

/**
 * E over a^{i_1..i_{m-1}} ~ new, a^{i_m} ~ new of A^{i_m}(s, a^{i_1..i_{m-1}}, a^{i_m}), in every state: the inner
 * expectation of the surrogate L^{i_1..i_m} as Definition 2 has it.
 */
export function surrogateByDefinition(game: MarkovGame, table: Float64Array, turn: Turn): Float64Array {
  const { agent, before, old, moved } = turn
  const group = [...before, agent]
  const actions = group.map((i) => game.actions[i])
  const own = agentAdvantage(game, table, old, before, agent)
  const mean = { ...game, actions }
  const policies = group.map((i) => moved[i])
  return meanGiven(mean, own, policies, [])
}

/**
 * The same by importance ratios from the old joint policy (Proposition 2, Eq. 9), in every state:
 *   E over a ~ old of (new^{i_m} / old^{i_m} - 1) prod over j < m of new^{i_j} / old^{i_j} A(s, a).
 * @param table A, [states, joint actions]
 */
export function surrogateByRatios(game: MarkovGame, table: Float64Array, turn: Turn): Float64Array {
  const { states, actions } = game
  const { agent, before, old, moved } = turn
  const joint = jointActionCount(actions)
  const strides = actionStrides(actions)
  const probability = jointPolicy(game, old)
  const out = new Float64Array(states)
  for (let s = 0; s < states; s++) {
    for (let a = 0; a < joint; a++) {
      const ratio = (i: number) => {
        const at = s * actions[i] + (Math.floor(a / strides[i]) % actions[i])
        return moved[i][at] / old[i][at]
      }
      let factor = ratio(agent) - 1
      for (const i of before) factor *= ratio(i)
      out[s] += probability[s * joint + a] * factor * table[s * joint + a]
    }
  }
  return out
}

/**
 * Mean advantage of each action of an agent, given the new policies of the agents before it and the old ones of those
 * after it. These are the weights of the probabilities in the agent's surrogate.
 * @param table A, [states, joint actions]
 * @returns [states, actions of the agent]
 */
export function actionWeights(
  game: FiniteGame,
  table: Float64Array,
  { agent, before, old, moved }: Turn,
): Float64Array {
  const current = old.map((policy, i) => (before.includes(i) ? moved[i] : policy))
  return meanGiven(game, table, current, [agent])
}

/** C = 4 gamma max |A(s, a)| / (1 - gamma)^2 (Lemma 2). */
export function penaltyCoefficient({ gamma }: MarkovGame, { advantages }: Evaluation): number {
  const largest = advantages.reduce((max, a) => Math.max(max, Math.abs(a)), 0)
  return (4 * gamma * largest) / ((1 - gamma) * (1 - gamma))
}

/** Terms of Lemma 2. */
export interface ReturnBound {
  /** Sum over the agents of their surrogates L. */
  readonly surrogate: number
  /** Sum over the agents of D_KL^max(old, new). */
  readonly kl: number
  /** J(old) + surrogate - C kl: J(new) is not below. */
  readonly bound: number
}

/**
 * Lower bound on the return of a joint policy from another's advantages (Lemma 2),
 *   J(new) >= J(old) + sum over m of [L^{i_1..i_m}(new^{i_1..i_{m-1}}, new^{i_m}) - C D_KL^max(old^{i_m}, new^{i_m})].
 * @param order of the agents; it does not change the sum of the surrogates
 */
export function returnBound(
  game: MarkovGame,
  evaluation: Evaluation,
  old: readonly TabularPolicy[],
  moved: readonly TabularPolicy[],
  order: readonly number[],
): ReturnBound {
  let [surrogate, kl] = [0, 0]
  order.forEach((agent, m) => {
    const turn = { agent, before: order.slice(0, m), old, moved }
    const inner = surrogateByRatios(game, evaluation.advantages, turn)
    inner.forEach((value, s) => (surrogate += evaluation.visits[s] * value))
    kl += largestKl(old[agent], moved[agent], game.states)
  })
  const bound = evaluation.return + surrogate - penaltyCoefficient(game, evaluation) * kl
  return { surrogate, kl, bound }
}
