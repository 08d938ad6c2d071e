/**
 * Elementary functions on f64 scalars, by argument reduction and polynomials. They replace Math.*, whose last bits differ
 * between engines. Without tables the module has no data segment, so several threads can instantiate it over one memory.
 *
 * The error bounds are asserted by test/kernels/math64.test.ts against 200-bit arithmetic. Reductions and polynomial
 * coefficients follow fdlibm (Sun Microsystems, 1993).
 */

const LN2_HI: f64 = 0.6931471803691238
const LN2_LO: f64 = 1.9082149292705877e-10
const LOG2_E: f64 = 1.4426950408889634

/** Coefficients in r^2 of r coth(r / 2) - 2, |r| <= ln 2 / 2: see `expFraction`. */
const P1: f64 = 1.66666666666666019037e-1
const P2: f64 = -2.77777777770155933842e-3
const P3: f64 = 6.61375632143793436117e-5
const P4: f64 = -1.6533902205465251539e-6
const P5: f64 = 4.13813679705723846039e-8

/** (log((1 + s) / (1 - s)) - 2 s) / s in s^2. */
const LG1: f64 = 6.66666666666673513e-1
const LG2: f64 = 3.999999999940941908e-1
const LG3: f64 = 2.857142874366239149e-1
const LG4: f64 = 2.222219843214978396e-1
const LG5: f64 = 1.818357216161805012e-1
const LG6: f64 = 1.531383769920937332e-1
const LG7: f64 = 1.479819860511658591e-1

/** sin r = r + S1 r^3 + ..., |r| <= pi/4. */
const S1: f64 = -1.66666666666666324348e-1
const S2: f64 = 8.33333333332248946124e-3
const S3: f64 = -1.98412698298579493134e-4
const S4: f64 = 2.75573137070700676789e-6
const S5: f64 = -2.50507602534068634195e-8
const S6: f64 = 1.58969099521155010221e-10

/** cos r = 1 - r^2/2 + C1 r^4 + ..., |r| <= pi/4. */
const C1: f64 = 4.16666666666666019037e-2
const C2: f64 = -1.38888888888741095749e-3
const C3: f64 = 2.48015872894767294178e-5
const C4: f64 = -2.75573143513906633035e-7
const C5: f64 = 2.0875723212981748279e-9
const C6: f64 = -1.13596475577881948265e-11

/** pi/2 as pieces of 33 bits, whose products with integers below 2^20 are exact, and a remainder. */
const TWO_OVER_PI: f64 = 0.6366197723675814
const HALF_PI_1: f64 = 1.5707963267341256
const HALF_PI_2: f64 = 6.077100506303966e-11
const HALF_PI_3: f64 = 2.0222662487111665e-21
const HALF_PI_4: f64 = 8.4784276603689e-32

const SMALLEST_NORMAL: f64 = 2.2250738585072014e-308
const TWO_54: f64 = 18014398509481984.0
const SQRT_HALF_BITS: i64 = 0x3fe6a09e667f3bcd

/** Largest |x| that sin64 and cos64 accept. */
const TRIGONOMETRIC_LIMIT: f64 = 1048576.0

/** x * 2^n with one rounding at most, for x near 1 and -1080 <= n <= 1024. */
function scaleByPower(x: f64, n: i32): f64 {
  if (n > 1023) return x * powerOfTwo(1023) * powerOfTwo(n - 1023)
  if (n < -1022) return x * powerOfTwo(n + 969) * powerOfTwo(-969)
  return x * powerOfTwo(n)
}

/** 2^n for -1022 <= n <= 1023. */
function powerOfTwo(n: i32): f64 {
  return reinterpret<f64>((<i64>(n + 1023)) << 52)
}

/** e^r - 1 - r for |r| <= ln 2 / 2, as r c / (2 - c). */
function expFraction(r: f64): f64 {
  const z = r * r
  const c = r - z * (P1 + z * (P2 + z * (P3 + z * (P4 + z * P5))))
  return (r * c) / (2.0 - c)
}

/** e^(x + tail) for a tail below an ulp of x. */
function expWithTail(x: f64, tail: f64): f64 {
  if (x != x) return x
  if (x > 709.782712893384) return Infinity
  if (x < -745.1332191019412) return 0.0
  const n = nearest(x * LOG2_E)
  const high = x - n * LN2_HI
  const low = n * LN2_LO - tail
  const r = high - low
  return scaleByPower(1.0 + (expFraction(r) - low + high), <i32>n)
}

/** e^x. Error below 1 ulp; Infinity above 709.78, gradual underflow to 0 at -745.13. */
export function exp64(x: f64): f64 {
  return expWithTail(x, 0.0)
}

/** ln x. Error below 1 ulp; -Infinity at +-0, NaN below 0. */
export function log64(x: f64): f64 {
  if (x != x || x == Infinity) return x
  if (x <= 0.0) return x == 0.0 ? -Infinity : NaN
  const k = exponentOf(x)
  const f = mantissaOf(x) - 1.0
  const s = f / (2.0 + f)
  const z = s * s
  const q = z * (LG1 + z * (LG2 + z * (LG3 + z * (LG4 + z * (LG5 + z * (LG6 + z * LG7))))))
  const halfSquare = 0.5 * f * f
  const n = <f64>k
  return n * LN2_HI - (halfSquare - (s * (halfSquare + q) + n * LN2_LO) - f)
}

/** k of x = 2^k m with m in [sqrt(1/2), sqrt(2)), for finite x > 0. */
function exponentOf(x: f64): i32 {
  const subnormal = x < SMALLEST_NORMAL
  const bits = reinterpret<i64>(subnormal ? x * TWO_54 : x)
  return <i32>((bits - SQRT_HALF_BITS) >> 52) - (subnormal ? 54 : 0)
}

/** m of x = 2^k m with m in [sqrt(1/2), sqrt(2)), for finite x > 0. */
function mantissaOf(x: f64): f64 {
  const bits = reinterpret<i64>(x < SMALLEST_NORMAL ? x * TWO_54 : x)
  return reinterpret<f64>(((bits - SQRT_HALF_BITS) & 0x000fffffffffffff) + SQRT_HALF_BITS)
}

/** sin(r + tail) for |r| <= pi/4. */
function sinReduced(r: f64, tail: f64): f64 {
  const z = r * r
  const cube = z * r
  const q = S2 + z * (S3 + z * (S4 + z * (S5 + z * S6)))
  return r - (z * (0.5 * tail - cube * q) - tail - cube * S1)
}

/** cos(r + tail) for |r| <= pi/4. */
function cosReduced(r: f64, tail: f64): f64 {
  const z = r * r
  const q = z * (C1 + z * (C2 + z * (C3 + z * (C4 + z * (C5 + z * C6)))))
  const half = 0.5 * z
  const one = 1.0 - half
  return one + (1.0 - one - half + (z * q - r * tail))
}

/** sin(x + quadrants pi/2) for |x| <= 2^20. */
function sinShifted(x: f64, quadrants: i32): f64 {
  if (!(abs(x) <= TRIGONOMETRIC_LIMIT)) return NaN
  const n = nearest(x * TWO_OVER_PI)
  // Cody-Waite reduction in three exact steps. The rounding errors of the differences are carried along.
  const a = x - n * HALF_PI_1
  const w2 = n * HALF_PI_2
  const b = a - w2
  const errorB = differenceError(a, w2, b)
  const w3 = n * HALF_PI_3
  const c = b - w3
  const errorC = differenceError(b, w3, c)
  const rest = errorB + errorC - n * HALF_PI_4
  const r = c + rest
  const tail = c - r + rest
  const quadrant = (<i32>n + quadrants) & 3
  const value = quadrant & 1 ? cosReduced(r, tail) : sinReduced(r, tail)
  return quadrant & 2 ? -value : value
}

/** a - b - difference exactly, where difference = a - b rounded (Knuth's TwoSum). */
function differenceError(a: f64, b: f64, difference: f64): f64 {
  const fromB = difference - a
  const fromA = difference - fromB
  return a - fromA - (b + fromB)
}

/** sin x for |x| <= 2^20, error below 1 ulp; NaN outside. */
export function sin64(x: f64): f64 {
  return x == 0.0 ? x : sinShifted(x, 0)
}

/** cos x for |x| <= 2^20, error below 1 ulp; NaN outside. */
export function cos64(x: f64): f64 {
  return sinShifted(x, 1)
}

/** tanh x. Error below 3 ulp; exactly +-1 from |x| = 19.1 on; odd to the bit. */
export function tanh64(x: f64): f64 {
  if (x != x) return x
  // tanh |x| = -u / (u + 2) with u = e^(-2|x|) - 1 = 2^n (e^r - 1) + (2^n - 1).
  const y = -2.0 * min(abs(x), 30.0)
  const n = nearest(y * LOG2_E)
  const high = y - n * LN2_HI
  const low = n * LN2_LO
  const scale = powerOfTwo(<i32>n)
  const u = scale * (expFraction(high - low) - low + high) + (scale - 1.0)
  return copysign<f64>(-u / (u + 2.0), x)
}

/** 2/3 to 106 bits. */
const TWO_THIRDS_HI: f64 = 0.6666666666666666
const TWO_THIRDS_LO: f64 = 3.700743415417188e-17

/** Rounding error of product = a * b (Dekker), for operands far from overflow and underflow. */
function productError(a: f64, b: f64, product: f64): f64 {
  const a1 = highHalf(a)
  const b1 = highHalf(b)
  const a2 = a - a1
  const b2 = b - b1
  return a2 * b2 - (product - a1 * b1 - a2 * b1 - a1 * b2)
}

/** Upper 26 bits of a. */
function highHalf(a: f64): f64 {
  return reinterpret<f64>(reinterpret<u64>(a) & 0xfffffffff8000000)
}

/** x^y for finite x > 0 and finite y, from ln x to about 110 bits. */
function positivePower(x: f64, y: f64): f64 {
  const k = <f64>exponentOf(x)
  const m = mantissaOf(x)
  // s = (m - 1) / (m + 1) as s + sTail; m - 1 is exact.
  const f = m - 1.0
  const d = m + 1.0
  const dTail = m - (d - 1.0)
  const s = f / d
  const sd = s * d
  const sTail = (f - sd - productError(s, d, sd) - s * dTail) / d
  // z = s^2 in two parts, then 2/3 + z g in two parts, where f64 is enough for g.
  const z = s * s
  const zTail = productError(s, s, z) + 2.0 * s * sTail
  const g = seriesTail(z)
  const zg = z * g
  const h = TWO_THIRDS_HI + zg
  const hTail = TWO_THIRDS_HI - h + zg + (TWO_THIRDS_LO + productError(z, g, zg) + zTail * g)
  // cube = s z, term = cube h: ln m = 2 s + term.
  const cube = s * z
  const cubeTail = productError(s, z, cube) + s * zTail + sTail * z
  const term = cube * h
  const termTail = productError(cube, h, term) + cube * hTail + cubeTail * h
  // ln x = k LN2_HI + 2 s + term + tails; k LN2_HI is exact and, unless 0, the largest term.
  const base = k * LN2_HI
  const sum1 = 2.0 * s + term
  const rest1 = 2.0 * s - sum1 + term
  const sum2 = base + sum1
  const rest2 = base - sum2 + sum1
  const tail = rest2 + (rest1 + (2.0 * sTail + termTail + k * LN2_LO))
  const log = sum2 + tail
  const logTail = sum2 - log + tail
  const power = y * log
  // Outside the range of exp. Splitting y could overflow here.
  if (!(abs(power) < 1024.0)) return power > 0.0 ? Infinity : 0.0
  return expWithTail(power, productError(y, log, power) + y * logTail)
}

/** 2/5 + 2/7 z + 2/9 z^2 + ..., for z <= 0.0295. The omitted terms are below 1e-19. */
function seriesTail(z: f64): f64 {
  let q = 0.08695652173913043 + z * 0.08
  q = 0.09523809523809523 + z * q
  q = 0.10526315789473684 + z * q
  q = 0.11764705882352941 + z * q
  q = 0.13333333333333333 + z * q
  q = 0.15384615384615385 + z * q
  q = 0.18181818181818182 + z * q
  q = 0.2222222222222222 + z * q
  q = 0.2857142857142857 + z * q
  return 0.4 + z * q
}

/** Parity of a finite y: 1 for an odd integer, 2 for an even one, 0 for any other number. */
function parity(y: f64): i32 {
  if (trunc(y) != y) return 0
  const half = y * 0.5
  return trunc(half) == half ? 2 : 1
}

/** x^y. Error below 1 ulp where the result is normal; zeros, infinities, NaN and negative x as in ECMAScript's Math.pow. */
export function pow64(x: f64, y: f64): f64 {
  if (y == 0.0) return 1.0
  if (x != x || y != y) return NaN
  const magnitude = abs(x)
  if (abs(y) == Infinity) {
    if (magnitude == 1.0) return NaN
    return magnitude > 1.0 == y > 0.0 ? Infinity : 0.0
  }
  const kind = parity(y)
  const negative = reinterpret<i64>(x) < 0
  let result: f64
  if (magnitude == 0.0 || magnitude == Infinity) {
    result = (magnitude == 0.0) == y > 0.0 ? 0.0 : Infinity
  } else {
    if (negative && kind == 0) return NaN
    result = positivePower(magnitude, y)
  }
  return negative && kind == 1 ? -result : result
}
