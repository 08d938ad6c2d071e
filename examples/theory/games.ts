// Two small games of Kuba et al. 2022, in closed form.
import { jointActionCount, type FiniteGame } from '../../src/envs/finite-game.js'
import type { MarkovGame } from '../../src/algorithms/tabular/game.js'

/**
 * The game of Proposition 1: one state, two actions each, and a reward of 1 where the first half of the agents chooses one
 * action and the second half the other.
 * @param agents even
 */
export function splitGame(agents: number): MarkovGame {
  const actions = new Array<number>(agents).fill(2)
  const joint = jointActionCount(actions)
  const half = jointActionCount(actions.slice(agents / 2))
  const rewards = new Float64Array(joint)
  // The choices are the digits of a joint action: 0...01...1 and its mirror.
  rewards[half - 1] = 1
  rewards[joint - half] = 1
  const game: FiniteGame = {
    states: 1,
    actions,
    rewards,
    transitions: new Float64Array(joint).fill(1),
    initial: Float64Array.of(1),
  }
  return { ...game, gamma: 0 }
}

/** Means of two Gaussian policies of unit variance. */
export type Means = readonly [number, number]

/** Expected reward of Figure 1's game, r = a1 a2. */
export function productReturn([first, second]: Means): number {
  return first * second
}

/** The means that Figure 1 starts from, and its bound on KL(old || new): half the square of the way of a mean. */
export const FIGURE_1 = { start: [-0.25, 0.25] as Means, delta: 0.5 }

/**
 * One iteration on Figure 1's game. An agent's surrogate is linear in its mean, with the other agent's mean for a slope: the
 * best step within KL <= delta is sqrt(2 delta) uphill. In turn, the second agent sees where the first has moved to.
 * @param order of the agents where they move in turn; null where they move at the same time
 */
export function productStep(
  means: Means,
  delta: number,
  order: readonly [0, 1] | readonly [1, 0] | null,
): Means {
  const moved: [number, number] = [...means]
  for (const agent of order ?? [0, 1]) {
    const other = (order ? moved : means)[1 - agent]
    moved[agent] += Math.sqrt(2 * delta) * Math.sign(other)
  }
  return moved
}
