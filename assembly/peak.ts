// The greatest rate of multiplications and additions that an engine reaches with vectors of four f32: the yardstick for
// the matrix products.

/** Operations of a round: six multiplications and six additions of four lanes. */
export function operations(): i32 {
  return 12 * 4
}

/**
 * Runs rounds of x = x a in six chains and of y = y + b in six others: enough of both to hide their latency, in few enough
 * registers. The operands are arguments, because engines may make a constant anew wherever it is used.
 * @returns a value that depends on all chains
 */
export function chains(rounds: i32, factor: f32, summand: f32): f32 {
  const a = f32x4.splat(factor)
  const b = f32x4.splat(summand)
  let x0 = a
  let x1 = f32x4.add(x0, b)
  let x2 = f32x4.add(x1, b)
  let x3 = f32x4.add(x2, b)
  let x4 = f32x4.add(x3, b)
  let x5 = f32x4.add(x4, b)
  let y0 = f32x4.add(x5, b)
  let y1 = f32x4.add(y0, b)
  let y2 = f32x4.add(y1, b)
  let y3 = f32x4.add(y2, b)
  let y4 = f32x4.add(y3, b)
  let y5 = f32x4.add(y4, b)
  for (let round = 0; round < rounds; round++) {
    x0 = f32x4.mul(x0, a)
    y0 = f32x4.add(y0, b)
    x1 = f32x4.mul(x1, a)
    y1 = f32x4.add(y1, b)
    x2 = f32x4.mul(x2, a)
    y2 = f32x4.add(y2, b)
    x3 = f32x4.mul(x3, a)
    y3 = f32x4.add(y3, b)
    x4 = f32x4.mul(x4, a)
    y4 = f32x4.add(y4, b)
    x5 = f32x4.mul(x5, a)
    y5 = f32x4.add(y5, b)
  }
  const products = f32x4.add(f32x4.add(f32x4.add(x0, x1), f32x4.add(x2, x3)), f32x4.add(x4, x5))
  const sums = f32x4.add(f32x4.add(f32x4.add(y0, y1), f32x4.add(y2, y3)), f32x4.add(y4, y5))
  return f32x4.extract_lane(f32x4.add(products, sums), 0)
}
