import type { GaeOptions } from '../device.js'

/** Values of `ends`. */
const TERMINATED = 1
const TRUNCATED = 2

/** Columns of a rollout [T, E]. */
export interface Rollout {
  readonly steps: number
  readonly envs: number
  readonly rewards: ArrayLike<number>
  readonly values: ArrayLike<number>
  readonly nextValues: ArrayLike<number>
  readonly ends: ArrayLike<number>
}

/**
 * delta_t = r_t + gamma V(s_{t+1}) - V(s_t), A_t = delta_t + gamma lambda A_{t+1}, return_t = A_t + V(s_t)
 * (Schulman et al. 2016, Eq. 16), where the trace ends with the episode or the rollout.
 */
export function generalisedAdvantages(
  { steps, envs, rewards, values, nextValues, ends }: Rollout,
  { gamma, lambda, truncation }: GaeOptions,
): { advantages: Float64Array; returns: Float64Array } {
  const advantages = new Float64Array(steps * envs)
  const returns = new Float64Array(steps * envs)
  for (let i = steps * envs - 1; i >= 0; i--) {
    const isTerminal = ends[i] === TERMINATED || (ends[i] === TRUNCATED && truncation === 'terminate')
    const next = isTerminal ? 0 : nextValues[i]
    const delta = rewards[i] + gamma * next - values[i]
    const later = ends[i] === 0 && i + envs < steps * envs ? advantages[i + envs] : 0
    const isZeroed = ends[i] === TRUNCATED && truncation === 'harl'
    advantages[i] = isZeroed ? 0 : delta + gamma * lambda * later
    returns[i] = advantages[i] + values[i]
  }
  return { advantages, returns }
}
