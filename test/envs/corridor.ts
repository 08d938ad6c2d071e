import { box, defineEnv, discrete, multiDiscrete, RUNNING, TERMINATED } from '../../src/envs/index.js'

export const LENGTH = 5
export const LIMIT = 20

/**
 * Runners leave a corridor of 5 cells by its right end, each on its own, with a wind that stops them at times.
 * `first` chooses to go left, stay or go right; `second` does so and chooses a speed (1 or 2); `wind` blows from 0 to 1.
 * A runner cannot go left from the left end. The episode ends when both have left.
 */
export const corridor = defineEnv((options) => ({
  spec: {
    id: 'corridor',
    agents: [
      { id: 'first', observation: box(1, 0, LENGTH), action: discrete(3) },
      { id: 'second', observation: box(1, 0, LENGTH), action: multiDiscrete([3, 2]) },
      { id: 'wind', observation: box(2, 0, LENGTH), action: box(1, 0, 1) },
    ],
    stateSize: 4,
    timeLimit: Number(options.limit ?? LIMIT),
    mode: 'general' as const,
  },
  memory: () => ({ cells: new Int32Array(2), gone: new Uint8Array(2) }),
  reset({ memory: { cells }, random }) {
    for (let i = 0; i < 2; i++) cells[i] = Math.floor(3 * random.uniform())
  },
  step({ memory: { cells, gone }, actions, rewards, random }) {
    const wind = Math.max(0, Math.min(1, actions[2][0]))
    for (let i = 0; i < 2; i++) {
      const blown = random.uniform() < wind / 2
      if (gone[i] !== 0 || blown) continue
      const speed = i === 0 ? 1 : 1 + actions[1][1]
      cells[i] = Math.max(0, cells[i] + (actions[i][0] - 1) * speed)
      if (cells[i] < LENGTH) continue
      cells[i] = LENGTH
      gone[i] = 1
      rewards[i] = 1
    }
    rewards[2] = gone[0] + gone[1] - 2
    return gone[0] + gone[1] === 2 ? TERMINATED : RUNNING
  },
  observe({ memory: { cells, gone }, observations, state, availableActions, active }) {
    for (let i = 0; i < 2; i++) {
      observations[i][0] = state[i] = observations[2][i] = cells[i]
      if (cells[i] === 0) availableActions[i][0] = 0
      state[2 + i] = active[i] = 1 - gone[i]
    }
  },
}))
