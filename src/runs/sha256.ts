import { createHash } from 'node:crypto'
import { HatrpoError } from '../errors.js'

export function sha256(data: Uint8Array | string): string {
  return createHash('sha256').update(data).digest('hex')
}

/** Index of the first value that is NaN or infinite, -1 when there is none. */
export function firstNonFinite(values: Float32Array | Float64Array): number {
  // `findIndex` would make an object of every number.
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return i
  return -1
}

/**
 * Identifier of a trained result: SHA-256 of all parameters.
 *
 * @param vectors one per network: actors in agent order, then critics
 * @throws HatrpoError for a value that is not finite: engines differ in the bits of a NaN
 */
export function parametersSha256(vectors: readonly Float32Array[]): string {
  const hash = createHash('sha256')
  vectors.forEach((vector, network) => {
    const at = firstNonFinite(vector)
    if (at >= 0)
      throw new HatrpoError(`parameter ${at} of network ${network} is ${vector[at]}: it must be finite`)
    hash.update(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength))
  })
  return hash.digest('hex')
}
