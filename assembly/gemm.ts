// Matrix products for dense layers, f32, row-major.
//
// Every output element is a single sum over ascending k that starts from 0; the bias (or the previous content of the
// output) is added last. Full tiles and remainders use the same order, so the result of a row does not depend on the
// other rows of the call (row invariance).
//
// Columns are packed in panels: as many of 16 columns as fit, then one of 8, then some of 4, of which the last is padded.
// A tile keeps at most eight sums, so that sums and operands fit in the sixteen vector registers of x86, and is not
// unrolled, because compilers then spill sums to the stack. Vectors are locals and never arguments: engines that join
// vectors into wider ones cannot compile such arguments. The module for these engines is built with WIDE = 1 and has larger
// tiles besides (wide-tiles.ts).

import { PANEL, PANEL_REST } from './generated/layout'
import { WIDE_ROWS, wideOuter, wideTile } from './wide-tiles'

/** Number of rows multiplied by one panel in turn, so that rows and panel stay in the first-level cache. */
const ROW_GROUP: i32 = 64
/** Number of rows of a weight gradient from which on copying the columns of x costs less than it saves. */
const PACKED_LINES: i32 = 16

/** The product overwrites the output. */
export const STORE: i32 = 0
/** The product is added to the output. */
export const ACCUMULATE: i32 = 1

/** Number of columns of the panel that begins where `columns` columns are left. */
function panelWidth(columns: i32): i32 {
  return columns >= PANEL ? PANEL : columns >= 8 ? 8 : PANEL_REST
}

/** Size in bytes of [n, k] packed into panels. */
export function packedBytes(n: i32, k: i32): i32 {
  return ((n + PANEL_REST - 1) / PANEL_REST) * PANEL_REST * k * 4
}

/**
 * Packs w [n, k] (a torch Linear weight) for y = x w^T: a panel holds k rows of its columns. Columns `from` <= j < `to`
 * only, `from` at the start of a panel.
 */
export function packTransposed(w: usize, n: i32, k: i32, out: usize, from: i32, to: i32): void {
  const stride = (k as usize) << 2
  const whole = k & ~3
  out += (from as usize) * stride
  for (let first = from, width = 0; first < to; first += width) {
    width = panelWidth(n - first)
    const row = (width as usize) << 2
    for (let j = 0; j < width; j += 4) {
      const left = n - first - j
      const source = w + ((first + j) as usize) * stride
      let target = out + ((j as usize) << 2)
      let i = 0
      if (left >= 4) {
        let at = source
        for (; i < whole; i += 4) {
          const a = v128.load(at)
          const b = v128.load(at + stride)
          const c = v128.load(at + 2 * stride)
          const d = v128.load(at + 3 * stride)
          const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5)
          const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5)
          const ef = v128.shuffle<f32>(a, b, 2, 6, 3, 7)
          const gh = v128.shuffle<f32>(c, d, 2, 6, 3, 7)
          v128.store(target, v128.shuffle<f64>(ab, cd, 0, 2))
          v128.store(target + row, v128.shuffle<f64>(ab, cd, 1, 3))
          v128.store(target + 2 * row, v128.shuffle<f64>(ef, gh, 0, 2))
          v128.store(target + 3 * row, v128.shuffle<f64>(ef, gh, 1, 3))
          at += 16
          target += 4 * row
        }
      }
      for (; i < k; i++) {
        for (let lane = 0; lane < 4; lane++) {
          const at = source + (lane as usize) * stride + ((i as usize) << 2)
          store<f32>(target + ((lane as usize) << 2), lane < left ? load<f32>(at) : <f32>0)
        }
        target += row
      }
    }
    out += (width as usize) * stride
  }
}

/**
 * Packs w [k, n] for y = x w, as in the product of an output gradient with a Linear weight. Columns `from` <= j < `to`
 * only, `from` at the start of a panel.
 */
export function packPlain(w: usize, k: i32, n: i32, out: usize, from: i32, to: i32): void {
  const stride = (n as usize) << 2
  out += ((from * k) as usize) << 2
  for (let first = from, width = 0; first < to; first += width) {
    width = panelWidth(n - first)
    let source = w + ((first as usize) << 2)
    for (let i = 0; i < k; i++) {
      for (let j = 0; j < width; j += 4) {
        if (first + j + 4 <= n) {
          v128.store(out, v128.load(source + ((j as usize) << 2)))
        } else {
          for (let lane = 0; lane < 4; lane++) {
            const at = source + (((j + lane) as usize) << 2)
            store<f32>(out + ((lane as usize) << 2), first + j + lane < n ? load<f32>(at) : <f32>0)
          }
        }
        out += 16
      }
      source += stride
    }
  }
}

// Two rows times a panel of 16 columns; one row if `pair` is false.
function tile16(
  x: usize,
  xStride: usize,
  pair: bool,
  k: i32,
  panel: usize,
  y: usize,
  yStride: usize,
  bias: usize,
  mode: i32,
): void {
  let x0 = x - 4
  let x1 = pair ? x0 + xStride : x0
  let a0 = f32x4.splat(0)
  let a1 = f32x4.splat(0)
  let a2 = f32x4.splat(0)
  let a3 = f32x4.splat(0)
  let b0 = f32x4.splat(0)
  let b1 = f32x4.splat(0)
  let b2 = f32x4.splat(0)
  let b3 = f32x4.splat(0)
  panel -= 64
  const end = x0 + ((k as usize) << 2)
  while (x0 != end) {
    panel += 64
    x0 += 4
    x1 += 4
    const w0 = v128.load(panel)
    const w1 = v128.load(panel, 16)
    const w2 = v128.load(panel, 32)
    const w3 = v128.load(panel, 48)
    const u = v128.load_splat<f32>(x0)
    a0 = f32x4.add(a0, f32x4.mul(u, w0))
    a1 = f32x4.add(a1, f32x4.mul(u, w1))
    a2 = f32x4.add(a2, f32x4.mul(u, w2))
    a3 = f32x4.add(a3, f32x4.mul(u, w3))
    const v = v128.load_splat<f32>(x1)
    b0 = f32x4.add(b0, f32x4.mul(v, w0))
    b1 = f32x4.add(b1, f32x4.mul(v, w1))
    b2 = f32x4.add(b2, f32x4.mul(v, w2))
    b3 = f32x4.add(b3, f32x4.mul(v, w3))
  }
  if (bias != 0) {
    const w0 = v128.load(bias)
    const w1 = v128.load(bias, 16)
    const w2 = v128.load(bias, 32)
    const w3 = v128.load(bias, 48)
    a0 = f32x4.add(a0, w0)
    a1 = f32x4.add(a1, w1)
    a2 = f32x4.add(a2, w2)
    a3 = f32x4.add(a3, w3)
    b0 = f32x4.add(b0, w0)
    b1 = f32x4.add(b1, w1)
    b2 = f32x4.add(b2, w2)
    b3 = f32x4.add(b3, w3)
  }
  if (mode == ACCUMULATE) {
    a0 = f32x4.add(v128.load(y), a0)
    a1 = f32x4.add(v128.load(y, 16), a1)
    a2 = f32x4.add(v128.load(y, 32), a2)
    a3 = f32x4.add(v128.load(y, 48), a3)
  }
  v128.store(y, a0)
  v128.store(y, a1, 16)
  v128.store(y, a2, 32)
  v128.store(y, a3, 48)
  if (!pair) return
  const z = y + yStride
  if (mode == ACCUMULATE) {
    b0 = f32x4.add(v128.load(z), b0)
    b1 = f32x4.add(v128.load(z, 16), b1)
    b2 = f32x4.add(v128.load(z, 32), b2)
    b3 = f32x4.add(v128.load(z, 48), b3)
  }
  v128.store(z, b0)
  v128.store(z, b1, 16)
  v128.store(z, b2, 32)
  v128.store(z, b3, 48)
}

// Two rows times a panel of 8 columns; one row if `pair` is false.
function tile8(
  x: usize,
  xStride: usize,
  pair: bool,
  k: i32,
  panel: usize,
  y: usize,
  yStride: usize,
  bias: usize,
  mode: i32,
): void {
  let x0 = x
  let x1 = pair ? x + xStride : x
  let a0 = f32x4.splat(0)
  let a1 = f32x4.splat(0)
  let b0 = f32x4.splat(0)
  let b1 = f32x4.splat(0)
  const end = x + ((k as usize) << 2)
  while (x0 != end) {
    const w0 = v128.load(panel)
    const w1 = v128.load(panel, 16)
    const u = v128.load_splat<f32>(x0)
    a0 = f32x4.add(a0, f32x4.mul(u, w0))
    a1 = f32x4.add(a1, f32x4.mul(u, w1))
    const v = v128.load_splat<f32>(x1)
    b0 = f32x4.add(b0, f32x4.mul(v, w0))
    b1 = f32x4.add(b1, f32x4.mul(v, w1))
    panel += 32
    x0 += 4
    x1 += 4
  }
  if (bias != 0) {
    const w0 = v128.load(bias)
    const w1 = v128.load(bias, 16)
    a0 = f32x4.add(a0, w0)
    a1 = f32x4.add(a1, w1)
    b0 = f32x4.add(b0, w0)
    b1 = f32x4.add(b1, w1)
  }
  if (mode == ACCUMULATE) {
    a0 = f32x4.add(v128.load(y), a0)
    a1 = f32x4.add(v128.load(y, 16), a1)
  }
  v128.store(y, a0)
  v128.store(y, a1, 16)
  if (!pair) return
  const z = y + yStride
  if (mode == ACCUMULATE) {
    b0 = f32x4.add(v128.load(z), b0)
    b1 = f32x4.add(v128.load(z, 16), b1)
  }
  v128.store(z, b0)
  v128.store(z, b1, 16)
}

// `rows` rows, one to four, times a panel of which `width` columns, one to four, are stored. Reads past the end of the
// bias stay within the slack of the arena.
function tile4(
  x: usize,
  xStride: usize,
  rows: i32,
  k: i32,
  panel: usize,
  y: usize,
  yStride: usize,
  width: i32,
  bias: usize,
  mode: i32,
): void {
  let x0 = x
  let x1 = rows > 1 ? x + xStride : x
  let x2 = rows > 2 ? x + 2 * xStride : x
  let x3 = rows > 3 ? x + 3 * xStride : x
  let a0 = f32x4.splat(0)
  let a1 = f32x4.splat(0)
  let a2 = f32x4.splat(0)
  let a3 = f32x4.splat(0)
  const end = x + ((k as usize) << 2)
  while (x0 != end) {
    const w = v128.load(panel)
    a0 = f32x4.add(a0, f32x4.mul(v128.load_splat<f32>(x0), w))
    a1 = f32x4.add(a1, f32x4.mul(v128.load_splat<f32>(x1), w))
    a2 = f32x4.add(a2, f32x4.mul(v128.load_splat<f32>(x2), w))
    a3 = f32x4.add(a3, f32x4.mul(v128.load_splat<f32>(x3), w))
    panel += 16
    x0 += 4
    x1 += 4
    x2 += 4
    x3 += 4
  }
  if (bias != 0) {
    const w = v128.load(bias)
    a0 = f32x4.add(a0, w)
    a1 = f32x4.add(a1, w)
    a2 = f32x4.add(a2, w)
    a3 = f32x4.add(a3, w)
  }
  for (let r = 0; r < rows; r++) {
    if (width == 4) {
      v128.store(y, mode == ACCUMULATE ? f32x4.add(v128.load(y), a0) : a0)
    } else {
      for (let j: usize = 0; j < (width as usize) << 2; j += 4) {
        const sum = f32x4.extract_lane(a0, 0)
        store<f32>(y + j, mode == ACCUMULATE ? load<f32>(y + j) + sum : sum)
        a0 = v128.shuffle<f32>(a0, a0, 1, 2, 3, 0)
      }
    }
    a0 = a1
    a1 = a2
    a2 = a3
    y += yStride
  }
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
  const first = from as usize
  gemmRows(x + first * xStride, xStride, k, packed, bias, y + first * yStride, yStride, n, to - from, mode)
}

/**
 * The same for `rows` rows at any distance from one another.
 * @param xStride bytes between rows of x
 * @param yStride bytes between rows of y
 */
export function gemmRows(
  x: usize,
  xStride: usize,
  k: i32,
  packed: usize,
  bias: usize,
  y: usize,
  yStride: usize,
  n: i32,
  rows: i32,
  mode: i32,
): void {
  for (let group = 0; group < rows; group += ROW_GROUP) {
    const groupEnd = min(group + ROW_GROUP, rows)
    let panel = packed
    for (let first = 0, width = 0; first < n; first += width) {
      width = panelWidth(n - first)
      const panelBias: usize = bias == 0 ? 0 : bias + ((first as usize) << 2)
      let xRow = x + (group as usize) * xStride
      let yRow = y + (group as usize) * yStride + ((first as usize) << 2)
      if (width == PANEL_REST) {
        for (let r = group; r < groupEnd; r += 4) {
          const count = min(4, groupEnd - r)
          tile4(xRow, xStride, count, k, panel, yRow, yStride, min(4, n - first), panelBias, mode)
          xRow += 4 * xStride
          yRow += 4 * yStride
        }
      } else {
        let r = group
        for (; WIDE && width == PANEL && r + WIDE_ROWS <= groupEnd; r += WIDE_ROWS) {
          wideTile(xRow, xStride, k, panel, yRow, yStride, panelBias, mode == ACCUMULATE)
          xRow += (WIDE_ROWS as usize) * xStride
          yRow += (WIDE_ROWS as usize) * yStride
        }
        for (; r < groupEnd; r += 2) {
          const pair = r + 1 < groupEnd
          if (width == 8) tile8(xRow, xStride, pair, k, panel, yRow, yStride, panelBias, mode)
          else tile16(xRow, xStride, pair, k, panel, yRow, yStride, panelBias, mode)
          xRow += 2 * xStride
          yRow += 2 * yStride
        }
      }
      panel += ((width * k) as usize) << 2
    }
  }
}

// Sums over `rows` rows of gy[r, 0..2) x[r, 0..16); of one column of gy if `pair` is false.
function outer16(
  x: usize,
  xStride: usize,
  g: usize,
  gStride: usize,
  rows: i32,
  out: usize,
  outStride: usize,
  pair: bool,
  mode: i32,
): void {
  const second = pair ? out + outStride : out
  const step: usize = pair ? 4 : 0
  let a0 = f32x4.splat(0)
  let a1 = f32x4.splat(0)
  let a2 = f32x4.splat(0)
  let a3 = f32x4.splat(0)
  let b0 = f32x4.splat(0)
  let b1 = f32x4.splat(0)
  let b2 = f32x4.splat(0)
  let b3 = f32x4.splat(0)
  x -= xStride
  g -= gStride
  const end = g + (rows as usize) * gStride
  while (g != end) {
    x += xStride
    g += gStride
    const x0 = v128.load(x)
    const x1 = v128.load(x, 16)
    const x2 = v128.load(x, 32)
    const x3 = v128.load(x, 48)
    const u = v128.load_splat<f32>(g)
    a0 = f32x4.add(a0, f32x4.mul(u, x0))
    a1 = f32x4.add(a1, f32x4.mul(u, x1))
    a2 = f32x4.add(a2, f32x4.mul(u, x2))
    a3 = f32x4.add(a3, f32x4.mul(u, x3))
    const v = v128.load_splat<f32>(g + step)
    b0 = f32x4.add(b0, f32x4.mul(v, x0))
    b1 = f32x4.add(b1, f32x4.mul(v, x1))
    b2 = f32x4.add(b2, f32x4.mul(v, x2))
    b3 = f32x4.add(b3, f32x4.mul(v, x3))
  }
  if (pair) {
    if (mode == ACCUMULATE) {
      b0 = f32x4.add(v128.load(second), b0)
      b1 = f32x4.add(v128.load(second, 16), b1)
      b2 = f32x4.add(v128.load(second, 32), b2)
      b3 = f32x4.add(v128.load(second, 48), b3)
    }
    v128.store(second, b0)
    v128.store(second, b1, 16)
    v128.store(second, b2, 32)
    v128.store(second, b3, 48)
  }
  if (mode == ACCUMULATE) {
    a0 = f32x4.add(v128.load(out), a0)
    a1 = f32x4.add(v128.load(out, 16), a1)
    a2 = f32x4.add(v128.load(out, 32), a2)
    a3 = f32x4.add(v128.load(out, 48), a3)
  }
  v128.store(out, a0)
  v128.store(out, a1, 16)
  v128.store(out, a2, 32)
  v128.store(out, a3, 48)
}

// Sums over `rows` rows of gy[r, 0..lines) x[r, 0..width), with one to four lines and columns. Loads of x may extend up
// to 12 bytes past the end of a row.
function outer4(
  x: usize,
  xStride: usize,
  g: usize,
  gStride: usize,
  rows: i32,
  out: usize,
  outStride: usize,
  lines: i32,
  width: i32,
  mode: i32,
): void {
  const step1: usize = lines > 1 ? 4 : 0
  const step2: usize = lines > 2 ? 8 : 0
  const step3: usize = lines > 3 ? 12 : 0
  let a0 = f32x4.splat(0)
  let a1 = f32x4.splat(0)
  let a2 = f32x4.splat(0)
  let a3 = f32x4.splat(0)
  const end = g + (rows as usize) * gStride
  while (g != end) {
    const v = v128.load(x)
    a0 = f32x4.add(a0, f32x4.mul(v128.load_splat<f32>(g), v))
    a1 = f32x4.add(a1, f32x4.mul(v128.load_splat<f32>(g + step1), v))
    a2 = f32x4.add(a2, f32x4.mul(v128.load_splat<f32>(g + step2), v))
    a3 = f32x4.add(a3, f32x4.mul(v128.load_splat<f32>(g + step3), v))
    x += xStride
    g += gStride
  }
  for (let line = 0; line < lines; line++) {
    for (let j: usize = 0; j < (width as usize) << 2; j += 4) {
      const sum = f32x4.extract_lane(a0, 0)
      store<f32>(out + j, mode == ACCUMULATE ? load<f32>(out + j) + sum : sum)
      a0 = v128.shuffle<f32>(a0, a0, 1, 2, 3, 0)
    }
    a0 = a1
    a1 = a2
    a2 = a3
    out += outStride
  }
}

// Copies 16 columns of a matrix to `rows` consecutive rows of 16.
function packColumns(from: usize, stride: usize, rows: i32, to: usize): void {
  for (let r = rows; r > 0; r--) {
    v128.store(to, v128.load(from))
    v128.store(to, v128.load(from, 16), 16)
    v128.store(to, v128.load(from, 32), 32)
    v128.store(to, v128.load(from, 48), 48)
    from += stride
    to += 64
  }
}

/**
 * out[n, k] = sum over rows `from` <= r < `to`, ascending, of gy[r, n] x[r, k]: the weight gradient of y = x w^T.
 * Loads may extend up to 12 bytes past the end of a row; those lanes are not stored.
 * @param work f32 [to, 16], whose rows `from` <= r < `to` are overwritten: columns of x, which in consecutive rows occupy
 * all sets of the first-level cache
 * @param mode STORE or ACCUMULATE (out += ...)
 */
export function gemmOuter(
  x: usize,
  k: i32,
  gy: usize,
  n: i32,
  work: usize,
  from: i32,
  to: i32,
  out: usize,
  mode: i32,
): void {
  const xStride = (k as usize) << 2
  const gStride = (n as usize) << 2
  const rows = to - from
  const xFirst = x + (from as usize) * xStride
  const gFirst = gy + (from as usize) * gStride
  let first = 0
  for (; first + PANEL <= k; first += PANEL) {
    const offset = (first as usize) << 2
    let columns = xFirst + offset
    let stride = xStride
    if (n >= PACKED_LINES) {
      packColumns(columns, stride, rows, work + ((from as usize) << 6))
      columns = work + ((from as usize) << 6)
      stride = 64
    }
    let line = 0
    for (; WIDE && line + WIDE_ROWS <= n; line += WIDE_ROWS) {
      const g = gFirst + ((line as usize) << 2)
      const sums = out + (line as usize) * xStride + offset
      wideOuter(columns, stride, g, gStride, rows, sums, xStride, mode == ACCUMULATE)
    }
    for (; line < n; line += 2) {
      const g = gFirst + ((line as usize) << 2)
      const sums = out + (line as usize) * xStride + offset
      outer16(columns, stride, g, gStride, rows, sums, xStride, line + 1 < n, mode)
    }
  }
  for (; first < k; first += 4) {
    const offset = (first as usize) << 2
    for (let line = 0; line < n; line += 4) {
      const g = gFirst + ((line as usize) << 2)
      const sums = out + (line as usize) * xStride + offset
      outer4(
        xFirst + offset,
        xStride,
        g,
        gStride,
        rows,
        sums,
        xStride,
        min(4, n - line),
        min(4, k - first),
        mode,
      )
    }
  }
}

/**
 * out[j] = sum over rows `from` <= r < `to`, ascending, of g[r, j]: the bias gradient.
 * @param mode STORE or ACCUMULATE (out += ...)
 */
export function columnSums(g: usize, n: i32, from: i32, to: i32, out: usize, mode: i32): void {
  const stride = (n as usize) << 2
  const first = g + (from as usize) * stride
  let j = 0
  for (; j + 16 <= n; j += 16) {
    let at = first + ((j as usize) << 2)
    let s0 = f32x4.splat(0)
    let s1 = f32x4.splat(0)
    let s2 = f32x4.splat(0)
    let s3 = f32x4.splat(0)
    for (let r = from; r < to; r++) {
      s0 = f32x4.add(s0, v128.load(at))
      s1 = f32x4.add(s1, v128.load(at, 16))
      s2 = f32x4.add(s2, v128.load(at, 32))
      s3 = f32x4.add(s3, v128.load(at, 48))
      at += stride
    }
    const to_ = out + ((j as usize) << 2)
    if (mode == ACCUMULATE) {
      s0 = f32x4.add(v128.load(to_), s0)
      s1 = f32x4.add(v128.load(to_, 16), s1)
      s2 = f32x4.add(v128.load(to_, 32), s2)
      s3 = f32x4.add(v128.load(to_, 48), s3)
    }
    v128.store(to_, s0)
    v128.store(to_, s1, 16)
    v128.store(to_, s2, 32)
    v128.store(to_, s3, 48)
  }
  for (; j < n; j++) {
    let at = first + ((j as usize) << 2)
    let sum: f32 = 0
    for (let r = from; r < to; r++) {
      sum += load<f32>(at)
      at += stride
    }
    const to_ = out + ((j as usize) << 2)
    store<f32>(to_, mode == ACCUMULATE ? load<f32>(to_) + sum : sum)
  }
}
