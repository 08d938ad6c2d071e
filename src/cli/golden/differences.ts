import type { Comparison } from './report.js'

/** What the files suggest for everything that is computed to the end. */
export const BOUND = 1e-9

/** The largest difference of each quantity, in the order in which they first came. */
export class Differences {
  private readonly largest = new Map<string, { maxAbs: number; bound: number }>()

  /** @param bound the same for a quantity each time */
  add(quantity: string, difference: number, bound = BOUND): void {
    const before = this.largest.get(quantity)?.maxAbs ?? 0
    this.largest.set(quantity, { maxAbs: Math.max(before, difference), bound })
  }

  all(): Comparison[] {
    return Array.from(this.largest, ([quantity, { maxAbs, bound }]) => ({
      quantity,
      maxAbs,
      bound,
      suggested: bound,
    }))
  }
}
