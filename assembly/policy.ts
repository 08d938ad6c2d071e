/**
 * Template of an exported policy with a Gaussian head. The numbers of which the deviations are made lie among its parameters,
 * or among the network's outputs.
 */
import { squashedLogStd } from './gaussian'
import {
  POLICY_ACTION,
  POLICY_ACTION_SIZE,
  POLICY_HEAD_CONSTANTS,
  POLICY_HEAD_VECTOR,
  POLICY_PURPOSE,
  POLICY_STREAM,
} from './generated/layout'
import { evaluate, nextSample, seedHigh, seedLow } from './policy-network'
import { normal64 } from './random'

export { action, observation, reset, seed } from './policy-network'

/** action = mode of the policy at the observation. Returns 0, or 1 without an action if the observation is not finite. */
export function act(): i32 {
  return evaluate()
}

/** action = mean + sigma z. The k-th sample after `seed` is the same on every host. Returns the same codes as `act`. */
export function sample(): i32 {
  if (evaluate() != 0) return 1
  const size = load<i32>(POLICY_ACTION_SIZE)
  const actions = load<usize>(POLICY_ACTION)
  const logStd = load<usize>(POLICY_HEAD_VECTOR)
  const drawn = nextSample()
  for (let j = 0; j < size; j++) {
    const at = (j as usize) << 2
    const sigma =
      squashedLogStd(load<f32>(logStd + at), load<f64>(POLICY_HEAD_CONSTANTS)) *
      load<f64>(POLICY_HEAD_CONSTANTS + 8)
    const z = normal64(seedLow, seedHigh, load<u32>(POLICY_PURPOSE), load<u32>(POLICY_STREAM), drawn, j)
    store<f32>(actions + at, ((load<f32>(actions + at) as f64) + sigma * z) as f32)
  }
  return 0
}
