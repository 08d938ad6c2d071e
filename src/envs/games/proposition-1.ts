import { usageError } from '../../errors.js'
import type { DefinedEnvironment } from '../defined-family.js'
import { TERMINATED } from '../contract.js'
import { whole } from '../options.js'
import { box, discrete } from '../spaces.js'

/** One state, in numbers that a network which standardises its input does not lose. */
const SIZE = 3

/**
 * Game of Proposition 1 of Kuba et al. (2022): n agents, n even, choose 0 or 1. All get 1 if the first half makes one
 * choice and the second half the other. A shared policy gets at most 2 / 2^n of that.
 */
export const proposition1: DefinedEnvironment = {
  description: 'all get 1 if one half of the agents chooses 0 and the other half 1; one step',
  options: { agents: whole(4, 2) },
  define(id, { agents }) {
    const count = Number(agents)
    if (count % 2 !== 0) throw usageError(`env.agents=${count}: must be even`)
    const agent = (_: unknown, k: number) => ({
      id: `agent_${k}`,
      observation: box(SIZE, 0, 1),
      action: discrete(2),
    })
    return {
      spec: {
        id,
        agents: Array.from({ length: count }, agent),
        stateSize: SIZE,
        observesState: true,
        timeLimit: Infinity,
        mode: 'cooperative',
      },
      startsAlike: true,
      memory: () => ({}),
      reset: () => {},
      step({ actions, rewards }) {
        const first = actions[0][0]
        let paid = 1
        for (let i = 0; i < count; i++) if (actions[i][0] !== (2 * i < count ? first : 1 - first)) paid = 0
        rewards.fill(paid)
        return TERMINATED
      },
      observe({ observations, state }) {
        state[0] = 1
        for (let i = 0; i < count; i++) observations[i][0] = 1
      },
    }
  },
}
