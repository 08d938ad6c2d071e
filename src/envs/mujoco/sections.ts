/** The magic number and the version that a WebAssembly binary begins with. */
const HEADER_BYTES = 8
const MAGIC = '\0asm'
const CUSTOM_SECTION = 0

/**
 * A WebAssembly binary without the sections of its debug information, which are 40 % of MuJoCo's. Engines keep a
 * module's bytes for as long as the module. The names of functions remain, for profiles and stack traces.
 */
export function withoutDebugInformation(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  // Other content, such as a page in place of a file that is not there, is for the compiler to refuse.
  if (String.fromCharCode(...bytes.subarray(0, MAGIC.length)) !== MAGIC) return bytes
  const kept = new Uint8Array(bytes.length)
  let length = 0
  const keep = (from: number, to: number) => {
    kept.set(bytes.subarray(from, to), length)
    length += to - from
  }
  keep(0, HEADER_BYTES)
  for (let at = HEADER_BYTES; at < bytes.length;) {
    const size = readUnsigned(bytes, at + 1)
    const end = size.end + size.value
    const name = bytes[at] === CUSTOM_SECTION ? readUnsigned(bytes, size.end) : undefined
    const label = name && new TextDecoder().decode(bytes.subarray(name.end, name.end + name.value))
    if (label?.startsWith('.debug_') !== true) keep(at, end)
    at = end
  }
  return kept.subarray(0, length)
}

/** An unsigned LEB128 number, and the position after it. */
function readUnsigned(bytes: Uint8Array, at: number): { value: number; end: number } {
  let value = 0
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++]
    value += (byte & 0x7f) * (1 << shift)
    if (byte < 0x80) return { value, end: at }
  }
}
