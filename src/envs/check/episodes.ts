import { RUNNING, TERMINATED, TRUNCATED, type EnvSpec, type MultiAgentEnv } from '../contract.js'
import { calling, type Findings, Thrown } from './finding.js'
import type { ActionSampler } from './sampler.js'
import { Trace } from './trace.js'

/** Steps after which an episode is left, where the time limit does not end it before. */
export const LONGEST_EPISODE = 5000

/** Steps with actions beyond their bounds. */
const UNCLIPPED_STEPS = 100

/** An episode of random actions. */
export interface EpisodeSummary {
  readonly seed: number
  readonly steps: number
  /** End of the episode; `running`: abandoned before its end. */
  readonly end: 'terminated' | 'truncated' | 'running'
  /** One per agent: the sum of its rewards. */
  readonly returns: readonly number[]
}

export interface Episode extends EpisodeSummary {
  readonly trace: Trace
  /** Seconds spent in its steps. */
  readonly seconds: number
}

/** Looks at an environment after a reset and after each step. */
export interface Looks {
  /** @param when `after reset(5)` */
  reset(when: string): void
  /**
   * @param end what `step` returned
   * @param when `at step 3 of the episode of seed 5`
   */
  step(end: unknown, when: string, step: number): void
}

/**
 * Runs an episode of random actions and looks at every step.
 * @param actions number of the stream of actions
 */
export function runEpisode(
  env: MultiAgentEnv,
  seed: number,
  actions: number,
  sampler: ActionSampler,
  looks: Looks,
  findings: Findings,
): Episode {
  const trace = new Trace(seed, actions)
  const returns = new Float64Array(env.rewards.length)
  const { timeLimit } = env.spec
  let steps = 0
  let end: number = RUNNING
  let seconds = 0
  startEpisode(env, seed, actions, sampler)
  looks.reset(`after reset(${seed})`)
  trace.keep(env, RUNNING)
  while (end === RUNNING && steps < Math.min(LONGEST_EPISODE, timeLimit + 1)) {
    sampler.fill(env)
    steps++
    const begun = performance.now()
    end = calling(`step ${steps} of the episode of seed ${seed}`, () => env.step())
    seconds += (performance.now() - begun) / 1000
    looks.step(end, `at step ${steps} of the episode of seed ${seed}`, steps)
    if (findings.has('step-result')) break
    trace.keep(env, end)
    for (let i = 0; i < returns.length; i++) returns[i] += env.rewards[i]
  }
  if (!findings.has('step-result')) checkEnd(steps, end, env.spec, findings)
  const name = end === TERMINATED ? 'terminated' : end === TRUNCATED ? 'truncated' : 'running'
  return { seed, steps, end: name, returns: Array.from(returns), trace, seconds }
}

/** Resets, and starts the stream of actions. */
export function startEpisode(
  env: MultiAgentEnv,
  seed: number,
  actions: number,
  sampler: ActionSampler,
): void {
  sampler.restart(actions)
  calling(`reset(${seed})`, () => env.reset(seed))
}

function checkEnd(
  steps: number,
  end: number,
  { timeLimit, truncatesAfter }: EnvSpec,
  findings: Findings,
): void {
  if (end === TRUNCATED && steps < (truncatesAfter ?? timeLimit)) {
    const [name, value] =
      truncatesAfter === undefined ? ['timeLimit', timeLimit] : ['truncatesAfter', truncatesAfter]
    const how = `step ${steps} returned ${TRUNCATED} (truncated) and spec.${name} is ${value}`
    const right = `set spec.${name} to ${steps}, or return ${TERMINATED} where the state itself ends the episode`
    findings.add('time-limit', `${how}: ${right}`)
  }
  if (steps > timeLimit) {
    const how = `step ${timeLimit} returned ${RUNNING} (running) and spec.timeLimit is ${timeLimit}`
    findings.add('time-limit', `${how}: return ${TRUNCATED} from that step on, or correct spec.timeLimit`)
  }
}

/** Checks that need several episodes. */
export function checkEnds(episodes: readonly EpisodeSummary[], timeLimit: number, findings: Findings): void {
  const atLimit = episodes.filter(({ steps }) => steps === timeLimit)
  if (atLimit.length > 1 && atLimit.every(({ end }) => end === 'terminated')) {
    const how = `all ${atLimit.length} episodes that came to step ${timeLimit}, the time limit, returned ${TERMINATED} (terminated) there`
    findings.add(
      'time-limit',
      `${how}: return ${TRUNCATED}, or set spec.timeLimit to Infinity if the task itself ends there`,
    )
  }
  const left = episodes.filter(({ end }) => end === 'running').length
  if (timeLimit === Infinity && left === episodes.length) {
    findings.add(
      'endless',
      `no episode ended within ${LONGEST_EPISODE} steps and spec.timeLimit is Infinity: set a time limit; otherwise an evaluation may never end`,
    )
  }
}

/**
 * Whether an ended episode continues, and if so, whether because `step` has started the next one. Leaves the environment to
 * be reset.
 */
export function checkStepAfterEnd(
  env: MultiAgentEnv,
  { trace, steps, seed }: Episode,
  findings: Findings,
): void {
  let end: number
  try {
    end = env.step()
  } catch {
    return
  }
  if (end !== RUNNING) return
  if (trace.endsWhereItBegan()) {
    const how = `after step ${steps}, which ended the episode of seed ${seed}, the views hold its first observations and state again`
    findings.add('final-views', `${how}: keep the final ones until reset`)
    return
  }
  const how = `step after the end of an episode returned ${RUNNING} (running)`
  const right = 'start the next episode only in reset, and throw an error here, which reveals a missing reset'
  findings.add('step-after-end', `${how}: ${right}`)
}

/** Runs a short episode with actions beyond their bounds, which policies may draw. */
export function checkUnclipped(
  env: MultiAgentEnv,
  seed: number,
  sampler: ActionSampler,
  findings: Findings,
): void {
  const right = 'policies draw numbers beyond the bounds and nothing clips them: clip within step'
  startEpisode(env, seed, 0, sampler)
  for (let step = 1, end = RUNNING; end === RUNNING && step <= UNCLIPPED_STEPS; step++) {
    sampler.fillBeyond(env)
    try {
      end = calling(`step ${step}`, () => env.step())
    } catch (error) {
      if (!(error instanceof Thrown)) throw error
      findings.add('unclipped-action', `${error.message} for actions beyond their bounds: ${right}`)
      return
    }
    const views = [...env.observations, env.state, env.rewards]
    if (views.some((view) => !view.every(Number.isFinite))) {
      findings.add(
        'unclipped-action',
        `step ${step} gave a number that is not finite for actions beyond their bounds: ${right}`,
      )
      return
    }
  }
}
