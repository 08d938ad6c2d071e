// Draws the theory of Kuba et al. 2022 on small games:
//   node dist/examples/theory/figures.js [FOLDER]
// Every number is computed exactly; nothing is sampled but the games.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { optimalShares } from '../../src/algorithms/kl-allocation.js'
import { evaluatePolicies } from '../../src/algorithms/tabular/evaluate.js'
import {
  randomGame,
  randomPolicies,
  type MarkovGame,
  type TabularPolicy,
} from '../../src/algorithms/tabular/game.js'
import { improveInTurn, policyIteration } from '../../src/algorithms/tabular/iteration.js'
import { boundedStep } from '../../src/algorithms/tabular/step.js'
import {
  agentAdvantage,
  returnBound,
  surrogateByDefinition,
  surrogateByRatios,
} from '../../src/algorithms/tabular/surrogate.js'
import { draw, type Axis, type Panel, type Point, type Series } from './chart.js'
import { FIGURE_1, productReturn, productStep, splitGame, type Means } from './games.js'

const range = (count: number) => Array.from({ length: count }, (_, i) => i)
const axis = (label: string, from: number, to: number, log = false): Axis => ({ label, from, to, log })
const diagonal = (from: number, to: number): Series => ({
  points: [
    [from, from],
    [to, to],
  ],
  mark: 'line',
  colour: 0,
  dashed: true,
})
const gameOf = (seed: number, gamma: number) => randomGame({ states: 3, actions: [2, 3, 2], gamma }, seed)

/** The same game with the likeliest next state for the next state: where policies lead then matters more. */
function decided(game: MarkovGame): MarkovGame {
  const { states, transitions } = game
  const likeliest = (at: number) => {
    const row = transitions.subarray(at, at + states)
    return row.indexOf(Math.max(...row))
  }
  return {
    ...game,
    transitions: transitions.map((_, i) => (i % states === likeliest(i - (i % states)) ? 1 : 0)),
  }
}

/** Lemma 1 and Eq. 9: two ways to the same number, on games and policies at random. */
function decompositions(): Panel[] {
  const sums: Point[] = []
  const surrogates: Point[] = []
  for (const seed of range(6)) {
    const game = gameOf(seed, 0.9)
    const [old, moved] = [randomPolicies(game, seed, 0.02), randomPolicies(game, seed + 100)]
    const { advantages } = evaluatePolicies(game, old)
    const order = [1, 2, 0]
    const sum = new Float64Array(advantages.length)
    order.forEach((agent, m) => {
      const before = order.slice(0, m)
      const own = agentAdvantage(game, advantages, old, before, agent)
      const width = own.length / game.states
      for (const i of range(sum.length)) {
        const choices = [Math.floor(i / 6) % 2, Math.floor(i / 2) % 3, i % 2]
        const at = [...before, agent].reduce((place, j) => place * game.actions[j] + choices[j], 0)
        sum[i] += own[Math.floor(i / 12) * width + at]
      }
      const turn = { agent, before, old, moved }
      const defined = surrogateByDefinition(game, advantages, turn)
      surrogateByRatios(game, advantages, turn).forEach((value, s) => surrogates.push([defined[s], value]))
    })
    sum.forEach((value, i) => sums.push([advantages[i], value]))
  }
  return [
    {
      title: 'Lemma 1',
      x: axis('joint advantage A(s, a)', -2, 2),
      y: axis('sum of the agents’ advantages', -2, 2),
      series: [diagonal(-2, 2), { points: sums, mark: 'dots', colour: 1 }],
    },
    {
      title: 'Equation 9',
      x: axis('surrogate by Definition 2, of a state', -1, 1),
      y: axis('the same by importance ratios', -1, 1),
      series: [diagonal(-1, 1), { points: surrogates, mark: 'dots', colour: 1 }],
    },
  ]
}

/** Lemma 2: along the way from one joint policy to another, and between many pairs. */
function bounds(): Panel[] {
  const game = decided(gameOf(3, 0.8))
  const order = [0, 1, 2]
  const way = (
    g: MarkovGame,
    old: readonly TabularPolicy[],
    far: readonly TabularPolicy[],
    share: number,
  ) => {
    const moved = old.map((policy, i) => policy.map((p, a) => (1 - share) * p + share * far[i][a]))
    const evaluation = evaluatePolicies(g, old)
    const { surrogate, bound } = returnBound(g, evaluation, old, moved, order)
    const { return: start } = evaluation
    return { change: evaluatePolicies(g, moved).return - start, surrogate, bound: bound - start }
  }
  const [old, far] = [randomPolicies(game, 3, 0.02), randomPolicies(game, 103)]
  const shares = range(51).map((i) => i / 50)
  const course = shares.map((share) => ({ share, ...way(game, old, far, share) }))
  const line = (pick: (at: (typeof course)[number]) => number, label: string, colour: number): Series => ({
    label,
    points: course.map((at): Point => [at.share, pick(at)]).filter(([, y]) => y > -0.5),
    mark: 'line',
    colour,
  })
  const pairs = (pick: 'surrogate' | 'bound'): Point[] =>
    range(150)
      .map((seed) => {
        const g = decided(gameOf(seed, 0.3))
        const at = way(
          g,
          randomPolicies(g, seed, 0.05),
          randomPolicies(g, seed + 1000),
          0.05 + (seed % 5) / 20,
        )
        return [at[pick], at.change] as const
      })
      .filter(([x, y]) => x > -0.5 && Math.abs(y) < 0.2)
  return [
    {
      title: 'Lemma 2 on the way to another joint policy',
      x: axis('share of the way', 0, 1),
      y: axis('change of the return', -0.5, 2),
      series: [
        line(({ change }) => change, 'return J', 0),
        line(({ surrogate }) => surrogate, 'surrogates', 1),
        line(({ bound }) => bound, 'surrogates - C KL', 2),
      ],
    },
    {
      title: 'Lemma 2 for 150 pairs of joint policies',
      x: axis('prediction of the change', -0.5, 0.2),
      y: axis('change of the return', -0.2, 0.2),
      series: [
        { label: 'surrogates - C KL', points: pairs('bound'), mark: 'dots', colour: 2 },
        { label: 'surrogates alone', points: pairs('surrogate'), mark: 'dots', colour: 1 },
        diagonal(-0.2, 0.2),
      ],
    },
  ]
}

/** Algorithm 1: the return and what best replies gain, over the iterations. */
function monotonicImprovement(): Panel[] {
  const floor = 0.05
  const checkpoints = [1, 2, 3, 5, 8, 12, 20, 30, 50, 80, 120, 200, 300, 500]
  const runs = range(8).map((seed) => {
    const game = gameOf(seed, 0.5)
    let policies: readonly TabularPolicy[] = randomPolicies(game, seed, floor)
    let done = 0
    const points: Point[] = []
    const gaps: Point[] = []
    for (const iteration of checkpoints) {
      const options = { iterations: iteration - done, floor, seed: 1000 * seed + done, initial: policies }
      const result = policyIteration(game, options)
      result.returns.slice(1).forEach((value, i) => points.push([done + i + 1, value]))
      ;[policies, done] = [result.policies, iteration]
      gaps.push([iteration, Math.max(1e-6, result.nashGap)])
    }
    // One point of ten is enough where the curve is flat.
    return { points: points.filter(([k]) => k < 50 || k % 10 === 0), gaps, colour: seed % 4 }
  })
  const iterations = axis('iteration', 1, 500, true)
  return [
    {
      title: 'Algorithm 1: the return never falls',
      x: iterations,
      y: axis('return J', -0.5, 2),
      series: runs.map(({ points, colour }) => ({ points, mark: 'line', colour })),
    },
    {
      title: 'Algorithm 1: towards a Nash equilibrium',
      x: iterations,
      y: axis('largest gain of a best reply', 1e-6, 1, true),
      series: runs.map(({ gaps, colour }) => ({ points: gaps, mark: 'line', colour })),
    },
  ]
}

/** Figure 1: trust regions at the same time and in turn on r = a1 a2. */
function figureOne(): Panel[] {
  const follow = (order: readonly [0, 1] | null): Means[] =>
    range(3).reduce<Means[]>(
      (way) => [...way, productStep(way.at(-1)!, FIGURE_1.delta, order)],
      [FIGURE_1.start],
    )
  const ways = [
    { label: 'at the same time', way: follow(null), colour: 1 },
    { label: 'in turn', way: follow([0, 1]), colour: 0 },
  ]
  return [
    {
      title: 'Figure 1: r = a1 a2, KL within 0.5 an agent',
      x: axis('mean of agent 1', -1, 4),
      y: axis('mean of agent 2', -1, 4),
      series: ways.map(({ label, way, colour }) => ({ label, points: way, mark: 'path', colour })),
      ground: (x, y) => productReturn([x, y]),
    },
    {
      title: 'Its return',
      x: axis('iteration', 0, 3),
      y: axis('expected reward', -1, 9),
      series: ways.map(({ label, way, colour }) => ({
        label,
        points: way.map((means, k): Point => [k, productReturn(means)]),
        mark: 'path',
        colour,
      })),
    },
  ]
}

/** Proposition 1: returns of the best shared policy, and of separate policies. */
function sharing(): Panel[] {
  const counts = [2, 4, 6, 8]
  const shared = (agents: number, p: number) =>
    evaluatePolicies(
      splitGame(agents),
      range(agents).map(() => Float64Array.of(p, 1 - p)),
    ).return
  const courses = counts.map((agents, colour) => {
    const game = splitGame(agents)
    let policies: readonly TabularPolicy[] = randomPolicies(game, agents, 0.45)
    const points: Point[] = []
    for (let k = 0; k <= 15; k++) {
      const evaluation = evaluatePolicies(game, policies)
      points.push([k, evaluation.return])
      const step = improveInTurn(game, policies, range(agents), 0, evaluation, (problem) =>
        boundedStep(problem, 0.01),
      )
      policies = step.policies
    }
    return { label: `${agents} agents`, points, mark: 'line', colour } satisfies Series
  })
  return [
    {
      title: 'Proposition 1: one shared policy',
      x: axis('probability of the first action', 0, 1),
      y: axis('return', 1e-5, 1, true),
      series: counts.flatMap((agents, colour): Series[] => [
        {
          label: `${agents} agents`,
          points: range(51).map((i) => [i / 50, shared(agents, i / 50)]),
          mark: 'line',
          colour,
        },
        { points: [[0.5, 2 / 2 ** agents]], mark: 'dots', colour },
      ]),
    },
    {
      title: 'Trust regions in turn, policies of their own',
      x: axis('iteration', 0, 15),
      y: axis('return', 0, 1),
      series: courses,
    },
  ]
}

/** Gains that the local model predicts for splits of one KL budget between two agents. */
function budgets(): Panel[] {
  const gain = (scores: readonly number[], share: number) =>
    Math.sqrt(2 * scores[0] * share) + Math.sqrt(2 * scores[1] * (1 - share))
  const cases = [
    [1, 1],
    [4, 1],
    [100, 1],
  ]
  const best = (scores: readonly number[]) => optimalShares(scores, 1, { min: 0, max: Infinity })[0]
  return [
    {
      title: 'Split of one KL budget between two agents',
      x: axis('share of agent 1', 0, 1),
      y: axis('predicted gain, relative to equal shares', 0.4, 1.4),
      series: cases.flatMap((scores, colour): Series[] => {
        const relative = (share: number): Point => [share, gain(scores, share) / gain(scores, 0.5)]
        return [
          {
            label: `scores ${scores.join(' and ')}`,
            points: range(101).map((i) => relative(i / 100)),
            mark: 'line',
            colour,
          },
          { points: [relative(best(scores))], mark: 'dots', colour },
        ]
      }),
    },
  ]
}

const FIGURES: Readonly<Record<string, () => Panel[]>> = {
  decompositions,
  bounds,
  'policy-iteration': monotonicImprovement,
  'figure-1': figureOne,
  sharing,
  budgets,
}

const folder = process.argv[2] ?? 'examples/theory'
mkdirSync(folder, { recursive: true })
for (const [name, panels] of Object.entries(FIGURES)) {
  const file = join(folder, `${name}.svg`)
  writeFileSync(file, draw(panels()))
  console.log(file)
}
