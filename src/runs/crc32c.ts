import { crc32c } from '../runtime/crc32c.js'

/** The CRC as TFRecord files store it, so that a file of records within a record does not check as its own. */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes)
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}
