// Deterministic policies over a box of actions.

import { tanh4 } from './math32'
import { normal64, uniform64 } from './random'

/**
 * action[r] = offset + scale tanh(z[r]), two f32 operations behind tanh. Stores d action / d z = scale (1 - tanh^2) at
 * `derivative` unless that address is 0.
 * @param z,action,derivative f32 [rows, size]; action may be z
 * @param scale,offset f32 [size]
 */
export function squash(
  z: usize,
  scale: usize,
  offset: usize,
  size: i32,
  action: usize,
  derivative: usize,
  from: i32,
  to: i32,
): void {
  const stride = (size as usize) << 2
  for (let r = from; r < to; r++) {
    const row = (r as usize) * stride
    for (let j: usize = 0; j < stride; j += 4) {
      const t = f32x4.extract_lane(tanh4(f32x4.splat(load<f32>(z + row + j))), 0)
      const factor = load<f32>(scale + j)
      if (derivative != 0) store<f32>(derivative + row + j, factor * (1 - t * t))
      store<f32>(action + row + j, factor * t + load<f32>(offset + j))
    }
  }
}

/**
 * Exploring actions, in f64 and rounded once. Before step `warmup` of its environment an action is uniform between low and
 * high; after that it is the mode plus normal noise whose deviation is `noise` times half of that range, limited to the range.
 * Numbers are keyed by (seed, purpose, streams[r], steps[r], dimension).
 * @param mode,action f32 [rows, size]; action may be mode
 * @param low,high f32 [size]
 * @param streams,steps i32 [rows]
 */
export function explore(
  mode: usize,
  low: usize,
  high: usize,
  size: i32,
  noise: f64,
  warmup: u32,
  seedLow: u32,
  seedHigh: u32,
  purpose: u32,
  streams: usize,
  steps: usize,
  action: usize,
  from: i32,
  to: i32,
): void {
  const stride = (size as usize) << 2
  for (let r = from; r < to; r++) {
    const row = (r as usize) * stride
    const stream = load<u32>(streams + ((r as usize) << 2))
    const step = load<u32>(steps + ((r as usize) << 2))
    for (let j = 0; j < size; j++) {
      const at = (j as usize) << 2
      const least = load<f32>(low + at) as f64
      const most = load<f32>(high + at) as f64
      let a: f64
      if (step < warmup) {
        a = least + (most - least) * uniform64(seedLow, seedHigh, purpose, stream, step, j)
      } else {
        const z = normal64(seedLow, seedHigh, purpose, stream, step, j)
        a = (load<f32>(mode + row + at) as f64) + noise * (0.5 * (most - least)) * z
      }
      store<f32>(action + row + at, min(max(a, least), most) as f32)
    }
  }
}
