import { HatrpoError } from '../../errors.js'

/** Return codes of the driver's functions. */
export const RESULT = { success: 0, invalidValue: 1, outOfMemory: 2, noDevice: 100 } as const

/** Causes of errors, by ranges of the error code (cuda.h, CUresult). */
const CAUSES: readonly { readonly from: number; readonly to: number; readonly cause: string }[] = [
  { from: 2, to: 2, cause: 'out of GPU memory' },
  { from: 3, to: 3, cause: 'the driver is shutting down' },
  { from: 46, to: 46, cause: 'the GPU is in use by other processes, or not available' },
  { from: 100, to: 101, cause: 'no GPU' },
  { from: 200, to: 222, cause: 'the kernels are incompatible with the GPU or its driver' },
  { from: 214, to: 214, cause: 'the GPU found an uncorrectable error in its memory' },
  { from: 700, to: 719, cause: 'the GPU has stopped, and the contents of its memory are lost' },
  { from: 802, to: 804, cause: 'the parts of the driver are incompatible with each other' },
]

/** Error of one line for a failed call of the driver. */
export function driverError(what: string, code: number, name: string): HatrpoError {
  const causes = CAUSES.filter(({ from, to }) => code >= from && code <= to)
  const cause = causes.at(-1)?.cause ?? 'the driver failed'
  return new HatrpoError(
    `device cuda: ${cause} (${what}: ${name}, error ${code}); hatrpo train --resume DIR continues a run from its last checkpoint, also with another --device`,
  )
}

const megabytes = (bytes: number) => `${Math.ceil(bytes / 0x100000)} MB`

/** Error of one line for a failed allocation. */
export function memoryError(
  bytes: number,
  { free, total }: { readonly free: number; readonly total: number },
): HatrpoError {
  return new HatrpoError(
    `device cuda: out of GPU memory: ${megabytes(bytes)} more are needed, ${megabytes(free)} of ${megabytes(total)} are free; fewer envs or rolloutSteps need less, and another --device needs none`,
  )
}
