import { usageError } from '../errors.js'
import type { EnvSpec } from '../envs/contract.js'
import type { Activation } from '../devices/steps.js'
import type { CriticSpec, GaussianActorSpec } from '../nn/spec.js'

interface LayerOptions {
  readonly hidden: readonly number[]
  readonly activation: Activation
  /** LayerNorm on the input. */
  readonly inputNorm: boolean
  readonly standardise: boolean
}

export interface ActorOptions extends LayerOptions {
  /** Append the agent's one-hot number to its observation. */
  readonly agentId: boolean
  readonly stdX: number
  readonly stdY: number
}

/** One network description per agent of an environment, in agent order. */
export function actorSpecs(options: ActorOptions, env: EnvSpec): GaussianActorSpec[] {
  const { hidden, activation, inputNorm, standardise, agentId, stdX, stdY } = options
  return env.agents.map(({ id, observation, action }, index) => {
    if (action.kind !== 'box') {
      throw usageError(
        `agent ${id} of ${env.id} has a ${action.kind} action: only box actions can be trained yet`,
      )
    }
    return {
      input: {
        size: observation.size,
        agentId: agentId ? { index, count: env.agents.length } : null,
        standardise,
        layerNorm: inputNorm,
      },
      hidden,
      activation,
      head: { kind: 'gaussian', size: action.size, stdX, stdY },
    }
  })
}

/** The description of a central critic, which sees the state. */
export function criticSpec(options: LayerOptions, env: EnvSpec): CriticSpec {
  const { hidden, activation, inputNorm, standardise } = options
  return {
    input: { size: env.stateSize, agentId: null, standardise, layerNorm: inputNorm },
    hidden,
    activation,
    head: { kind: 'value', size: 1 },
  }
}
