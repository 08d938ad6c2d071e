import { HatrpoError } from '../errors.js'

/** The array kinds that a file of tensors can hold. */
export type TensorArray = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array

export interface Tensor {
  readonly shape: readonly number[]
  /** Row-major; its length is the product of `shape`. */
  readonly data: TensorArray
}

export interface TensorFile {
  readonly tensors: Record<string, Tensor>
  readonly metadata: Record<string, string>
}

const kinds = {
  F32: Float32Array,
  F64: Float64Array,
  I32: Int32Array,
  U32: Uint32Array,
  U8: Uint8Array,
} as const

type Dtype = keyof typeof kinds

const METADATA = '__metadata__'
/** The format's own bound, which keeps a damaged length from asking for gigabytes. */
const MAX_HEADER_BYTES = 100_000_000

function dtypeOf(data: TensorArray): Dtype {
  for (const dtype of Object.keys(kinds) as Dtype[]) if (data instanceof kinds[dtype]) return dtype
  throw new HatrpoError(`safetensors cannot hold a ${(data as object).constructor.name}`)
}

function elements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1)
}

/**
 * Writes tensors in the safetensors format (header length as u64, JSON header, data, all little-endian).
 * Wider types come first and the header is padded, so that every tensor starts on a multiple of its element size.
 *
 * @throws HatrpoError when a shape does not fit its data
 */
export function encodeSafetensors(
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const entries = Object.entries(tensors).map(([name, { shape, data }]) => {
    if (name === METADATA) throw new HatrpoError(`safetensors: a tensor cannot be called ${METADATA}`)
    if (elements(shape) !== data.length)
      throw new HatrpoError(`safetensors: ${name} has shape [${shape.join()}] but ${data.length} elements`)
    return { name, shape, data, dtype: dtypeOf(data) }
  })
  entries.sort((a, b) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT || (a.name < b.name ? -1 : 1))

  const header = new Map<string, unknown>()
  if (Object.keys(metadata).length > 0) header.set(METADATA, metadata)
  let end = 0
  for (const { name, shape, data, dtype } of entries) {
    header.set(name, { dtype, shape, data_offsets: [end, end + data.byteLength] })
    end += data.byteLength
  }
  let text = JSON.stringify(Object.fromEntries(header))
  const unpadded = Buffer.byteLength(text)
  text += ' '.repeat((8 - (unpadded % 8)) % 8)

  const head = Buffer.from(text)
  const out = new Uint8Array(8 + head.length + end)
  new DataView(out.buffer).setBigUint64(0, BigInt(head.length), true)
  out.set(head, 8)
  let offset = 8 + head.length
  for (const { data } of entries) {
    out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset)
    offset += data.byteLength
  }
  return out
}

interface HeaderEntry {
  dtype: Dtype
  shape: number[]
  data_offsets: [number, number]
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isHeaderEntry(value: unknown): value is HeaderEntry {
  if (typeof value !== 'object' || value === null) return false
  const { dtype, shape, data_offsets: offsets } = value as Partial<Record<keyof HeaderEntry, unknown>>
  return (
    typeof dtype === 'string' &&
    Object.hasOwn(kinds, dtype) &&
    Array.isArray(shape) &&
    shape.every(isCount) &&
    Array.isArray(offsets) &&
    offsets.length === 2 &&
    offsets.every(isCount)
  )
}

/** Reads and checks the header. @returns its entries, and where the data starts */
function decodeHeader(bytes: Uint8Array, fail: (reason: string) => never) {
  if (bytes.length < 8) fail(`it has ${bytes.length} bytes, fewer than a header`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const size = view.getBigUint64(0, true)
  if (size > BigInt(Math.min(MAX_HEADER_BYTES, bytes.length - 8)))
    fail(`its header claims ${size} bytes of the file's ${bytes.length}`)
  const start = 8 + Number(size)
  const text = new TextDecoder('utf-8').decode(bytes.subarray(8, start))
  let header: unknown
  try {
    header = text.startsWith('{') ? JSON.parse(text) : undefined
  } catch {
    header = undefined
  }
  if (typeof header !== 'object' || header === null) fail('its header is not a JSON object')
  return { header: header as Record<string, unknown>, start }
}

function decodeMetadata(value: unknown, fail: (reason: string) => never): Record<string, string> {
  if (value === undefined) return {}
  if (
    typeof value !== 'object' ||
    value === null ||
    !Object.values(value).every((v) => typeof v === 'string')
  )
    fail('its metadata is not an object of texts')
  return value as Record<string, string>
}

/**
 * Reads a safetensors file whole. Every tensor is a copy.
 *
 * @param bytes the file
 * @param name how an error calls it
 * @throws HatrpoError when the header is damaged, a type is unknown, or the tensors do not fill the data exactly
 */
export function decodeSafetensors(bytes: Uint8Array, name: string): TensorFile {
  const fail = (reason: string): never => {
    throw new HatrpoError(`${name} is not a valid safetensors file: ${reason}`)
  }
  const { header, start } = decodeHeader(bytes, fail)
  const metadata = decodeMetadata(header[METADATA], fail)
  const entries: [string, HeaderEntry][] = []
  for (const [key, entry] of Object.entries(header)) {
    if (key === METADATA) continue
    if (!isHeaderEntry(entry)) return fail(`its entry ${JSON.stringify(key)} is malformed`)
    entries.push([key, entry])
  }
  entries.sort(
    (a, b) => a[1].data_offsets[0] - b[1].data_offsets[0] || a[1].data_offsets[1] - b[1].data_offsets[1],
  )

  const tensors: Record<string, Tensor> = Object.create(null) as Record<string, Tensor>
  let end = 0
  for (const [key, { dtype, shape, data_offsets: offsets }] of entries) {
    const Kind = kinds[dtype]
    if (offsets[0] !== end || offsets[1] < end)
      fail(`${JSON.stringify(key)} does not start where the one before it ends`)
    end = offsets[1]
    if (end - offsets[0] !== elements(shape) * Kind.BYTES_PER_ELEMENT)
      fail(`${JSON.stringify(key)} has shape [${shape.join()}] but ${end - offsets[0]} bytes`)
    if (start + end > bytes.length) fail(`it is cut off in ${JSON.stringify(key)}`)
    // A copy, also of a Buffer, whose own `slice` would be a view.
    const copy = new Uint8Array(bytes.subarray(start + offsets[0], start + end))
    tensors[key] = { shape, data: new Kind(copy.buffer) }
  }
  if (start + end !== bytes.length) fail(`${bytes.length - start - end} bytes follow its last tensor`)
  return { tensors, metadata }
}
