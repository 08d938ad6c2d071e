import { createHash } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs'
import { join } from 'node:path'
import { HatrpoError } from '../errors.js'
import { makeFolders, syncFolder, writeAll } from '../files.js'
import { writing } from './disk.js'

/** Size to which a file of the log grows before the next one begins. */
const FILE_BYTES = 16 * 1024 * 1024
const SUM_BYTES = 32
const ENDING = '.records'

/**
 * Records of equal length in files of a folder, numbered from 0, that are appended and never changed. Each has its SHA-256
 * behind it. A checkpoint that names a number of records finds them again after any later end of the process: what
 * follows them is removed when the log is opened at that number.
 */
export class RecordLog {
  readonly #dir: string
  readonly #bytes: number
  readonly #perFile: number
  readonly #assertHeld: () => void
  #count: number
  #open: { readonly file: number; readonly fd: number } | undefined

  /**
   * @param length of a record, f32
   * @param count records that stay; later ones are removed
   * @param assertHeld throws where the folder is another process's by now
   */
  constructor(dir: string, length: number, count: number, assertHeld: () => void) {
    this.#dir = dir
    this.#bytes = 4 * length + SUM_BYTES
    this.#perFile = Math.max(1, Math.floor(FILE_BYTES / this.#bytes))
    this.#assertHeld = assertHeld
    this.#count = count
    writing(dir, () => {
      makeFolders(dir)
      const last = Math.floor(count / this.#perFile)
      for (const file of this.#files()) if (file > last) rmSync(this.#path(file))
      const end = (count % this.#perFile) * this.#bytes
      const path = this.#path(last)
      if (existsSync(path) && statSync(path).size > end) truncateSync(path, end)
    })
  }

  /** Number of records so far. */
  get count(): number {
    return this.#count
  }

  append(record: Float32Array): void {
    this.#assertHeld()
    const file = Math.floor(this.#count / this.#perFile)
    const path = this.#path(file)
    writing(path, () => {
      if (this.#open?.file !== file) {
        this.sync()
        this.close()
        this.#open = { file, fd: openSync(path, 'a') }
      }
      const bytes = bytesOf(record)
      const sum = createHash('sha256').update(bytes).digest()
      writeAll(this.#open.fd, Buffer.concat([bytes, sum]))
    })
    this.#count++
  }

  /** Waits until all records are on the disk. */
  sync(): void {
    const { fd } = this.#open ?? {}
    if (fd === undefined) return
    writing(this.#dir, () => {
      fsyncSync(fd)
      syncFolder(this.#dir)
    })
  }

  /** @throws HatrpoError for a record that is missing, torn or changed */
  read(number: number): Float32Array {
    const path = this.#path(Math.floor(number / this.#perFile))
    const fail = (reason: string) =>
      new HatrpoError(
        `${path} is damaged: record ${number} is ${reason}: the run cannot be resumed without it`,
      )
    if (!existsSync(path)) throw fail('missing')
    const bytes = new Uint8Array(this.#bytes)
    const fd = openSync(path, 'r')
    try {
      const found = readSync(fd, bytes, 0, this.#bytes, (number % this.#perFile) * this.#bytes)
      if (found < this.#bytes) throw fail('torn')
    } finally {
      closeSync(fd)
    }
    const record = bytes.slice(0, this.#bytes - SUM_BYTES)
    const sum = createHash('sha256').update(record).digest()
    if (!sum.equals(bytes.subarray(record.length))) throw fail('changed')
    return new Float32Array(record.buffer)
  }

  /** Deletes the files whose records all have numbers below `first`. */
  forget(first: number): void {
    const kept = Math.floor(first / this.#perFile)
    for (const file of this.#files()) if (file < kept) rmSync(this.#path(file))
  }

  close(): void {
    if (this.#open) closeSync(this.#open.fd)
    this.#open = undefined
  }

  #files(): number[] {
    return readdirSync(this.#dir)
      .filter((name) => name.endsWith(ENDING))
      .map((name) => Number(name.slice(0, -ENDING.length)))
  }

  #path(file: number): string {
    return join(this.#dir, `${String(file).padStart(6, '0')}${ENDING}`)
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}
