import type { PolicyUpdate, UpdateForecast } from './agent-update.js'
import {
  SequentialFactor,
  type Comparison,
  type Schedule,
  type ScheduleParts,
  type TurnOutcome,
} from './schedules.js'

/** Share of an equal budget below which a remainder is not worth a step, whose gain would drown in rounding. */
const SPENT = 1e-3

/** A policy that has not moved yet. */
interface Candidate {
  readonly update: PolicyUpdate
  forecast: UpdateForecast
  /** Merit when the forecast was made (`KlAllocation.merit`). */
  merit: number
  /** Whether no policy has moved since. */
  fresh: boolean
  /** KL that was allotted before the first turn. */
  share: number
}

/**
 * Turns of policies that are compared before each turn: a KL budget is split by the predicted gains of their steps, and
 * the policy with the largest gain may move first. The factor M is that of the sequential schedule, and a policy always
 * moves along a direction computed at the M of its own turn.
 *
 * Forecasts become outdated when another policy moves, because M changes, and each takes a solved system. `rescore`
 * selects the ones to compute again: `all`, every one before every turn, n (n + 1) / 2 in an iteration of n policies;
 * `lazy`, that of the policy about to move, 2n - 1 if it then still has the greatest merit (merits of earlier turns
 * remain unchanged); `once`, none: order and shares follow from the first scores, with the same 2n - 1.
 */
export class ComparedSchedule implements Schedule {
  readonly #parts: ScheduleParts
  readonly #comparison: Comparison
  readonly #factor: SequentialFactor

  constructor(parts: ScheduleParts, comparison: Comparison) {
    this.#parts = parts
    this.#comparison = comparison
    this.#factor = new SequentialFactor(parts)
  }

  run(order: readonly number[], progress: number, afterTurn?: (outcome: TurnOutcome) => void): TurnOutcome[] {
    const { updates } = this.#parts
    const { allocation, rescore, byMerit } = this.#comparison
    this.#factor.begin()
    let pot = allocation.equalShare * order.length
    // Ties go to the first agent, for any order.
    const turns = byMerit ? [...order].sort((a, b) => a - b) : order
    let left = turns.map((turn) => this.#candidate(updates[turn], pot, progress))
    allotted(left, this.#comparison, pot).forEach((share, i) => (left[i].share = share))

    return turns.map((_, turn) => {
      if (rescore === 'all') for (const candidate of left) this.#refresh(candidate, pot, progress)
      const next = this.#next(left, pot, progress)
      if (!next.fresh) this.#refresh(next, pot, progress, rescore !== 'once')
      const shares = rescore === 'once' ? null : allotted(left, this.#comparison, pot)
      const share = shares ? shares[left.indexOf(next)] : next.share
      const budget = pot < SPENT * allocation.equalShare ? 0 : Math.min(share, pot)
      const { update, forecast } = next
      const spread = this.#factor.spread(update)
      const done = update.commit(budget)
      const outcome = { agents: update.agents, turn: turn + 1, score: forecast.score, ...spread, ...done }
      this.#factor.advance(update)
      pot = Math.max(0, pot - outcome.klUsed)
      left = left.filter((candidate) => candidate !== next)
      for (const candidate of left) candidate.fresh = false
      afterTurn?.(outcome)
      return outcome
    })
  }

  #candidate(update: PolicyUpdate, pot: number, progress: number): Candidate {
    const forecast = this.#propose(update, progress)
    return { update, forecast, merit: this.#meritOf(forecast, pot), fresh: true, share: 0 }
  }

  /** Finds a candidate's step at the current factor. */
  #refresh(candidate: Candidate, pot: number, progress: number, rank = true): void {
    if (candidate.fresh) return
    candidate.forecast = this.#propose(candidate.update, progress)
    if (rank) candidate.merit = this.#meritOf(candidate.forecast, pot)
    candidate.fresh = true
  }

  #propose(update: PolicyUpdate, progress: number): UpdateForecast {
    this.#factor.fill(update)
    const forecast = update.propose(progress)
    if (!forecast) throw new Error('policies whose updates make no forecasts cannot be compared')
    return forecast
  }

  #meritOf(forecast: UpdateForecast, pot: number): number {
    const merit = this.#comparison.allocation.merit(forecast, pot)
    return Number.isFinite(merit) && merit > 0 ? merit : 0
  }

  /** The candidate whose turn it is. */
  #next(left: readonly Candidate[], pot: number, progress: number): Candidate {
    const { byMerit, rescore } = this.#comparison
    if (!byMerit) return left[0]
    const best = () => left.reduce((first, other) => (other.merit > first.merit ? other : first))
    let next = best()
    while (rescore === 'lazy' && !next.fresh) {
      this.#refresh(next, pot, progress)
      next = best()
    }
    return next
  }
}

/** KL of each candidate, were it its turn. */
function allotted(left: readonly Candidate[], { allocation }: Comparison, pot: number): number[] {
  return allocation.shares(
    left.map(({ merit }) => merit),
    pot,
  )
}
