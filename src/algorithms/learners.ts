import type { EnvSpec } from '../envs/contract.js'
import { teamsOf } from '../envs/teams.js'
import { usageError } from '../errors.js'

/** Value of `opponents.from` where every agent learns. */
export const NO_OPPONENTS = 'none'
/** Value of `opponents.from` where opponents play with earlier policies of the learning team. */
export const PAST_OPPONENTS = 'past'

/** Whom the learning team plays against. */
export interface OpponentChoice {
  /** `none`, `past`, or the folder of a run. */
  readonly from: string
  /** Name of the team that learns; empty for the first. */
  readonly learner: string
}

/**
 * Numbers of the agents that learn, ascending.
 * @throws HatrpoError (exit code 2) for an unknown team, or a task without opponents
 */
export function learningAgents({ from, learner }: OpponentChoice, env: EnvSpec): readonly number[] {
  if (from === NO_OPPONENTS) return env.agents.map((_, agent) => agent)
  const teams = teamsOf(env)
  if (teams.length === 1) {
    throw usageError(
      `opponents.from is ${JSON.stringify(from)}: ${env.id} has one team, which has no opponents; it must be ${NO_OPPONENTS}`,
    )
  }
  const team = learner === '' ? teams[0] : teams.find(({ name }) => name === learner)
  if (team) return team.agents
  const names = teams.map(({ name }) => name).join(', ')
  throw usageError(`opponents.learner is ${JSON.stringify(learner)}: the teams of ${env.id} are ${names}`)
}

/**
 * Agent of the learning team whose policy plays an agent: itself where it learns, otherwise the one in the same place of
 * its team, counted round where the learning team is smaller.
 */
export function standIn(agent: number, learners: readonly number[], env: EnvSpec): number {
  if (learners.includes(agent)) return agent
  const team = teamsOf(env).find(({ agents }) => agents.includes(agent))!
  return learners[team.agents.indexOf(agent) % learners.length]
}
