// The reward of the crawler for a team that is put together on the command line: docs/mujoco-teams.md.
import type { Reading, TeamScene } from 'hatrpo/env'

export const keep: Reading[] = ['xpos:hull']

/** Metres per second forwards. */
export function reward({ read, before, stepSeconds }: TeamScene): number {
  return (read('xpos:hull')[0] - before('xpos:hull')[0]) / stepSeconds
}

/** On its back, or nearly. */
export const terminated = ({ read }: TeamScene): boolean => read('sensor:up')[2] < 0.3
