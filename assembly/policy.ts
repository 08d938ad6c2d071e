/**
 * The template of an exported policy: a feed-forward network with a Gaussian head that acts on one observation.
 *
 * It holds no sizes and no weights. `src/export` splices them in as data, with the memory's size and the two
 * addresses below. Address 0 holds, in bytes (src/export/memory.ts writes it):
 *    0 i32 observation          4 i32 observation size   8 i32 agent id            12 i32 length of the one-hot id
 *   16 i32 standardise         20 i32 input vector      24 i32 its gamma, or 0    28 i32 its beta
 *   32 i32 activation          36 i32 action            40 i32 log_std            44 i32 action size
 *   48 f64 x                   56 f64 y                 64 u32 purpose            68 u32 stream
 *   72 layers, 24 bytes each, the head last:
 *      i32 outputs, packed weights, bias, y, gamma (0 in the head), beta
 */
import { activate4, RELU } from './activation'
import { squashedLogStd } from './gaussian'
import { inputStage } from './input'
import { layerNorm } from './layernorm'
import { matrixVector } from './matvec'
import { normal64 } from './random'

const LAYERS: usize = 72
const LAYER_BYTES: usize = 24

/** Addresses that a host reads: placeholders, replaced at export. */
export const observation: i32 = 1
export const action: i32 = 2

let seedLow: u32 = 0
let seedHigh: u32 = 0
/** Samples drawn since the last `seed`. */
let drawn: u32 = 0

function allFinite(at: usize, size: i32): bool {
  // 0 times a number is 0, unless it is infinite or NaN.
  let zero: f32 = 0
  for (const end = at + ((size as usize) << 2); at < end; at += 4) zero += load<f32>(at) * 0
  return zero == 0
}

/** x = f(x), whole vectors: what stands behind the entries is padding. */
function activate(x: usize, width: i32, kind: i32): void {
  const end = x + ((width as usize) << 2)
  // The commonest one has a loop of its own: asking for the kind would cost more than the function.
  if (kind == RELU) for (; x < end; x += 16) v128.store(x, f32x4.max(v128.load(x), f32x4.splat(0)))
  else for (; x < end; x += 16) v128.store(x, activate4(v128.load(x), kind))
}

/** The mode: action = mean of the policy at the observation. Returns 1, and writes nothing, when that is not finite. */
export function act(): i32 {
  const size = load<i32>(4)
  const raw = load<usize>(0)
  if (!allFinite(raw, size)) return 1
  const ids = load<i32>(12)
  let x = load<usize>(20)
  inputStage(raw, size, load<i32>(8), ids, load<i32>(16), x, 0, 1)
  let width = size + ids
  let layer = LAYERS
  let gamma = load<usize>(24)
  let beta = load<usize>(28)
  const kind = load<i32>(32)
  let hidden = false
  while (true) {
    if (gamma != 0) {
      if (hidden) activate(x, width, kind)
      layerNorm(x, gamma, beta, 0, 0, x, width, 0, 1)
    } else if (hidden) return 0
    const outputs = load<i32>(layer)
    const y = load<usize>(layer, 12)
    matrixVector(x, width, load<usize>(layer, 4), load<usize>(layer, 8), y, outputs)
    x = y
    width = outputs
    gamma = load<usize>(layer, 16)
    beta = load<usize>(layer, 20)
    layer += LAYER_BYTES
    hidden = true
  }
}

/** action = mean + sigma z. Number k since `seed` is the same on every host. Returns as `act`. */
export function sample(): i32 {
  if (act() != 0) return 1
  const size = load<i32>(44)
  const actions = load<usize>(36)
  const logStd = load<usize>(40)
  for (let j = 0; j < size; j++) {
    const at = (j as usize) << 2
    const sigma = squashedLogStd(load<f32>(logStd + at), load<f64>(48)) * load<f64>(56)
    const z = normal64(seedLow, seedHigh, load<u32>(64), load<u32>(68), drawn, j)
    store<f32>(actions + at, ((load<f32>(actions + at) as f64) + sigma * z) as f32)
  }
  drawn++
  return 0
}

/** Clears recurrent state, of which a feed-forward policy has none. */
export function reset(): void {}

/** Restarts the samples, under a 64-bit seed. */
export function seed(low: i32, high: i32): void {
  seedLow = low
  seedHigh = high
  drawn = 0
}
