/**
 * Selection, normalisation and statistics of f32 vectors. Statistics are accumulated in f64 over ascending elements. A
 * weight is f32[n]; elements of weight 0 do not count. Only pointers to f64 results need alignment.
 */

/**
 * out[i] = x[index[i]] for i < n; index is i32[n].
 * @returns 0, or 1 without writing anything if an index is not in 0 .. length - 1
 */
export function pick(x: usize, length: u32, index: usize, out: usize, n: i32): i32 {
  for (let i = 0; i < n; i++) if (load<u32>(index + (i << 2)) >= length) return 1
  for (let i = 0; i < n; i++) {
    const at = i << 2
    store<f32>(out + at, load<f32>(x + ((load<u32>(index + at) as usize) << 2)))
  }
  return 0
}

/** x[i] = y[i] where weight[i] is 0. */
export function replace(x: usize, y: usize, weight: usize, n: i32): void {
  for (let i = 0; i < n; i++) {
    const at = i << 2
    if (load<f32>(weight + at) == 0) store<f32>(x + at, load<f32>(y + at))
  }
}

/** out = (x - mean) / deviation, in f64 and rounded once; out may be x. */
export function normalise(x: usize, mean: f64, deviation: f64, out: usize, n: i32): void {
  for (let i = 0; i < n; i++) {
    const at = i << 2
    store<f32>(out + at, <f32>((<f64>load<f32>(x + at) - mean) / deviation))
  }
}

/** out = x deviation + mean, in f64 and rounded once; out may be x. */
export function denormalise(x: usize, mean: f64, deviation: f64, out: usize, n: i32): void {
  for (let i = 0; i < n; i++) {
    const at = i << 2
    store<f32>(out + at, <f32>(<f64>load<f32>(x + at) * deviation + mean))
  }
}

/** Sum of the elements. */
export function sum(x: usize, n: i32): f64 {
  let total: f64 = 0
  for (let i = 0; i < n; i++) total += <f64>load<f32>(x + (i << 2))
  return total
}

/** out (f64[2]) = sum and sum of squares of the elements that count. Returns their number. */
export function moments(x: usize, weight: usize, n: i32, out: usize): i32 {
  let count = 0
  let total: f64 = 0
  let squares: f64 = 0
  for (let i = 0; i < n; i++) {
    const at = i << 2
    if (load<f32>(weight + at) == 0) continue
    const value = <f64>load<f32>(x + at)
    total += value
    squares += value * value
    count++
  }
  store<f64>(out, total)
  store<f64>(out, squares, 8)
  return count
}

/** Element i of x, or of x - minus. */
function difference(x: usize, minus: usize, i: i32): f64 {
  const value = <f64>load<f32>(x + (i << 2))
  return minus == 0 ? value : value - <f64>load<f32>(minus + (i << 2))
}

/**
 * out (f64[4]) = min, max, mean and population variance of x, or of x - minus, over the elements that count. Returns
 * their number. The variance takes a second pass. If no element counts, out is Infinity, -Infinity, NaN and NaN.
 * @param minus f32[n], or 0 for x itself
 */
export function spread(x: usize, weight: usize, minus: usize, n: i32, out: usize): i32 {
  let count = 0
  let low = <f64>Infinity
  let high = <f64>-Infinity
  let total: f64 = 0
  for (let i = 0; i < n; i++) {
    if (load<f32>(weight + (i << 2)) == 0) continue
    const value = difference(x, minus, i)
    low = min(low, value)
    high = max(high, value)
    total += value
    count++
  }
  const mean = total / <f64>count
  let squares: f64 = 0
  for (let i = 0; i < n; i++) {
    if (load<f32>(weight + (i << 2)) == 0) continue
    const distance = difference(x, minus, i) - mean
    squares += distance * distance
  }
  store<f64>(out, low)
  store<f64>(out, high, 8)
  store<f64>(out, mean, 16)
  store<f64>(out, squares / <f64>count, 24)
  return count
}
