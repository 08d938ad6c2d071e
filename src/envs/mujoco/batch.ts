/** The exports of assembly/stepper.ts. */
export interface Stepper {
  /** Steps a list of worlds, given by the address of the first one's record. */
  advanceAll(first: number): void
}

/** Positions in a world's record of 32-bit integers in MuJoCo's memory; assembly/stepper.ts has the same list. */
export const RECORD = {
  next: 0,
  result: 1,
  model: 2,
  data: 3,
  frames: 4,
  mjStep: 5,
  after: 6,
  warnings: 7,
  warningCount: 8,
  qpos: 9,
  nq: 10,
  qvel: 11,
  nv: 12,
} as const
export const RECORD_LENGTH = Object.keys(RECORD).length

/** Results of a step that has not come to its end, and of one that has not begun. */
const UNFINISHED = -1
const WAITING = -2

/**
 * The steps that worlds of one MuJoCo have submitted: all are made in one call, which enters and leaves WebAssembly
 * once, and keeps the code of the physics in the caches.
 */
export class Batch {
  private readonly integers: () => Int32Array
  private readonly stepper: Stepper
  private readonly unwind: () => void
  /** Positions of records; 0: none. */
  private first = 0
  private last = 0
  /** What MuJoCo threw, by the position of the record. */
  private readonly causes = new Map<number, unknown>()

  /** @param unwind gives back the stack that a call left behind when an error passed through it */
  constructor(integers: () => Int32Array, stepper: Stepper, unwind: () => void) {
    this.integers = integers
    this.stepper = stepper
    this.unwind = unwind
  }

  /** @param record position in `integers` */
  submit(record: number, frames: number): void {
    const memory = this.integers()
    // A record stands in the list once: a step that already waits is made first.
    if (memory[record + RECORD.result] === WAITING) this.run()
    memory[record + RECORD.result] = WAITING
    memory[record + RECORD.frames] = frames
    memory[record + RECORD.next] = 0
    if (this.first === 0) this.first = record
    else memory[this.last + RECORD.next] = record * Int32Array.BYTES_PER_ELEMENT
    this.last = record
  }

  /** Makes every step that was submitted. */
  run(): void {
    let record = this.first
    this.first = 0
    while (record !== 0) {
      try {
        this.stepper.advanceAll(record * Int32Array.BYTES_PER_ELEMENT)
        return
      } catch (cause) {
        this.unwind()
        record = this.unfinished(record)
        this.causes.set(record, cause)
        record = this.next(record)
      }
    }
  }

  /**
   * The result of a step that `run` made: 0, or 1 + the index of the warning that describes what went bad.
   * @throws what MuJoCo threw in that step
   */
  result(record: number): number {
    const result = this.integers()[record + RECORD.result]
    if (result !== UNFINISHED) return result
    const cause = this.causes.get(record)
    this.causes.delete(record)
    throw cause
  }

  /** The record, from the given one on, whose step was broken off. */
  private unfinished(record: number): number {
    while (this.integers()[record + RECORD.result] !== UNFINISHED) record = this.next(record)
    return record
  }

  private next(record: number): number {
    return this.integers()[record + RECORD.next] / Int32Array.BYTES_PER_ELEMENT
  }
}
