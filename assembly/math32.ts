/**
 * Elementary functions on four f32 lanes, and scalar versions with the same bits as a lane.
 *
 * Every function is free of branches and of operations across lanes: a result depends on its own argument only.
 * NaN gives NaN. Errors are in units in the last place (ulp) of the correctly rounded f32 result; the bound in each
 * docstring is asserted by test/kernels/math32.test.ts on dense grids. Constants are immediates, not tables in memory.
 */

const LOG2_E: f32 = 1.44269502
/** ln 2 in two parts; the first has 9 significant bits, so its product with an integer below 2^15 is exact. */
const LN2_HI: f32 = 0.693359375
const LN2_LO: f32 = -0.000212194442

/** 1.5 * 2^23. Adding it rounds to the nearest integer and leaves that integer in the low mantissa bits. */
const ROUND_MAGIC: f32 = 12582912.0
const ROUND_MAGIC_BITS: i32 = 0x4b400000

/** Minimax fit of (e^r - 1 - r) / r^2 on |r| <= ln 2 / 2; the error of e^r - 1 is 1.4e-8 relative. */
const E2: f32 = 0.5
const E3: f32 = 0.166665435
const E4: f32 = 0.0416662805
const E5: f32 = 0.00836659782
const E6: f32 = 0.00139464741

/** Minimax fit of (log((1 + s) / (1 - s)) - 2 s) / s^3 in s^2, |s| <= 0.1716. */
const L0: f32 = 0.666666627
const L1: f32 = 0.400003314
const L2: f32 = 0.285374939
const L3: f32 = 0.235791132

/** Minimax fit of erf(x) / x - 1 in x^2, |x| <= 1; error 1.2e-9. */
const F0: f32 = 0.128379166
const F1: f32 = -0.37612626
const F2: f32 = 0.112836003
const F3: f32 = -0.0268544443
const F4: f32 = 0.00518953567
const F5: f32 = -0.00080208428
const F6: f32 = 0.0000788912439

/** Minimax fit of log(erfc(t)), 1 <= t <= 3.95, weighted by erfc; the error of erf is 1.1e-9. */
const G0: f32 = -0.00034152405
const G1: f32 = -1.12708914
const G2: f32 = -0.638144851
const G3: f32 = -0.103106745
const G4: f32 = 0.0218380596
const G5: f32 = -0.00294765737
const G6: f32 = 0.000186379097

/** a * b + c, rounded twice. */
function mulAdd(a: v128, b: v128, c: v128): v128 {
  return f32x4.add(f32x4.mul(a, b), c)
}

/** x * log2(e) rounded to an integer, with the rounding constant still added. */
function roundedExponent(x: v128): v128 {
  return mulAdd(x, f32x4.splat(LOG2_E), f32x4.splat(ROUND_MAGIC))
}

/** e^r - 1 where r = x - n ln 2 and n is the integer in the low bits of `rounded`. */
function reducedExpMinusOne(x: v128, rounded: v128): v128 {
  const n = f32x4.sub(rounded, f32x4.splat(ROUND_MAGIC))
  const r = f32x4.sub(f32x4.sub(x, f32x4.mul(n, f32x4.splat(LN2_HI))), f32x4.mul(n, f32x4.splat(LN2_LO)))
  let q = mulAdd(r, f32x4.splat(E6), f32x4.splat(E5))
  q = mulAdd(q, r, f32x4.splat(E4))
  q = mulAdd(q, r, f32x4.splat(E3))
  q = mulAdd(q, r, f32x4.splat(E2))
  return mulAdd(f32x4.mul(r, r), q, r)
}

/** 2^n as f32 for integers -126 <= n <= 127. */
function powerOfTwo(n: v128): v128 {
  return i32x4.shl(i32x4.add(n, i32x4.splat(127)), 23)
}

/** x * 2^n in two exact halves and one rounding, so that results overflow to infinity and underflow gradually. */
function scaleByPower(x: v128, n: v128): v128 {
  const half = i32x4.shr_s(n, 1)
  return f32x4.mul(f32x4.mul(x, powerOfTwo(half)), powerOfTwo(i32x4.sub(n, half)))
}

/**
 * e^x of four lanes. Error at most 1.1 ulp (1.2e-7 relative) where the result is normal; overflows to Infinity above
 * 88.72284, underflows gradually below -87.33655 and to 0 below about -103.98.
 */
export function exp4(x: v128): v128 {
  // This order of operands of pmin and pmax preserves a NaN in x.
  const y = f32x4.pmax(f32x4.pmin(x, f32x4.splat(89.0)), f32x4.splat(-105.0))
  const rounded = roundedExponent(y)
  const p = reducedExpMinusOne(y, rounded)
  const n = i32x4.sub(rounded, i32x4.splat(ROUND_MAGIC_BITS))
  return scaleByPower(f32x4.add(p, f32x4.splat(1.0)), n)
}

/**
 * e^x - 1 of four lanes without cancellation near 0. Error at most 2 ulp (1.7e-7 relative); Infinity above 88.72284,
 * -1 below about -17; both zeros give +0.
 */
export function expMinusOne4(x: v128): v128 {
  const y = f32x4.pmax(f32x4.pmin(x, f32x4.splat(89.0)), f32x4.splat(-30.0))
  const rounded = roundedExponent(y)
  const p = reducedExpMinusOne(y, rounded)
  const n = i32x4.sub(rounded, i32x4.splat(ROUND_MAGIC_BITS))
  // e^x - 1 = 2^n ((e^r - 1) + (1 - 2^-n)); for n = 128 the bits of 2^-n are those of 0, which is harmless.
  const lift = f32x4.sub(f32x4.splat(1.0), powerOfTwo(i32x4.max_s(i32x4.neg(n), i32x4.splat(-127))))
  return scaleByPower(f32x4.add(p, lift), n)
}

/** tanh x of four lanes. Error at most 3 ulp (2e-7 relative); exactly +-1 from |x| = 9.02 on; odd to the bit. */
export function tanh4(x: v128): v128 {
  const sign = v128.and(x, i32x4.splat(0x80000000))
  // tanh |x| = |u / (u + 2)| with u = e^(-2|x|) - 1; beyond 15 it is 1 in f32.
  const magnitude = f32x4.pmin(f32x4.abs(x), f32x4.splat(15.0))
  const y = f32x4.mul(magnitude, f32x4.splat(-2.0))
  const rounded = roundedExponent(y)
  const p = reducedExpMinusOne(y, rounded)
  const scale = powerOfTwo(i32x4.sub(rounded, i32x4.splat(ROUND_MAGIC_BITS)))
  const u = mulAdd(scale, p, f32x4.sub(scale, f32x4.splat(1.0)))
  return v128.or(f32x4.abs(f32x4.div(u, f32x4.add(u, f32x4.splat(2.0)))), sign)
}

/**
 * 1 / (1 + e^-x) of four lanes. Error at most 2.5 ulp (1.6e-7 relative) for x >= -87; below -88.72284 the result is 0
 * (the exact value is under 3e-39).
 */
export function sigmoid4(x: v128): v128 {
  const one = f32x4.splat(1.0)
  return f32x4.div(one, f32x4.add(one, exp4(f32x4.neg(x))))
}

/**
 * ln x of four lanes. Error at most 1 ulp (1e-7 relative) for x > 0, also subnormal; -Infinity at +-0, NaN below 0,
 * Infinity at Infinity.
 */
export function log4(x: v128): v128 {
  const subnormal = f32x4.lt(x, f32x4.splat(1.17549435e-38))
  const normal = v128.bitselect(f32x4.mul(x, f32x4.splat(8388608.0)), x, subnormal)
  // x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)).
  const shifted = i32x4.sub(normal, i32x4.splat(0x3f3504f3))
  const exponent = i32x4.sub(i32x4.shr_s(shifted, 23), v128.and(subnormal, i32x4.splat(23)))
  const k = f32x4.convert_i32x4_s(exponent)
  const mantissa = i32x4.add(v128.and(shifted, i32x4.splat(0x007fffff)), i32x4.splat(0x3f3504f3))
  const f = f32x4.sub(mantissa, f32x4.splat(1.0))
  const s = f32x4.div(f, f32x4.add(f, f32x4.splat(2.0)))
  const z = f32x4.mul(s, s)
  let q = mulAdd(z, f32x4.splat(L3), f32x4.splat(L2))
  q = mulAdd(q, z, f32x4.splat(L1))
  q = mulAdd(q, z, f32x4.splat(L0))
  q = f32x4.mul(q, z)
  // ln(1 + f) = f - (f^2/2 - s (f^2/2 + q)): the large term f stays exact.
  const halfSquare = f32x4.mul(f32x4.mul(f, f), f32x4.splat(0.5))
  const correction = mulAdd(s, f32x4.add(halfSquare, q), f32x4.mul(k, f32x4.splat(LN2_LO)))
  const fraction = f32x4.add(f, f32x4.sub(correction, halfSquare))
  const finite = mulAdd(k, f32x4.splat(LN2_HI), fraction)
  const negative = f32x4.lt(x, f32x4.splat(0.0))
  const zero = f32x4.eq(x, f32x4.splat(0.0))
  // The result for Infinity and NaN is x itself.
  const special = v128.not(f32x4.lt(x, f32x4.splat(Infinity)))
  let result = v128.bitselect(x, finite, special)
  result = v128.bitselect(f32x4.splat(-Infinity), result, zero)
  return v128.bitselect(f32x4.splat(NaN), result, negative)
}

/** erf x of four lanes. Error at most 1.5 ulp (1.2e-7 relative); exactly +-1 from |x| = 3.93 on; odd to the bit. */
export function erf4(x: v128): v128 {
  const sign = v128.and(x, i32x4.splat(0x80000000))
  const t = f32x4.pmin(f32x4.abs(x), f32x4.splat(3.95))
  const z = f32x4.mul(t, t)
  let small = mulAdd(z, f32x4.splat(F6), f32x4.splat(F5))
  small = mulAdd(small, z, f32x4.splat(F4))
  small = mulAdd(small, z, f32x4.splat(F3))
  small = mulAdd(small, z, f32x4.splat(F2))
  small = mulAdd(small, z, f32x4.splat(F1))
  small = mulAdd(small, z, f32x4.splat(F0))
  small = mulAdd(small, t, t)
  let large = mulAdd(t, f32x4.splat(G6), f32x4.splat(G5))
  large = mulAdd(large, t, f32x4.splat(G4))
  large = mulAdd(large, t, f32x4.splat(G3))
  large = mulAdd(large, t, f32x4.splat(G2))
  large = mulAdd(large, t, f32x4.splat(G1))
  large = mulAdd(large, t, f32x4.splat(G0))
  large = f32x4.sub(f32x4.splat(1.0), exp4(large))
  return v128.or(v128.bitselect(small, large, f32x4.lt(t, f32x4.splat(1.0))), sign)
}

/** e^x, the bits of a lane of `exp4`. */
export function exp1(x: f32): f32 {
  return f32x4.extract_lane(exp4(f32x4.splat(x)), 0)
}

/** e^x - 1, the bits of a lane of `expMinusOne4`. */
export function expMinusOne1(x: f32): f32 {
  return f32x4.extract_lane(expMinusOne4(f32x4.splat(x)), 0)
}

/** tanh x, the bits of a lane of `tanh4`. */
export function tanh1(x: f32): f32 {
  return f32x4.extract_lane(tanh4(f32x4.splat(x)), 0)
}

/** 1 / (1 + e^-x), the bits of a lane of `sigmoid4`. */
export function sigmoid1(x: f32): f32 {
  return f32x4.extract_lane(sigmoid4(f32x4.splat(x)), 0)
}

/** ln x, the bits of a lane of `log4`. */
export function log1(x: f32): f32 {
  return f32x4.extract_lane(log4(f32x4.splat(x)), 0)
}

/** erf x, the bits of a lane of `erf4`. */
export function erf1(x: f32): f32 {
  return f32x4.extract_lane(erf4(f32x4.splat(x)), 0)
}
