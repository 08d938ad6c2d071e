import type { AgentSpec, EnvSpec } from './contract.js'

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
 * One line for every vector that normalisation makes nearly useless. Subtracting the mean and dividing by the standard
 * deviation leaves n - 2 degrees of freedom of n numbers: one number becomes 0, two become 1 and -1. The length is that
 * of the vector including the agent's id.
 * @param seen input of the critics: the state, an agent's own observation, or the observations of all agents
 */
export function narrowInputs(
  spec: EnvSpec,
  { actor, critic }: InputStages,
  seen: 'state' | 'observation' | 'observations' | 'observationsAndActions' = 'state',
): string[] {
  const { agents, stateSize } = spec
  const ids = actor.agentId ? agents.length : 0
  const lines = narrowObservations(agents, ids, actor, 'actor', 'policy')
  if (seen === 'observation') return [...lines, ...narrowObservations(agents, 0, critic, 'critic', 'critic')]
  // With actions it is never short.
  if (seen === 'observationsAndActions') return lines
  const width =
    seen === 'state' ? stateSize : agents.reduce((sum, { observation }) => sum + observation.size, 0)
  const subject = seen === 'state' ? 'state has' : 'observations of all agents together have'
  const state = line(`${subject} ${numbers(width)}`, width, critic, 'critic', 'critic')
  return state === undefined ? lines : [...lines, state]
}

/** One line for each length of observations that is too short. @param ids length of the one-hot id, 0 for none */
function narrowObservations(
  agents: readonly AgentSpec[],
  ids: number,
  stage: InputStage,
  group: 'actor' | 'critic',
  network: string,
): string[] {
  const bySize = new Map<number, string[]>()
  for (const { id, observation } of agents)
    bySize.set(observation.size, [...(bySize.get(observation.size) ?? []), id])
  return Array.from(bySize, ([size, names]) => {
    const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : ''
    const whose = `${names.length === 1 ? 'agent' : 'agents'} ${names.slice(0, NAMED).join(', ')}${more}`
    const withId = ids > 0 ? ` and with its id (actor.agentId) ${size + ids}` : ''
    return line(`observation of ${whose} has ${numbers(size)}${withId}`, size + ids, stage, group, network)
  }).filter((text) => text !== undefined)
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
  const verb = keys.length === 1 ? 'reduces' : 'reduce'
  const cure = keys.map((key) => `${key}=false`).join(' and ')
  return `${subject}, which ${keys.join(' and ')} ${verb} to ${left}: the ${network} sees ${seen}; set ${cure}, or add numbers`
}
