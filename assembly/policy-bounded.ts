/**
 * Template of an exported policy that is deterministic: action = offset + scale tanh(output). The vector of the head is scale and
 * then offset, each padded to whole vectors of four.
 */
import { POLICY_ACTION, POLICY_ACTION_SIZE, POLICY_HEAD_VECTOR } from './generated/layout'
import { tanh4 } from './math32'
import { evaluate } from './policy-network'

export { action, observation, reset, seed } from './policy-network'

/**
 * action = the policy at the observation, with the rounding of assembly/bounded.ts. Returns 0, or 1 without an action if the
 * observation is not finite.
 */
export function act(): i32 {
  if (evaluate() != 0) return 1
  // Outputs are padded to whole vectors as well.
  const bytes = (((load<i32>(POLICY_ACTION_SIZE) + 3) & ~3) as usize) << 2
  const scale = load<usize>(POLICY_HEAD_VECTOR)
  const actions = load<usize>(POLICY_ACTION)
  for (let i: usize = 0; i < bytes; i += 16) {
    const scaled = f32x4.mul(v128.load(scale + i), tanh4(v128.load(actions + i)))
    v128.store(actions + i, f32x4.add(scaled, v128.load(scale + bytes + i)))
  }
  return 0
}

/** The same: the policy has no noise. */
export function sample(): i32 {
  return act()
}
