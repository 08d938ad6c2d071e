import { closeSync, openSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { maskedCrc32c } from './crc32c.js'
import { writeAll } from '../files.js'
import { writing } from './disk.js'
import { hparamsOf, outcomeOf, type PluginSummary, type Session } from './hparams.js'
import { bytesField, double, field, FIXED32, VARINT, varint } from './protobuf.js'

/** Fields of tensorflow.Event, Summary, Summary.Value and SessionLog (tensorboard/compat/proto). */
const EVENT = { wallTime: 1, step: 2, fileVersion: 3, summary: 5, sessionLog: 7 }
const SUMMARY = { value: 1 }
const VALUE = { tag: 1, simpleValue: 2, metadata: 9 }
const METADATA = { pluginData: 1 }
const PLUGIN_DATA = { name: 1, content: 2 }
const SESSION = { status: 1, START: 1 }

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
  return Buffer.concat([double(EVENT.wallTime, wallTime), field(EVENT.step, VARINT, varint(step)), content])
}

/** A TFRecord: length, masked CRC of the length, data, masked CRC of the data. */
function record(data: Buffer): Buffer {
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(data.length))
  return Buffer.concat([length, uint32(maskedCrc32c(length)), data, uint32(maskedCrc32c(data))])
}

/**
 * Writes scalars to a TensorBoard event file (TFRecord frames around protobuf messages). Each writer has a separate
 * file. A writer that continues after a checkpoint makes TensorBoard discard later steps of earlier files in the
 * folder.
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

  /** Writes the settings of a run for the hparams plugin. */
  begin(session: Omit<Session, 'seconds'>): void {
    this.#summaries(hparamsOf({ ...session, seconds: Date.now() / 1000 }))
  }

  /** Tells the hparams plugin that a run has made its last iteration. */
  end(): void {
    this.#summaries(outcomeOf(Date.now() / 1000))
  }

  close(): void {
    closeSync(this.#fd)
  }

  #summaries(summaries: readonly PluginSummary[]): void {
    for (const { tag, plugin, content } of summaries) {
      const data = Buffer.concat([
        bytesField(PLUGIN_DATA.name, plugin),
        bytesField(PLUGIN_DATA.content, content),
      ])
      const metadata = bytesField(VALUE.metadata, bytesField(METADATA.pluginData, data))
      const value = bytesField(SUMMARY.value, Buffer.concat([bytesField(VALUE.tag, tag), metadata]))
      this.#append(record(event(Date.now() / 1000, 0, bytesField(EVENT.summary, value))))
    }
  }

  #append(data: Buffer): void {
    writing(this.path, () => writeAll(this.#fd, data))
  }
}
