// The greatest rate of multiplications and additions that an engine reaches with vectors of four f32: the yardstick for
// the matrix products.

/** Chains of dependent operations; enough to hide their latency, and few enough for the registers. */
const CHAINS = 12

/** Operations of one round: a multiplication and an addition in each of four lanes of every chain. */
export function operations(): i32 {
  return 8 * CHAINS
}

/** Runs rounds of x = x a + b in all chains. @returns a value that depends on all of them */
export function chains(rounds: i32): f32 {
  const a = f32x4.splat(0.99)
  const b = f32x4.splat(0.01)
  let x0 = f32x4(1, 2, 3, 4)
  let x1 = f32x4(5, 6, 7, 8)
  let x2 = f32x4(2, 3, 4, 5)
  let x3 = f32x4(6, 7, 8, 9)
  let x4 = f32x4(3, 4, 5, 6)
  let x5 = f32x4(7, 8, 9, 1)
  let x6 = f32x4(4, 5, 6, 7)
  let x7 = f32x4(8, 9, 1, 2)
  let x8 = f32x4(5, 7, 9, 1)
  let x9 = f32x4(6, 8, 1, 3)
  let x10 = f32x4(7, 9, 2, 4)
  let x11 = f32x4(8, 1, 3, 5)
  for (let round = 0; round < rounds; round++) {
    x0 = f32x4.add(f32x4.mul(x0, a), b)
    x1 = f32x4.add(f32x4.mul(x1, a), b)
    x2 = f32x4.add(f32x4.mul(x2, a), b)
    x3 = f32x4.add(f32x4.mul(x3, a), b)
    x4 = f32x4.add(f32x4.mul(x4, a), b)
    x5 = f32x4.add(f32x4.mul(x5, a), b)
    x6 = f32x4.add(f32x4.mul(x6, a), b)
    x7 = f32x4.add(f32x4.mul(x7, a), b)
    x8 = f32x4.add(f32x4.mul(x8, a), b)
    x9 = f32x4.add(f32x4.mul(x9, a), b)
    x10 = f32x4.add(f32x4.mul(x10, a), b)
    x11 = f32x4.add(f32x4.mul(x11, a), b)
  }
  const low = f32x4.add(f32x4.add(f32x4.add(x0, x1), f32x4.add(x2, x3)), f32x4.add(x4, x5))
  const high = f32x4.add(f32x4.add(f32x4.add(x6, x7), f32x4.add(x8, x9)), f32x4.add(x10, x11))
  return f32x4.extract_lane(f32x4.add(low, high), 0)
}
