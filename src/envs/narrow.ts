import type { EnvSpec } from './contract.js'

/** Settings of a network's first stage that subtract a vector's own mean and divide by its own standard deviation. */
interface InputStage {
  readonly standardise: boolean
  /** LayerNorm, which does the same before its learned gain and bias. */
  readonly inputNorm: boolean
}

/** The first stages of the policies and of the critic, under the names of a run's configuration. */
export interface InputStages {
  /** `agentId` appends a one-hot number of the agent before the vector is standardised. */
  readonly actor: InputStage & { readonly agentId: boolean }
  readonly critic: InputStage
}

/** The defaults of a run's configuration. */
export const defaultStages: InputStages = {
  actor: { standardise: true, inputNorm: true, agentId: true },
  critic: { standardise: true, inputNorm: true },
}

/** Agents that a line names before it counts the rest. */
const NAMED = 3

/**
 * One line for every vector of which a network sees next to nothing.
 *
 * Of n numbers, less their mean and over their standard deviation, n - 2 degrees of freedom are left: of one number 0,
 * of two 1 and -1, whatever they were. The length that counts is that of the vector with the agent's id.
 */
export function narrowInputs({ agents, stateSize }: EnvSpec, { actor, critic }: InputStages): string[] {
  const ids = actor.agentId ? agents.length : 0
  const bySize = new Map<number, string[]>()
  for (const { id, observation } of agents) {
    if (observation.size + ids > 2) continue
    bySize.set(observation.size, [...(bySize.get(observation.size) ?? []), id])
  }
  const lines = Array.from(bySize, ([size, names]) => {
    const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : ''
    const whose = `${names.length === 1 ? 'agent' : 'agents'} ${names.slice(0, NAMED).join(', ')}${more}`
    const withId = ids > 0 ? ` and with its id (actor.agentId) ${size + ids}` : ''
    return line(`observation of ${whose} has ${numbers(size)}${withId}`, size + ids, actor, 'actor', 'policy')
  })
  return [...lines, line(`state has ${numbers(stateSize)}`, stateSize, critic, 'critic', 'critic')].filter(
    (text) => text !== undefined,
  )
}

function numbers(count: number): string {
  return count === 1 ? '1 number' : `${count} numbers`
}

/** @returns undefined when the vector is long enough or is not normalised */
function line(
  subject: string,
  width: number,
  stage: InputStage,
  group: 'actor' | 'critic',
  network: string,
): string | undefined {
  const keys = (['standardise', 'inputNorm'] as const)
    .filter((key) => stage[key])
    .map((key) => `${group}.${key}`)
  if (width > 2 || keys.length === 0) return undefined
  const [left, seen] = width === 1 ? ['0', 'nothing of it'] : ['1 and -1', 'only which is larger']
  const verb = keys.length === 1 ? 'leaves' : 'leave'
  const cure = keys.map((key) => `${key}=false`).join(' and ')
  return `${subject}, of which ${keys.join(' and ')} ${verb} ${left}: the ${network} sees ${seen}; set ${cure}, or give it more numbers`
}
