import { partsOf } from '../algorithms/parts.js'
import { algorithms } from '../algorithms/table.js'
import type { TrainConfig } from '../config/index.js'
import type { AgentRecord, CriticRecord, Finding, IterationRecord } from './types.js'

/** Records that a diagnosis judges. */
interface Evidence {
  /** Latest records in the window of the diagnosis. */
  readonly window: readonly IterationRecord[]
  /** The first records of the run. */
  readonly beginning: readonly IterationRecord[]
  readonly config: TrainConfig
}

interface Diagnosis {
  /** Number of iterations in its window. */
  readonly window: number
  /** First iteration after which it applies. */
  readonly from: number
  /** @returns the line of the symptom, or null without it */
  find(evidence: Evidence): string | null
}

/** Iterations of a window. At 20, a share of 1 iteration in 20 is one that chance alone makes. */
const WINDOW = 20
/** Iterations that count as the beginning of a run. */
const BEGINNING = 5
/** Number of latest records that a watch reads when it resumes a run. */
const REPLAYED = 200
/** Iterations over which a return counts as flat; robots that learn improve visibly within them. */
const LONG_WINDOW = 50

/**
 * Share of the allowed KL. Runs on robots use 0.8 of it with the plain solver, 0.5 with the fast one, and 0.2 where agents with
 * one joint each have their steps cut back.
 */
const LEAST_KL_SHARE = 0.1
/** Fraction of the steps. At 0.5, an agent does not move in every other iteration; runs that learn have up to 0.2. */
const MOST_FAILED_SEARCHES = 0.5
/** Critics of runs that learn explain from 0.3 to 0.99 once they have seen some fifty iterations. */
const LEAST_EXPLAINED = 0.1
const CRITIC_FROM = 50
/** Fraction of the initial standard deviation, below which actions are nearly modes and nothing is explored. */
const LEAST_STD_SHARE = 0.1
/** Of the uniform distribution's entropy: 0.03 is that of two choices at 99.7 to 0.3. */
const LEAST_ENTROPY_SHARE = 0.03
/** Rise of the return, in standard deviations of the first episodes, from which on a policy may be sure of its actions. */
const LEAST_RISE = 0.5
/** An sd of s leaves 1 / (1 + s^2) of the samples' weight: a fifth. */
const MOST_FACTOR_SD = 2
/** Share of the steps. In episodes of 1000 steps, one in a thousand ends every episode early. */
const MOST_BROKEN = 0.001
/** Share of the iterations. A single gradient that is not finite does no harm. */
const MOST_DROPPED = 0.25
/**
 * Fractions of the first return: a change that counts as none, and a gain smaller than the cost that an idle body
 * saves.
 */
const FLAT = 0.05
const IDLE_GAIN = 0.1
/** Spread of returns, relative to their size: starts that differ make more of it, bodies at rest less. */
const IDLE_SPREAD = 0.15

/** Symptoms in metrics, in the order in which they are reported. docs/tuning.md explains each. */
export const DIAGNOSES: Readonly<Record<string, Diagnosis>> = {
  'line-search': { window: WINDOW, from: WINDOW, find: failingSearch },
  'kl-unused': { window: WINDOW, from: WINDOW, find: unusedKl },
  'factor-spread': { window: WINDOW, from: WINDOW, find: wideFactor },
  critic: { window: WINDOW, from: CRITIC_FROM, find: unfitCritic },
  exploration: { window: WINDOW, from: WINDOW + BEGINNING, find: endedExploration },
  'standing-still': { window: LONG_WINDOW, from: 2 * LONG_WINDOW, find: standingStill },
  'broken-steps': { window: WINDOW, from: WINDOW, find: brokenSteps },
  'dropped-updates': { window: WINDOW, from: WINDOW, find: droppedUpdates },
}

/**
 * The symptoms that hold at the end of some records.
 * @param records of the iterations from the first on, as `metrics.jsonl` has them
 */
export function diagnose(records: readonly IterationRecord[], config: TrainConfig): Finding[] {
  const beginning = records.slice(0, BEGINNING)
  const last = records.at(-1)?.iteration ?? 0
  return Object.entries(DIAGNOSES).flatMap(([name, { window, from, find }]) => {
    if (last < from) return []
    const line = find({ window: records.slice(-window), beginning, config })
    return line === null ? [] : [{ name, line }]
  })
}

/** Follows a run and reports each symptom once, and again only after it was absent for a whole window. */
export class DiagnosisWatch {
  readonly #config: TrainConfig
  readonly #beginning: IterationRecord[] = []
  #latest: IterationRecord[] = []
  /** Iteration in which each symptom last occurred. */
  readonly #seen = new Map<string, number>()
  #findings: readonly Finding[] = []

  /** @param records records of the run so far, whose symptoms were already reported */
  constructor(config: TrainConfig, records: readonly IterationRecord[] = []) {
    this.#config = config
    const later = records.slice(BEGINNING).slice(-REPLAYED)
    for (const record of [...records.slice(0, BEGINNING), ...later]) this.next(record)
  }

  /** Symptoms that hold after the latest record. */
  get findings(): readonly Finding[] {
    return this.#findings
  }

  /** Processes the record of the next iteration. @returns the symptoms to be reported */
  next(record: IterationRecord): Finding[] {
    const { iteration } = record
    if (this.#beginning.length < BEGINNING) this.#beginning.push(record)
    else this.#latest = [...this.#latest, record].slice(-LONG_WINDOW)
    this.#findings = diagnose([...this.#beginning, ...this.#latest], this.#config)
    return this.#findings.filter(({ name }) => {
      const seen = this.#seen.get(name)
      this.#seen.set(name, iteration)
      return seen === undefined || iteration - seen > DIAGNOSES[name].window
    })
  }
}

function failingSearch({ window, config }: Evidence): string | null {
  const { miniBatches, delta } = config.trustRegion
  const steps = window.length * miniBatches
  const worst = worstAgent(window, (records) => {
    const failed = records.filter(({ rejection }) => rejection === 'line-search')
    return sum(failed.map(({ rejectedSteps = 0 }) => rejectedSteps)) / steps
  })
  if (!worst || worst.value <= MOST_FAILED_SEARCHES) return null
  return (
    `line search failing: no acceptable step for ${worst.id} in ${percent(worst.value)} of the attempts ${during(window)}: ` +
    `lower trustRegion.delta (${delta}), or enlarge the batch (envs times rolloutSteps, ${batch(config)})`
  )
}

function unusedKl({ window, config }: Evidence): string | null {
  const { damping, fisherStride } = config.trustRegion
  const worst = worstAgent(window, (records) => {
    const taken = records.filter(({ accepted, klAllowed = 0 }) => accepted && klAllowed > 0)
    // Steps that were refused are the line search's.
    if (taken.length < window.length / 2) return -1
    return 1 - median(taken.map(({ klUsed, klAllowed }) => klUsed! / klAllowed!))
  })
  if (!worst || worst.value <= 1 - LEAST_KL_SHARE) return null
  const stride = fisherStride > 1 ? `, or trustRegion.fisherStride (${fisherStride})` : ''
  return (
    `KL budget unused: ${worst.id} uses ${percent(1 - worst.value)} of its budget ${during(window)}: ` +
    `lower trustRegion.damping (${damping})${stride}`
  )
}

function wideFactor({ window, config }: Evidence): string | null {
  const worst = worstAgent(window, (records) => median(records.map(({ factorSpread }) => factorSpread?.sd)))
  if (!worst || worst.value <= MOST_FACTOR_SD) return null
  const bounded = window.some(({ agents }) => agents.some(({ klAllowed }) => klAllowed !== undefined))
  const { trustRegion, clipped } = config
  const keys = bounded
    ? `lower trustRegion.delta (${trustRegion.delta})`
    : `lower clipped.clip (${clipped.clip}) or clipped.epochs (${clipped.epochs})`
  return (
    `ratio products spread too wide: the factor before ${worst.id} has an sd of ${short(worst.value)} ${during(window)}, ` +
    `which leaves ${percent(1 / (1 + worst.value * worst.value))} of the samples' weight: ${keys}, or enlarge the batch ` +
    `(envs times rolloutSteps, ${batch(config)})`
  )
}

function unfitCritic({ window, beginning, config }: Evidence): string | null {
  const [first, now] = [beginning, window].map(returnOf)
  // If nearly every episode succeeds, there is little variance to explain.
  if (first && now && now.mean - first.mean > first.sd + now.sd) return null
  // In episodes of one step, the unexplained variance is that of random actions.
  if (window.every(({ episodeLength }) => episodeLength?.max === 1)) return null
  const count = window[0].critics?.length ?? 1
  const explained = Array.from({ length: count }, (_, i) =>
    median(window.map((record) => criticsOf(record)[i]?.explainedVariance)),
  )
  const worst = Math.min(...explained.filter(Number.isFinite))
  if (!(worst < LEAST_EXPLAINED)) return null
  const { inputNorm, epochs, lr, input } = config.critic
  const seen = input === 'default' ? partsOf(algorithms[config.algo])?.critic.input : input
  const name = count > 1 ? `critic ${explained.indexOf(worst)}` : 'the critic'
  const keys = [
    ...(inputNorm ? [] : ['critic.inputNorm=true']),
    `more critic.epochs (${epochs})`,
    `another critic.lr (${lr}; 3e-4 to 1e-3)`,
    ...(seen === 'state' ? [] : ['critic.input=state']),
  ]
  return (
    `critic not fitting: ${name} explains ${short(worst)} of the returns' variance ${during(window)}: ` +
    `try ${listed(keys)}`
  )
}

function endedExploration({ window, beginning, config }: Evidence): string | null {
  const first = returnOf(beginning)
  const now = returnOf(window)
  if (!first || !now || !(now.mean - first.mean <= LEAST_RISE * first.sd)) return null
  const narrow = (key: 'std' | 'entropyShare', limit: (id: string) => number) =>
    worstAgent(window, (records) => limit(records[0].id) - median(records.map((agent) => agent[key])))
  const firstStd = (id: string) =>
    median(beginning.map(({ agents }) => agents.find((agent) => agent.id === id)?.std))
  const std = narrow('std', (id) => LEAST_STD_SHARE * firstStd(id))
  const share = narrow('entropyShare', () => LEAST_ENTROPY_SHARE)
  const worst = [std, share].find((found) => found && found.value > 0)
  if (!worst) return null
  const figure =
    worst === std
      ? `actions have a std of ${short(LEAST_STD_SHARE * firstStd(worst.id) - worst.value)}, ${short(firstStd(worst.id))} at first`
      : `choices have ${percent(LEAST_ENTROPY_SHARE - worst.value)} of the largest entropy`
  const { entropyCoef } = config.clipped
  const bounded = window.some(({ agents }) => agents.some(({ klAllowed }) => klAllowed !== undefined))
  const keys = [
    ...(bounded ? [`lower trustRegion.delta (${config.trustRegion.delta})`] : []),
    ...(bounded ? [] : [`raise clipped.entropyCoef (${entropyCoef})`]),
    ...(worst === std ? [`raise actor.stdY (${config.actor.stdY})`] : []),
  ]
  return (
    `exploration ended: ${worst.id}'s ${figure}, and the return is no better than at first (${short(now.mean)}): ` +
    `${keys.join(', ')}, or try another seed`
  )
}

function standingStill({ window, beginning, config }: Evidence): string | null {
  const lengths = window.flatMap(({ episodeLength }) => (episodeLength ? [episodeLength] : []))
  const [length] = lengths
  const atLimit =
    length && length.max > 1 && lengths.every(({ min, max }) => min === max && max === length.max)
  if (!atLimit) return null
  const half = window.length / 2
  const [first, earlier, now] = [beginning, window.slice(0, half), window.slice(half)].map(returnOf)
  const firstLength = mean(beginning.map(({ episodeLength }) => episodeLength?.mean))
  if (!first || !earlier || !now || !Number.isFinite(firstLength)) return null
  const before = first.mean / firstLength
  const after = now.mean / length.max
  const scale = Math.max(Math.abs(first.mean), Math.abs(now.mean))
  const flat = Math.abs(now.mean - earlier.mean) <= FLAT * scale
  const idle = after <= Math.max(before, 0) + IDLE_GAIN * Math.abs(before) && now.sd <= IDLE_SPREAD * scale
  if (!flat || !idle) return null
  return (
    `standing still: for ${window.length} iterations every episode has run to its limit of ${length.max} steps with a return ` +
    `of ${short(now.mean)}, per step no better than at first, as for idle bodies: raise actor.stdY ` +
    `(${config.actor.stdY}), or try another seed`
  )
}

function brokenSteps({ window }: Evidence): string | null {
  const last = window.at(-1)!
  const steps = (last.steps / last.iteration) * window.length
  const broken = sum(window.map(({ faults }) => faults.brokenSteps ?? 0))
  if (broken <= MOST_BROKEN * steps) return null
  return (
    `steps break: ${broken} of ${steps} steps ${during(window)} were not finite and do not count: ` +
    'bound the actions, or shorten the time step of the physics (the log names each)'
  )
}

function droppedUpdates({ window, config }: Evidence): string | null {
  const dropped = window.filter(
    ({ agents, critic }) =>
      critic.skippedSteps > 0 || agents.some(({ rejection }) => rejection === 'non-finite'),
  )
  const share = dropped.length / window.length
  if (share <= MOST_DROPPED) return null
  return (
    `updates dropped: in ${percent(share)} of the iterations ${numbers(window)} a gradient was not finite or no sample ` +
    `counted: look for rewards of enormous size, or lower critic.maxGradNorm (${config.critic.maxGradNorm})`
  )
}

/** The agent with the greatest value, of those that have one. */
function worstAgent(
  window: readonly IterationRecord[],
  value: (records: readonly AgentRecord[]) => number,
): { readonly id: string; readonly value: number } | undefined {
  return window[0].agents
    .map(({ id }) => {
      const records = window.flatMap(({ agents }) => agents.filter((agent) => agent.id === id))
      return { id, value: value(records) }
    })
    .filter((agent) => Number.isFinite(agent.value))
    .sort((a, b) => b.value - a.value)[0]
}

function criticsOf({ critic, critics }: IterationRecord): readonly CriticRecord[] {
  return critics ?? [critic]
}

/** Means of the returns and of their standard deviations, NaN in older runs; undefined where no episode ended. */
function returnOf(
  records: readonly IterationRecord[],
): { readonly mean: number; readonly sd: number } | undefined {
  const returns = records.flatMap(({ episodeReturn }) => (episodeReturn ? [episodeReturn] : []))
  if (returns.length === 0) return undefined
  return {
    mean: mean(returns.map((episodes) => episodes.mean)),
    sd: mean(returns.map((episodes) => episodes.sd)),
  }
}

/** Numbers among values: those that are not finite are null in files. */
function finite(values: readonly (number | null | undefined)[]): number[] {
  return values.filter((value): value is number => Number.isFinite(value))
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

/** Mean of the numbers among values; NaN without any. */
function mean(values: readonly (number | null | undefined)[]): number {
  const numbers = finite(values)
  return sum(numbers) / numbers.length
}

/** Median of the numbers among values; NaN without any. */
function median(values: readonly (number | null | undefined)[]): number {
  const sorted = finite(values).sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? NaN
}

function batch({ envs, rolloutSteps }: TrainConfig): number {
  return envs * rolloutSteps
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)}%`
}

function short(value: number): string {
  return String(Number(value.toPrecision(2)))
}

function listed(items: readonly string[]): string {
  return items.length > 1 ? `${items.slice(0, -1).join(', ')} or ${items.at(-1)!}` : items[0]
}

function numbers(window: readonly IterationRecord[]): string {
  return `${window[0].iteration} to ${window.at(-1)!.iteration}`
}

function during(window: readonly IterationRecord[]): string {
  return `in iterations ${numbers(window)}`
}
