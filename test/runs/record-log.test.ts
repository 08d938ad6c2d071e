import assert from 'node:assert/strict'
import { appendFileSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { RecordLog } from '../../src/runs/record-log.js'
import { temporaryDirectory } from './fixtures.js'

/** Two records fill a file. */
const LENGTH = 2 * 1024 * 1024 - 8
const record = (number: number, length = LENGTH) => new Float32Array(length).fill(number)
const held = () => {}

function filled(dir: string, count: number, length = LENGTH): RecordLog {
  const log = new RecordLog(dir, length, 0, held)
  for (let i = 0; i < count; i++) log.append(record(i, length))
  log.sync()
  return log
}

test('records are read as they were appended, over several files, and old files are deleted', (t) => {
  const dir = join(temporaryDirectory(t), 'log')
  const log = filled(dir, 5)
  assert.equal(log.count, 5)
  assert.deepEqual(readdirSync(dir).sort(), ['000000.records', '000001.records', '000002.records'])
  for (const number of [0, 3, 4]) assert.deepEqual(log.read(number), record(number))
  log.forget(3)
  assert.deepEqual(readdirSync(dir).sort(), ['000001.records', '000002.records'])
  log.append(record(5))
  assert.deepEqual(log.read(5), record(5))
  log.close()
})

test('a log opened at a number drops later records, torn or whole, and continues there', (t) => {
  const dir = temporaryDirectory(t)
  filled(dir, 40, 10).close()
  const [file] = readdirSync(dir)
  appendFileSync(join(dir, file), 'torn')
  const log = new RecordLog(dir, 10, 30, held)
  log.append(record(99, 10))
  log.close()
  const again = new RecordLog(dir, 10, 31, held)
  assert.deepEqual(again.read(29), record(29, 10))
  assert.deepEqual(again.read(30), record(99, 10))
  assert.throws(() => again.read(31), /record 31 is torn: the run cannot be resumed without it$/)
})

test('a missing, torn or changed record is named', (t) => {
  const dir = temporaryDirectory(t)
  filled(dir, 3, 10).close()
  const path = join(dir, readdirSync(dir)[0])
  const bytes = readFileSync(path)
  bytes[80] ^= 1
  writeFileSync(path, bytes)
  const log = new RecordLog(dir, 10, 3, held)
  assert.deepEqual(log.read(0), record(0, 10))
  assert.throws(() => log.read(1), /^HatrpoError: .*000000\.records is damaged: record 1 is changed/)
  truncateSync(path, bytes.length - 1)
  assert.throws(() => log.read(2), /record 2 is torn/)
  log.forget(1e9)
  assert.throws(() => log.read(0), /record 0 is missing/)
})

test('no record is appended to a folder taken over by another process', (t) => {
  const log = new RecordLog(temporaryDirectory(t), 10, 0, () => {
    throw new Error('taken over')
  })
  assert.throws(() => log.append(record(0, 10)), /taken over/)
  assert.equal(log.count, 0)
})
