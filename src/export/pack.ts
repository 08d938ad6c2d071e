import { POLICY_PANEL } from '../kernels/index.js'

const { wide, narrow, narrowUntil } = POLICY_PANEL

// The panels that n columns are cut into, as assembly/matvec.ts does.
function panels(n: number): { first: number; width: number }[] {
  const result: { first: number; width: number }[] = []
  for (let first = 0; first < n;) {
    const width = n - first > narrowUntil ? wide : narrow
    result.push({ first, width })
    first += width
  }
  return result
}

/** Columns of n outputs with the padding of their last panel. */
export function paddedColumns(n: number): number {
  return panels(n).reduce((total, { width }) => total + width, 0)
}

/**
 * A Linear weight [n, k] as panels of 16 and 8 columns for assembly/matvec.ts: each panel holds, for k ascending, the
 * weights of its outputs side by side. Padding is zeros.
 * @returns f32 [paddedColumns(n) * k]
 */
export function packPanels(weight: Float32Array, n: number, k: number): Float32Array {
  const out = new Float32Array(paddedColumns(n) * k)
  for (const { first, width } of panels(n)) {
    for (let i = 0; i < k; i++) {
      for (let j = 0; j < width && first + j < n; j++) {
        out[first * k + i * width + j] = weight[(first + j) * k + i]!
      }
    }
  }
  return out
}
