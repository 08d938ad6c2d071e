import { HatrpoError, usageError } from '../errors.js'
import { findStuckAgent } from '../envs/available.js'
import { BrokenStepError } from '../envs/broken-step-error.js'
import { RUNNING, TERMINATED, TRUNCATED, type MultiAgentEnv } from '../envs/contract.js'
import { findDifferenceFromState } from '../envs/observes-state.js'
import type { Actors } from './acting.js'
import { thrownLine } from '../text/thrown.js'
import { detailOf, withStack, type Breakage } from './faults.js'

/** Resets an environment. @throws HatrpoError when it starts in a state that is not finite */
export function resetSoundly(env: MultiAgentEnv, seed: number): void {
  try {
    env.reset(seed)
  } catch (error) {
    throw nameThrown(env, `reset(${seed})`, error)
  }
  const unsound = findUnsound(env)
  if (unsound !== undefined) throw new HatrpoError(`${unsound} after reset(${seed})`)
  const difference = findDifferenceFromState(env)
  if (difference === undefined) return
  throw new HatrpoError(
    `${env.spec.id}: spec.observesState is true, but ${difference} after reset(${seed}): leave observesState out`,
  )
}

/**
 * Gives an environment its agents' actions, and starts its step.
 * @returns why it has none to make, or undefined
 * @throws HatrpoError when an agent that plays has nothing available
 */
export function submit(env: MultiAgentEnv, actors: Actors, k: number): Breakage | undefined {
  const stuck = findStuckAgent(env)
  if (stuck >= 0) {
    const { id, agents } = env.spec
    throw new HatrpoError(
      `${id}: ${agents[stuck].id} is active and has no available action: availableActions must allow one, ` +
        'or active be 0 for it',
    )
  }
  const broken = actors.broken(k)
  if (broken) return { reason: `the policy of ${broken.id} gave a non-finite action` }
  actors.act(env, k)
  env.submit?.()
  return undefined
}

/** Finishes the step of one environment. @returns RUNNING, TERMINATED or TRUNCATED, or why the step does not count */
export function stepSoundly(env: MultiAgentEnv): number | Breakage {
  let end: number
  try {
    end = env.step()
  } catch (error) {
    if (!(error instanceof BrokenStepError)) throw nameThrown(env, 'step()', error)
    const detail = detailOf(error)
    return { reason: error.message, ...(detail !== undefined && { detail }) }
  }
  if (end !== RUNNING && end !== TERMINATED && end !== TRUNCATED) {
    throw new HatrpoError(
      `${env.spec.id}: step() returned ${end}: it must return ${RUNNING} (running), ${TERMINATED} (terminated) or ${TRUNCATED} (truncated)`,
    )
  }
  const reason = findUnsoundReward(env) ?? findUnsound(env)
  return reason === undefined ? end : { reason }
}

/**
 * Reward of the team in the latest step: the mean over agents, which is the reward of each where all get the same.
 * @param scored agents that count; null for all
 */
export function teamReward({ rewards }: MultiAgentEnv, scored: readonly number[] | null = null): number {
  let sum = 0
  if (scored) {
    for (const agent of scored) sum += rewards[agent]
    return sum / scored.length
  }
  for (let i = 0; i < rewards.length; i++) sum += rewards[i]
  return sum / rewards.length
}

/**
 * Refuses rewards that differ between the agents of a team, for methods that learn from one reward of the team.
 * @param teams agents of each team, which `teamsOf` gives
 * @throws HatrpoError (exit code 2) naming two of them
 */
export function expectEqualRewards(
  { spec, rewards }: MultiAgentEnv,
  teams: readonly (readonly number[])[],
): void {
  for (const [first, ...others] of teams) {
    for (const other of others) {
      if (rewards[other] === rewards[first]) continue
      const [mate, odd] = [spec.agents[first].id, spec.agents[other].id]
      throw usageError(
        `${spec.id}: ${mate} got the reward ${rewards[first]} and ${odd} ${rewards[other]} in one step: ` +
          'a critic of a team needs the same reward for all of its agents; critics of the agents do not (critic.sharing=own)',
      )
    }
  }
}

/** @param withActions whether the last actions are saved too, behind the state */
export function saveState(env: MultiAgentEnv, withActions: boolean): Uint8Array {
  if (!env.saveState) throw missingState(env)
  const state = callEnv(env, 'saveState()', () => env.saveState!())
  if (!(state instanceof Uint8Array))
    throw new HatrpoError(`${env.spec.id}: saveState() gave ${typeof state}: it must give a Uint8Array`)
  if (!withActions) return state
  const saved = new Uint8Array(state.length + actionBytes(env))
  saved.set(state)
  let at = state.length
  for (const { buffer, byteOffset, byteLength } of env.actions) {
    saved.set(new Uint8Array(buffer, byteOffset, byteLength), at)
    at += byteLength
  }
  return saved
}

/** Restores what `saveState` gave. */
export function loadState(env: MultiAgentEnv, saved: Uint8Array, withActions: boolean): void {
  if (!env.loadState) throw missingState(env)
  const load = (state: Uint8Array) => callEnv(env, 'loadState()', () => env.loadState!(state))
  if (!withActions) return load(saved)
  let at = saved.length - actionBytes(env)
  load(saved.slice(0, at))
  for (const { buffer, byteOffset, byteLength } of env.actions) {
    new Uint8Array(buffer, byteOffset, byteLength).set(saved.subarray(at, at + byteLength))
    at += byteLength
  }
}

/**
 * Calls an environment. @throws its exceptions, in one line that names the environment, the call and the line that
 * threw
 */
export function callEnv<T>(env: MultiAgentEnv, call: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw nameThrown(env, call, error)
  }
}

function actionBytes({ actions }: MultiAgentEnv): number {
  return actions.reduce((sum, { byteLength }) => sum + byteLength, 0)
}

function missingState(env: MultiAgentEnv): HatrpoError {
  return new HatrpoError(`${env.spec.id} has no saveState and loadState: training needs both`)
}

/** An error that an environment threw, attributed to it, with the line that threw. Errors of ours name it already. */
function nameThrown(env: MultiAgentEnv, call: string, error: unknown): unknown {
  if (error instanceof HatrpoError) return error
  if (!(error instanceof Error)) return new Error(`${env.spec.id}: ${call} threw ${thrownLine(error)}`)
  const [, file, line] = /^\s+at .*?([^\s()\\/]+):(\d+):\d+\)?$/m.exec(error.stack ?? '') ?? []
  const place = file === undefined ? '' : ` (${file}:${line})`
  const message = `${env.spec.id}: ${call} threw ${error.name}: ${error.message}${place}`
  return withStack(message, error.stack ?? message)
}

function findUnsoundReward({ spec, rewards }: MultiAgentEnv): string | undefined {
  const bad = rewards.findIndex((reward) => !Number.isFinite(reward))
  if (bad < 0) return undefined
  const owner = bad === 0 ? '' : ` of ${spec.agents[bad].id}`
  return `${spec.id}: the reward${owner} is ${rewards[bad]}`
}

/** The first of an environment's views that is not finite, in one line. */
function findUnsound(env: MultiAgentEnv): string | undefined {
  for (let i = 0; i < env.observations.length; i++) {
    if (!allFinite(env.observations[i])) {
      return `${env.spec.id}: the observation of ${env.spec.agents[i].id} is not finite`
    }
  }
  return allFinite(env.state) ? undefined : `${env.spec.id}: the state is not finite`
}

function allFinite(values: Float32Array): boolean {
  // x - x is 0 for finite numbers only.
  for (let i = 0; i < values.length; i++) if (values[i] - values[i] !== 0) return false
  return true
}
