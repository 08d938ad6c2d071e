/**
 * Counter-based random numbers: Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as
 * 1, 2, 3" (SC 2011). A number depends on its key and counter only, not on earlier draws or on the thread.
 *
 * Keying: the 64-bit seed is the Philox key (low word, high word); the counter is
 *   word 0: block of the index   word 1: step   word 2: stream (an environment or agent)   word 3: purpose
 * All are unsigned 32-bit. Callers number the purposes; two purposes never share random numbers.
 */
import { cos64, log64, sin64 } from './math64'

const TWO_PI: f64 = 6.283185307179586

/** The four words of the most recent block. Each instance, and so each thread, has its own. */
let word0: u32 = 0
let word1: u32 = 0
let word2: u32 = 0
let word3: u32 = 0

/** Ten Philox rounds of counter (c0..c3) under key (k0, k1); the result is left in word0..word3. */
function philoxBlock(c0: u32, c1: u32, c2: u32, c3: u32, k0: u32, k1: u32): void {
  for (let round = 0; round < 10; round++) {
    const a = <u64>c0 * 0xd2511f53
    const b = <u64>c2 * 0xcd9e8d57
    c0 = <u32>(b >> 32) ^ c1 ^ k0
    c1 = <u32>b
    c2 = <u32>(a >> 32) ^ c3 ^ k1
    c3 = <u32>a
    k0 += 0x9e3779b9
    k1 += 0xbb67ae85
  }
  word0 = c0
  word1 = c1
  word2 = c2
  word3 = c3
}

/** out (u32[4]) = Philox4x32-10 of counter (c0, c1, c2, c3) under key (k0, k1). */
export function philox4x32(c0: u32, c1: u32, c2: u32, c3: u32, k0: u32, k1: u32, out: usize): void {
  philoxBlock(c0, c1, c2, c3, k0, k1)
  store<u32>(out, word0)
  store<u32>(out, word1, 4)
  store<u32>(out, word2, 8)
  store<u32>(out, word3, 12)
}

/** The 32 random bits of number `index`: word index mod 4 of block floor(index / 4). */
export function random32(seedLo: u32, seedHi: u32, purpose: u32, stream: u32, step: u32, index: u32): u32 {
  philoxBlock(index >> 2, step, stream, purpose, seedLo, seedHi)
  const which = index & 3
  return which < 2 ? (which == 0 ? word0 : word1) : which == 2 ? word2 : word3
}

/** Midpoint of the interval given by 52 bits: strictly between 0 and 1, exact in f64. */
function openUnit(low: u32, high: u32): f64 {
  const bits = ((<u64>(high >> 12)) << 32) | low
  return (<f64>bits + 0.5) * 2.220446049250313e-16
}

/** Number `index` of the stream, uniform in (0, 1) with 52 bits: half index mod 2 of block floor(index / 2). */
export function uniform64(seedLo: u32, seedHi: u32, purpose: u32, stream: u32, step: u32, index: u32): f64 {
  philoxBlock(index >> 1, step, stream, purpose, seedLo, seedHi)
  return index & 1 ? openUnit(word2, word3) : openUnit(word0, word1)
}

/** out (f64[n]) = uniform64 of indices 0 .. n - 1. */
export function fillUniforms(
  out: usize,
  n: i32,
  seedLo: u32,
  seedHi: u32,
  purpose: u32,
  stream: u32,
  step: u32,
): void {
  for (let i = 0; i < n; i++) store<f64>(out + (i << 3), uniform64(seedLo, seedHi, purpose, stream, step, i))
}

/** Box-Muller radius of the most recent block. */
function normalRadius(): f64 {
  return sqrt(-2.0 * log64(openUnit(word0, word1)))
}

/** Box-Muller angle of the most recent block. */
function normalAngle(): f64 {
  return TWO_PI * openUnit(word2, word3)
}

/**
 * Number `index` of the stream, standard normal (Box-Muller in f64: the cosine for even indices, the sine for odd
 * ones, of block floor(index / 2)). |result| < 8.6.
 */
export function normal64(seedLo: u32, seedHi: u32, purpose: u32, stream: u32, step: u32, index: u32): f64 {
  philoxBlock(index >> 1, step, stream, purpose, seedLo, seedHi)
  const angle = normalAngle()
  return normalRadius() * (index & 1 ? sin64(angle) : cos64(angle))
}

/** out (f32[n]) = normal64 of indices 0 .. n - 1, rounded. */
export function fillNormals(
  out: usize,
  n: i32,
  seedLo: u32,
  seedHi: u32,
  purpose: u32,
  stream: u32,
  step: u32,
): void {
  for (let i = 0; i < n; i += 2) {
    philoxBlock(i >> 1, step, stream, purpose, seedLo, seedHi)
    const radius = normalRadius()
    const angle = normalAngle()
    store<f32>(out + (i << 2), <f32>(radius * cos64(angle)))
    if (i + 1 < n) store<f32>(out + (i << 2), <f32>(radius * sin64(angle)), 4)
  }
}

/**
 * out (i32[n]) = a permutation of 0 .. n - 1, uniformly distributed (Fisher-Yates from the end). Bounded integers are
 * unbiased (Lemire, "Fast random integer generation in an interval", 2019: high word of a product, with rejection).
 */
export function permutation(
  out: usize,
  n: i32,
  seedLo: u32,
  seedHi: u32,
  purpose: u32,
  stream: u32,
  step: u32,
): void {
  for (let i = 0; i < n; i++) store<i32>(out + (i << 2), i)
  let drawn: u32 = 0
  for (let i = n - 1; i > 0; i--) {
    const range = <u32>(i + 1)
    const excess = (<u32>0 - range) % range
    let product: u64
    do {
      product = <u64>random32(seedLo, seedHi, purpose, stream, step, drawn++) * range
    } while (<u32>product < excess)
    const at = out + ((<usize>(product >> 32)) << 2)
    const swapped = load<i32>(at)
    store<i32>(at, load<i32>(out + (i << 2)))
    store<i32>(out + (i << 2), swapped)
  }
}
