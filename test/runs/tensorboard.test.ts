import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import test from 'node:test'
import { join } from 'node:path'
import { maskedCrc32c } from '../../src/runs/crc32c.js'
import { crc32c } from '../../src/runtime/crc32c.js'
import { TensorBoardWriter } from '../../src/runs/tensorboard.js'
import { temporaryDirectory, testConfig } from './fixtures.js'

/** CRC-32C bit by bit, with the polynomial's terms in the order they are written on paper. */
function slowCrc32c(bytes: Uint8Array): number {
  const reflect = (value: number, bits: number) =>
    parseInt(value.toString(2).padStart(bits, '0').split('').reverse().join(''), 2)
  let crc = 0xffffffffn
  for (const byte of bytes) {
    crc ^= BigInt(reflect(byte, 8)) << 24n
    for (let bit = 0; bit < 8; bit++)
      crc = crc & 0x80000000n ? ((crc << 1n) ^ 0x11edc6f41n) & 0xffffffffn : crc << 1n
  }
  return reflect(Number(crc ^ 0xffffffffn), 32)
}

type Fields = Map<number, (number | bigint | Buffer)[]>

/** Decodes a protobuf message into its fields; nested messages stay bytes. */
function decodeMessage(bytes: Buffer): Fields {
  const fields: Fields = new Map()
  let at = 0
  const varint = () => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return value
    }
  }
  while (at < bytes.length) {
    const key = Number(varint())
    let value: number | bigint | Buffer
    if (key % 8 === 0) value = varint()
    else if (key % 8 === 1) value = bytes.readDoubleLE((at += 8) - 8)
    else if (key % 8 === 5) value = bytes.readFloatLE((at += 4) - 4)
    else {
      assert.equal(key % 8, 2)
      const length = Number(varint())
      value = bytes.subarray(at, (at += length))
    }
    fields.set(key >> 3, [...(fields.get(key >> 3) ?? []), value])
  }
  assert.equal(at, bytes.length)
  return fields
}

/** The events of a file; every frame and both of its checksums are checked. */
function decodeEvents(file: Buffer): Fields[] {
  const masked = (bytes: Buffer) => {
    const crc = BigInt(slowCrc32c(bytes))
    return Number((((crc >> 15n) | (crc << 17n)) + 0xa282ead8n) & 0xffffffffn)
  }
  const events: Fields[] = []
  for (let at = 0; at < file.length;) {
    const length = Number(file.readBigUInt64LE(at))
    assert.equal(file.readUInt32LE(at + 8), masked(file.subarray(at, at + 8)))
    const data = file.subarray(at + 12, at + 12 + length)
    assert.equal(data.length, length)
    assert.equal(file.readUInt32LE(at + 12 + length), masked(data))
    events.push(decodeMessage(data))
    at += length + 16
  }
  return events
}

function scalarsOf(event: Fields): Record<string, number> {
  const summary = decodeMessage(event.get(5)![0] as Buffer)
  return Object.fromEntries(
    summary.get(1)!.map((bytes) => {
      const value = decodeMessage(bytes as Buffer)
      return [(value.get(1)![0] as Buffer).toString(), value.get(2)![0] as number]
    }),
  )
}

test('CRC-32C gives the published check values', () => {
  // RFC 3720, B.4, and the check value of CRC catalogues.
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa)
  assert.equal(crc32c(new Uint8Array(32).fill(255)), 0x62a8ab43)
  assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e)
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283)
  assert.equal(slowCrc32c(Buffer.from('123456789')), 0xe3069283)
  // The mask of TFRecord is a rotation by 15 and an addition, modulo 2^32.
  assert.equal(maskedCrc32c(Buffer.from('123456789')), 0xc78ab0e5)
})

test('an event file holds the version and the scalars at their steps', (t) => {
  const dir = temporaryDirectory(t)
  const before = Date.now() / 1000
  const writer = new TensorBoardWriter(dir)
  const manySteps = 10_000_000_000
  writer.scalars(4000, { 'return/training': 12.5, 'agent_0/klUsed': 0.0078125 })
  writer.scalars(manySteps, { 'return/training': -1e30, missing: undefined, 'not/finite': NaN, none: null })
  writer.scalars(manySteps + 1, { none: null })
  writer.close()

  const [name, ...others] = readdirSync(dir)
  assert.deepEqual(others, [])
  assert.match(name, /^events\.out\.tfevents\.\d{10}\./)
  const events = decodeEvents(readFileSync(join(dir, name)))
  assert.equal(events.length, 3)
  for (const event of events) {
    const wallTime = event.get(1)![0] as number
    assert.ok(wallTime >= before && wallTime <= Date.now() / 1000)
  }
  assert.equal((events[0].get(3)![0] as Buffer).toString(), 'brain.Event:2')
  assert.equal(events[1].get(2)![0], 4000n)
  assert.deepEqual(scalarsOf(events[1]), { 'return/training': 12.5, 'agent_0/klUsed': 0.0078125 })
  assert.equal(events[2].get(2)![0], BigInt(manySteps))
  assert.deepEqual(scalarsOf(events[2]), { 'return/training': Math.fround(-1e30) })
})

test('a continued writer records the step from which earlier files are invalid', (t) => {
  const dir = temporaryDirectory(t)
  const writer = new TensorBoardWriter(dir, 8001)
  writer.close()
  const events = decodeEvents(readFileSync(writer.path))
  assert.equal(events.length, 2)
  assert.equal(events[1].get(2)![0], 8001n)
  // SessionLog.status = START
  assert.deepEqual([...decodeMessage(events[1].get(7)![0] as Buffer)], [[1, [1n]]])
})

test('settings of a run are written for the hparams plugin, with the scalars to compare runs', (t) => {
  const writer = new TensorBoardWriter(temporaryDirectory(t))
  const config = testConfig('seed=3')
  writer.begin({ config, metrics: ['return/evaluation'] })
  writer.end()
  writer.close()
  const message = (bytes: unknown) => decodeMessage(bytes as Buffer)
  const contents = decodeEvents(readFileSync(writer.path))
    .slice(1)
    .map((event) => {
      assert.equal(event.get(2)![0], 0n)
      const value = message(message(event.get(5)![0]).get(1)![0])
      const plugin = message(message(value.get(9)![0]).get(1)![0])
      assert.equal(String(plugin.get(1)![0]), 'hparams')
      return [String(value.get(1)![0]), message(plugin.get(2)![0])] as const
    })
  assert.deepEqual(
    contents.map(([tag]) => tag),
    ['experiment', 'session_start_info', 'session_end_info'].map((name) => `_hparams_/${name}`),
  )
  const [experiment, start, end] = contents.map(([, data], i) => message(data.get(i + 2)![0]))
  const types = new Map(
    experiment.get(4)!.map((info) => {
      const { 0: name, 1: type } = [1, 4].map((field) => message(info).get(field)![0])
      return [String(name), type]
    }),
  )
  assert.deepEqual(
    experiment.get(5)!.map((info) => String(message(message(info).get(1)![0]).get(2)![0])),
    ['return/evaluation'],
  )
  const values = Object.fromEntries(
    start.get(1)!.map((entry) => {
      const { 0: name, 1: value } = [1, 2].map((field) => message(entry).get(field)![0])
      const [[field, [content]]] = message(value)
      // Numbers, texts and truth values have the types 3, 1 and 2, and separate fields.
      assert.deepEqual(types.get(String(name)), { 2: 3n, 3: 1n, 4: 2n }[field])
      return [String(name), field === 3 ? String(content) : content]
    }),
  )
  assert.deepEqual([...types.keys()], Object.keys(values))
  assert.equal(values['env.id'], 'mamujoco/HalfCheetah-2x3')
  assert.equal(values['seed'], 3)
  assert.equal(values['trustRegion.delta'], config.trustRegion.delta)
  assert.equal(values['actor.hidden'], JSON.stringify(config.actor.hidden))
  assert.equal(values['actor.sharing'], 'own')
  assert.equal(values['critic.valueNorm'], 1n)
  assert.equal(end.get(1)![0], 1n)
})
