import { checkFiniteGame } from '../../envs/finite-game.js'
import { RandomStream } from '../../envs/random.js'
import { HatrpoError } from '../../errors.js'
import { bestReply } from './best-reply.js'
import { evaluatePolicies, type Evaluation } from './evaluate.js'
import { requireFloor, uniformPolicies, type MarkovGame, type TabularPolicy } from './game.js'
import { penalisedStep, type Step, type StepProblem } from './step.js'
import { actionWeights, penaltyCoefficient } from './surrogate.js'

const ORDER_PURPOSE = 0x6f726465
/** Iterations between two looks at the best replies. */
const CHECK_EVERY = 10

export interface PolicyIterationOptions {
  /** Largest number of iterations. */
  readonly iterations: number
  /** Least probability of every action, eta of eta-soft policies. 0.01 by default. */
  readonly floor?: number
  /**
   * Gain of best replies at or below which the iterations end, computed in every tenth one; 0 by default: all
   * iterations.
   */
  readonly tolerance?: number
  /** `random` (default): a new order every iteration. */
  readonly order?: 'random' | 'fixed'
  /** Seed of the orders. */
  readonly seed?: number
  /** Policies to start from; uniform ones by default. */
  readonly initial?: readonly TabularPolicy[]
}

export interface PolicyIterationResult {
  readonly policies: readonly TabularPolicy[]
  /** J before the first iteration and after each. */
  readonly returns: readonly number[]
  /** Largest gain of an agent's best reply within the floor: 0 at a Nash equilibrium. */
  readonly nashGap: number
}

/** An agent's step in its turn. */
export interface AgentStep extends Step {
  readonly agent: number
}

/** Solver of an agent's step. */
export type StepRule = (problem: StepProblem, agent: number) => Step

/**
 * Exact multi-agent policy iteration with monotonic improvement (Kuba et al. 2022, Algorithm 1). In random order,
 * agents maximise their surrogate, given the moves of the agents before them, minus C times the largest KL over the
 * states.
 *
 * The return never falls (Theorem 2). With a floor above 0, the limit is a Nash equilibrium among the policies with
 * that floor (Theorem 3).
 * @throws HatrpoError for a floor or policies that do not fit the game
 */
export function policyIteration(game: MarkovGame, options: PolicyIterationOptions): PolicyIterationResult {
  const { iterations, floor = 0.01, tolerance = 0, order = 'random', seed = 0 } = options
  checkFiniteGame(game)
  game.actions.forEach((count) => requireFloor(floor, count))
  if (!(game.gamma >= 0 && game.gamma < 1))
    throw new HatrpoError(`gamma is ${game.gamma}: it must be from 0 and below 1`)
  const random = new RandomStream(seed, ORDER_PURPOSE)
  let policies = options.initial ?? uniformPolicies(game)
  const returns: number[] = []
  for (let iteration = 0; ; iteration++) {
    const evaluation = evaluatePolicies(game, policies)
    returns.push(evaluation.return)
    if (iteration === iterations) break
    if (tolerance > 0 && iteration % CHECK_EVERY === 0 && nashGap(game, policies, floor) < tolerance) break
    const turns = order === 'random' ? randomOrder(random, policies.length) : policies.map((_, i) => i)
    policies = improveInTurn(game, policies, turns, floor, evaluation, penalised(game, evaluation)).policies
  }
  return { policies, returns, nashGap: nashGap(game, policies, floor) }
}

/** Steps penalised with the coefficient of Lemma 2. */
export function penalised(game: MarkovGame, evaluation: Evaluation): StepRule {
  const coefficient = penaltyCoefficient(game, evaluation)
  return (problem) => penalisedStep(problem, coefficient)
}

/** One iteration: every agent moves in turn, on the advantages of the policies before the first of them moved. */
export function improveInTurn(
  game: MarkovGame,
  old: readonly TabularPolicy[],
  order: readonly number[],
  floor: number,
  { advantages, visits }: Evaluation,
  rule: StepRule,
): { readonly policies: readonly TabularPolicy[]; readonly steps: readonly AgentStep[] } {
  const moved = [...old]
  const steps = order.map((agent, m) => {
    const weights = actionWeights(game, advantages, { agent, before: order.slice(0, m), old, moved })
    const step = rule({ old: old[agent], weights, visits, floor }, agent)
    moved[agent] = step.policy
    return { agent, ...step }
  })
  return { policies: moved, steps }
}

/** Largest gain of one agent's best reply, for fixed policies of the others. */
export function nashGap(game: MarkovGame, policies: readonly TabularPolicy[], floor: number): number {
  const { return: current } = evaluatePolicies(game, policies)
  return policies.reduce(
    (gap, _, agent) => Math.max(gap, bestReply(game, policies, agent, floor).return - current),
    0,
  )
}

/** A permutation by Fisher and Yates' method. */
function randomOrder(random: RandomStream, count: number): number[] {
  const order = Array.from({ length: count }, (_, i) => i)
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random.uniform() * (i + 1))
    ;[order[i], order[j]] = [order[j], order[i]]
  }
  return order
}
