import { HatrpoError } from '../../errors.js'
import { requireFloor, type TabularPolicy } from './game.js'
import { StateRow } from './state-row.js'
import { increasingRoot, type Bracket } from './root.js'

/** Gain of an agent's surrogate, to be weighed against the KL of its policy. */
export interface StepProblem {
  /** pi_old(a | s), [states, actions]: every entry is positive and at least `floor`. */
  readonly old: TabularPolicy
  /** Weights of the new probabilities in the surrogate, [states, actions]. */
  readonly weights: Float64Array
  /** rho(s), [states]. */
  readonly visits: Float64Array
  /** Least probability of an action under the new policy: eta of eta-soft policies, or 0. */
  readonly floor: number
}

export interface Step {
  readonly policy: TabularPolicy
  /** Sum over s of rho(s) sum over a of (new - old)(a | s) weights(s, a). */
  readonly gain: number
  /** Largest KL(old || new) over the states. */
  readonly kl: number
  /**
   * Lagrange multipliers of the states' KL, [states]. For a penalised step that moves they sum to its coefficient and
   * certify it: no policy does better than the maximum of the Lagrangian, whose states are independent.
   */
  readonly multipliers: Float64Array
}

/** Multipliers per unit of visits: 1 / beta, by state. */
type Betas = readonly number[]

/**
 * The exact step of Algorithm 1 (Kuba et al. 2022): maximises gain - penalty max over s of KL(old || new).
 *
 * With the level d of the largest KL given, the states are independent: each maximises its gain within KL <= d, and its
 * multiplier lambda_s(d) is the slope of that gain. The whole is concave in d with the slope sum of lambda_s(d) - penalty;
 * the step is where it changes its sign.
 * @param penalty C, at least 0
 * @throws HatrpoError for a policy below the floor
 */
export function penalisedStep(problem: StepProblem, penalty: number): Step {
  if (!(penalty >= 0)) throw new HatrpoError(`penalty is ${penalty}: it must be a number from 0`)
  const rows = stateRows(problem)
  const steepness = rows.reduce((sum, row) => sum + row.steepness, 0)
  if (penalty === 0 || steepness === 0) {
    const free = rows.map(() => Infinity)
    return takeStep(problem, rows, free, multipliersOf(rows, free))
  }
  // As a function of z = 1 / sqrt(d) the sum of the multipliers is nearly linear where steps are small.
  const betasAt = (z: number): Betas => rows.map((row) => row.betaAt(1 / (z * z)))
  const slope = (z: number) => sum(multipliersOf(rows, betasAt(z))) - penalty
  const start = (Math.sqrt(2) * penalty) / steepness
  const { below, above } = increasingRoot(slope, bracketAround(slope, start))
  const [least, most] = [below, above].map((z) => multipliersOf(rows, betasAt(z)))
  const gap = sum(most) - sum(least)
  const share = gap > 0 ? (penalty - sum(least)) / gap : 0
  const multipliers = least.map((low, s) => low + share * (most[s] - low))
  return takeStep(problem, rows, betasAt(above), multipliers)
}

/** The exact step within a trust region: maximises the gain with max over s of KL(old || new) <= delta. */
export function boundedStep(problem: StepProblem, delta: number): Step {
  if (!(delta > 0)) throw new HatrpoError(`delta is ${delta}: it must be a number above 0`)
  const rows = stateRows(problem)
  const betas = rows.map((row) => row.betaAt(delta))
  return takeStep(problem, rows, betas, multipliersOf(rows, betas))
}

function stateRows({ old, weights, visits, floor }: StepProblem): StateRow[] {
  const width = old.length / visits.length
  requireFloor(floor, width)
  return Array.from(visits, (visit, s) => {
    const [from, to] = [s * width, (s + 1) * width]
    return new StateRow(old.subarray(from, to), weights.subarray(from, to), visit, floor)
  })
}

/** An interval in which an increasing function that is negative near 0 changes its sign. */
function bracketAround(f: (z: number) => number, start: number): Bracket {
  if (f(start) >= 0) {
    let below = start / 2
    while (f(below) >= 0) below /= 2
    return { below, above: 2 * below }
  }
  let above = 2 * start
  while (f(above) < 0) above *= 2
  return { below: above / 2, above }
}

function multipliersOf(rows: readonly StateRow[], betas: Betas): Float64Array {
  return Float64Array.from(rows, ({ visits }, s) => visits / betas[s])
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0)
}

function takeStep(
  { old }: StepProblem,
  rows: readonly StateRow[],
  betas: Betas,
  multipliers: Float64Array,
): Step {
  const width = old.length / rows.length
  const policy = new Float64Array(old.length)
  let [gain, kl] = [0, 0]
  rows.forEach((row, s) => {
    const used = row.respond(betas[s])
    kl = Math.max(kl, used)
    gain += row.gain()
    policy.set(row.policy, s * width)
  })
  return { policy, gain, kl, multipliers }
}
