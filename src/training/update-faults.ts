import type { IterationRecord } from '../runs/types.js'

const REASONS: Readonly<Record<string, string>> = {
  'non-finite': 'a number that is not finite',
  curvature: 'a curvature that is not positive',
}

/** One line for every network with steps that were not taken because of numerical faults. */
export function updateFaults({ iteration, agents, critic, critics }: IterationRecord): string[] {
  const lines = agents.flatMap(({ id, rejection, rejectedSteps = 0 }) => {
    const reason = REASONS[rejection ?? '']
    // A line search without an acceptable trial is not a fault.
    return reason ? [`${steps(rejectedSteps, id)} not taken in iteration ${iteration}: ${reason}`] : []
  })
  const reason = 'its gradient was not finite, or no sample counted'
  for (const [i, { skippedSteps }] of (critics ?? [critic]).entries()) {
    const name = critics ? `critic ${i}` : 'the critic'
    if (skippedSteps > 0)
      lines.push(`${steps(skippedSteps, name)} not taken in iteration ${iteration}: ${reason}`)
  }
  return lines
}

function steps(count: number, network: string): string {
  return `${count} ${count === 1 ? 'step' : 'steps'} of ${network} ${count === 1 ? 'was' : 'were'}`
}
