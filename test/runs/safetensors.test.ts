import assert from 'node:assert/strict'
import test from 'node:test'
import { decodeSafetensors, encodeSafetensors, type Tensor } from '../../src/runs/safetensors.js'
import { saying } from './fixtures.js'

const tensors: Record<string, Tensor> = {
  bytes: { shape: [3], data: Uint8Array.of(1, 0, 255) },
  matrix: { shape: [2, 2], data: Float32Array.of(1, -0, 1e-45, 3.4e38) },
  wide: { shape: [2], data: Float64Array.of(Math.PI, -Number.MAX_VALUE) },
  whole: { shape: [1], data: Int32Array.of(-2147483648) },
  natural: { shape: [1, 1], data: Uint32Array.of(4294967295) },
  nothing: { shape: [0, 4], data: new Float32Array(0) },
  scalar: { shape: [], data: Float32Array.of(0.1) },
}

/** A file with any header, sound or not. */
function file(header: unknown, data: number[] = [], length?: bigint): Uint8Array {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header))
  const size = Buffer.alloc(8)
  size.writeBigUInt64LE(length ?? BigInt(text.length))
  return Buffer.concat([size, text, Buffer.from(data)])
}

test('tensors are restored with the same bits, shapes and types', () => {
  const decoded = decodeSafetensors(encodeSafetensors(tensors, { made: 'by a test' }), 'x')
  assert.deepEqual(decoded.metadata, { made: 'by a test' })
  assert.deepEqual(Object.keys(decoded.tensors).sort(), Object.keys(tensors).sort())
  for (const [name, { shape, data }] of Object.entries(tensors)) {
    assert.deepEqual(decoded.tensors[name].shape, shape)
    assert.deepStrictEqual(decoded.tensors[name].data, data)
  }
})

test('tensors read from a slice of a larger Buffer are copies', () => {
  const encoded = encodeSafetensors(tensors)
  const pool = Buffer.alloc(encoded.length + 16)
  pool.set(encoded, 8)
  const decoded = decodeSafetensors(pool.subarray(8, 8 + encoded.length), 'x').tensors
  pool.fill(255)
  for (const [name, { data }] of Object.entries(tensors)) assert.deepStrictEqual(decoded[name].data, data)
})

test('the bytes are the format: length, JSON header, aligned little-endian data without gaps', () => {
  const bytes = encodeSafetensors({
    b: { shape: [1], data: Uint8Array.of(7) },
    a: { shape: [1], data: Float32Array.of(1) },
  })
  const view = new DataView(bytes.buffer)
  const length = Number(view.getBigUint64(0, true))
  assert.equal((8 + length) % 8, 0)
  const header = JSON.parse(Buffer.from(bytes.subarray(8, 8 + length)).toString()) as unknown
  assert.deepEqual(header, {
    a: { dtype: 'F32', shape: [1], data_offsets: [0, 4] },
    b: { dtype: 'U8', shape: [1], data_offsets: [4, 5] },
  })
  assert.deepEqual([...bytes.subarray(8 + length)], [0, 0, 0x80, 0x3f, 7])
})

test('a view into a larger buffer is written without its surroundings', () => {
  const data = Float32Array.of(9, 1, 2, 9).subarray(1, 3)
  const decoded = decodeSafetensors(encodeSafetensors({ v: { shape: [2], data } }), 'x')
  assert.deepEqual([...decoded.tensors.v.data], [1, 2])
})

test('the same tensors give the same bytes in any order of names', () => {
  const reversed = Object.fromEntries(Object.entries(tensors).reverse())
  assert.deepEqual(encodeSafetensors(reversed), encodeSafetensors(tensors))
})

test('a shape that does not fit its data, and a reserved name, cannot be written', () => {
  const data = Float32Array.of(1, 2)
  assert.throws(
    () => encodeSafetensors({ v: { shape: [3], data } }),
    saying('v has shape [3] but 2 elements'),
  )
  assert.throws(() => encodeSafetensors({ __metadata__: { shape: [2], data } }), saying('__metadata__'))
})

test('damaged headers are refused with the reason', () => {
  const f32 = { dtype: 'F32', shape: [1], data_offsets: [0, 4] }
  const bad: [Uint8Array, string][] = [
    [Uint8Array.of(1, 2, 3), 'fewer than a header'],
    [file('{}', [], 99n), 'claims 99 bytes'],
    [file('{}', [], 2n ** 63n), 'claims 9223372036854775808 bytes'],
    [file('[]'), 'not a JSON object'],
    [file('{"a":'), 'not a JSON object'],
    [file(' {}'), 'not a JSON object'],
    [file({ a: null }), '"a" is malformed'],
    [file({ a: { ...f32, dtype: 'F16' } }, [0, 0]), '"a" is malformed'],
    [file({ a: { ...f32, dtype: 'toString' } }, [0, 0]), '"a" is malformed'],
    [file({ a: { ...f32, shape: [-1] } }, [0, 0, 0, 0]), '"a" is malformed'],
    [file({ a: { ...f32, data_offsets: [0] } }, [0, 0, 0, 0]), '"a" is malformed'],
    [file({ a: { ...f32, shape: [2] } }, [0, 0, 0, 0]), 'has shape [2] but 4 bytes'],
    [file({ a: { ...f32, data_offsets: [4, 8] } }, [0, 0, 0, 0, 0, 0, 0, 0]), 'does not start where'],
    [file({ a: f32, b: f32 }, [0, 0, 0, 0]), 'does not start where'],
    [file({ a: f32 }, [0, 0]), 'cut off in "a"'],
    [file({ a: f32 }, [0, 0, 0, 0, 0]), '1 bytes follow'],
    [file({ __metadata__: { n: 1 }, a: f32 }, [0, 0, 0, 0]), 'metadata'],
  ]
  for (const [bytes, reason] of bad)
    assert.throws(() => decodeSafetensors(bytes, 'weights.st'), saying('weights.st', reason), reason)
})

test('a file truncated at any byte is refused', () => {
  const bytes = encodeSafetensors(tensors)
  for (let length = 0; length < bytes.length; length++)
    assert.throws(
      () => decodeSafetensors(bytes.subarray(0, length), 'x'),
      saying('x is not a valid safetensors file'),
    )
})
