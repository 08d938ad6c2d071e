/**
 * What the templates of exported policies have in common: a network, recurrent or not, that sees one observation at a time, and
 * the sequence of samples.
 *
 * A template contains no sizes and no weights. `src/export` adds them as data and sets the size of the memory and the
 * addresses that hosts read. The record at address 0 (POLICY_*) is described in src/kernels/layout.ts.
 */
import { activate4 } from './activation'
import {
  ACTIVATION_RELU,
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
  POLICY_OBSERVATION,
  POLICY_OBSERVATION_SIZE,
  POLICY_RECURRENT,
  POLICY_RECURRENT_COUNT,
  POLICY_RECURRENT_HEAD,
  POLICY_RECURRENT_SIZE,
  POLICY_RECURRENT_STATES,
  POLICY_STANDARDISE,
} from './generated/layout'
import { inputStage } from './input'
import { layerNorm } from './layernorm'
import { matrixVector } from './matvec'
import { recurrentLayers } from './recurrent'

/** Addresses that a host reads. The values are placeholders, replaced at export. */
export const observation: i32 = 1
export const action: i32 = 2

/** Seed of the samples. */
export let seedLow: u32 = 0
export let seedHigh: u32 = 0
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
  // relu, the most common kind, has a separate loop, because a test of the kind per vector would take longer than the
  // function.
  if (kind == ACTIVATION_RELU) for (; x < end; x += 16) v128.store(x, f32x4.max(v128.load(x), f32x4.splat(0)))
  else for (; x < end; x += 16) v128.store(x, activate4(v128.load(x), kind))
}

/** Outputs of the network at the observation. Returns 0, or 1 without outputs if the observation is not finite. */
export function evaluate(): i32 {
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
  const recurrent = load<usize>(POLICY_RECURRENT)
  let hidden = false
  while (true) {
    if (gamma != 0) {
      if (hidden) activate(x, width, kind)
      layerNorm(x, gamma, beta, 0, 0, x, width, 0, 1)
    } else if (hidden) return 0
    if (recurrent != 0 && layer == load<usize>(recurrent, POLICY_RECURRENT_HEAD)) {
      x = recurrentLayers(recurrent, x, width)
      width = load<i32>(recurrent, POLICY_RECURRENT_SIZE)
    }
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

/** Number of samples drawn before this one since the last `seed`. */
export function nextSample(): u32 {
  return drawn++
}

/** Clears recurrent state. A feed-forward policy has none. */
export function reset(): void {
  const recurrent = load<usize>(POLICY_RECURRENT)
  if (recurrent == 0) return
  const count = load<usize>(recurrent, POLICY_RECURRENT_COUNT) * load<usize>(recurrent, POLICY_RECURRENT_SIZE)
  memory.fill(load<usize>(recurrent, POLICY_RECURRENT_STATES), 0, count << 2)
}

/** Restarts the sequence of samples with a 64-bit seed. */
export function seed(low: i32, high: i32): void {
  seedLow = low
  seedHigh = high
  drawn = 0
}
