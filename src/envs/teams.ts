import type { EnvSpec } from './contract.js'

/** A team of an environment: its name, and the numbers of its agents in ascending order. */
export interface Team {
  readonly name: string
  readonly agents: readonly number[]
}

/** The teams of an environment: as its spec names them, or one of all agents. */
export function teamsOf({ agents, teams }: EnvSpec): Team[] {
  const numbers = new Map(agents.map(({ id }, i) => [id, i]))
  if (!teams) return [{ name: 'team', agents: [...numbers.values()] }]
  return Object.entries(teams).map(([name, ids]) => ({
    name,
    agents: ids.map((id) => numbers.get(id)!).sort((a, b) => a - b),
  }))
}
