import { isScratch, type Operand, type Scratch } from '../tensor.js'
import type { RowStep } from '../steps.js'
import { rowOperands } from './encode.js'

/**
 * Memory for scratch matrices, shared by programs that run one at a time. All matrices in a slot have the same width. The
 * rows of a block are then at the same place in each of them, and blocks on different threads do not overlap.
 */
export class ScratchPool {
  readonly #reserve: (bytes: number) => number
  readonly #slots = new Map<number, { address: number; bytes: number }[]>()

  constructor(reserve: (bytes: number) => number) {
    this.#reserve = reserve
  }

  /** Allocates the scratch operands of a program. Operands that are not in use together may share memory. */
  place(steps: readonly RowStep[], maxRows: number): Map<Scratch, number> {
    return new Map(
      [...assignSlots(steps)].map(([scratch, slot]) => [scratch, this.#slot(scratch.width, slot, maxRows)]),
    )
  }

  /** Address of a slot with room for `rows` rows. If it replaces a smaller slot, earlier programs keep that one. */
  #slot(width: number, index: number, maxRows: number): number {
    const bytes = maxRows * width * 4
    const slots = this.#slots.get(width) ?? []
    this.#slots.set(width, slots)
    const known = slots[index]
    if (known && known.bytes >= bytes) return known.address
    const address = this.#reserve(bytes)
    slots[index] = { address, bytes }
    return address
  }
}

/** Index of the slot of each scratch, per width. A scratch is in use from its first step to its last. */
export function assignSlots(steps: readonly RowStep[]): Map<Scratch, number> {
  const operands = steps.map((step) => rowOperands(step).filter(isScratch))
  const last = new Map<Operand, number>()
  operands.forEach((scratches, i) => scratches.forEach((scratch) => last.set(scratch, i)))
  const slots = new Map<Scratch, number>()
  /** Scratch in each slot of each width, or null for a free slot. */
  const occupants = new Map<number, (Scratch | null)[]>()
  operands.forEach((scratches, i) => {
    for (const scratch of scratches) {
      if (slots.has(scratch)) continue
      const row = occupants.get(scratch.width) ?? []
      occupants.set(scratch.width, row)
      const free = row.indexOf(null)
      const slot = free < 0 ? row.length : free
      row[slot] = scratch
      slots.set(scratch, slot)
    }
    for (const scratch of scratches) {
      if (last.get(scratch) === i) occupants.get(scratch.width)![slots.get(scratch)!] = null
    }
  })
  return slots
}
