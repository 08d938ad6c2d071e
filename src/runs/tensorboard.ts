import { closeSync, openSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { maskedCrc32c } from './crc32c.js'
import { writeAll, writing } from './disk.js'

/** Protobuf wire types. */
const VARINT = 0
const FIXED64 = 1
const BYTES = 2
const FIXED32 = 5

/** Fields of tensorflow.Event, Summary, Summary.Value and SessionLog (tensorboard/compat/proto). */
const EVENT = { wallTime: 1, step: 2, fileVersion: 3, summary: 5, sessionLog: 7 }
const SUMMARY = { value: 1 }
const VALUE = { tag: 1, simpleValue: 2 }
const SESSION = { status: 1, START: 1 }

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  bytes.push(rest)
  return Buffer.from(bytes)
}

function field(number: number, wireType: number, payload: Buffer): Buffer {
  return Buffer.concat([varint(number * 8 + wireType), payload])
}

function bytesField(number: number, content: Buffer | string): Buffer {
  const payload = Buffer.from(content as string)
  return field(number, BYTES, Buffer.concat([varint(payload.length), payload]))
}

function float64(value: number): Buffer {
  const buffer = Buffer.alloc(8)
  buffer.writeDoubleLE(value)
  return buffer
}

function float32(value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeFloatLE(value)
  return buffer
}

function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32LE(value)
  return buffer
}

/** An event of `step` at `wallTime` seconds since 1970. */
function event(wallTime: number, step: number, content: Buffer): Buffer {
  return Buffer.concat([
    field(EVENT.wallTime, FIXED64, float64(wallTime)),
    field(EVENT.step, VARINT, varint(step)),
    content,
  ])
}

/** A TFRecord: length, masked CRC of the length, data, masked CRC of the data. */
function record(data: Buffer): Buffer {
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(data.length))
  return Buffer.concat([length, uint32(maskedCrc32c(length)), data, uint32(maskedCrc32c(data))])
}

/**
 * Writes scalars to an event file that TensorBoard reads (TFRecord frames around protobuf messages).
 * Each writer has a file of its own; one that continues after a checkpoint tells TensorBoard to forget later steps
 * that an earlier file of the folder holds.
 */
export class TensorBoardWriter {
  readonly path: string
  readonly #fd: number

  /** @param firstStep steps from this one on in earlier files are void; undefined for a new run */
  constructor(dir: string, firstStep?: number) {
    const now = Date.now()
    const seconds = String(Math.floor(now / 1000)).padStart(10, '0')
    this.path = join(dir, `events.out.tfevents.${seconds}.${hostname()}.${process.pid}.${now % 1000}`)
    this.#fd = writing(this.path, () => openSync(this.path, 'a'))
    const records = [record(event(now / 1000, 0, bytesField(EVENT.fileVersion, 'brain.Event:2')))]
    if (firstStep !== undefined) {
      const start = field(SESSION.status, VARINT, varint(SESSION.START))
      records.push(record(event(now / 1000, firstStep, bytesField(EVENT.sessionLog, start))))
    }
    this.#append(Buffer.concat(records))
  }

  /** Adds one event with all `scalars`; values that are not finite are left out. */
  scalars(step: number, scalars: Readonly<Record<string, number | null | undefined>>): void {
    const values = Object.entries(scalars)
      .filter(([, value]) => Number.isFinite(value))
      .map(([tag, value]) =>
        bytesField(
          SUMMARY.value,
          Buffer.concat([bytesField(VALUE.tag, tag), field(VALUE.simpleValue, FIXED32, float32(value!))]),
        ),
      )
    if (values.length === 0) return
    const summary = bytesField(EVENT.summary, Buffer.concat(values))
    this.#append(record(event(Date.now() / 1000, step, summary)))
  }

  close(): void {
    closeSync(this.#fd)
  }

  #append(data: Buffer): void {
    writing(this.path, () => writeAll(this.#fd, data))
  }
}
