import type { EnvSpec } from './contract.js'

/** A team of an environment: its name, and the numbers of its agents in ascending order. */
export interface Team {
  readonly name: string
  readonly agents: readonly number[]
}

/**
 * The teams of an environment: as its spec names them; otherwise one of all agents where they cooperate, or of each agent
 * alone.
 */
export function teamsOf({ agents, teams, mode }: EnvSpec): Team[] {
  if (!teams && mode === 'general') return agents.map(({ id }, i) => ({ name: id, agents: [i] }))
  if (!teams) return [{ name: 'team', agents: agents.map((_, i) => i) }]
  const numbers = new Map(agents.map(({ id }, i) => [id, i]))
  return Object.entries(teams).map(([name, ids]) => ({
    name,
    agents: ids.map((id) => numbers.get(id)!).sort((a, b) => a - b),
  }))
}
