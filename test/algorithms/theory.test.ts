import assert from 'node:assert/strict'
import test from 'node:test'
import { FIGURE_1, productReturn, productStep, splitGame, type Means } from '../../examples/theory/games.js'
import { bestReply } from '../../src/algorithms/tabular/best-reply.js'
import { optimalShares } from '../../src/algorithms/kl-allocation.js'
import { evaluatePolicies, jointPolicy, solveLinear } from '../../src/algorithms/tabular/evaluate.js'
import {
  randomGame,
  randomPolicies,
  uniformPolicies,
  type MarkovGame,
  type TabularPolicy,
} from '../../src/algorithms/tabular/game.js'
import { improveInTurn, nashGap, policyIteration } from '../../src/algorithms/tabular/iteration.js'
import { categoricalKl, logExcess } from '../../src/algorithms/tabular/kl.js'
import { boundedStep, penalisedStep } from '../../src/algorithms/tabular/step.js'
import { actionWeights } from '../../src/algorithms/tabular/surrogate.js'
import { checkFiniteGame } from '../../src/envs/finite-game.js'
import { HatrpoError } from '../../src/errors.js'
import {
  checkEquation9,
  checkEvaluation,
  checkImprovement,
  checkLemma1,
  checkLemma2,
  checkPolicyIteration,
  checkSteps,
  choicesOf,
  near,
} from './theory-checks.js'

const seeds = (count: number) => Array.from({ length: count }, (_, seed) => seed)

test('policies of a finite game are evaluated exactly', () => seeds(12).forEach(checkEvaluation))

test('Lemma 1: the joint advantage is the sum of the agents’ advantages, in any order', () =>
  seeds(20).forEach(checkLemma1))

test('Eq. 9: the surrogate by importance ratios is that of the definition', () =>
  seeds(20).forEach(checkEquation9))

test('Lemma 2 bounds the return of random joint policies, but not without its penalty', () => {
  const needed = seeds(24).map(checkLemma2)
  assert.ok(needed.filter(Boolean).length >= 6, `the penalty was needed in ${needed.filter(Boolean).length}`)
})

test('penalised and bounded steps are optimal: no Lagrangian bound is above them', () =>
  seeds(24).forEach(checkSteps))

test('an iteration of Algorithm 1 has the gain that its steps guarantee', () =>
  seeds(12).forEach(checkImprovement))

test('Algorithm 1: the return never falls, and the limit is a Nash equilibrium', () => {
  for (const seed of seeds(6)) checkPolicyIteration(seed)
})

test('best replies are those among softened deterministic policies', () => {
  const floor = 0.1
  for (const seed of seeds(4)) {
    const game = randomGame({ states: 3, actions: [2, 3], gamma: 0.8 }, seed)
    const policies = randomPolicies(game, seed, floor)
    game.actions.forEach((width, agent) => {
      let best = -Infinity
      for (let code = 0; code < width * width * width; code++) {
        const soft = new Float64Array(3 * width).fill(floor)
        for (const [s, choice] of [
          code % width,
          Math.floor(code / width) % width,
          Math.floor(code / width / width),
        ].entries())
          soft[s * width + choice] = 1 - floor * (width - 1)
        const team = policies.map((policy, i) => (i === agent ? soft : policy))
        best = Math.max(best, evaluatePolicies(game, team).return)
      }
      near(bestReply(game, policies, agent, floor).return, best)
    })
    assert.ok(nashGap(game, policies, floor) > 0)
  }
})

test('Figure 1: simultaneous moves lower the return, sequential moves never do', () => {
  const { start, delta } = FIGURE_1
  const simultaneous = productStep(start, delta, null)
  assert.deepEqual(simultaneous, [0.75, -0.75])
  assert.ok(productReturn(simultaneous) < productReturn(start))
  // The second iteration undoes the first: moving at the same time never gets anywhere.
  assert.deepEqual(productStep(simultaneous, delta, null), start)

  const after = ([0, 1] as const).map((first) => productStep(start, delta, first === 0 ? [0, 1] : [1, 0]))
  assert.deepEqual(after, [
    [0.75, 1.25],
    [-1.25, -0.75],
  ])
  // From anywhere, in any order.
  for (let i = 0; i < 200; i++) {
    let means: Means = [Math.sin(7 * i + 1) * 2, Math.cos(5 * i) * 2]
    for (let k = 0; k < 5; k++) {
      const next = productStep(means, delta, (i + k) % 2 ? [0, 1] : [1, 0])
      assert.ok(productReturn(next) >= productReturn(means))
      means = next
    }
    assert.ok(productReturn(means) > 4)
  }
})

test('Proposition 1: the best shared policy returns 2 / 2^n, sequential agents return 1', () => {
  for (const agents of [2, 4, 6, 8]) {
    const game = splitGame(agents)
    checkFiniteGame(game)
    const shared = (p: number) => {
      const policy = Float64Array.of(p, 1 - p)
      return evaluatePolicies(game, new Array<Float64Array>(agents).fill(policy)).return
    }
    const most = 2 / 2 ** agents
    assert.equal(shared(0.5), most)
    for (let i = 0; i <= 100; i++) if (i !== 50) assert.ok(shared(i / 100) < most)

    for (const seed of seeds(3)) {
      // Trust regions of the usual size, in turn, from policies near uniform ones and from any.
      let policies: readonly Float64Array[] = randomPolicies(game, seed, seed === 0 ? 0.49 : 0.001)
      let evaluation = evaluatePolicies(game, policies)
      for (let iteration = 0; evaluation.return < 1 - 1e-9; iteration++) {
        assert.ok(iteration < 300, `${agents} agents reach ${evaluation.return} only`)
        const order = [...policies.keys()].map((_, i) => (i + iteration) % agents)
        const rule = (problem: Parameters<typeof boundedStep>[0]) => boundedStep(problem, 0.01)
        policies = improveInTurn(game, policies, order, 0, evaluation, rule).policies
        const next = evaluatePolicies(game, policies)
        assert.ok(next.return >= evaluation.return)
        evaluation = next
      }
    }
    // Algorithm 1 reaches the best policy above its floor; with gamma 0 a step is a best reply.
    const floor = 0.01
    const { returns } = policyIteration(game, {
      iterations: 3,
      floor,
      initial: randomPolicies(game, 1, floor),
    })
    near(returns.at(-1)!, (1 - floor) ** agents + floor ** agents)
  }
})

/** Gradient and Fisher matrix of a joint policy's mean advantage, over the logits of all agents' actions but the last. */
function jointModel(game: MarkovGame, policies: readonly TabularPolicy[]) {
  const probability = jointPolicy(game, policies)
  const { advantages } = evaluatePolicies(game, policies)
  const size = game.actions.reduce((sum, count) => sum + count - 1, 0)
  const gradient = new Float64Array(size)
  const fisher = new Float64Array(size * size)
  probability.forEach((p, joint) => {
    const choices = choicesOf(joint, game.actions)
    // d log pi(a) / d logit, of one agent after the other.
    const score = game.actions.flatMap((count, i) =>
      Array.from({ length: count - 1 }, (_, a) => (choices[i] === a ? 1 : 0) - policies[i][a]),
    )
    score.forEach((x, j) => {
      gradient[j] += p * advantages[joint] * x
      score.forEach((y, k) => (fisher[j * size + k] += p * x * y))
    })
  })
  return { gradient, fisher }
}

test('the split by initial scores is the natural-gradient step of the joint policy, with the largest gain', () => {
  for (const seed of seeds(8)) {
    const game = randomGame({ states: 1, actions: [2, 3, 4], gamma: 0 }, seed)
    const policies = randomPolicies(game, seed, 0.02)
    const budget = 0.03
    const { gradient, fisher } = jointModel(game, policies)
    const direction = solveLinear(fisher.slice(), gradient.slice())
    const curvature = gradient.reduce((sum, g, j) => sum + g * direction[j], 0)
    const joint = direction.map((x) => Math.sqrt((2 * budget) / curvature) * x)

    // The agents apart: each has its own logits, weights of its own actions, and Fisher matrix diag(p) - p p'.
    const { advantages } = evaluatePolicies(game, policies)
    const own = game.actions.map((count, agent) => {
      const weights = actionWeights(game, advantages, { agent, before: [], old: policies, moved: policies })
      const p = policies[agent]
      const mean = p.reduce((sum, q, a) => sum + q * weights[a], 0)
      const g = Float64Array.from({ length: count - 1 }, (_, a) => p[a] * (weights[a] - mean))
      const matrix = Float64Array.from({ length: (count - 1) * (count - 1) }, (_, at) => {
        const [i, j] = [Math.floor(at / (count - 1)), at % (count - 1)]
        return (i === j ? p[i] : 0) - p[i] * p[j]
      })
      const x = solveLinear(matrix, g.slice())
      return { x, score: g.reduce((sum, value, a) => sum + value * x[a], 0) }
    })
    const scores = own.map(({ score }) => score)
    const shares = optimalShares(scores, budget, { min: 0, max: Infinity })
    const apart = own.flatMap(({ x, score }, i) => [
      ...x.map((value) => Math.sqrt((2 * shares[i]) / score) * value),
    ])
    apart.forEach((value, j) => near(value, joint[j], 1e-10, `entry ${j}`))

    const gain = (split: readonly number[]) =>
      split.reduce((sum, d, i) => sum + Math.sqrt(2 * scores[i] * d), 0)
    near(gain(shares), Math.sqrt(2 * budget * curvature), 1e-10)
    for (const other of seeds(50)) {
      const at = randomPolicies({ ...game, actions: [3] }, other)[0]
      assert.ok(gain([...at].map((share) => share * budget)) <= gain(shares) + 1e-12)
    }
  }
})

test('KL is accurate near 0, and infinite if an action gets probability 0', () => {
  for (const x of [-0.999, -0.3, -0.2, 0.24, 0.26, 5]) near(logExcess(x), x - Math.log1p(x), 1e-14)
  for (const x of [1e-5, -1e-9, 1e-12]) near(logExcess(x) / (x * x), 0.5 - x / 3, 1e-9)
  assert.equal(categoricalKl(Float64Array.of(0.5, 0.5), Float64Array.of(1, 0)), Infinity)
  assert.equal(categoricalKl(Float64Array.of(1, 0), Float64Array.of(1, 0)), 0)
})

test('invalid tables and settings are refused in one line', () => {
  const game = randomGame({ states: 2, actions: [2, 2], gamma: 0.5 }, 1)
  const refused = (action: () => unknown, message: RegExp) =>
    assert.throws(action, (error: Error) => {
      assert.ok(error instanceof HatrpoError)
      assert.match(error.message, message)
      return true
    })
  checkFiniteGame(game)
  const wrong: [object, RegExp][] = [
    [{ states: 0 }, /^states is 0: it must be a whole number from 1$/],
    [{ actions: [] }, /^actions is empty: there must be an agent$/],
    [{ actions: [2, 1.5] }, /^actions\[1\] is 1.5: /],
    [{ rewards: new Float64Array(3) }, /^rewards has 3 entries: it must have 8, states times joint actions$/],
    [{ rewards: new Float64Array(8).fill(NaN) }, /^rewards\[0\] is NaN: it must be finite$/],
    [{ initial: Float64Array.of(0.5, 0.4) }, /^initial\[0\] to \[1\] sum to 0.9: they must sum to 1$/],
    [{ initial: Float64Array.of(1.5, -0.5) }, /^initial\[1\] is -0.5: it must be a probability$/],
  ]
  for (const [change, message] of wrong) refused(() => checkFiniteGame({ ...game, ...change }), message)
  refused(
    () => policyIteration(game, { iterations: 1, floor: 0.6 }),
    /^floor is 0.6: with 2 actions it must be from 0 to 0.5$/,
  )
  refused(
    () => policyIteration({ ...game, gamma: 1 }, { iterations: 1 }),
    /^gamma is 1: it must be from 0 and below 1$/,
  )
  const initial = uniformPolicies(game).map((policy) => policy.map((_, i) => (i % 2 ? 0.99 : 0.01)))
  refused(
    () => policyIteration(game, { iterations: 1, floor: 0.1, initial }),
    /^old policy has the probability 0.01: it must be positive and at least the floor 0.1$/,
  )
  const problem = {
    old: Float64Array.of(0.5, 0.5),
    weights: Float64Array.of(0, 1),
    visits: Float64Array.of(1),
    floor: 0,
  }
  refused(() => penalisedStep(problem, -1), /^penalty is -1: it must be a number from 0$/)
  refused(() => boundedStep(problem, 0), /^delta is 0: it must be a number above 0$/)
})
