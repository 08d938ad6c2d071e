/** Wire types of the protobuf encoding. */
export const VARINT = 0
export const FIXED64 = 1
const BYTES = 2
export const FIXED32 = 5

export function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  bytes.push(rest)
  return Buffer.from(bytes)
}

export function field(number: number, wireType: number, payload: Buffer): Buffer {
  return Buffer.concat([varint(number * 8 + wireType), payload])
}

export function bytesField(number: number, content: Buffer | string): Buffer {
  const payload = Buffer.from(content as string)
  return field(number, BYTES, Buffer.concat([varint(payload.length), payload]))
}

/** Field of a 64-bit number. */
export function double(number: number, value: number): Buffer {
  const buffer = Buffer.alloc(8)
  buffer.writeDoubleLE(value)
  return field(number, FIXED64, buffer)
}

/** Field of a whole number, an enumeration or a boolean. */
export function integer(number: number, value: number): Buffer {
  return field(number, VARINT, varint(value))
}
