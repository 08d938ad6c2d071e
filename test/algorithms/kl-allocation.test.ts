import assert from 'node:assert/strict'
import test from 'node:test'
import type { PolicyUpdate } from '../../src/algorithms/agent-update.js'
import { ComparedSchedule } from '../../src/algorithms/compared-schedule.js'
import {
  equalAllocation,
  greedyAllocation,
  optimalAllocation,
  optimalShares,
  type KlAllocation,
  type Rescoring,
} from '../../src/algorithms/kl-allocation.js'
import { openHost } from '../../src/devices/open.js'
import { PolicyBatch } from '../../src/learner/batch.js'
import { generator } from '../kernels/harness.js'
import { close } from '../reference/close.js'

const FREE = { min: 0, max: Infinity }
const sum = (values: readonly number[]) => values.reduce((total, v) => total + v, 0)
/** Gain of the local model. */
const gainOf = (scores: readonly number[], shares: readonly number[]) =>
  sum(scores.map((score, i) => Math.sqrt(2 * score * shares[i])))

test('without bounds shares are proportional to the scores, and every step has the same multiplier', () => {
  const scores = [4, 1, 0.25, 7]
  const shares = optimalShares(scores, 0.03, FREE)
  const all = sum(scores)
  const expected = scores.map((score) => (0.03 * score) / all)
  close(shares, expected, 1e-16, 'shares')
  // sqrt(2 d / s) x_i for every policy is the natural gradient step of their product policy with the total as its KL.
  const multipliers = shares.map((share, i) => Math.sqrt((2 * share) / scores[i]))
  const joint = multipliers.map(() => Math.sqrt((2 * 0.03) / all))
  close(multipliers, joint, 1e-15, 'multipliers')
  close([gainOf(scores, shares)], [Math.sqrt(2 * 0.03 * all)], 1e-15, 'gain')
})

test('the gain over equal shares is bounded by the root of the number of policies (Cauchy and Schwarz)', () => {
  const ratio = (scores: number[]) => {
    const equal = scores.map(() => 1)
    return gainOf(scores, optimalShares(scores, scores.length, FREE)) / gainOf(scores, equal)
  }
  close([ratio([3, 3, 3]), ratio([4, 1]), ratio([100, 1])], [1, 1.0541, 1.292], 1e-4, 'ratios')
  assert.ok(ratio([1, 1e-12, 0, 0]) > 1.99 && ratio([1, 1e-12, 0, 0]) <= 2)
})

test('shares depend only on ratios of scores, at any scale', () => {
  for (const bounds of [FREE, { min: 0.1, max: 1.5 }]) {
    const shares = optimalShares([4, 1, 2], 3, bounds)
    for (const scale of [1e-300, 1e-9, 1e300 / 4])
      close(
        optimalShares(
          [4, 1, 2].map((v) => v * scale),
          3,
          bounds,
        ),
        shares,
        1e-14,
        `scale ${scale}`,
      )
  }
})

test('with bounds the shares meet the conditions of Karush, Kuhn and Tucker, and no exchange gains', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = generator(seed)
    const n = 2 + Math.floor(6 * random())
    // A third of the scores are equal, and a third of the least shares 0.
    const scores = Array.from({ length: n }, random).map((v) => (v < 0.3 ? 0.1 : 10 * v * v * v))
    const bounds = { min: Math.max(0, 1.5 * random() - 0.5), max: 1 + 3 * random() }
    const shares = optimalShares(scores, n, bounds)
    assert.ok(shares.every((share) => share >= bounds.min && share <= bounds.max))
    close([sum(shares)], [n], 1e-12, `total, seed ${seed}`)
    const marginal = scores.map((score, i) => Math.sqrt(score / (2 * shares[i])))
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++)
        if (shares[i] < bounds.max - 1e-12 && shares[j] > bounds.min + 1e-12)
          assert.ok(marginal[i] <= marginal[j] * (1 + 1e-9), `seed ${seed}: ${i} would use more of ${j}`)
  }
})

test('limits of shares: nothing to gain, nothing to split, bounds that use less or more than the total', () => {
  assert.deepEqual(optimalShares([0, 0], 1, FREE), [0, 0])
  assert.deepEqual(optimalShares([2, 1], 0, FREE), [0, 0])
  // The whole budget, exactly, for the only one that gains; the least share is not for those that do not.
  assert.deepEqual(optimalShares([0, 0.7, 0], 0.03, { min: 0.001, max: Infinity }), [0, 0.03, 0])
  assert.deepEqual(optimalShares([5, 1], 4, { min: 0, max: 1.5 }), [1.5, 1.5])
  assert.deepEqual(optimalShares([5, 1], 1, { min: 3, max: 4 }), [0.5, 0.5])
  // A ratio below the least double is none.
  assert.deepEqual(optimalShares([5, 5e-324], 1, { min: 0.25, max: 1 }), [1, 0])
  assert.deepEqual(optimalShares([5, 1e-300], 1, { min: 0.25, max: 1 }), [0.75, 0.25])
})

interface Case {
  readonly allocation: KlAllocation
  readonly rescore?: Rescoring
  readonly byMerit?: boolean
  readonly order?: readonly number[]
  /** Of a policy, given the policies that have moved. */
  readonly score: (policy: number, moved: readonly number[]) => number
  /** Part of its KL that a step uses. */
  readonly used?: (policy: number) => number
}

/** Turns of policies whose gain is exactly that of the local model. */
async function turns({
  allocation,
  rescore = 'lazy',
  byMerit = false,
  score,
  used = () => 1,
  ...rest
}: Case) {
  const device = await openHost()
  const order = rest.order ?? [0, 1, 2, 3]
  const moved: number[] = []
  let proposals = 0
  const updates = order.map((_, i): PolicyUpdate => {
    const column = () => device.tensor('f32', 2)
    const columns = { observations: column(), actions: column(), logProb: column() }
    let proposed: number | null = null
    const propose = () => {
      proposals++
      proposed = moved.length
      const s = score(i, moved)
      const gainAt = (budget: number) => Math.sqrt(2 * s * budget)
      const attempt = (budget: number) => ({ gain: gainAt(used(i) * budget), kl: used(i) * budget })
      return { score: s, gainAt, attempt }
    }
    const commit = (klBudget: number | null) => {
      assert.equal(proposed, moved.length, 'a step is along a direction found at the factor of its turn')
      moved.push(i)
      const klUsed = used(i) * klBudget!
      const none = klBudget === 0
      return {
        entropy: 0,
        klUsed,
        klAllowed: klBudget!,
        rejectedSteps: 0,
        rejection: none ? ('no-budget' as const) : null,
      }
    }
    return { agents: [i], batch: new PolicyBatch(device, 2, columns), propose, commit }
  })
  const advantages = device.tensor('f32', 2)
  const valid = device.tensor('f32', 2)
  const schedule = new ComparedSchedule(
    {
      device,
      updates,
      advantages: updates.map(() => advantages),
      valid,
      advantageNorm: 'none',
      budget: () => null,
    },
    { allocation, rescore, byMerit },
  )
  const outcomes = schedule.run(order, 0)
  assert.deepEqual(
    outcomes.map(({ turn }) => turn),
    [1, 2, 3, 4],
  )
  assert.ok(sum(outcomes.map(({ klUsed }) => klUsed)) <= allocation.equalShare * order.length * (1 + 1e-12))
  return {
    moved,
    proposals,
    allowed: outcomes.map(({ klAllowed }) => klAllowed!),
    scores: outcomes.map(({ score: s }) => s!),
    rejections: outcomes.map(({ rejection }) => rejection),
  }
}

const SCORES = [1, 4, 2, 3]
const constant = (policy: number) => SCORES[policy]
const settings = { rescore: 'lazy', min: 0, max: 4 } as const

test('an optimal split of a fully used budget does not depend on how often policies are scored', async () => {
  const allocation = optimalAllocation(0.01, settings)
  for (const [rescore, proposals] of [
    ['all', 10],
    ['lazy', 7],
    ['once', 7],
  ] as const) {
    const result = await turns({ allocation, rescore, score: constant, order: [2, 0, 3, 1] })
    assert.deepEqual(result.moved, [2, 0, 3, 1])
    const expected = [2, 0, 3, 1].map((policy) => 0.04 * 0.1 * SCORES[policy])
    close(result.allowed, expected, 1e-16, rescore)
    assert.equal(result.proposals, proposals, rescore)
  }
})

test('unused KL goes to the other policies, unless all shares were fixed before the first turn', async () => {
  const allocation = optimalAllocation(0.01, settings)
  const used = (policy: number) => (policy === 1 ? 0.5 : 1)
  const order = [1, 0, 2, 3]
  const split = (rescore: Rescoring) => turns({ allocation, rescore, score: constant, order, used })
  const left = 0.04 - 0.008
  const returned = [0.016, ...[1, 2, 3].map((score) => (left * score) / 6)]
  close((await split('all')).allowed, returned, 1e-16, 'all')
  close((await split('lazy')).allowed, returned, 1e-16, 'lazy')
  const fixed = order.map((policy) => 0.04 * 0.1 * SCORES[policy])
  close((await split('once')).allowed, fixed, 1e-16, 'once')
})

test('shares of the remaining policies follow their latest known scores', async () => {
  const allocation = optimalAllocation(0.01, settings)
  // Everybody who has not moved gains ten times as much after the first turn.
  const score = (policy: number, moved: readonly number[]) => SCORES[policy] * (moved.length > 0 ? 10 : 1)
  const order = [0, 1, 2, 3]
  const all = await turns({ allocation, rescore: 'all', score, order })
  const proportional = SCORES.map((s) => 0.004 * s)
  close(all.allowed, proportional, 1e-16, 'all')
  const lazy = await turns({ allocation, rescore: 'lazy', score, order })
  close([lazy.allowed[1]], [(0.036 * 40) / (40 + 2 + 3)], 1e-16, 'lazy: the others count as they were')
})

test('policies move in order of merit: equal shares, an optimal and a greedy split; ties in ascending order', async () => {
  const order = [3, 2, 1, 0]
  for (const allocation of [equalAllocation(0.01), optimalAllocation(0.01, settings)])
    for (const rescore of ['all', 'lazy', 'once'] as const) {
      const { moved, scores } = await turns({ allocation, rescore, byMerit: true, score: constant, order })
      assert.deepEqual(moved, [1, 3, 2, 0])
      assert.deepEqual(scores, [4, 3, 2, 1])
    }
  const tied = await turns({ allocation: equalAllocation(0.01), byMerit: true, score: () => 1, order })
  assert.deepEqual(tied.moved, [0, 1, 2, 3])
  close(tied.allowed, [0.01, 0.01, 0.01, 0.01], 1e-16, 'equal shares')
})

test('lazy scoring gives the order of full scoring if merits only fall, with fewer solved systems', async () => {
  const allocation = greedyAllocation(0.01, { ...settings, max: 1 })
  // Agents in pairs, 0 with 3 and 1 with 2: a partner that has moved leaves little to gain.
  const score = (policy: number, moved: readonly number[]) =>
    SCORES[policy] * (moved.includes(3 - policy) ? 0.1 : 1)
  const run = (rescore: Rescoring) => turns({ allocation, rescore, byMerit: true, score })
  const [all, lazy] = [await run('all'), await run('lazy')]
  assert.deepEqual(all.moved, [1, 3, 2, 0])
  assert.deepEqual(lazy.moved, all.moved)
  assert.deepEqual(lazy.scores, all.scores)
  assert.equal(all.proposals, 10)
  assert.ok(lazy.proposals < 10 && lazy.proposals >= 7, String(lazy.proposals))
  assert.equal((await run('once')).proposals, 7)
})

test('the greedy budget goes to the best policy within its bound, and the rest to the next', async () => {
  const run = (max: number, used: (policy: number) => number) =>
    turns({ allocation: greedyAllocation(0.01, { ...settings, max }), byMerit: true, score: constant, used })
  const bound = await run(1.5, () => 1)
  close(bound.allowed, [0.015, 0.015, 0.01, 0], 1e-16, 'within the bound')
  assert.deepEqual(bound.rejections, [null, null, null, 'no-budget'])
  const unbound = await run(4, () => 1)
  close(unbound.allowed, [0.04, 0, 0, 0], 0, 'one takes everything')
  const half = await run(4, () => 0.5)
  close(half.allowed, [0.04, 0.02, 0.01, 0.005], 1e-16, 'the rest returns')
  // A step that is cut short has more gain per KL: sqrt(2 s u d) / (u d) falls with the root of its part u.
  const short = await run(1, (policy) => (policy === 0 ? 0.1 : 1))
  assert.deepEqual(short.moved, [0, 1, 3, 2])
})

test('merits of the greedy budget can be compared between budgets', () => {
  const allocation = greedyAllocation(0.01, settings)
  const forecast = (score: number) => ({
    score,
    gainAt: (budget: number) => Math.sqrt(2 * score * budget),
    attempt: (kl: number) => ({ gain: Math.sqrt(2 * score * kl), kl }),
  })
  close([allocation.merit(forecast(3), 0.04) / allocation.merit(forecast(3), 0.002)], [1], 1e-9, 'one score')
  assert.ok(allocation.merit(forecast(3), 0.04) > allocation.merit(forecast(2.9), 0.002))
  const none = { score: 3, gainAt: () => 0, attempt: () => ({ gain: 0, kl: 0 }) }
  assert.equal(allocation.merit(none, 0.04), 0)
  const worse = { ...none, attempt: () => ({ gain: -1e-9, kl: 1e-30 }) }
  assert.ok(allocation.merit(worse, 0.04) < 0)
})

test('no policy moves without a gain, and a NaN score takes nothing from the others', async () => {
  const allocation = optimalAllocation(0.01, settings)
  const idle = await turns({ allocation, score: () => 0 })
  assert.deepEqual(idle.allowed, [0, 0, 0, 0])
  const faulty = (policy: number) => (policy === 1 ? NaN : SCORES[policy])
  for (const rescore of ['all', 'lazy', 'once'] as const) {
    const { moved, allowed } = await turns({ allocation, rescore, score: faulty, byMerit: true })
    assert.deepEqual(moved, [3, 2, 0, 1])
    close(allowed, [0.02, 0.04 / 3, 0.02 / 3, 0], 1e-16, rescore)
  }
})
