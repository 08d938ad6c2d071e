// Tiles of the matrix products for engines that join two vectors into one of 256 bits. Sixteen sums take eight of the
// sixteen registers there, enough to hide the latency of an addition; as vectors of 128 bits they would be spilled to the
// stack. The order of every sum is that of the tiles in gemm.ts.

/** Number of rows, or of columns of gy, of a tile. */
export const WIDE_ROWS: i32 = 4

/** Four rows times a panel of 16 columns. */
export function wideTile(
  x: usize,
  xStride: usize,
  k: i32,
  panel: usize,
  y: usize,
  yStride: usize,
  bias: usize,
  accumulate: bool,
): void {
  let x0 = x
  let x1 = x + xStride
  let x2 = x1 + xStride
  let x3 = x2 + xStride
  let a0 = f32x4.splat(0)
  let a1 = f32x4.splat(0)
  let a2 = f32x4.splat(0)
  let a3 = f32x4.splat(0)
  let b0 = f32x4.splat(0)
  let b1 = f32x4.splat(0)
  let b2 = f32x4.splat(0)
  let b3 = f32x4.splat(0)
  let c0 = f32x4.splat(0)
  let c1 = f32x4.splat(0)
  let c2 = f32x4.splat(0)
  let c3 = f32x4.splat(0)
  let d0 = f32x4.splat(0)
  let d1 = f32x4.splat(0)
  let d2 = f32x4.splat(0)
  let d3 = f32x4.splat(0)
  const end = x + ((k as usize) << 2)
  while (x0 != end) {
    const w0 = v128.load(panel)
    const w1 = v128.load(panel, 16)
    const w2 = v128.load(panel, 32)
    const w3 = v128.load(panel, 48)
    const v0 = v128.load_splat<f32>(x0)
    a0 = f32x4.add(a0, f32x4.mul(v0, w0))
    a1 = f32x4.add(a1, f32x4.mul(v0, w1))
    a2 = f32x4.add(a2, f32x4.mul(v0, w2))
    a3 = f32x4.add(a3, f32x4.mul(v0, w3))
    const v1 = v128.load_splat<f32>(x1)
    b0 = f32x4.add(b0, f32x4.mul(v1, w0))
    b1 = f32x4.add(b1, f32x4.mul(v1, w1))
    b2 = f32x4.add(b2, f32x4.mul(v1, w2))
    b3 = f32x4.add(b3, f32x4.mul(v1, w3))
    const v2 = v128.load_splat<f32>(x2)
    c0 = f32x4.add(c0, f32x4.mul(v2, w0))
    c1 = f32x4.add(c1, f32x4.mul(v2, w1))
    c2 = f32x4.add(c2, f32x4.mul(v2, w2))
    c3 = f32x4.add(c3, f32x4.mul(v2, w3))
    const v3 = v128.load_splat<f32>(x3)
    d0 = f32x4.add(d0, f32x4.mul(v3, w0))
    d1 = f32x4.add(d1, f32x4.mul(v3, w1))
    d2 = f32x4.add(d2, f32x4.mul(v3, w2))
    d3 = f32x4.add(d3, f32x4.mul(v3, w3))
    panel += 64
    x0 += 4
    x1 += 4
    x2 += 4
    x3 += 4
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
    c0 = f32x4.add(c0, w0)
    c1 = f32x4.add(c1, w1)
    c2 = f32x4.add(c2, w2)
    c3 = f32x4.add(c3, w3)
    d0 = f32x4.add(d0, w0)
    d1 = f32x4.add(d1, w1)
    d2 = f32x4.add(d2, w2)
    d3 = f32x4.add(d3, w3)
  }
  if (accumulate) {
    a0 = f32x4.add(v128.load(y), a0)
    a1 = f32x4.add(v128.load(y, 16), a1)
    a2 = f32x4.add(v128.load(y, 32), a2)
    a3 = f32x4.add(v128.load(y, 48), a3)
  }
  v128.store(y, a0)
  v128.store(y, a1, 16)
  v128.store(y, a2, 32)
  v128.store(y, a3, 48)
  y += yStride
  if (accumulate) {
    b0 = f32x4.add(v128.load(y), b0)
    b1 = f32x4.add(v128.load(y, 16), b1)
    b2 = f32x4.add(v128.load(y, 32), b2)
    b3 = f32x4.add(v128.load(y, 48), b3)
  }
  v128.store(y, b0)
  v128.store(y, b1, 16)
  v128.store(y, b2, 32)
  v128.store(y, b3, 48)
  y += yStride
  if (accumulate) {
    c0 = f32x4.add(v128.load(y), c0)
    c1 = f32x4.add(v128.load(y, 16), c1)
    c2 = f32x4.add(v128.load(y, 32), c2)
    c3 = f32x4.add(v128.load(y, 48), c3)
  }
  v128.store(y, c0)
  v128.store(y, c1, 16)
  v128.store(y, c2, 32)
  v128.store(y, c3, 48)
  y += yStride
  if (accumulate) {
    d0 = f32x4.add(v128.load(y), d0)
    d1 = f32x4.add(v128.load(y, 16), d1)
    d2 = f32x4.add(v128.load(y, 32), d2)
    d3 = f32x4.add(v128.load(y, 48), d3)
  }
  v128.store(y, d0)
  v128.store(y, d1, 16)
  v128.store(y, d2, 32)
  v128.store(y, d3, 48)
}

/**
 * Sums over `rows` rows of gy[r, 0..4) x[r, 0..16).
 * @param accumulate the sums are added to the output
 */
export function wideOuter(
  x: usize,
  xStride: usize,
  g: usize,
  gStride: usize,
  rows: i32,
  out: usize,
  outStride: usize,
  accumulate: bool,
): void {
  let a0 = f32x4.splat(0)
  let a1 = f32x4.splat(0)
  let a2 = f32x4.splat(0)
  let a3 = f32x4.splat(0)
  let b0 = f32x4.splat(0)
  let b1 = f32x4.splat(0)
  let b2 = f32x4.splat(0)
  let b3 = f32x4.splat(0)
  let c0 = f32x4.splat(0)
  let c1 = f32x4.splat(0)
  let c2 = f32x4.splat(0)
  let c3 = f32x4.splat(0)
  let d0 = f32x4.splat(0)
  let d1 = f32x4.splat(0)
  let d2 = f32x4.splat(0)
  let d3 = f32x4.splat(0)
  const end = g + (rows as usize) * gStride
  while (g != end) {
    const x0 = v128.load(x)
    const x1 = v128.load(x, 16)
    const x2 = v128.load(x, 32)
    const x3 = v128.load(x, 48)
    const v0 = v128.load_splat<f32>(g)
    a0 = f32x4.add(a0, f32x4.mul(v0, x0))
    a1 = f32x4.add(a1, f32x4.mul(v0, x1))
    a2 = f32x4.add(a2, f32x4.mul(v0, x2))
    a3 = f32x4.add(a3, f32x4.mul(v0, x3))
    const v1 = v128.load_splat<f32>(g, 4)
    b0 = f32x4.add(b0, f32x4.mul(v1, x0))
    b1 = f32x4.add(b1, f32x4.mul(v1, x1))
    b2 = f32x4.add(b2, f32x4.mul(v1, x2))
    b3 = f32x4.add(b3, f32x4.mul(v1, x3))
    const v2 = v128.load_splat<f32>(g, 8)
    c0 = f32x4.add(c0, f32x4.mul(v2, x0))
    c1 = f32x4.add(c1, f32x4.mul(v2, x1))
    c2 = f32x4.add(c2, f32x4.mul(v2, x2))
    c3 = f32x4.add(c3, f32x4.mul(v2, x3))
    const v3 = v128.load_splat<f32>(g, 12)
    d0 = f32x4.add(d0, f32x4.mul(v3, x0))
    d1 = f32x4.add(d1, f32x4.mul(v3, x1))
    d2 = f32x4.add(d2, f32x4.mul(v3, x2))
    d3 = f32x4.add(d3, f32x4.mul(v3, x3))
    x += xStride
    g += gStride
  }
  if (accumulate) {
    a0 = f32x4.add(v128.load(out), a0)
    a1 = f32x4.add(v128.load(out, 16), a1)
    a2 = f32x4.add(v128.load(out, 32), a2)
    a3 = f32x4.add(v128.load(out, 48), a3)
  }
  v128.store(out, a0)
  v128.store(out, a1, 16)
  v128.store(out, a2, 32)
  v128.store(out, a3, 48)
  out += outStride
  if (accumulate) {
    b0 = f32x4.add(v128.load(out), b0)
    b1 = f32x4.add(v128.load(out, 16), b1)
    b2 = f32x4.add(v128.load(out, 32), b2)
    b3 = f32x4.add(v128.load(out, 48), b3)
  }
  v128.store(out, b0)
  v128.store(out, b1, 16)
  v128.store(out, b2, 32)
  v128.store(out, b3, 48)
  out += outStride
  if (accumulate) {
    c0 = f32x4.add(v128.load(out), c0)
    c1 = f32x4.add(v128.load(out, 16), c1)
    c2 = f32x4.add(v128.load(out, 32), c2)
    c3 = f32x4.add(v128.load(out, 48), c3)
  }
  v128.store(out, c0)
  v128.store(out, c1, 16)
  v128.store(out, c2, 32)
  v128.store(out, c3, 48)
  out += outStride
  if (accumulate) {
    d0 = f32x4.add(v128.load(out), d0)
    d1 = f32x4.add(v128.load(out, 16), d1)
    d2 = f32x4.add(v128.load(out, 32), d2)
    d3 = f32x4.add(v128.load(out, 48), d3)
  }
  v128.store(out, d0)
  v128.store(out, d1, 16)
  v128.store(out, d2, 32)
  v128.store(out, d3, 48)
}
