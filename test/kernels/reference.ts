/** Elementary functions in 256-bit fixed point, and distances to them in units in the last place. */

const FRACTION = 256
const SHIFT = BigInt(FRACTION)
const ONE = 1n << SHIFT

/** value * 2^exponent, exact or accurate to far more than 53 bits. */
export interface Big {
  readonly value: bigint
  readonly exponent: number
}

const view = new DataView(new ArrayBuffer(8))

/** Finite f64 as integer * 2^exponent. */
export function exact(x: number): Big {
  view.setFloat64(0, x)
  const bits = view.getBigUint64(0)
  const field = Number((bits >> 52n) & 0x7ffn)
  const mantissa = (bits & 0xfffffffffffffn) | (field === 0 ? 0n : 1n << 52n)
  return { value: x < 0 ? -mantissa : mantissa, exponent: Math.max(field, 1) - 1075 }
}

const shift = (value: bigint, by: number) => (by >= 0 ? value << BigInt(by) : value >> BigInt(-by))
const fixed = ({ value, exponent }: Big) => shift(value, exponent + FRACTION)
const multiply = (a: bigint, b: bigint) => (a * b) >> SHIFT
const divide = (a: bigint, b: bigint) => (a << SHIFT) / b
const magnitude = (a: bigint) => (a < 0n ? -a : a)

/** Sum of s^(2i+1) / (2i+1), with alternating signs for the arc tangent. */
function inverseTangent(s: bigint, alternate: boolean): bigint {
  const z = multiply(s, s)
  let power = s
  let sum = 0n
  for (let i = 0n; power !== 0n && power !== -1n; i++) {
    const term = power / (2n * i + 1n)
    sum += alternate && i % 2n === 1n ? -term : term
    power = multiply(power, z)
  }
  return sum
}

const LN2 = 2n * inverseTangent(ONE / 3n, false)
/** Machin's formula. */
const HALF_PI = 2n * (4n * inverseTangent(ONE / 5n, true) - inverseTangent(ONE / 239n, true))

const roundedQuotient = (a: bigint, b: bigint) => {
  const q = (2n * a + b) / (2n * b)
  return 2n * a + b < 0n && (2n * a + b) % (2n * b) !== 0n ? q - 1n : q
}

function taylor(r: bigint, first: bigint, from: bigint, step: bigint, sign: bigint): bigint {
  let term = first
  let sum = 0n
  for (let i = from; magnitude(term) > 1n; i += step) {
    sum += term
    for (let j = 1n; j <= step; j++) term = multiply(term, r) / (i + j)
    term *= sign
  }
  return sum
}

function expFixed(x: bigint): Big {
  const k = roundedQuotient(x, LN2)
  return { value: taylor(x - k * LN2, ONE, 0n, 1n, 1n), exponent: Number(k) - FRACTION }
}

function logFixed(x: number): bigint {
  const { value, exponent } = exact(x)
  const length = value.toString(2).length
  const m = shift(value, FRACTION - length + 1)
  return BigInt(exponent + length - 1) * LN2 + 2n * inverseTangent(divide(m - ONE, m + ONE), false)
}

/** cos (quadrants = 1) and sin (quadrants = 0) of x. */
function circular(x: number, quadrants: bigint): Big {
  const argument = fixed(exact(x))
  const n = roundedQuotient(argument, HALF_PI)
  const r = argument - n * HALF_PI
  const quadrant = Number((((n + quadrants) % 4n) + 4n) % 4n)
  const value = quadrant % 2 === 0 ? taylor(r, r, 1n, 2n, -1n) : taylor(r, ONE, 0n, 2n, -1n)
  return { value: quadrant >= 2 ? -value : value, exponent: -FRACTION }
}

export const exp = (x: number): Big => expFixed(fixed(exact(x)))
export const log = (x: number): Big => ({ value: logFixed(x), exponent: -FRACTION })
export const sin = (x: number): Big => circular(x, 0n)
export const cos = (x: number): Big => circular(x, 1n)
export const pow = (x: number, y: number): Big => expFixed(multiply(logFixed(x), fixed(exact(y))))

export function tanh(x: number): Big {
  const doubled = expFixed(2n * fixed(exact(x)))
  const e = shift(doubled.value, doubled.exponent + FRACTION)
  return { value: divide(e - ONE, e + ONE), exponent: -FRACTION }
}

/** |got - wanted| in ulps of `wanted` as an f64. */
export function ulpsFrom(got: number, wanted: Big): number {
  const g = exact(got)
  const low = Math.min(g.exponent, wanted.exponent)
  const difference = magnitude(shift(g.value, g.exponent - low) - shift(wanted.value, wanted.exponent - low))
  const top = magnitude(wanted.value).toString(2).length - 1 + wanted.exponent
  const ulp = Math.max(top - 52, -1074)
  return Number(shift(difference, low - ulp + 40)) / 2 ** 40
}
