import { WORLD, WORLD_RESULT } from '../../kernels/layout.js'

/** The exports of assembly/stepper.ts. */
export interface Stepper {
  /** Steps a list of worlds, given by the address of the first one's record. */
  advanceAll(first: number): void
}

export const RECORD_LENGTH = Object.keys(WORLD).length

/** Result of a step that has not begun. */
const WAITING = -2

/**
 * The steps that worlds of one MuJoCo have submitted: all are made in one call, which enters and leaves WebAssembly
 * once, and keeps the code of the physics in the caches.
 */
export class Batch {
  readonly #integers: () => Int32Array
  readonly #stepper: Stepper
  readonly #unwind: () => void
  /** Positions of records; 0: none. */
  #first = 0
  #last = 0
  /** Errors that MuJoCo threw, by the position of the record. */
  readonly #causes = new Map<number, unknown>()

  /** @param unwind gives back the stack that a call left behind when an error passed through it */
  constructor(integers: () => Int32Array, stepper: Stepper, unwind: () => void) {
    this.#integers = integers
    this.#stepper = stepper
    this.#unwind = unwind
  }

  /** @param record position in `integers` */
  submit(record: number, frames: number): void {
    const memory = this.#integers()
    // A record is in the list once: a step that already waits is made first.
    if (memory[record + WORLD.result] === WAITING) this.run()
    memory[record + WORLD.result] = WAITING
    memory[record + WORLD.frames] = frames
    memory[record + WORLD.next] = 0
    if (this.#first === 0) this.#first = record
    else memory[this.#last + WORLD.next] = record * Int32Array.BYTES_PER_ELEMENT
    this.#last = record
  }

  /** Makes every step that was submitted. */
  run(): void {
    let record = this.#first
    this.#first = 0
    while (record !== 0) {
      try {
        this.#stepper.advanceAll(record * Int32Array.BYTES_PER_ELEMENT)
        return
      } catch (cause) {
        this.#unwind()
        record = this.#unfinished(record)
        this.#causes.set(record, cause)
        record = this.#next(record)
      }
    }
  }

  /**
   * The result of a step that `run` made: 0, or 1 + the index of the warning that describes what went bad.
   * @throws what MuJoCo threw in that step
   */
  result(record: number): number {
    const result = this.#integers()[record + WORLD.result]
    if (result !== WORLD_RESULT.unfinished) return result
    const cause = this.#causes.get(record)
    this.#causes.delete(record)
    throw cause
  }

  /** The record, from the given one on, whose step was broken off. */
  #unfinished(record: number): number {
    while (this.#integers()[record + WORLD.result] !== WORLD_RESULT.unfinished) record = this.#next(record)
    return record
  }

  #next(record: number): number {
    return this.#integers()[record + WORLD.next] / Int32Array.BYTES_PER_ELEMENT
  }
}
