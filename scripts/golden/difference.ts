import { HatrpoError } from '../../src/errors.js'

/** A number as golden files write it: infinities and NaN are words. */
export function toNumber(value: unknown): number {
  if (typeof value === 'number') return value
  if (value === 'inf') return Infinity
  if (value === '-inf') return -Infinity
  if (value === 'nan') return NaN
  throw new HatrpoError(`${JSON.stringify(value)} where a number should be`)
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number' || value === 'inf' || value === '-inf' || value === 'nan'
}

/** A list of numbers as golden files write it. */
export function toNumbers(value: unknown): number[] {
  if (!Array.isArray(value))
    throw new HatrpoError(`${JSON.stringify(value)} where a list of numbers should be`)
  return value.map(toNumber)
}

/** |a - b|; 0 for equal infinities, Infinity when either is NaN or only one is infinite. */
export function difference(a: number, b: number): number {
  if (a === b) return 0
  const distance = Math.abs(a - b)
  return Number.isNaN(distance) ? Infinity : distance
}

/** Largest difference of two lists; Infinity when their lengths differ. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity
  let largest = 0
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, difference(a[i], b[i]))
  return largest
}

/** |a - b| / max(1, |a|), with a the golden number. */
export function relativeDifference(a: number, b: number): number {
  return difference(a, b) / Math.max(1, Math.abs(a))
}

/** Largest difference of two values of the same shape; words, flags and null must be equal, or it is Infinity. */
export function structuralDifference(golden: unknown, ours: unknown): number {
  if (typeof ours === 'number') return isNumber(golden) ? difference(toNumber(golden), ours) : Infinity
  if (Array.isArray(golden) && Array.isArray(ours)) {
    if (golden.length !== ours.length) return Infinity
    return Math.max(0, ...golden.map((value, i) => structuralDifference(value, ours[i])))
  }
  if (isRecord(golden) && isRecord(ours)) {
    const keys = new Set([...Object.keys(golden), ...Object.keys(ours)])
    return Math.max(0, ...Array.from(keys, (key) => structuralDifference(golden[key], ours[key])))
  }
  return golden === ours ? 0 : Infinity
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
