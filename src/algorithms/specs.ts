import type { Activation } from '../devices/steps.js'
import type { ActionSpace, EnvSpec } from '../envs/contract.js'
import { usageError } from '../errors.js'
import type { PolicySpec } from '../learner/heads/head.js'
import { headFor, type HeadOptions } from '../learner/heads/table.js'
import { VALUE_HEAD, type NetworkSpec } from '../nn/spec.js'

interface LayerOptions {
  readonly hidden: readonly number[]
  readonly activation: Activation
  /** LayerNorm on the input. */
  readonly inputNorm: boolean
  readonly standardise: boolean
}

export interface ActorOptions extends LayerOptions, HeadOptions {
  /** Append the agent's one-hot number to its observation. */
  readonly agentId: boolean
  /** `own`: a policy for each agent; `shared`: one for all. */
  readonly sharing: 'own' | 'shared'
}

/** One network description per agent of an environment, in agent order. */
export function actorSpecs(options: ActorOptions, env: EnvSpec): PolicySpec[] {
  const { hidden, activation, inputNorm, standardise, agentId } = options
  return env.agents.map(({ observation, action }, index) => ({
    input: {
      size: observation.size,
      agentId: agentId ? { index, count: env.agents.length } : null,
      standardise,
      layerNorm: inputNorm,
    },
    hidden,
    activation,
    head: headFor(action, options),
  }))
}

/** Agents that have a policy in common, and its parameters' name in checkpoints. */
export interface PolicyGroup {
  readonly name: string
  readonly agents: readonly number[]
  /** With an agent id that differs by row where the group has several agents. */
  readonly spec: PolicySpec
}

/**
 * The policies of a team: one per agent, or one for all.
 * @param specs of the agents
 * @throws HatrpoError (exit code 2) when agents that are to share a policy differ in their spaces
 */
export function policyGroups(
  specs: readonly PolicySpec[],
  sharing: ActorOptions['sharing'],
  env: EnvSpec,
): PolicyGroup[] {
  if (sharing === 'own') {
    return specs.map((spec, i) => ({ name: `agent_${i}`, agents: [i], spec }))
  }
  const [first, ...others] = specs
  const shape = ({ input, head }: PolicySpec) => JSON.stringify([input.size, head])
  const other = others.findIndex((spec) => shape(spec) !== shape(first)) + 1
  if (other > 0) {
    const sizes = (i: number) =>
      `${specs[i].input.size} observations and ${describeAction(env.agents[i].action)}`
    throw usageError(
      `actor.sharing is "shared": it must be "own" for ${env.id}, whose agents differ: ` +
        `${env.agents[0].id} has ${sizes(0)}, ${env.agents[other].id} ${sizes(other)}`,
    )
  }
  const { agentId } = first.input
  const differs = others.length > 0
  const input = differs && agentId ? { ...first.input, agentId: { ...agentId, index: null } } : first.input
  return [{ name: 'shared', agents: specs.map((_, i) => i), spec: { ...first, input } }]
}

function describeAction(action: ActionSpace): string {
  if (action.kind === 'box') return `${action.size} actions`
  return `choices of ${(action.kind === 'discrete' ? [action.n] : action.sizes).join(' and ')}`
}

/** Description of a critic that sees a vector of `size` numbers. */
export function criticSpec(options: LayerOptions, size: number): NetworkSpec {
  const { hidden, activation, inputNorm, standardise } = options
  return {
    input: { size, agentId: null, standardise, layerNorm: inputNorm },
    hidden,
    activation,
    head: VALUE_HEAD,
  }
}
