// Matrix products for dense layers, f32, row-major.
//
// Every output element is a single sum over ascending k that starts from 0; the bias (or the previous content of the
// output) is added last. Full tiles and remainders use the same order, so the result of a row does not depend on the
// other rows of the call (row invariance).

import { PANEL } from './generated/layout'

/** Number of rows multiplied by one panel in turn, so that rows and panel stay in the first-level cache. */
const ROW_GROUP: i32 = 64

/** The product overwrites the output. */
export const STORE: i32 = 0
/** The product is added to the output. */
export const ACCUMULATE: i32 = 1

/** Size in bytes of [n, k] packed into panels of 8 columns, the last panel padded with zeros. */
export function packedBytes(n: i32, k: i32): i32 {
  return ((n + PANEL - 1) / PANEL) * PANEL * k * 4
}

/** Packs w [n, k] (a torch Linear weight) for y = x w^T: panel p holds k rows of columns 8p .. 8p+7. */
export function packTransposed(w: usize, n: i32, k: i32, out: usize): void {
  for (let first = 0; first < n; first += PANEL) {
    const width = min(PANEL, n - first)
    for (let i = 0; i < k; i++) {
      for (let j = 0; j < PANEL; j++) {
        const value = j < width ? load<f32>(w + ((((first + j) * k + i) as usize) << 2)) : <f32>0
        store<f32>(out, value)
        out += 4
      }
    }
  }
}

/** Packs w [k, n] for y = x w, as in the product of an output gradient with a Linear weight. */
export function packPlain(w: usize, k: i32, n: i32, out: usize): void {
  for (let first = 0; first < n; first += PANEL) {
    const width = min(PANEL, n - first)
    for (let i = 0; i < k; i++) {
      for (let j = 0; j < PANEL; j++) {
        const value = j < width ? load<f32>(w + (((i * n + first + j) as usize) << 2)) : <f32>0
        store<f32>(out, value)
        out += 4
      }
    }
  }
}

// Stores the first `width` of eight sums.
function storeTail(y: usize, width: i32, low: v128, high: v128, mode: i32): void {
  for (let j = 0; j < width; j++) {
    const lane = j & 3
    const from = j < 4 ? low : high
    const sum =
      lane == 0
        ? f32x4.extract_lane(from, 0)
        : lane == 1
          ? f32x4.extract_lane(from, 1)
          : lane == 2
            ? f32x4.extract_lane(from, 2)
            : f32x4.extract_lane(from, 3)
    store<f32>(y, mode == ACCUMULATE ? load<f32>(y) + sum : sum)
    y += 4
  }
}

function finish(y: usize, width: i32, low: v128, high: v128, bias: usize, mode: i32): void {
  if (width == PANEL) {
    if (bias != 0) {
      low = f32x4.add(low, v128.load(bias))
      high = f32x4.add(high, v128.load(bias, 16))
    }
    if (mode == ACCUMULATE) {
      low = f32x4.add(v128.load(y), low)
      high = f32x4.add(v128.load(y, 16), high)
    }
    v128.store(y, low)
    v128.store(y, high, 16)
    return
  }
  if (bias != 0) {
    // Reads past the end of the bias stay within the slack of the arena; their lanes are not stored.
    low = f32x4.add(low, v128.load(bias))
    high = f32x4.add(high, v128.load(bias, 16))
  }
  storeTail(y, width, low, high, mode)
}

// Four rows times one panel.
function tile4(
  x: usize,
  xStride: usize,
  k: i32,
  panel: usize,
  y: usize,
  yStride: usize,
  width: i32,
  bias: usize,
  mode: i32,
): void {
  let x0 = x
  let x1 = x + xStride
  let x2 = x1 + xStride
  let x3 = x2 + xStride
  let a0 = f32x4.splat(0)
  let b0 = f32x4.splat(0)
  let a1 = f32x4.splat(0)
  let b1 = f32x4.splat(0)
  let a2 = f32x4.splat(0)
  let b2 = f32x4.splat(0)
  let a3 = f32x4.splat(0)
  let b3 = f32x4.splat(0)
  let i = 0
  for (; i + 2 <= k; i += 2) {
    let wa = v128.load(panel)
    let wb = v128.load(panel, 16)
    let v = v128.load_splat<f32>(x0)
    a0 = f32x4.add(a0, f32x4.mul(v, wa))
    b0 = f32x4.add(b0, f32x4.mul(v, wb))
    v = v128.load_splat<f32>(x1)
    a1 = f32x4.add(a1, f32x4.mul(v, wa))
    b1 = f32x4.add(b1, f32x4.mul(v, wb))
    v = v128.load_splat<f32>(x2)
    a2 = f32x4.add(a2, f32x4.mul(v, wa))
    b2 = f32x4.add(b2, f32x4.mul(v, wb))
    v = v128.load_splat<f32>(x3)
    a3 = f32x4.add(a3, f32x4.mul(v, wa))
    b3 = f32x4.add(b3, f32x4.mul(v, wb))
    wa = v128.load(panel, 32)
    wb = v128.load(panel, 48)
    v = v128.load_splat<f32>(x0, 4)
    a0 = f32x4.add(a0, f32x4.mul(v, wa))
    b0 = f32x4.add(b0, f32x4.mul(v, wb))
    v = v128.load_splat<f32>(x1, 4)
    a1 = f32x4.add(a1, f32x4.mul(v, wa))
    b1 = f32x4.add(b1, f32x4.mul(v, wb))
    v = v128.load_splat<f32>(x2, 4)
    a2 = f32x4.add(a2, f32x4.mul(v, wa))
    b2 = f32x4.add(b2, f32x4.mul(v, wb))
    v = v128.load_splat<f32>(x3, 4)
    a3 = f32x4.add(a3, f32x4.mul(v, wa))
    b3 = f32x4.add(b3, f32x4.mul(v, wb))
    panel += 64
    x0 += 8
    x1 += 8
    x2 += 8
    x3 += 8
  }
  if (i < k) {
    const wa = v128.load(panel)
    const wb = v128.load(panel, 16)
    let v = v128.load_splat<f32>(x0)
    a0 = f32x4.add(a0, f32x4.mul(v, wa))
    b0 = f32x4.add(b0, f32x4.mul(v, wb))
    v = v128.load_splat<f32>(x1)
    a1 = f32x4.add(a1, f32x4.mul(v, wa))
    b1 = f32x4.add(b1, f32x4.mul(v, wb))
    v = v128.load_splat<f32>(x2)
    a2 = f32x4.add(a2, f32x4.mul(v, wa))
    b2 = f32x4.add(b2, f32x4.mul(v, wb))
    v = v128.load_splat<f32>(x3)
    a3 = f32x4.add(a3, f32x4.mul(v, wa))
    b3 = f32x4.add(b3, f32x4.mul(v, wb))
  }
  finish(y, width, a0, b0, bias, mode)
  finish(y + yStride, width, a1, b1, bias, mode)
  finish(y + 2 * yStride, width, a2, b2, bias, mode)
  finish(y + 3 * yStride, width, a3, b3, bias, mode)
}

// One row times one panel.
function tile1(x: usize, k: i32, panel: usize, y: usize, width: i32, bias: usize, mode: i32): void {
  let a = f32x4.splat(0)
  let b = f32x4.splat(0)
  for (let i = 0; i < k; i++) {
    const v = v128.load_splat<f32>(x)
    a = f32x4.add(a, f32x4.mul(v, v128.load(panel)))
    b = f32x4.add(b, f32x4.mul(v, v128.load(panel, 16)))
    x += 4
    panel += 32
  }
  finish(y, width, a, b, bias, mode)
}

/**
 * y[r, 0..n) = x[r, 0..k) times a packed matrix (+ bias), for rows `from` <= r < `to`.
 * @param packed panels from `packTransposed` or `packPlain`
 * @param bias f32 [n], or 0 for none
 * @param mode STORE or ACCUMULATE (y += ...)
 */
export function gemm(
  x: usize,
  k: i32,
  packed: usize,
  bias: usize,
  y: usize,
  n: i32,
  from: i32,
  to: i32,
  mode: i32,
): void {
  const xStride = (k as usize) << 2
  const yStride = (n as usize) << 2
  const panelBytes = ((PANEL * k) as usize) << 2
  for (let group = from; group < to; group += ROW_GROUP) {
    const groupEnd = min(group + ROW_GROUP, to)
    let panel = packed
    for (let first = 0; first < n; first += PANEL) {
      const width = min(PANEL, n - first)
      const panelBias: usize = bias == 0 ? 0 : bias + ((first as usize) << 2)
      let xRow = x + (group as usize) * xStride
      let yRow = y + (group as usize) * yStride + ((first as usize) << 2)
      let r = group
      for (; r + 4 <= groupEnd; r += 4) {
        tile4(xRow, xStride, k, panel, yRow, yStride, width, panelBias, mode)
        xRow += 4 * xStride
        yRow += 4 * yStride
      }
      for (; r < groupEnd; r++) {
        tile1(xRow, k, panel, yRow, width, panelBias, mode)
        xRow += xStride
        yRow += yStride
      }
      panel += panelBytes
    }
  }
}

/**
 * out[n, k] = sum over rows `from` <= r < `to`, ascending, of gy[r, n] x[r, k]: the weight gradient of y = x w^T.
 * Loads may extend up to 28 bytes past the end of a row; those lanes are not stored.
 * @param mode STORE or ACCUMULATE (out += ...)
 */
export function gemmOuter(
  x: usize,
  k: i32,
  gy: usize,
  n: i32,
  from: i32,
  to: i32,
  out: usize,
  mode: i32,
): void {
  const xStride = (k as usize) << 2
  const gStride = (n as usize) << 2
  const xFirst = x + (from as usize) * xStride
  const gFirst = gy + (from as usize) * gStride
  const rows = to - from
  for (let first = 0; first < k; first += PANEL) {
    const width = min(PANEL, k - first)
    const xPanel = xFirst + ((first as usize) << 2)
    let row = 0
    for (; row + 4 <= n; row += 4) {
      let xp = xPanel
      let gp = gFirst + ((row as usize) << 2)
      let a0 = f32x4.splat(0)
      let b0 = f32x4.splat(0)
      let a1 = f32x4.splat(0)
      let b1 = f32x4.splat(0)
      let a2 = f32x4.splat(0)
      let b2 = f32x4.splat(0)
      let a3 = f32x4.splat(0)
      let b3 = f32x4.splat(0)
      for (let r = 0; r < rows; r++) {
        const xa = v128.load(xp)
        const xb = v128.load(xp, 16)
        let g = v128.load_splat<f32>(gp)
        a0 = f32x4.add(a0, f32x4.mul(g, xa))
        b0 = f32x4.add(b0, f32x4.mul(g, xb))
        g = v128.load_splat<f32>(gp, 4)
        a1 = f32x4.add(a1, f32x4.mul(g, xa))
        b1 = f32x4.add(b1, f32x4.mul(g, xb))
        g = v128.load_splat<f32>(gp, 8)
        a2 = f32x4.add(a2, f32x4.mul(g, xa))
        b2 = f32x4.add(b2, f32x4.mul(g, xb))
        g = v128.load_splat<f32>(gp, 12)
        a3 = f32x4.add(a3, f32x4.mul(g, xa))
        b3 = f32x4.add(b3, f32x4.mul(g, xb))
        xp += xStride
        gp += gStride
      }
      const at = out + (((row * k + first) as usize) << 2)
      finish(at, width, a0, b0, 0, mode)
      finish(at + xStride, width, a1, b1, 0, mode)
      finish(at + 2 * xStride, width, a2, b2, 0, mode)
      finish(at + 3 * xStride, width, a3, b3, 0, mode)
    }
    for (; row < n; row++) {
      let xp = xPanel
      let gp = gFirst + ((row as usize) << 2)
      let a = f32x4.splat(0)
      let b = f32x4.splat(0)
      for (let r = 0; r < rows; r++) {
        const g = v128.load_splat<f32>(gp)
        a = f32x4.add(a, f32x4.mul(g, v128.load(xp)))
        b = f32x4.add(b, f32x4.mul(g, v128.load(xp, 16)))
        xp += xStride
        gp += gStride
      }
      finish(out + (((row * k + first) as usize) << 2), width, a, b, 0, mode)
    }
  }
}

/**
 * out[j] = sum over rows `from` <= r < `to`, ascending, of g[r, j]: the bias gradient.
 * @param mode STORE or ACCUMULATE (out += ...)
 */
export function columnSums(g: usize, n: i32, from: i32, to: i32, out: usize, mode: i32): void {
  const stride = (n as usize) << 2
  let j = 0
  for (; j < n; j += 4) {
    let at = g + (from as usize) * stride + ((j as usize) << 2)
    let sum = f32x4.splat(0)
    for (let r = from; r < to; r++) {
      sum = f32x4.add(sum, v128.load(at))
      at += stride
    }
    storeTail(out + ((j as usize) << 2), min(4, n - j), sum, sum, mode)
  }
}
