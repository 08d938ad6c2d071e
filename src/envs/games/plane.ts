import type { DefinedEnvironment } from '../defined-family.js'
import { TERMINATED } from '../contract.js'
import { exponential } from '../exponential.js'
import { numbers } from '../options.js'
import { box } from '../spaces.js'

/** One state, in numbers that a network which standardises its input does not lose. */
const SIZE = 3
const PER_TWO_PI = 0.15915494309189535

/** A game of two agents that choose one number each, once, and are paid a function of both. */
interface PlaneGame {
  readonly description: string
  /** Points of an action of 0, where a new policy, whose mean is 0, starts. */
  readonly start: string
  /** Range of points. */
  readonly range: readonly [low: number, high: number]
  /** Whether points beyond the range are moved to its edge. */
  readonly clipped: boolean
  reward(x: number, y: number): number
}

/**
 * Figure 1 of Kuba et al. (2022): r = x y. From means (-0.25, 0.25), trust-region steps that both agents take at once
 * lower the return, and steps in turn raise it.
 */
export const figure1 = planeGame({
  description: 'two agents get the product of their numbers; one step',
  start: '-0.25,0.25',
  range: [-10, 10],
  clipped: false,
  reward: (x, y) => x * y,
})

/**
 * Differentiable game of the paper on joint KL constraints (arXiv 2508.10340): a steep local peak near (1, 1) and a
 * higher one near (5, 5), wide in y. The paper's start and range were not available.
 */
export const twoPeaks = planeGame({
  description: 'two agents search for the higher of two peaks of a function of their numbers; one step',
  start: '1.5,1.5',
  range: [0, 7],
  clipped: true,
  reward: (x, y) => 10 * normal(x - 5, y - 5, 1, 3) + 0.1 * x + 5.3 * normal(x - 1, y - 1, 1, 1),
})

/** Density of two independent normal distributions. */
function normal(x: number, y: number, sx: number, sy: number): number {
  const square = (x * x) / (sx * sx) + (y * y) / (sy * sy)
  return (PER_TWO_PI / (sx * sy)) * exponential(-0.5 * square)
}

function planeGame(game: PlaneGame): DefinedEnvironment {
  const [low, high] = game.range
  const inside = (point: number) => (game.clipped ? Math.max(low, Math.min(high, point)) : point)
  return {
    description: game.description,
    options: { start: numbers(2, game.start) },
    define(id, { start }) {
      const [x, y] = String(start).split(',').map(Number)
      const agent = (k: number, from: number) => ({
        id: `agent_${k}`,
        observation: box(SIZE, 0, 1),
        action: box(1, low - from, high - from),
      })
      return {
        spec: {
          id,
          agents: [agent(0, x), agent(1, y)],
          stateSize: SIZE,
          observesState: true,
          timeLimit: Infinity,
          mode: 'cooperative',
        },
        startsAlike: true,
        memory: () => ({}),
        reset: () => {},
        step({ actions, rewards }) {
          rewards.fill(game.reward(inside(x + actions[0][0]), inside(y + actions[1][0])))
          return TERMINATED
        },
        observe({ observations, state }) {
          state[0] = 1
          for (let i = 0; i < 2; i++) observations[i][0] = 1
        },
      }
    },
  }
}
