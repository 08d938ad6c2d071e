import type { AgentRecord, EvaluationRecord, IterationRecord } from './types.js'

type Scalars = Record<string, number | null | undefined>

function agentScalars(agent: AgentRecord): [string, number | undefined][] {
  const { id, factorSpread, accepted: _implied, rejection: _word, ...values } = agent
  const scalars = Object.entries(values).map(([key, value]): [string, number] => [`${id}/${key}`, value])
  const spread = Object.entries(factorSpread ?? {})
  return [...scalars, ...spread.map(([key, value]): [string, number] => [`${id}/factor_${key}`, value])]
}

function group(name: string, values: object): [string, number][] {
  return Object.entries(values).map(([key, value]) => [`${name}/${key}`, value as number])
}

/** Numbers of the episodes that ended in an iteration. */
function episodeScalars({ episodeReturn, episodeLength }: IterationRecord): [string, number | undefined][] {
  const { mean, count, ...range } = episodeReturn ?? {}
  const spread = Object.entries(range).map(([key, value]): [string, number] => [
    `return/training_${key}`,
    value,
  ])
  return [
    ['return/training', mean],
    ...spread,
    ['episodes/count', count],
    ...group('episodes/length', episodeLength ?? {}),
  ]
}

/** An iteration's numbers under the names that TensorBoard groups them by. */
export function iterationScalars(record: IterationRecord): Scalars {
  return Object.fromEntries([
    ...episodeScalars(record),
    ['speed/stepsPerSecond', record.stepsPerSecond],
    ...record.agents.flatMap(agentScalars),
    ...group('critic', record.critic),
    ...(record.critics ?? []).flatMap((critic, i) => group(`critic_${i}`, critic)),
    ...group('time', record.time),
    ...group('faults', record.faults),
  ])
}

export function evaluationScalars(record: EvaluationRecord): Scalars {
  return {
    'return/evaluation': record.mean,
    'return/evaluation_sd': record.sd,
    'episodes/evaluation_length': record.length,
  }
}

/** Scalars by which TensorBoard compares runs with different settings. */
export const COMPARED_SCALARS = ['return/evaluation', 'return/training'] as const
