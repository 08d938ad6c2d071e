import { HatrpoError } from '../errors.js'

// Philox4x32-10: J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
const ROUNDS = 10
const MULTIPLIER_0 = 0xd2511f53
const MULTIPLIER_1 = 0xcd9e8d57
const WEYL_0 = 0x9e3779b9
const WEYL_1 = 0xbb67ae85

/** High 32 bits of the 64-bit product of two unsigned 32-bit numbers. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff
  const aHigh = a >>> 16
  const bLow = b & 0xffff
  const bHigh = b >>> 16
  const low = aLow * bLow
  const middle = aHigh * bLow + (low >>> 16)
  const carry = (middle & 0xffff) + aLow * bHigh
  return (aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(carry / 65536)) >>> 0
}

/** Encrypts the four counter words with the two key words, into `out`. */
export function philox4x32(counter: Uint32Array, key: Uint32Array, out: Uint32Array): void {
  let c0 = counter[0]
  let c1 = counter[1]
  let c2 = counter[2]
  let c3 = counter[3]
  let k0 = key[0]
  let k1 = key[1]
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0)
    const low0 = Math.imul(MULTIPLIER_0, c0) >>> 0
    const high1 = multiplyHigh(MULTIPLIER_1, c2)
    const low1 = Math.imul(MULTIPLIER_1, c2) >>> 0
    c0 = (high1 ^ c1 ^ k0) >>> 0
    c1 = low1
    c2 = (high0 ^ c3 ^ k1) >>> 0
    c3 = low0
    k0 = (k0 + WEYL_0) >>> 0
    k1 = (k1 + WEYL_1) >>> 0
  }
  out[0] = c0
  out[1] = c1
  out[2] = c2
  out[3] = c3
}

const LN2_HIGH = 0.6931471803691238 // the leading bits of ln 2, so that an exponent times it is exact
const LN2_LOW = 1.9082149292705877e-10
const SERIES_TERMS = 12

/**
 * Natural logarithm of a normal, positive x, by + - * / alone, so that every engine gives the same bits.
 * x = 2^e m with m in [sqrt(1/2), sqrt 2]; ln m = 2 artanh f, f = (m - 1) / (m + 1), |f| < 0.172, by its series.
 * Relative error below 1e-15 for x in (0, 1).
 */
export function naturalLog(x: number): number {
  let mantissa = x
  let exponent = 0
  while (mantissa < 0.7071067811865476) {
    mantissa *= 2
    exponent--
  }
  while (mantissa > 1.4142135623730951) {
    mantissa *= 0.5
    exponent++
  }
  const f = (mantissa - 1) / (mantissa + 1)
  const square = f * f
  let sum = 0
  for (let n = SERIES_TERMS; n >= 1; n--) sum = (sum + 1 / (2 * n + 1)) * square
  const log = 2 * f + 2 * f * sum
  return exponent * LN2_HIGH + (log + exponent * LN2_LOW)
}

/**
 * Random numbers from a counter: the same (seed, purpose) gives the same numbers on every machine.
 * @param seed a whole number from 0 to 2^53 - 1
 * @param purpose a 32-bit number; streams of different purposes are independent
 */
export class RandomStream {
  /** Numbers that `save` writes. */
  static readonly SAVED_WORDS = 11
  readonly #key = new Uint32Array(2)
  readonly #counter = new Uint32Array(4)
  readonly #words = new Uint32Array(4)
  #used = 4

  constructor(seed: number, purpose: number) {
    this.restart(seed, purpose)
  }

  /** Starts the stream of (seed, purpose) from its beginning. */
  restart(seed: number, purpose: number): void {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new HatrpoError(`seed ${seed}: must be a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`)
    }
    this.#key[0] = seed >>> 0
    this.#key[1] = Math.floor(seed / 4294967296)
    this.#counter.fill(0)
    this.#counter[2] = purpose
    this.#used = 4
  }

  /** Uniform in [0, 1), 53 bits. */
  uniform(): number {
    if (this.#used === 4) this.#refill()
    const high = this.#words[this.#used] >>> 5
    const low = this.#words[this.#used + 1] >>> 6
    this.#used += 2
    return (high * 67108864 + low) / 9007199254740992
  }

  /** Standard normal, by Marsaglia's polar method. */
  normal(): number {
    for (;;) {
      const u = 2 * this.uniform() - 1
      const v = 2 * this.uniform() - 1
      const s = u * u + v * v
      if (s > 0 && s < 1) return u * Math.sqrt((-2 * naturalLog(s)) / s)
    }
  }

  /** Writes the state of the stream, SAVED_WORDS numbers. */
  save(out: Uint32Array): void {
    out.set(this.#key, 0)
    out.set(this.#counter, 2)
    out.set(this.#words, 6)
    out[10] = this.#used
  }

  /** Restores a state that `save` wrote. */
  load(saved: Uint32Array): void {
    for (let i = 0; i < 2; i++) this.#key[i] = saved[i]
    for (let i = 0; i < 4; i++) this.#counter[i] = saved[2 + i]
    for (let i = 0; i < 4; i++) this.#words[i] = saved[6 + i]
    this.#used = saved[10]
  }

  #refill(): void {
    philox4x32(this.#counter, this.#key, this.#words)
    this.#counter[0]++
    if (this.#counter[0] === 0) this.#counter[1]++
    this.#used = 0
  }
}
