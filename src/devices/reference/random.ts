/**
 * Philox4x32-10 (Salmon, Moraes, Dror & Shaw 2011) and random numbers derived from it. The key is the seed; the counter
 * is (block of the index, step, stream, purpose).
 */

const MASK = 0xffffffffn

/** Ten rounds on a counter of four 32-bit words, with a key of two words. */
export function philox(counter: readonly number[], key: readonly number[]): number[] {
  let [c0, c1, c2, c3] = counter.map((word) => BigInt(word >>> 0))
  let [k0, k1] = key.map((word) => BigInt(word >>> 0))
  for (let round = 0; round < 10; round++) {
    const [a, b] = [c0 * 0xd2511f53n, c2 * 0xcd9e8d57n]
    ;[c0, c1, c2, c3] = [(b >> 32n) ^ c1 ^ k0, b & MASK, (a >> 32n) ^ c3 ^ k1, a & MASK]
    k0 = (k0 + 0x9e3779b9n) & MASK
    k1 = (k1 + 0xbb67ae85n) & MASK
  }
  return [c0, c1, c2, c3].map(Number)
}

/** Number in (0, 1) from the upper 20 bits of `high` and the 32 bits of `low`, at the middle of its interval. */
const unit = (low: number, high: number) => ((high >>> 12) * 2 ** 32 + low + 0.5) / 2 ** 52

/** Key of a number. */
export interface Stream {
  /** Integer below 2^53. */
  readonly seed: number
  readonly purpose: number
  readonly stream: number
  readonly step: number
}

/** Uniform number `index` of a stream, in (0, 1), from half of a block of four words. */
export function uniform({ seed, purpose, stream, step }: Stream, index: number): number {
  const key = [seed % 2 ** 32, Math.floor(seed / 2 ** 32)]
  const words = philox([Math.floor(index / 2), step, stream, purpose], key)
  const [low, high] = words.slice(index % 2 === 0 ? 0 : 2)
  return unit(low, high)
}

/** Normal number `index` of a stream: cosine (even) or sine (odd) of a Box-Muller pair. */
export function normal({ seed, purpose, stream, step }: Stream, index: number): number {
  const key = [seed % 2 ** 32, Math.floor(seed / 2 ** 32)]
  const [a, b, c, d] = philox([Math.floor(index / 2), step, stream, purpose], key)
  const radius = Math.sqrt(-2 * Math.log(unit(a, b)))
  const angle = 2 * Math.PI * unit(c, d)
  return radius * (index % 2 === 0 ? Math.cos(angle) : Math.sin(angle))
}
