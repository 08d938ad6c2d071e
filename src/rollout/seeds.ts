import { splitSeed, type Kernels } from '../kernels/index.js'

/**
 * A 53-bit seed for an episode, from the key (seed, purpose, stream, step).
 * @param attempt number of times the episode was started again
 */
export function episodeSeed(
  kernels: Kernels,
  seed: number,
  purpose: number,
  stream: number,
  step: number,
  attempt = 0,
): number {
  const [low, high] = splitSeed(seed)
  const draw = (index: number) => kernels.exports.random32(low, high, purpose, stream, step, index) >>> 0
  return (draw(2 * attempt + 1) >>> 11) * 0x100000000 + draw(2 * attempt)
}
