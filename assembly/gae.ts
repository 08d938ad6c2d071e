import {
  EPISODE_RUNNING,
  EPISODE_TERMINATED,
  EPISODE_TRUNCATED,
  TRUNCATION_HARL,
  TRUNCATION_TERMINATE,
} from './generated/layout'

/**
 * Generalised advantage estimation (Schulman et al. 2016, Eq. 16) over a rollout of T steps in E environments.
 *
 *   delta_t = r_t + gamma V(s_{t+1}) - V(s_t),   A_t = delta_t + gamma lambda A_{t+1},   return_t = A_t + V(s_t)
 *
 * Arrays are [T, E] row-major (t * E + e): rewards, values, nextValues, advantages, returns f32; ends u8
 * (EPISODE_*). Values are in reward units. nextValues[t, e] is the value of the state reached by step t; at a truncation
 * it is the value of the final state, not of the state after the reset. At a termination it is not read and 0 is used.
 * The trace stops at both kinds of end and after step T - 1.
 *
 * TRUNCATION_BOOTSTRAP: as above. TRUNCATION_HARL: a truncated step has advantage 0, so its return is V(s_t).
 * TRUNCATION_TERMINATE: a truncation counts as a termination.
 *
 * Accumulated in f64 from the last step to the first; each result is rounded once.
 */
export function gae(
  rewards: usize,
  values: usize,
  nextValues: usize,
  ends: usize,
  T: i32,
  E: i32,
  gamma: f64,
  lambda: f64,
  mode: i32,
  advantages: usize,
  returns: usize,
): void {
  const decay = gamma * lambda
  for (let e = 0; e < E; e++) {
    let advantage: f64 = 0.0
    for (let t = T - 1; t >= 0; t--) {
      const at = t * E + e
      const offset = at << 2
      const end = <i32>load<u8>(ends + at)
      const value = <f64>load<f32>(values + offset)
      const terminal = end == EPISODE_TERMINATED || (end == EPISODE_TRUNCATED && mode == TRUNCATION_TERMINATE)
      const nextValue = terminal ? 0.0 : <f64>load<f32>(nextValues + offset)
      const delta = <f64>load<f32>(rewards + offset) + gamma * nextValue - value
      advantage = end == EPISODE_RUNNING ? delta + decay * advantage : delta
      if (end == EPISODE_TRUNCATED && mode == TRUNCATION_HARL) advantage = 0.0
      store<f32>(advantages + offset, <f32>advantage)
      store<f32>(returns + offset, <f32>(advantage + value))
    }
  }
}
