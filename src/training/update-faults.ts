import type { IterationRecord } from '../runs/types.js'

const REASONS: Readonly<Record<string, string>> = {
  'non-finite': 'a number that is not finite',
  curvature: 'a curvature that is not positive',
}

/** One line for every network with steps that were not taken because of numerical faults. */
export function updateFaults({ iteration, agents, critic }: IterationRecord): string[] {
  const lines = agents.flatMap(({ id, rejection, rejectedSteps = 0 }) => {
    const reason = REASONS[rejection ?? '']
    // A line search without an acceptable trial is no fault.
    return reason ? [`${steps(rejectedSteps, id)} not taken in iteration ${iteration}: ${reason}`] : []
  })
  const { skippedSteps } = critic
  if (skippedSteps > 0) {
    const reason = 'its gradient was not finite, or no sample counted'
    lines.push(`${steps(skippedSteps, 'the critic')} not taken in iteration ${iteration}: ${reason}`)
  }
  return lines
}

function steps(count: number, network: string): string {
  return `${count} ${count === 1 ? 'step' : 'steps'} of ${network} ${count === 1 ? 'was' : 'were'}`
}
