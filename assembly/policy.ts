/**
 * Template of an exported policy: a feed-forward network with a Gaussian head that acts on one observation at a time.
 *
 * It contains no sizes and no weights. `src/export` adds them as data and sets the size of the memory and the two
 * addresses below. The record at address 0 (POLICY_*) is described in src/kernels/layout.ts.
 */
import { activate4 } from './activation'
import { squashedLogStd } from './gaussian'
import {
  ACTIVATION_RELU,
  POLICY_ACTION,
  POLICY_ACTION_SIZE,
  POLICY_ACTIVATION,
  POLICY_AGENT,
  POLICY_AGENTS,
  POLICY_BETA,
  POLICY_GAMMA,
  POLICY_INPUT,
  POLICY_LAYERS,
  POLICY_LAYER_BETA,
  POLICY_LAYER_BIAS,
  POLICY_LAYER_BYTES,
  POLICY_LAYER_GAMMA,
  POLICY_LAYER_OUTPUTS,
  POLICY_LAYER_WEIGHT,
  POLICY_LAYER_Y,
  POLICY_HEAD_VECTOR,
  POLICY_OBSERVATION,
  POLICY_OBSERVATION_SIZE,
  POLICY_PURPOSE,
  POLICY_STANDARDISE,
  POLICY_STREAM,
  POLICY_HEAD_CONSTANTS,
} from './generated/layout'
import { inputStage } from './input'
import { layerNorm } from './layernorm'
import { matrixVector } from './matvec'
import { normal64 } from './random'

/** Addresses that a host reads. The values are placeholders, replaced at export. */
export const observation: i32 = 1
export const action: i32 = 2

let seedLow: u32 = 0
let seedHigh: u32 = 0
/** Number of samples drawn since the last `seed`. */
let drawn: u32 = 0

function allFinite(at: usize, size: i32): bool {
  // 0 times an infinity or NaN is NaN.
  let zero: f32 = 0
  for (const end = at + ((size as usize) << 2); at < end; at += 4) zero += load<f32>(at) * 0
  return zero == 0
}

/** x = f(x). x is padded to whole vectors, and the padding is overwritten. */
function activate(x: usize, width: i32, kind: i32): void {
  const end = x + ((width as usize) << 2)
  // relu, the most common kind, has a loop of its own: a test of the kind per vector would cost more than the function.
  if (kind == ACTIVATION_RELU) for (; x < end; x += 16) v128.store(x, f32x4.max(v128.load(x), f32x4.splat(0)))
  else for (; x < end; x += 16) v128.store(x, activate4(v128.load(x), kind))
}

/** action = mode of the policy at the observation. Returns 0, or 1 without an action if the observation is not finite. */
export function act(): i32 {
  const size = load<i32>(POLICY_OBSERVATION_SIZE)
  const raw = load<usize>(POLICY_OBSERVATION)
  if (!allFinite(raw, size)) return 1
  const ids = load<i32>(POLICY_AGENTS)
  let x = load<usize>(POLICY_INPUT)
  inputStage(raw, size, load<i32>(POLICY_AGENT), 0, ids, load<i32>(POLICY_STANDARDISE), x, 0, 1)
  let width = size + ids
  let layer = POLICY_LAYERS
  let gamma = load<usize>(POLICY_GAMMA)
  let beta = load<usize>(POLICY_BETA)
  const kind = load<i32>(POLICY_ACTIVATION)
  let hidden = false
  while (true) {
    if (gamma != 0) {
      if (hidden) activate(x, width, kind)
      layerNorm(x, gamma, beta, 0, 0, x, width, 0, 1)
    } else if (hidden) return 0
    const outputs = load<i32>(layer, POLICY_LAYER_OUTPUTS)
    const y = load<usize>(layer, POLICY_LAYER_Y)
    const weight = load<usize>(layer, POLICY_LAYER_WEIGHT)
    matrixVector(x, width, weight, load<usize>(layer, POLICY_LAYER_BIAS), y, outputs)
    x = y
    width = outputs
    gamma = load<usize>(layer, POLICY_LAYER_GAMMA)
    beta = load<usize>(layer, POLICY_LAYER_BETA)
    layer += POLICY_LAYER_BYTES
    hidden = true
  }
}

/** action = mean + sigma z. The k-th sample after `seed` is the same on every host. Returns the same codes as `act`. */
export function sample(): i32 {
  if (act() != 0) return 1
  const size = load<i32>(POLICY_ACTION_SIZE)
  const actions = load<usize>(POLICY_ACTION)
  const logStd = load<usize>(POLICY_HEAD_VECTOR)
  for (let j = 0; j < size; j++) {
    const at = (j as usize) << 2
    const sigma =
      squashedLogStd(load<f32>(logStd + at), load<f64>(POLICY_HEAD_CONSTANTS)) *
      load<f64>(POLICY_HEAD_CONSTANTS + 8)
    const z = normal64(seedLow, seedHigh, load<u32>(POLICY_PURPOSE), load<u32>(POLICY_STREAM), drawn, j)
    store<f32>(actions + at, ((load<f32>(actions + at) as f64) + sigma * z) as f32)
  }
  drawn++
  return 0
}

/** Clears recurrent state. A feed-forward policy has none. */
export function reset(): void {}

/** Restarts the sequence of samples with a 64-bit seed. */
export function seed(low: i32, high: i32): void {
  seedLow = low
  seedHigh = high
  drawn = 0
}
