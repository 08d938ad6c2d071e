import { crc32c } from './crc32c.js'
import { PolicyError } from './error.js'
import { SECTION } from './info.js'

/**
 * Custom section at the end of a policy module, with two CRC-32C as u32, little-endian: of all bytes before the section,
 * and of the memory of a new instance. The second is for hosts that get a compiled module and never see its bytes.
 */
export const SEAL = `${SECTION}.crc32c`
const NAME = new TextEncoder().encode(SEAL)
const SUMS_BYTES = 8
/** Custom section, its length, and the length of its name; both lengths take one byte. */
const HEAD = Uint8Array.of(0, 1 + NAME.length + SUMS_BYTES, NAME.length, ...NAME)

/**
 * Appends the section to a module.
 * @param memory content of the memory of a new instance
 */
export function seal(module: Uint8Array, memory: Uint8Array): Uint8Array<ArrayBuffer> {
  const sealed = new Uint8Array(module.length + HEAD.length + SUMS_BYTES)
  sealed.set(module)
  sealed.set(HEAD, module.length)
  const sums = new DataView(sealed.buffer, module.length + HEAD.length)
  sums.setUint32(0, crc32c(module), true)
  sums.setUint32(4, crc32c(memory), true)
  return sealed
}

/**
 * Compares the bytes of a module with its checksum.
 * @returns whether it has one; modules of earlier versions have none
 */
export function assertIntactBytes(source: BufferSource): boolean {
  const bytes = ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source)
  const end = bytes.length - HEAD.length - SUMS_BYTES
  if (end < 0 || HEAD.some((byte, i) => bytes[end + i] !== byte)) return false
  const sums = new DataView(bytes.buffer, bytes.byteOffset + end + HEAD.length)
  if (crc32c(bytes.subarray(0, end)) !== sums.getUint32(0, true)) throw damaged('bytes')
  return true
}

/** Refuses a module whose description names a checksum that is missing. */
export function assertSealed(sealed: boolean): void {
  if (!sealed) throw new PolicyError(`the module is damaged: its section ${SEAL} is not at its end`)
}

/** Compares the memory of a new instance with its module's checksum. @returns whether it has one */
export function assertIntactMemory(module: WebAssembly.Module, { buffer }: WebAssembly.Memory): boolean {
  const [sums] = WebAssembly.Module.customSections(module, SEAL)
  if (sums === undefined || sums.byteLength !== SUMS_BYTES) return false
  if (crc32c(new Uint8Array(buffer)) !== new DataView(sums).getUint32(4, true)) throw damaged('weights')
  return true
}

function damaged(what: string): PolicyError {
  return new PolicyError(
    `the module is damaged: its ${what} differ from their checksum; copy or export it again`,
  )
}
