// Statements of Kuba et al. 2022 about finite games, each checked on one random game. Short tests check some, long ones
// hundreds.
import assert from 'node:assert/strict'
import { bestReply } from '../../src/algorithms/tabular/best-reply.js'
import { evaluatePolicies, jointPolicy, type Evaluation } from '../../src/algorithms/tabular/evaluate.js'
import {
  randomGame,
  randomPolicies,
  type MarkovGame,
  type TabularPolicy,
} from '../../src/algorithms/tabular/game.js'
import { improveInTurn, nashGap, penalised, policyIteration } from '../../src/algorithms/tabular/iteration.js'
import { stateKls } from '../../src/algorithms/tabular/kl.js'
import { boundedStep, penalisedStep, type Step, type StepProblem } from '../../src/algorithms/tabular/step.js'
import {
  actionWeights,
  agentAdvantage,
  penaltyCoefficient,
  returnBound,
  surrogateByDefinition,
  surrogateByRatios,
} from '../../src/algorithms/tabular/surrogate.js'
import { RandomStream } from '../../src/envs/random.js'

/** Rounding in sums of numbers near 1. */
const ROUNDING = 1e-12

const SHAPES = [
  [2, 2],
  [2, 3],
  [3, 3],
  [2, 2, 2],
  [3, 2, 2],
]
const CHOICE_PURPOSE = 0x74657374

/** A random game of a size that its seed decides. */
export function gameOf(seed: number, gammas: readonly number[]): MarkovGame {
  const actions = SHAPES[seed % SHAPES.length]
  return randomGame({ states: 1 + (seed % 4), actions, gamma: gammas[seed % gammas.length] }, seed)
}

export function orderOf(seed: number, count: number): number[] {
  const random = new RandomStream(seed, CHOICE_PURPOSE)
  return Array.from({ length: count }, (_, agent) => ({ agent, key: random.uniform() }))
    .sort((a, b) => a.key - b.key)
    .map(({ agent }) => agent)
}

export function near(actual: number, expected: number, tolerance = ROUNDING, what = ''): void {
  const difference = Math.abs(actual - expected)
  assert.ok(difference <= tolerance, `${what} ${actual} is not ${expected}: off by ${difference}`)
}

/** The digits of a joint action. */
export function choicesOf(joint: number, actions: readonly number[]): number[] {
  const choices: number[] = []
  for (let i = actions.length - 1; i >= 0; i--) {
    choices[i] = joint % actions[i]
    joint = Math.floor(joint / actions[i])
  }
  return choices
}

/** V, A, rho and J against Bellman's equation and against the flow of states, summed over time. */
export function checkEvaluation(seed: number): void {
  const game = gameOf(seed, [0, 0.5, 0.9])
  const { states, rewards, transitions, gamma } = game
  const policies = randomPolicies(game, seed)
  const evaluation = evaluatePolicies(game, policies)
  const policy = jointPolicy(game, policies)
  const joint = policy.length / states
  const visits = new Float64Array(states)
  let [now, discount, total] = [game.initial, 1, 0]
  for (; discount > 1e-16; discount *= gamma) {
    const next = new Float64Array(states)
    for (let s = 0; s < states; s++) {
      visits[s] += discount * now[s]
      for (let a = s * joint; a < (s + 1) * joint; a++) {
        total += discount * now[s] * policy[a] * rewards[a]
        for (let to = 0; to < states; to++) next[to] += now[s] * policy[a] * transitions[a * states + to]
      }
    }
    now = next
  }
  near(evaluation.return, total, ROUNDING, 'return')
  for (let s = 0; s < states; s++) {
    near(evaluation.visits[s], visits[s], ROUNDING, 'visits')
    let mean = 0
    for (let a = s * joint; a < (s + 1) * joint; a++) {
      mean += policy[a] * evaluation.advantages[a]
      let future = 0
      for (let to = 0; to < states; to++) future += transitions[a * states + to] * evaluation.values[to]
      const q = rewards[a] + gamma * future
      near(evaluation.advantages[a] + evaluation.values[s], q, ROUNDING, 'Q')
    }
    near(mean, 0, ROUNDING, 'mean advantage')
  }
}

/** Lemma 1: A(s, a^{i_1..i_n}) = sum over m of A^{i_m}(s, a^{i_1..i_{m-1}}, a^{i_m}), from Q, in any order. */
export function checkLemma1(seed: number): void {
  const game = gameOf(seed, [0, 0.5, 0.9])
  const policies = randomPolicies(game, seed)
  const { advantages, values } = evaluatePolicies(game, policies)
  const joint = advantages.length / game.states
  const q = advantages.map((a, i) => a + values[Math.floor(i / joint)])
  const order = orderOf(seed, game.actions.length)
  const terms = order.map((agent, m) => agentAdvantage(game, q, policies, order.slice(0, m), agent))
  advantages.forEach((advantage, i) => {
    const state = Math.floor(i / joint)
    const choices = choicesOf(i % joint, game.actions)
    let [sum, at, width] = [0, 0, 1]
    order.forEach((agent, m) => {
      at = at * game.actions[agent] + choices[agent]
      width *= game.actions[agent]
      sum += terms[m][state * width + at]
    })
    near(sum, advantage, ROUNDING, 'sum of the agents')
  })
}

/** Eq. 9: the surrogate by importance ratios is that of the definition, in every state and for every agent's turn. */
export function checkEquation9(seed: number): void {
  const game = gameOf(seed, [0, 0.5, 0.9])
  const old = randomPolicies(game, seed, 0.02)
  const moved = randomPolicies(game, seed + 1000)
  const { advantages } = evaluatePolicies(game, old)
  const order = orderOf(seed, game.actions.length)
  order.forEach((agent, m) => {
    const turn = { agent, before: order.slice(0, m), old, moved }
    const defined = surrogateByDefinition(game, advantages, turn)
    const byRatios = surrogateByRatios(game, advantages, turn)
    // The weights of the agent's own probabilities, which the tabular steps maximise, also give it.
    const weights = actionWeights(game, advantages, turn)
    const width = game.actions[agent]
    defined.forEach((value, s) => {
      near(byRatios[s], value, ROUNDING, 'Eq. 9')
      let own = 0
      for (let a = s * width; a < (s + 1) * width; a++) own += (moved[agent][a] - old[agent][a]) * weights[a]
      near(own, value, ROUNDING, 'weights')
    })
  })
}

/**
 * Lemma 2 for policies near and far.
 * @returns whether the sum of the surrogates alone was above the change of the return: then the penalty is needed
 */
export function checkLemma2(seed: number): boolean {
  const game = gameOf(seed, [0, 0.3, 0.6, 0.9])
  const old = randomPolicies(game, seed, 0.01)
  const far = randomPolicies(game, seed + 1000)
  const evaluation = evaluatePolicies(game, old)
  const order = orderOf(seed, game.actions.length)
  let needed = false
  for (const share of [0, 0.001, 0.03, 0.3, 1]) {
    const moved = old.map((policy, i) => policy.map((p, a) => (1 - share) * p + share * far[i][a]))
    const { return: reached } = evaluatePolicies(game, moved)
    const { surrogate, kl, bound } = returnBound(game, evaluation, old, moved, order)
    const scale = 1 / (1 - game.gamma)
    assert.ok(reached >= bound - ROUNDING * scale, `J ${reached} is below ${bound} at ${share}`)
    if (share === 0) near(bound, evaluation.return, ROUNDING * scale, 'bound at the old policy')
    // If an action has no later effect, the surrogates are the whole change of the return.
    if (game.gamma === 0) near(evaluation.return + surrogate, reached, ROUNDING, 'gamma 0')
    assert.ok(share === 0 || kl > 0)
    needed ||= evaluation.return + surrogate > reached + 1e-6
  }
  return needed
}

/** A step's problem: the second agent's turn, from soft policies some of whose entries are at the floor. */
function problemOf(seed: number): { problem: StepProblem; penalty: number } {
  const floor = [0, 0.01, 0.05][seed % 3]
  const game = gameOf(seed, [0.1, 0.5, 0.9])
  const old = randomPolicies(game, seed, Math.max(floor, 0.005))
  const [first, agent] = orderOf(seed, game.actions.length)
  const cornered = bestReply(game, old, agent, Math.max(floor, 0.005)).policy
  const start = seed % 4 === 3 ? old.map((policy, i) => (i === agent ? cornered : policy)) : old
  const evaluation = evaluatePolicies(game, start)
  const turn = { agent, before: [first], old: start, moved: randomPolicies(game, seed + 1000) }
  const weights = actionWeights(game, evaluation.advantages, turn)
  const penalty = penaltyCoefficient(game, evaluation) * [1, 0.1, 0.01][seed % 3]
  return { problem: { old: start[agent], weights, visits: evaluation.visits, floor }, penalty }
}

/**
 * An upper bound on sum of q(a) gain(a) - lambda KL(p || q) over distributions with q(a) >= floor: for any number nu,
 *   nu + sum over a of max over q >= floor of [(gain(a) - nu) q + lambda p(a) log(q / p(a))].
 * The least of these over nu, by ternary search: another way to the optimum than the solver's.
 */
function stateMaximum(gain: Float64Array, p: Float64Array, lambda: number, floor: number): number {
  const top = Math.max(...gain)
  if (lambda === 0) {
    const best = 1 - floor * (gain.length - 1)
    return floor * gain.reduce((sum, g) => sum + g, 0) + (best - floor) * top
  }
  const bound = (nu: number) =>
    gain.reduce((sum, g, a) => {
      const q = Math.max(floor, (lambda * p[a]) / (nu - g))
      return sum + (g - nu) * q + lambda * p[a] * Math.log(q / p[a])
    }, nu)
  let [low, high] = [top, top + 2 * (lambda + 1)]
  for (let step = 0; step < 200; step++) {
    const [left, right] = [low + (high - low) / 3, high - (high - low) / 3]
    if (bound(left) <= bound(right)) high = right
    else low = left
  }
  return bound(high)
}

function lagrangianMaximum({ old, weights, visits, floor }: StepProblem, multipliers: Float64Array): number {
  const width = old.length / visits.length
  return visits.reduce((sum, visit, s) => {
    const row = [s * width, (s + 1) * width] as const
    const gain = weights.subarray(...row).map((w) => visit * w)
    const p = old.subarray(...row)
    const before = gain.reduce((total, g, a) => total + g * p[a], 0)
    return sum + stateMaximum(gain, p, multipliers[s], floor) - before
  }, 0)
}

/** Properties of any step: a policy above the floor, whose gain and KL are as reported. */
function checkFeasible({ old, weights, visits, floor }: StepProblem, step: Step): void {
  const width = old.length / visits.length
  let gain = 0
  for (let s = 0; s < visits.length; s++) {
    let sum = 0
    for (let a = s * width; a < (s + 1) * width; a++) {
      assert.ok(step.policy[a] >= floor, `${step.policy[a]} is below the floor ${floor}`)
      sum += step.policy[a]
      gain += visits[s] * (step.policy[a] - old[a]) * weights[a]
    }
    near(sum, 1, 1e-15 * width, 'sum of probabilities')
  }
  near(step.gain, gain, ROUNDING, 'gain')
  near(step.kl, Math.max(...stateKls(old, step.policy, visits.length)), ROUNDING, 'KL')
}

/** The steps are optimal: their values are the maxima of Lagrangians, which no policy exceeds. */
export function checkSteps(seed: number): void {
  const { problem, penalty } = problemOf(seed)
  const states = problem.visits.length
  const scale = 1 + penalty
  const step = penalisedStep(problem, penalty)
  checkFeasible(problem, step)
  const value = step.gain - penalty * step.kl
  assert.ok(value >= 0, `a step of value ${value} is worse than none`)
  if (step.kl > 0)
    near(
      step.multipliers.reduce((sum, l) => sum + l, 0),
      penalty,
      ROUNDING * scale,
      'penalty',
    )
  near(lagrangianMaximum(problem, step.multipliers), value, ROUNDING * scale, 'penalised optimum')

  for (const delta of [1e-6, 0.01, 3]) {
    const bounded = boundedStep(problem, delta)
    checkFeasible(problem, bounded)
    assert.ok(bounded.kl <= delta * (1 + ROUNDING))
    const slack = bounded.multipliers.reduce((sum, l) => sum + l, 0) * delta
    const most = lagrangianMaximum(problem, bounded.multipliers) + slack
    near(bounded.gain, most, ROUNDING * (1 + slack), `optimum within ${delta} over ${states} states`)
  }
}

const FLOOR = 0.05
/** Iterations within which the games of the tests reach a Nash equilibrium. */
const ITERATIONS = 4000
const NASH_TOLERANCE = 1e-3

/** Theorems 2 and 3 on a whole run of Algorithm 1: the return never falls, and the limit is a Nash equilibrium. */
export function checkPolicyIteration(seed: number): number {
  const game = gameOf(seed, [0.1, 0.3, 0.5])
  const initial = randomPolicies(game, seed, FLOOR)
  const options = { iterations: ITERATIONS, tolerance: NASH_TOLERANCE, floor: FLOOR, seed, initial }
  const { policies, returns, nashGap: gap } = policyIteration(game, options)
  for (let k = 1; k < returns.length; k++)
    assert.ok(returns[k] >= returns[k - 1] - ROUNDING, `game ${seed}: the return falls at ${k}`)
  assert.ok(
    gap < NASH_TOLERANCE,
    `game ${seed}: a best reply gains ${gap} after ${returns.length - 1} iterations`,
  )
  assert.equal(gap, nashGap(game, policies, FLOOR))
  for (const policy of policies) assert.ok(policy.every((p) => p >= FLOOR))
  return returns.length - 1
}

/** Theorem 2 step by step: an iteration gains at least the sum of the agents' penalised objectives, none below 0. */
export function checkImprovement(seed: number): void {
  const game = gameOf(seed, [0, 0.5, 0.9, 0.99])
  let policies: readonly TabularPolicy[] = randomPolicies(game, seed, 0.01)
  let evaluation: Evaluation = evaluatePolicies(game, policies)
  const scale = 1 / (1 - game.gamma)
  for (let k = 0; k < 5; k++) {
    const order = orderOf(10 * seed + k, policies.length)
    const coefficient = penaltyCoefficient(game, evaluation)
    const rule = penalised(game, evaluation)
    const { policies: moved, steps } = improveInTurn(game, policies, order, 0.01, evaluation, rule)
    const promised = steps.reduce((sum, { gain, kl }) => sum + gain - coefficient * kl, 0)
    const { bound } = returnBound(game, evaluation, policies, moved, order)
    near(bound, evaluation.return + promised, ROUNDING * scale * (1 + coefficient), 'Lemma 2 and the steps')
    const reached = evaluatePolicies(game, moved)
    assert.ok(promised >= 0)
    assert.ok(reached.return >= evaluation.return + promised - ROUNDING * scale)
    ;[policies, evaluation] = [moved, reached]
  }
}
