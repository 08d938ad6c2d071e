import { crc32 } from 'node:zlib'
import { HatrpoError } from '../errors.js'

/** An array as NumPy stores it, in the order of C. */
export interface NpyArray {
  readonly values: Float32Array | Float64Array | Int32Array | Uint8Array
  readonly shape: readonly number[]
  /** Whether the bytes are false and true. */
  readonly logical?: boolean
}

const NPY_MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]
const NPY_ALIGNMENT = 64
/** ZIP signatures, and the version that a reader must support. */
const LOCAL = 0x04034b50
const CENTRAL = 0x02014b50
const END = 0x06054b50
const VERSION = 20
/** Names are UTF-8. */
const FLAGS = 0x0800
/** 1 January 1980: the same arrays give the same bytes. */
const DATE = 0x0021
const LARGEST = 0xffffffff

/**
 * A file that `numpy.load` reads, not compressed.
 * @param arrays by name; a text becomes a NumPy string
 * @throws HatrpoError beyond the 4 GiB that the format holds
 */
export function encodeNpz(arrays: ReadonlyMap<string, NpyArray | string>): Uint8Array {
  const files = Array.from(arrays, ([name, array]) => ({
    name: new TextEncoder().encode(`${name}.npy`),
    bytes: typeof array === 'string' ? encodeText(array) : encodeArray(array),
  }))
  const local = files.map(({ name, bytes }) => header(LOCAL, name, bytes, 0))
  const places: number[] = []
  let at = 0
  files.forEach(({ bytes }, i) => {
    places.push(at)
    at += local[i].length + bytes.length
  })
  const central = files.map(({ name, bytes }, i) => header(CENTRAL, name, bytes, places[i]))
  const directory = central.reduce((size, { length }) => size + length, 0)
  if (at + directory > LARGEST)
    throw new HatrpoError(
      `the arrays have ${at} bytes: a .npz file holds at most 4 GiB: write .jsonl, or fewer episodes`,
    )
  const end = new DataView(new ArrayBuffer(22))
  end.setUint32(0, END, true)
  end.setUint16(8, files.length, true)
  end.setUint16(10, files.length, true)
  end.setUint32(12, directory, true)
  end.setUint32(16, at, true)
  return join([...files.flatMap(({ bytes }, i) => [local[i], bytes]), ...central, new Uint8Array(end.buffer)])
}

/** A ZIP header of a stored file, in front of the file or in the directory at the end. */
function header(
  kind: typeof LOCAL | typeof CENTRAL,
  name: Uint8Array,
  bytes: Uint8Array,
  place: number,
): Uint8Array {
  const inDirectory = kind === CENTRAL
  const size = inDirectory ? 46 : 30
  const out = new Uint8Array(size + name.length)
  const view = new DataView(out.buffer)
  view.setUint32(0, kind, true)
  if (inDirectory) view.setUint16(4, VERSION, true)
  const common = inDirectory ? 6 : 4
  const shared = [VERSION, FLAGS, 0, 0, DATE]
  shared.forEach((value, i) => view.setUint16(common + 2 * i, value, true))
  view.setUint32(common + 10, crc32(bytes), true)
  view.setUint32(common + 14, bytes.length, true)
  view.setUint32(common + 18, bytes.length, true)
  view.setUint16(common + 22, name.length, true)
  if (inDirectory) view.setUint32(42, place, true)
  out.set(name, size)
  return out
}

function encodeArray({ values, shape, logical = false }: NpyArray): Uint8Array {
  const type = logical ? '|b1' : typeOf(values)
  return encodeNpy(type, shape, new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
}

function typeOf(values: NpyArray['values']): string {
  if (values instanceof Float32Array) return '<f4'
  if (values instanceof Float64Array) return '<f8'
  return values instanceof Int32Array ? '<i4' : '|u1'
}

/** A string of no dimensions, in UTF-32. */
function encodeText(text: string): Uint8Array {
  const letters = Uint32Array.from(text, (letter) => letter.codePointAt(0)!)
  return encodeNpy(`<U${letters.length}`, [], new Uint8Array(letters.buffer))
}

function encodeNpy(type: string, shape: readonly number[], content: Uint8Array): Uint8Array {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ')
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': (${sizes}), }`
  const begun = NPY_MAGIC.length + 2 + text.length + 1
  const padded = `${text}${' '.repeat((NPY_ALIGNMENT - (begun % NPY_ALIGNMENT)) % NPY_ALIGNMENT)}\n`
  return join([
    Uint8Array.from(NPY_MAGIC),
    Uint8Array.of(padded.length & 255, padded.length >> 8),
    new TextEncoder().encode(padded),
    content,
  ])
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((size, { length }) => size + length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}
