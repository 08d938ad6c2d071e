/**
 * Template of an exported policy that chooses: a product of categorical distributions over the available actions. The action
 * is the i32 indices of the choices, behind which the network's outputs lie: the logits, also of unavailable choices.
 */
import { choiceAt, likeliest } from './categorical'
import {
  POLICY_ACTION,
  POLICY_ACTION_SIZE,
  POLICY_AVAILABLE,
  POLICY_HEAD_VECTOR,
  POLICY_PURPOSE,
  POLICY_STREAM,
} from './generated/layout'
import { evaluate, nextSample, seedHigh, seedLow } from './policy-network'
import { uniform64 } from './random'

export { action, observation, reset, seed } from './policy-network'

/** Address of the mask, u8 per choice, that a host may write. The value is a placeholder, replaced at export. */
export const available: i32 = 3

/** Whether each of the choices can be made: something is available, and logits are numbers. */
function isPossible(logits: usize, mask: usize, sizes: usize, count: i32): bool {
  for (let i = 0; i < count; i++) {
    const size = load<i32>(sizes)
    if (likeliest(logits, mask, size) < 0) return false
    sizes += 4
    mask += size as usize
    logits += (size as usize) << 2
  }
  return true
}

/** Makes all choices: the likeliest ones, or samples. */
function choose(drawing: bool): i32 {
  if (evaluate() != 0) return 1
  const count = load<i32>(POLICY_ACTION_SIZE)
  const actions = load<usize>(POLICY_ACTION)
  let sizes = load<usize>(POLICY_HEAD_VECTOR)
  let mask = load<usize>(POLICY_AVAILABLE)
  let logits = actions + ((count as usize) << 2)
  if (!isPossible(logits, mask, sizes, count)) return 1
  const purpose = load<u32>(POLICY_PURPOSE)
  const stream = load<u32>(POLICY_STREAM)
  const drawn = drawing ? nextSample() : 0
  for (let i = 0; i < count; i++) {
    const size = load<i32>(sizes)
    const choice = drawing
      ? choiceAt(logits, mask, size, uniform64(seedLow, seedHigh, purpose, stream, drawn, i))
      : likeliest(logits, mask, size)
    store<i32>(actions + ((i as usize) << 2), choice)
    sizes += 4
    mask += size as usize
    logits += (size as usize) << 2
  }
  return 0
}

/**
 * action = mode of the policy at the observation, the first of several. Returns 0, or 1 without an action if the observation is
 * not finite or nothing is available.
 */
export function act(): i32 {
  return choose(false)
}

/** action = a sample. The k-th sample after `seed` is the same on every host. Returns the same codes as `act`. */
export function sample(): i32 {
  return choose(true)
}
