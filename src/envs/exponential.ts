/** Exponential and logarithm in double precision with the same bits on every machine. */

/** ln 2 in two parts; the first has trailing zeros, so that its product with an exponent is exact. */
const LN2_HIGH = 0.6931471803691238
const LN2_LOW = 1.9082149292705877e-10
const PER_LN2 = 1.4426950408889634

/** Terms of the Taylor series on [-ln(2)/2, ln(2)/2]: the next is below 1e-18. */
const TERMS = 14
/** Terms of the series of 2 artanh(x / (2 + x)) for x up to 1: the next is below 1e-18. */
const LOG_TERMS = 18

/** Largest exponent in `POWERS`; a double's exponent is the sum of two. */
const HALF_RANGE = 540
/** 2^-HALF_RANGE to 2^HALF_RANGE. */
const POWERS = new Float64Array(2 * HALF_RANGE + 1)
POWERS[HALF_RANGE] = 1
for (let k = 1; k <= HALF_RANGE; k++) {
  POWERS[HALF_RANGE + k] = 2 * POWERS[HALF_RANGE + k - 1]
  POWERS[HALF_RANGE - k] = 0.5 * POWERS[HALF_RANGE - k + 1]
}

/** e^x, accurate to about 2e-16 of itself where that is a normal number; 0 and Infinity beyond the range of doubles. */
export function exponential(x: number): number {
  if (x < -746) return 0
  if (x > 710) return Infinity
  const n = Math.floor(x * PER_LN2 + 0.5)
  const rest = x - n * LN2_HIGH - n * LN2_LOW
  let sum = 1
  for (let k = TERMS; k >= 1; k--) sum = 1 + (sum * rest) / k
  const half = n >> 1
  return sum * POWERS[HALF_RANGE + half] * POWERS[HALF_RANGE + n - half]
}

/** ln(1 + e^x), without overflow; accurate to about 3e-16 of itself. */
export function softplus(x: number): number {
  const u = exponential(-Math.abs(x))
  const f = u / (2 + u)
  const square = f * f
  let sum = 0
  for (let n = LOG_TERMS; n >= 1; n--) sum = (sum + 1 / (2 * n + 1)) * square
  return Math.max(x, 0) + 2 * (f + f * sum)
}
