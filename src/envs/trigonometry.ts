/**
 * Sine and cosine with the same bits on every machine. Accurate to about 1e-16 for angles below 1e5 in magnitude; the
 * reduction loses digits beyond.
 */

/** pi / 2 in three parts; the first two have trailing zeros, so that their products with small integers are exact. */
const HALF_PI_HIGH = 1.570796251296997
const HALF_PI_MIDDLE = 7.549789415861596e-8
const HALF_PI_LOW = 5.390302858158119e-15
const PER_HALF_PI = 0.6366197723675814

/** Terms of the Taylor series on [-pi/4, pi/4]: the next is below 1e-17. */
const TERMS = 9

export function sine(angle: number): number {
  return quarterTurns(angle, 0)
}

export function cosine(angle: number): number {
  return quarterTurns(angle, 1)
}

/** sin(angle + turns pi / 2). */
function quarterTurns(angle: number, turns: number): number {
  const n = Math.floor(angle * PER_HALF_PI + 0.5)
  const rest = angle - n * HALF_PI_HIGH - n * HALF_PI_MIDDLE - n * HALF_PI_LOW
  const quadrant = (((n + turns) % 4) + 4) % 4
  const magnitude = quadrant % 2 === 0 ? sineSeries(rest) : cosineSeries(rest)
  return quadrant < 2 ? magnitude : -magnitude
}

function sineSeries(x: number): number {
  const square = x * x
  let sum = 1
  for (let k = TERMS; k >= 1; k--) sum = 1 - (sum * square) / (2 * k * (2 * k + 1))
  return x * sum
}

function cosineSeries(x: number): number {
  const square = x * x
  let sum = 1
  for (let k = TERMS; k >= 1; k--) sum = 1 - (sum * square) / ((2 * k - 1) * (2 * k))
  return sum
}
