import { RUNNING, type MultiAgentEnv } from '../contract.js'
import { startEpisode } from './episodes.js'
import { calling, type Findings } from './finding.js'
import { ActionSampler } from './sampler.js'
import type { Trace } from './trace.js'

/** Steps of an episode that a second environment repeats. */
const REPEATED_STEPS = 300
/** Number of other seeds tried before the seed is reported to have no effect. */
const OTHER_SEEDS = 4

/** Runs a traced episode again, step by step, comparing. */
export class Repetition {
  readonly env: MultiAgentEnv
  readonly #trace: Trace
  readonly #sampler: ActionSampler
  #step = 0

  /** @param seed of the actions */
  constructor(env: MultiAgentEnv, trace: Trace, seed: number) {
    this.env = env
    this.#trace = trace
    this.#sampler = new ActionSampler(seed)
  }

  get steps(): number {
    return this.#step
  }

  /** Whether there is more to repeat. */
  get more(): boolean {
    return this.#step < this.#trace.steps
  }

  /** @returns what differs after the reset */
  start(seed = this.#trace.seed): string | undefined {
    this.#step = 0
    startEpisode(this.env, seed, this.#trace.actions, this.#sampler)
    return this.#trace.difference(this.env, RUNNING, 0)
  }

  /** @returns what differs after the next step */
  advance(): string | undefined {
    this.#sampler.fill(this.env)
    this.#step++
    const end = calling(`step ${this.#step} of the episode of seed ${this.#trace.seed}`, () =>
      this.env.step(),
    )
    return this.#trace.difference(this.env, end, this.#step)
  }

  /** Starts, and advances up to a step. @returns the first difference */
  runTo(steps: number): string | undefined {
    return this.start() ?? this.advanceTo(steps)
  }

  /** Advances up to a step. @returns the first difference */
  advanceTo(steps: number): string | undefined {
    while (this.#step < steps && this.more) {
      const difference = this.advance()
      if (difference !== undefined) return difference
    }
    return undefined
  }

  /** Continues from the state of another repetition, with its actions. */
  takeOver(other: Repetition): void {
    this.#step = other.#step
    this.#sampler.copy(other.#sampler)
  }
}

/** Checks that the environment that made a trace makes it again. */
export function checkReused(env: MultiAgentEnv, trace: Trace, seed: number, findings: Findings): void {
  const difference = new Repetition(env, trace, seed).runTo(REPEATED_STEPS)
  if (difference === undefined) return
  const how = `the episode of seed ${trace.seed}, run again with the same actions on the same environment, differs: ${difference}`
  findings.add(
    'determinism',
    `${how}: set everything in reset, and draw only from a stream that reset restarts from its seed`,
  )
}

/** Checks that another environment makes the same trace. */
export function checkFresh(env: MultiAgentEnv, trace: Trace, seed: number, findings: Findings): void {
  const difference = new Repetition(env, trace, seed).runTo(REPEATED_STEPS)
  if (difference === undefined) return
  const how = `the episode of seed ${trace.seed}, run with the same actions on a second environment, differs: ${difference}`
  findings.add(
    'determinism',
    `${how}: draw only from a stream that reset restarts from its seed, not from Math.random, the time or a count of environments`,
  )
}

/** Checks that two environments stepped alternately each make the same trace as alone. */
export function checkInterleaved(
  pair: readonly [MultiAgentEnv, MultiAgentEnv],
  traces: readonly [Trace, Trace],
  seed: number,
  findings: Findings,
): void {
  const [first, second] = pair.map((env, i) => new Repetition(env, traces[i], seed))
  let difference = first.start()
  // The second one starts a step later, so that two episodes of one seed do not do the same at the same time.
  if (first.more) difference ??= first.advance()
  difference ??= second.start()
  while (difference === undefined && (first.more || second.more) && second.steps < REPEATED_STEPS) {
    if (first.more) difference = first.advance()
    if (second.more) difference ??= second.advance()
  }
  if (difference === undefined) return
  const how = `two environments stepped in turns differ from each one alone: ${difference}`
  findings.add(
    'shared-state',
    `${how}: keep all variables in the environment, none in the module or in static fields`,
  )
}

/** Checks that other seeds give other episodes, except for an environment whose `reset` takes no seed. */
export function checkSeeds(
  env: MultiAgentEnv,
  trace: Trace,
  seeds: readonly number[],
  seed: number,
  findings: Findings,
): void {
  if (env.reset.length === 0) return
  for (const other of seeds.slice(0, OTHER_SEEDS)) {
    const repetition = new Repetition(env, trace, seed)
    let difference = repetition.start(other)
    while (difference === undefined && repetition.more && repetition.steps < REPEATED_STEPS) {
      difference = repetition.advance()
    }
    if (difference !== undefined) return
  }
  const how = `the seeds ${[trace.seed, ...seeds.slice(0, OTHER_SEEDS)].join(', ')} give the same episode`
  findings.add(
    'seed-ignored',
    `${how}: draw the start from the seed, or write reset() without a parameter if there is only one start`,
  )
}
