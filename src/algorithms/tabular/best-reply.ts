import { evaluatePolicies } from './evaluate.js'
import type { MarkovGame, TabularPolicy } from './game.js'
import { meanGiven } from './surrogate.js'

const MAX_IMPROVEMENTS = 1000
/** Gains of an action that rounding alone can make, relative to the largest advantage. */
const ROUNDING = 1e-13

export interface Reply {
  readonly policy: TabularPolicy
  /** J with this policy instead of the agent's own. */
  readonly return: number
}

/**
 * Best policy of one agent among those that give every action at least the probability `floor`, for fixed policies of
 * the others: policy iteration on the resulting decision process of the agent.
 */
export function bestReply(
  game: MarkovGame,
  policies: readonly TabularPolicy[],
  agent: number,
  floor: number,
): Reply {
  const width = game.actions[agent]
  const best = 1 - floor * (width - 1)
  let team = policies
  let evaluation = evaluatePolicies(game, team)
  for (let round = 0; round < MAX_IMPROVEMENTS; round++) {
    const own = meanGiven(game, evaluation.advantages, team, [agent])
    const scale = own.reduce((max, a) => Math.max(max, Math.abs(a)), 0)
    const policy = team[agent].slice()
    let changed = false
    for (let s = 0; s < game.states; s++) {
      const row = own.subarray(s * width, (s + 1) * width)
      const mean = row.reduce((sum, a, i) => sum + policy[s * width + i] * a, 0)
      const choice = row.reduce((top, a, i) => (a > row[top] ? i : top), 0)
      const reached = row.reduce((sum, a, i) => sum + (i === choice ? best : floor) * a, 0)
      if (reached - mean <= ROUNDING * scale) continue
      policy.fill(floor, s * width, (s + 1) * width)
      policy[s * width + choice] = best
      changed = true
    }
    if (!changed) break
    team = team.map((other, i) => (i === agent ? policy : other))
    evaluation = evaluatePolicies(game, team)
  }
  return { policy: team[agent], return: evaluation.return }
}
