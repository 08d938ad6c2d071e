import type { MultiAgentEnv } from './contract.js'

/** The first number in which an observation differs from the state, where the spec says that they are equal. */
export function findDifferenceFromState({ spec, observations, state }: MultiAgentEnv): string | undefined {
  if (!spec.observesState) return undefined
  for (let agent = 0; agent < observations.length; agent++) {
    const observation = observations[agent]
    for (let i = 0; i < state.length; i++) {
      if (!Object.is(observation[i], state[i]))
        return `observations[${agent}][${i}] is ${observation[i]} and state[${i}] is ${state[i]}`
    }
  }
  return undefined
}
