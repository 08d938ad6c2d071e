import { HatrpoError } from '../../errors.js'

/** Results of the driver's functions. */
export const RESULT = { success: 0, invalidValue: 1, outOfMemory: 2, noDevice: 100 } as const

/** Causes of an error, by ranges of its number (cuda.h, CUresult). */
const CAUSES: readonly { readonly from: number; readonly to: number; readonly cause: string }[] = [
  { from: 2, to: 2, cause: 'out of GPU memory' },
  { from: 3, to: 3, cause: 'the driver is shutting down' },
  { from: 46, to: 46, cause: 'the GPU is in use by other processes, or not available' },
  { from: 100, to: 101, cause: 'no GPU' },
  { from: 200, to: 222, cause: 'the kernels do not fit the GPU or its driver' },
  { from: 214, to: 214, cause: 'the GPU found an error in its memory that it cannot correct' },
  { from: 700, to: 719, cause: 'the GPU has stopped, and all that was in its memory is lost' },
  { from: 802, to: 804, cause: 'the parts of the driver do not fit each other' },
]

/** The line of an error of the driver. */
export function driverError(what: string, code: number, name: string): HatrpoError {
  const causes = CAUSES.filter(({ from, to }) => code >= from && code <= to)
  const cause = causes.at(-1)?.cause ?? 'the driver failed'
  return new HatrpoError(
    `device cuda: ${cause} (${what}: ${name}, error ${code}); a run continues from its last checkpoint by hatrpo train --resume DIR, also with another --device`,
  )
}

const megabytes = (bytes: number) => `${Math.ceil(bytes / 0x100000)} MB`

/** The line of an allocation that failed. */
export function memoryError(
  bytes: number,
  { free, total }: { readonly free: number; readonly total: number },
): HatrpoError {
  return new HatrpoError(
    `device cuda: out of GPU memory: ${megabytes(bytes)} more are needed, ${megabytes(free)} of ${megabytes(total)} are free; fewer envs or rolloutSteps need less, and another --device needs none`,
  )
}
