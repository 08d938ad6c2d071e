import type { Comparison } from './report.js'

/** Bound that the files suggest for values computed to the end. */
export const BOUND = 1e-9

/**
 * Largest difference of each quantity, in the order of first occurrence; and omitted comparisons with their reasons.
 */
export class Differences {
  readonly #largest = new Map<string, { maxAbs: number; bound: number }>()
  readonly #skipped = new Map<string, Set<string>>()

  /** @param bound the same for a quantity each time */
  add(quantity: string, difference: number, bound = BOUND): void {
    const before = this.#largest.get(quantity)?.maxAbs ?? 0
    this.#largest.set(quantity, { maxAbs: Math.max(before, difference), bound })
  }

  /** Notes that a quantity is not compared. @param why the same words for what one note is to list together */
  skip(quantity: string, why: string): void {
    const quantities = this.#skipped.get(why) ?? new Set()
    this.#skipped.set(why, quantities.add(quantity))
  }

  /** Notes the entries of a block that are not among the familiar ones. */
  skipUnfamiliar(block: object, familiar: readonly string[], prefix: string): void {
    for (const name of Object.keys(block)) {
      if (!familiar.includes(name)) this.skip(prefix + name, 'not something that we know')
    }
  }

  /** One line for each reason. */
  notes(): string[] {
    return Array.from(this.#skipped, ([why, names]) => `not checked: ${[...names].join(', ')}: ${why}`)
  }

  all(): Comparison[] {
    return Array.from(this.#largest, ([quantity, { maxAbs, bound }]) => ({
      quantity,
      maxAbs,
      bound,
      suggested: bound,
    }))
  }
}
