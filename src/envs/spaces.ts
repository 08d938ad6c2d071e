import { HatrpoError } from '../errors.js'
import type { Box, Discrete, MultiDiscrete } from './contract.js'

/**
 * A continuous space of `size` numbers.
 * @param low lower bounds: one number for all elements (default: unbounded), or one per element
 * @param high upper bounds, likewise
 */
export function box(
  size: number,
  low: number | ArrayLike<number> = -Infinity,
  high: number | ArrayLike<number> = Infinity,
): Box {
  requireCount('box size', size)
  const space: Box = { kind: 'box', size, low: bounds(size, low), high: bounds(size, high) }
  for (let i = 0; i < size; i++) {
    if (!(space.low[i] <= space.high[i])) {
      throw new HatrpoError(`box element ${i}: low ${space.low[i]} must not be above high ${space.high[i]}`)
    }
  }
  return space
}

/** One choice out of `n`. */
export function discrete(n: number): Discrete {
  requireCount('number of choices', n)
  return { kind: 'discrete', n }
}

/** Several choices made at once, the i-th out of `sizes[i]`. */
export function multiDiscrete(sizes: readonly number[]): MultiDiscrete {
  for (const n of sizes) requireCount('number of choices', n)
  return { kind: 'multiDiscrete', sizes: [...sizes] }
}

function bounds(size: number, value: number | ArrayLike<number>): Float64Array {
  if (typeof value === 'number') return new Float64Array(size).fill(value)
  if (value.length !== size) {
    throw new HatrpoError(`box of size ${size} got ${value.length} bounds: give one number or ${size}`)
  }
  return Float64Array.from(value)
}

function requireCount(what: string, n: number): void {
  if (!Number.isSafeInteger(n) || n < 1) throw new HatrpoError(`${what} ${n}: must be a whole number from 1`)
}
