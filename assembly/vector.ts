/**
 * Operations on f32 vectors. Elementwise operations round once per arithmetic operation, at every position. Reductions
 * are in f64, in an order that depends on n only. Pointers need no alignment.
 */
import { exp1, exp4 } from './math32'

/**
 * x . y in f64. Products of f32 are exact in f64. Element i < 8 floor(n / 8) is added to partial sum s(i mod 8), in
 * ascending order. The result is ((s0 + s2) + (s4 + s6)) + ((s1 + s3) + (s5 + s7)), to which the remaining elements are
 * added in ascending order.
 */
export function dot(x: usize, y: usize, n: i32): f64 {
  let a = f64x2.splat(0.0)
  let b = f64x2.splat(0.0)
  let c = f64x2.splat(0.0)
  let d = f64x2.splat(0.0)
  let i = 0
  for (; i + 8 <= n; i += 8) {
    const offset = i << 2
    a = f64x2.add(a, f64x2.mul(loadPair(x + offset), loadPair(y + offset)))
    b = f64x2.add(b, f64x2.mul(loadPair(x + offset + 8), loadPair(y + offset + 8)))
    c = f64x2.add(c, f64x2.mul(loadPair(x + offset + 16), loadPair(y + offset + 16)))
    d = f64x2.add(d, f64x2.mul(loadPair(x + offset + 24), loadPair(y + offset + 24)))
  }
  const s = f64x2.add(f64x2.add(a, b), f64x2.add(c, d))
  let sum = f64x2.extract_lane(s, 0) + f64x2.extract_lane(s, 1)
  for (; i < n; i++) sum += <f64>load<f32>(x + (i << 2)) * <f64>load<f32>(y + (i << 2))
  return sum
}

/** Two f32 converted to f64. */
function loadPair(at: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(at))
}

/** y += alpha x, alpha rounded to f32 first. */
export function axpy(alpha: f64, x: usize, y: usize, n: i32): void {
  scaleAdd(alpha, x, y, y, n)
}

/** out = alpha x + y, alpha rounded to f32 first; out may be x or y. */
export function scaleAdd(alpha: f64, x: usize, y: usize, out: usize, n: i32): void {
  const factor = <f32>alpha
  const factors = f32x4.splat(factor)
  let i = 0
  for (; i + 4 <= n; i += 4) {
    const offset = i << 2
    const scaled = f32x4.mul(factors, v128.load(x + offset))
    v128.store(out + offset, f32x4.add(scaled, v128.load(y + offset)))
  }
  for (; i < n; i++) {
    const offset = i << 2
    store<f32>(out + offset, factor * load<f32>(x + offset) + load<f32>(y + offset))
  }
}

/** x *= alpha, alpha rounded to f32 first. */
export function scale(alpha: f64, x: usize, n: i32): void {
  const factor = <f32>alpha
  const factors = f32x4.splat(factor)
  let i = 0
  for (; i + 4 <= n; i += 4) v128.store(x + (i << 2), f32x4.mul(factors, v128.load(x + (i << 2))))
  for (; i < n; i++) store<f32>(x + (i << 2), factor * load<f32>(x + (i << 2)))
}

/** Copies bytes from x to out; the arrays may overlap. */
export function copy(x: usize, out: usize, bytes: usize): void {
  memory.copy(out, x, bytes)
}

/** x = value. */
export function fill(x: usize, value: f32, n: i32): void {
  const values = f32x4.splat(value)
  let i = 0
  for (; i + 4 <= n; i += 4) v128.store(x + (i << 2), values)
  for (; i < n; i++) store<f32>(x + (i << 2), value)
}

/**
 * out[j] = scale * sum over b of partials[b, j], for from <= j < to. partials is f32 [blocks, n], out f32 [n]. The sum is
 * in f64 over ascending b, then scaled and rounded once, so it does not depend on which thread computed which block.
 */
export function sumPartials(
  partials: usize,
  blocks: i32,
  n: i32,
  from: i32,
  to: i32,
  out: usize,
  scale: f64,
): void {
  const stride = (<usize>n) << 2
  const scales = f64x2.splat(scale)
  let j = from
  for (; j + 4 <= to; j += 4) {
    let low = f64x2.splat(0.0)
    let high = f64x2.splat(0.0)
    let at = partials + (j << 2)
    for (let b = 0; b < blocks; b++) {
      low = f64x2.add(low, loadPair(at))
      high = f64x2.add(high, loadPair(at + 8))
      at += stride
    }
    const lowSum = f32x4.demote_f64x2_zero(f64x2.mul(low, scales))
    const highSum = f32x4.demote_f64x2_zero(f64x2.mul(high, scales))
    v128.store(out + (j << 2), v128.shuffle<f64>(lowSum, highSum, 0, 2))
  }
  for (; j < to; j++) {
    let sum: f64 = 0.0
    let at = partials + (j << 2)
    for (let b = 0; b < blocks; b++) {
      sum += <f64>load<f32>(at)
      at += stride
    }
    store<f32>(out + (j << 2), <f32>(sum * scale))
  }
}

/**
 * out (f64[2]) = mean and population variance of the valid elements of x. Returns the number of valid elements.
 * valid is f32[n], 0 for elements that do not count, or the address 0 if all count. Two passes over ascending elements.
 * Without a valid element, out is unchanged.
 */
export function meanAndVariance(x: usize, valid: usize, n: i32, out: usize): i32 {
  let count = 0
  let sum: f64 = 0.0
  for (let i = 0; i < n; i++) {
    if (valid != 0 && load<f32>(valid + (i << 2)) == 0) continue
    sum += <f64>load<f32>(x + (i << 2))
    count++
  }
  if (count == 0) return 0
  const mean = sum / <f64>count
  let squares: f64 = 0.0
  for (let i = 0; i < n; i++) {
    if (valid != 0 && load<f32>(valid + (i << 2)) == 0) continue
    const deviation = <f64>load<f32>(x + (i << 2)) - mean
    squares += deviation * deviation
  }
  store<f64>(out, mean)
  store<f64>(out, squares / <f64>count, 8)
  return count
}

/**
 * x = (x - mean) / (s + eps) for every element, in f64 and rounded once. mean and s, the population standard deviation,
 * are those of the valid elements (see `meanAndVariance`). scratch is f64[2] and receives the mean and the variance.
 * Returns the number of valid elements; if there is none, x is unchanged.
 */
export function standardise(x: usize, valid: usize, n: i32, eps: f64, scratch: usize): i32 {
  const count = meanAndVariance(x, valid, n, scratch)
  if (count == 0) return 0
  const mean = load<f64>(scratch)
  const divisor = sqrt(load<f64>(scratch, 8)) + eps
  for (let i = 0; i < n; i++) {
    const at = x + (i << 2)
    store<f32>(at, <f32>((<f64>load<f32>(at) - mean) / divisor))
  }
  return count
}

/**
 * m *= e^(newLogProb - oldLogProb) where weight is not 0: the factor of the next agent (HATRPO paper, Eq. 10). All are
 * f32[n]. The difference, the exponential (1.1 ulp, `exp4`) and the product are each rounded to f32.
 * @param weight 0 for none: every element counts
 */
export function ratioProduct(m: usize, newLogProb: usize, oldLogProb: usize, n: i32, weight: usize): void {
  const one = f32x4.splat(1)
  const zero = f32x4.splat(0)
  let i = 0
  for (; i + 4 <= n; i += 4) {
    const offset = i << 2
    let ratio = exp4(f32x4.sub(v128.load(newLogProb + offset), v128.load(oldLogProb + offset)))
    if (weight != 0) ratio = v128.bitselect(ratio, one, f32x4.ne(v128.load(weight + offset), zero))
    v128.store(m + offset, f32x4.mul(v128.load(m + offset), ratio))
  }
  for (; i < n; i++) {
    const offset = i << 2
    if (weight != 0 && load<f32>(weight + offset) == 0) continue
    const ratio = exp1(load<f32>(newLogProb + offset) - load<f32>(oldLogProb + offset))
    store<f32>(m + offset, load<f32>(m + offset) * ratio)
  }
}

/** 1 if every element is finite, else 0. */
export function allFinite(x: usize, n: i32): i32 {
  const infinity = i32x4.splat(0x7f800000)
  let bad = i32x4.splat(0)
  let i = 0
  for (; i + 4 <= n; i += 4) {
    bad = v128.or(bad, i32x4.eq(v128.and(v128.load(x + (i << 2)), infinity), infinity))
  }
  let finite = !v128.any_true(bad)
  for (; i < n; i++) if ((load<i32>(x + (i << 2)) & 0x7f800000) == 0x7f800000) finite = false
  return finite ? 1 : 0
}
