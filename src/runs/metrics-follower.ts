import { fstatSync, readSync } from 'node:fs'
import { parseRecord } from './metrics.js'
import type { IterationRecord } from './types.js'

/** Bytes that one call reads at most: a long file is read in several calls. */
const CHUNK = 4 * 1024 * 1024
/** Bytes before the position of reading that identify the file's content. */
const TAIL = 512

/** Lines that were added since the last call. */
export interface NewRecords {
  readonly records: readonly IterationRecord[]
  /** Whether lines that were read before are gone, as after a resume: `records` begins with the file's first line. */
  readonly restarted: boolean
  /** Whether the file holds more whole lines than one call reads. */
  readonly more: boolean
}

/**
 * Reads a metrics.jsonl that grows. Each call reads from where the last one ended; a last line without its newline is left
 * for a later call. A file that was cut or rewritten, as a resume does, is read again from its start.
 */
export class MetricsFollower {
  readonly #chunk: number
  #offset = 0
  /** The last bytes before `#offset`. */
  #tail = Buffer.alloc(0)
  /** Set if a complete line is not a record. */
  #damaged = false

  /** @param chunk bytes that one call reads at most; no line is longer */
  constructor(chunk = CHUNK) {
    this.#chunk = chunk
  }

  /** Whether reading ended at a line that is not a record. */
  get damaged(): boolean {
    return this.#damaged
  }

  /** @param file descriptor of the file, which the caller closes */
  read(file: number): NewRecords {
    const { size } = fstatSync(file)
    const restarted = this.#offset > 0 && !this.#continues(file, size)
    if (restarted) {
      this.#offset = 0
      this.#tail = Buffer.alloc(0)
    }
    // A torn line may have been completed or replaced since.
    this.#damaged = false
    const bytes = Buffer.allocUnsafe(Math.min(this.#chunk, size - this.#offset))
    const length = readSync(file, bytes, 0, bytes.length, this.#offset)
    const end = bytes.subarray(0, length).lastIndexOf(10) + 1
    // A line longer than a chunk is none that a run wrote.
    if (end === 0 && length === this.#chunk) this.#damaged = true
    const records = this.#take(bytes.subarray(0, end))
    return { records, restarted, more: !this.#damaged && end > 0 && length === this.#chunk }
  }

  /** Whether the file still has the content that was read. */
  #continues(file: number, size: number): boolean {
    if (size < this.#offset) return false
    const now = Buffer.alloc(this.#tail.length)
    readSync(file, now, 0, now.length, this.#offset - now.length)
    return now.equals(this.#tail)
  }

  /** @param bytes whole lines */
  #take(bytes: Buffer): IterationRecord[] {
    const records: IterationRecord[] = []
    let start = 0
    while (start < bytes.length && !this.#damaged) {
      const end = bytes.indexOf(10, start) + 1
      const record = parseRecord(bytes.toString('utf8', start, end - 1))
      if (record && isWhole(record)) {
        records.push(record)
        start = end
      } else this.#damaged = true
    }
    this.#offset += start
    this.#tail = Buffer.concat([this.#tail, bytes.subarray(Math.max(0, start - TAIL), start)]).subarray(-TAIL)
    return records
  }
}

/** Whether a record has the parts that every run writes; a file may be of something else. */
function isWhole({ agents, critic, time, faults }: Partial<IterationRecord>): boolean {
  return (
    Array.isArray(agents) && [critic, time, faults].every((part) => typeof part === 'object' && part !== null)
  )
}
