import { closeSync, existsSync, fsyncSync, openSync, readFileSync } from 'node:fs'
import { writeAll } from '../files.js'
import { reading, replaceFile, writing } from './disk.js'
import type { IterationRecord } from './types.js'

/** The first lines of a metrics file that are whole and belong to iterations up to `lastIteration`, and their end. */
function readUpTo(
  path: string,
  lastIteration: number,
): { records: IterationRecord[]; text: string; all: string } {
  const all = reading(path, () => readFileSync(path, 'utf8'))
  const records: IterationRecord[] = []
  let end = 0
  for (;;) {
    const newline = all.indexOf('\n', end)
    const record = newline < 0 ? undefined : parseRecord(all.slice(end, newline))
    if (!record || record.iteration > lastIteration) return { records, text: all.slice(0, end), all }
    records.push(record)
    end = newline + 1
  }
}

/** The record in a line of metrics.jsonl; undefined for a line that is torn or damaged. */
export function parseRecord(line: string): IterationRecord | undefined {
  try {
    const record = JSON.parse(line) as IterationRecord
    return Number.isInteger(record.iteration) ? record : undefined
  } catch {
    return undefined
  }
}

/** Reads metrics.jsonl, leaving out a last line that is still being written or was torn. */
export function readMetrics(path: string): IterationRecord[] {
  return readUpTo(path, Infinity).records
}

/** metrics.jsonl: one line of JSON per iteration, appended. */
export class MetricsLog {
  readonly path: string
  readonly #fd: number

  /** @param lastIteration lines of later iterations, and torn ones, are removed */
  constructor(path: string, lastIteration: number) {
    this.path = path
    if (existsSync(path)) {
      const { text, all } = readUpTo(path, lastIteration)
      if (text !== all) replaceFile(path, text)
    }
    this.#fd = writing(path, () => openSync(path, 'a'))
  }

  append(record: IterationRecord): void {
    const line = Buffer.from(`${JSON.stringify(record)}\n`)
    writing(this.path, () => writeAll(this.#fd, line))
  }

  /** Waits until all lines are on the disk. */
  sync(): void {
    writing(this.path, () => fsyncSync(this.#fd))
  }

  close(): void {
    closeSync(this.#fd)
  }
}
