import { isScratch, type Operand, type Scratch } from '../tensor.js'
import type { RowStep } from '../steps.js'
import { rowOperands } from './encode.js'

/**
 * Memory of scratch matrices, shared by programs that run one at a time. A slot has one width, so that the rows of a
 * block lie at the same place in all matrices that use it and blocks on different threads never touch each other's.
 */
export class ScratchPool {
  readonly #reserve: (bytes: number) => number
  readonly #slots = new Map<number, { address: number; bytes: number }[]>()

  constructor(reserve: (bytes: number) => number) {
    this.#reserve = reserve
  }

  /** Places the scratch operands of a program; two that are never in use together may get the same memory. */
  place(steps: readonly RowStep[], maxRows: number): Map<Scratch, number> {
    return new Map(
      [...assignSlots(steps)].map(([scratch, slot]) => [scratch, this.#slot(scratch.width, slot, maxRows)]),
    )
  }

  /** Address of a width's slot with room for so many rows; earlier programs keep a smaller one that it replaces. */
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

/** Slot of each scratch, counted per width: one is in use from its first step to its last. */
export function assignSlots(steps: readonly RowStep[]): Map<Scratch, number> {
  const operands = steps.map((step) => rowOperands(step).filter(isScratch))
  const last = new Map<Operand, number>()
  operands.forEach((scratches, i) => scratches.forEach((scratch) => last.set(scratch, i)))
  const slots = new Map<Scratch, number>()
  /** Occupants of each width's slots, null where one is free. */
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
