/** Numbers shared by TypeScript and the kernels. scripts/cuda.mjs generates the kernels' copies. */

/** Maximum number of blocks of a launch with partial sums. Constants, so that results do not depend on the GPU. */
export const BLOCKS = { rows: 264, vectors: 64, solve: 64 } as const

/** Rows that a block processes together, in programs without chunks of time. */
export const PASS_ROWS = 32
/** Minimum number of chunks that a block processes together, so that products of one step have several rows. */
const PASS_CHUNKS = 4

/** Rows of a pass: whole chunks. */
export function passRows(chunk: number): number {
  return chunk * Math.max(PASS_CHUNKS, Math.floor(PASS_ROWS / chunk))
}

/** State of a solve, in 8-byte numbers: four partial sums per block, then one record per iteration. */
export const SOLVE = {
  gains: 3 * BLOCKS.solve,
  iterations: 4 * BLOCKS.solve,
  /** f64 r'r and r'M r, and an i32 flag for whether the iteration is executed. */
  record: { squared: 0, isOpen: 2, length: 3 },
} as const
