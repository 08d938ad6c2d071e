/** Numbers shared by TypeScript and the kernels. scripts/cuda.mjs writes the kernels' copies. */

/** Most blocks of a launch whose blocks leave partial sums. No result depends on the GPU: these are constants. */
export const BLOCKS = { rows: 264, vectors: 64, solve: 64 } as const

/** Rows that a block takes together, where they are not steps of time. */
export const PASS_ROWS = 32
/** Least number of chunks that a block takes together, so that products of one step of each have some rows. */
const PASS_CHUNKS = 4

/** Rows of a pass: whole chunks. */
export function passRows(chunk: number): number {
  return chunk * Math.max(PASS_CHUNKS, Math.floor(PASS_ROWS / chunk))
}

/** State of a solve, in numbers of 8 bytes: three and one more partial sums per block, then a record per iteration. */
export const SOLVE = {
  gains: 3 * BLOCKS.solve,
  iterations: 4 * BLOCKS.solve,
  /** r'r and r'M r, f64 each, and whether the iteration takes place, i32. */
  record: { squared: 0, isOpen: 2, length: 3 },
} as const
