// Product of one row with a packed matrix, for policies that act on one observation at a time.
//
// The summation order is that of gemm.ts (one f32 sum per output, ascending k from 0, bias last), so results have the
// bits of the trainer's. Only the packing differs: panels of 16 columns have four independent sums, which hides the
// latency of an addition; wider panels and unrolled loops are slower on Node 20 and no faster on Node 26. The remaining
// columns are in panels of 8. Padding columns are zeros.

import { POLICY_PANEL_NARROW, POLICY_PANEL_NARROW_UNTIL, POLICY_PANEL_WIDE } from './generated/layout'

// 16 columns: y = x w + bias.
function widePanel(x: usize, end: usize, w: usize, bias: usize, y: usize): void {
  let a = f32x4.splat(0)
  let b = f32x4.splat(0)
  let c = f32x4.splat(0)
  let d = f32x4.splat(0)
  for (; x < end; x += 4) {
    const v = v128.load_splat<f32>(x)
    a = f32x4.add(a, f32x4.mul(v, v128.load(w)))
    b = f32x4.add(b, f32x4.mul(v, v128.load(w, 16)))
    c = f32x4.add(c, f32x4.mul(v, v128.load(w, 32)))
    d = f32x4.add(d, f32x4.mul(v, v128.load(w, 48)))
    w += 64
  }
  v128.store(y, f32x4.add(a, v128.load(bias)))
  v128.store(y, f32x4.add(b, v128.load(bias, 16)), 16)
  v128.store(y, f32x4.add(c, v128.load(bias, 32)), 32)
  v128.store(y, f32x4.add(d, v128.load(bias, 48)), 48)
}

// 8 columns: y = x w + bias.
function narrowPanel(x: usize, end: usize, w: usize, bias: usize, y: usize): void {
  let a = f32x4.splat(0)
  let b = f32x4.splat(0)
  for (; x < end; x += 4) {
    const v = v128.load_splat<f32>(x)
    a = f32x4.add(a, f32x4.mul(v, v128.load(w)))
    b = f32x4.add(b, f32x4.mul(v, v128.load(w, 16)))
    w += 32
  }
  v128.store(y, f32x4.add(a, v128.load(bias)))
  v128.store(y, f32x4.add(b, v128.load(bias, 16)), 16)
}

/**
 * y[0..n) = x[0..k) times a matrix + bias.
 * @param w panels in the layout of src/export/pack.ts
 * @param bias f32 [n], padded to whole panels
 * @param y f32 [n], padded to whole panels; the padding is overwritten
 */
export function matrixVector(x: usize, k: i32, w: usize, bias: usize, y: usize, n: i32): void {
  const end = x + ((k as usize) << 2)
  while (n > 0) {
    const width = n > POLICY_PANEL_NARROW_UNTIL ? POLICY_PANEL_WIDE : POLICY_PANEL_NARROW
    if (width == POLICY_PANEL_WIDE) widePanel(x, end, w, bias, y)
    else narrowPanel(x, end, w, bias, y)
    const bytes = (width as usize) << 2
    w += (k as usize) * bytes
    bias += bytes
    y += bytes
    n -= width
  }
}
