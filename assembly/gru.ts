// Gated recurrent units (Cho et al. 2014, with torch's gates) over chunks of consecutive rows, f32.
//
// Rows c * chunk .. c * chunk + chunk - 1 are the steps of chunk c in time. With W x + b from outside and U, u of the
// state h before the step,
//   r = s(W_r x + b_r + U_r h + u_r),  z = s(W_z x + b_z + U_z h + u_z),
//   q = U_n h + u_n,  n = tanh(W_n x + b_n + r q),  h' = (1 - z) n + z h.
// Each product takes one step of all chunks of the range, whose rows lie `chunk` rows apart. Matrices of three parts hold
// those of r, z and n side by side; `gates` holds r, z, q, n.

import { ACCUMULATE, gemmRows, STORE } from './gemm'
import { sigmoid1, sigmoid4, tanh1, tanh4 } from './math32'

function one(): v128 {
  return f32x4.splat(1)
}

/**
 * Gates and next state of one row. The first three parts of `gates` hold U h + u.
 * @param x f32 [3 width], W x + b
 * @param out f32 [width], h'; may not be `state`
 */
export function gruRow(x: usize, state: usize, gates: usize, out: usize, width: i32): void {
  const part = (width as usize) << 2
  const whole = part & ~15
  const atZ = part
  const atQ = part * 2
  const atN = part * 3
  for (let i: usize = 0; i < whole; i += 16) {
    const r = sigmoid4(f32x4.add(v128.load(x + i), v128.load(gates + i)))
    const z = sigmoid4(f32x4.add(v128.load(x + atZ + i), v128.load(gates + atZ + i)))
    const q = v128.load(gates + atQ + i)
    const n = tanh4(f32x4.add(v128.load(x + atQ + i), f32x4.mul(r, q)))
    v128.store(gates + i, r)
    v128.store(gates + atZ + i, z)
    v128.store(gates + atN + i, n)
    const fresh = f32x4.mul(f32x4.sub(one(), z), n)
    v128.store(out + i, f32x4.add(fresh, f32x4.mul(z, v128.load(state + i))))
  }
  for (let i = whole; i < part; i += 4) {
    const r = sigmoid1(load<f32>(x + i) + load<f32>(gates + i))
    const z = sigmoid1(load<f32>(x + atZ + i) + load<f32>(gates + atZ + i))
    const n = tanh1(load<f32>(x + atQ + i) + r * load<f32>(gates + atQ + i))
    store<f32>(gates + i, r)
    store<f32>(gates + atZ + i, z)
    store<f32>(gates + atN + i, n)
    store<f32>(out + i, (<f32>1 - z) * n + z * load<f32>(state + i))
  }
}

/**
 * Steps of a layer over rows `from` <= r < `to`, whole chunks.
 * @param x f32 [rows, 3 width], W x + b
 * @param states f32 [rows, stateWidth], of which the layer's state begins at column `column`: in a chunk's first row the
 *   state before it
 * @param starts f32 [rows], not 0 where the state is reset to 0 before the row; 0 for none
 * @param packed U [3 width, width] from `packTransposed`
 * @param before f32 [rows, width], h as the row's step saw it
 * @param linked f32 [rows], 1 where that is the state after the row before, else 0
 * @param next f32 [rows, stateWidth], where h' goes besides `out`; 0 for nowhere
 */
export function gru(
  x: usize,
  states: usize,
  stateWidth: i32,
  column: i32,
  starts: usize,
  packed: usize,
  bias: usize,
  before: usize,
  linked: usize,
  gates: usize,
  out: usize,
  next: usize,
  width: i32,
  chunk: i32,
  from: i32,
  to: i32,
): void {
  const part = (width as usize) << 2
  const stateStride = (stateWidth as usize) << 2
  const own = (column as usize) << 2
  const chunks = (to - from) / chunk
  /** Bytes between rows of one step. */
  const apart = part * (chunk as usize)
  for (let t = 0; t < chunk; t++) {
    for (let r = (from + t) as usize; r < (to as usize); r += chunk as usize) {
      const starting = starts != 0 && load<f32>(starts + (r << 2)) != 0
      const source = t > 0 ? out + (r - 1) * part : states + r * stateStride + own
      if (starting) memory.fill(before + r * part, 0, part)
      else memory.copy(before + r * part, source, part)
      store<f32>(linked + (r << 2), t > 0 && !starting ? <f32>1 : <f32>0)
    }
    const first = (from + t) as usize
    gemmRows(
      before + first * part,
      apart,
      width,
      packed,
      bias,
      gates + first * part * 4,
      apart * 4,
      3 * width,
      chunks,
      STORE,
    )
    for (let r = first; r < (to as usize); r += chunk as usize) {
      const y = out + r * part
      gruRow(x + r * part * 3, before + r * part, gates + r * part * 4, y, width)
      if (next != 0) memory.copy(next + r * stateStride + own, y, part)
    }
  }
}

/** Tangent of one row's next state, where `out` holds the tangent of its state before. */
function gruRowTangent(dx: usize, product: usize, state: usize, gates: usize, out: usize, width: i32): void {
  const part = (width as usize) << 2
  const whole = part & ~15
  const atZ = part
  const atQ = part * 2
  const atN = part * 3
  for (let i: usize = 0; i < whole; i += 16) {
    const r = v128.load(gates + i)
    const z = v128.load(gates + atZ + i)
    const n = v128.load(gates + atN + i)
    const rest = f32x4.sub(one(), z)
    const moveR = f32x4.add(v128.load(dx + i), v128.load(product + i))
    const moveZ = f32x4.add(v128.load(dx + atZ + i), v128.load(product + atZ + i))
    const dr = f32x4.mul(f32x4.mul(r, f32x4.sub(one(), r)), moveR)
    const dz = f32x4.mul(f32x4.mul(z, rest), moveZ)
    const turned = f32x4.add(
      f32x4.mul(dr, v128.load(gates + atQ + i)),
      f32x4.mul(r, v128.load(product + atQ + i)),
    )
    const dn = f32x4.mul(f32x4.sub(one(), f32x4.mul(n, n)), f32x4.add(v128.load(dx + atQ + i), turned))
    const changed = f32x4.mul(dz, f32x4.sub(v128.load(state + i), n))
    const kept = f32x4.mul(z, v128.load(out + i))
    v128.store(out + i, f32x4.add(f32x4.add(f32x4.mul(rest, dn), changed), kept))
  }
  for (let i = whole; i < part; i += 4) {
    const r = load<f32>(gates + i)
    const z = load<f32>(gates + atZ + i)
    const n = load<f32>(gates + atN + i)
    const dr = r * (<f32>1 - r) * (load<f32>(dx + i) + load<f32>(product + i))
    const dz = z * (<f32>1 - z) * (load<f32>(dx + atZ + i) + load<f32>(product + atZ + i))
    const turned = dr * load<f32>(gates + atQ + i) + r * load<f32>(product + atQ + i)
    const dn = (<f32>1 - n * n) * (load<f32>(dx + atQ + i) + turned)
    const changed = dz * (load<f32>(state + i) - n)
    store<f32>(out + i, (<f32>1 - z) * dn + changed + z * load<f32>(out + i))
  }
}

/**
 * out = tangent of the states after each row, at what `gru` kept. The states that chunks begin with have none.
 * @param dx f32 [rows, 3 width], tangent of W x + b
 * @param product f32 [rows, 3 width], dU h + du, to which U dh is added
 * @param packed U from `packTransposed`
 */
export function gruTangent(
  dx: usize,
  product: usize,
  packed: usize,
  before: usize,
  linked: usize,
  gates: usize,
  out: usize,
  width: i32,
  chunk: i32,
  from: i32,
  to: i32,
): void {
  const part = (width as usize) << 2
  const chunks = (to - from) / chunk
  /** Bytes between rows of one step. */
  const apart = part * (chunk as usize)
  for (let t = 0; t < chunk; t++) {
    const first = (from + t) as usize
    for (let r = first; r < (to as usize); r += chunk as usize) {
      if (load<f32>(linked + (r << 2)) != 0) memory.copy(out + r * part, out + (r - 1) * part, part)
      else memory.fill(out + r * part, 0, part)
    }
    if (t > 0)
      gemmRows(
        out + first * part,
        apart,
        width,
        packed,
        0,
        product + first * part * 3,
        apart * 3,
        3 * width,
        chunks,
        ACCUMULATE,
      )
    for (let r = first; r < (to as usize); r += chunk as usize) {
      const at = r * part * 3
      gruRowTangent(dx + at, product + at, before + r * part, gates + r * part * 4, out + r * part, width)
    }
  }
}

/** Adjoint of one row: gx and gproduct from g, the adjoint of h', which becomes that of h less the part through U. */
function gruRowAdjoint(g: usize, state: usize, gates: usize, gx: usize, product: usize, width: i32): void {
  const part = (width as usize) << 2
  const whole = part & ~15
  const atZ = part
  const atQ = part * 2
  const atN = part * 3
  for (let i: usize = 0; i < whole; i += 16) {
    const r = v128.load(gates + i)
    const z = v128.load(gates + atZ + i)
    const n = v128.load(gates + atN + i)
    const rest = f32x4.sub(one(), z)
    const gh = v128.load(g + i)
    const gn = f32x4.mul(f32x4.mul(gh, rest), f32x4.sub(one(), f32x4.mul(n, n)))
    const gz = f32x4.mul(f32x4.mul(gh, f32x4.sub(v128.load(state + i), n)), f32x4.mul(z, rest))
    const slope = f32x4.mul(r, f32x4.sub(one(), r))
    const gr = f32x4.mul(f32x4.mul(gn, v128.load(gates + atQ + i)), slope)
    v128.store(gx + i, gr)
    v128.store(gx + atZ + i, gz)
    v128.store(gx + atQ + i, gn)
    v128.store(product + i, gr)
    v128.store(product + atZ + i, gz)
    v128.store(product + atQ + i, f32x4.mul(gn, r))
    v128.store(g + i, f32x4.mul(gh, z))
  }
  for (let i = whole; i < part; i += 4) {
    const r = load<f32>(gates + i)
    const z = load<f32>(gates + atZ + i)
    const n = load<f32>(gates + atN + i)
    const gh = load<f32>(g + i)
    const gn = gh * (<f32>1 - z) * (<f32>1 - n * n)
    const gz = gh * (load<f32>(state + i) - n) * (z * (<f32>1 - z))
    const gr = gn * load<f32>(gates + atQ + i) * (r * (<f32>1 - r))
    store<f32>(gx + i, gr)
    store<f32>(gx + atZ + i, gz)
    store<f32>(gx + atQ + i, gn)
    store<f32>(product + i, gr)
    store<f32>(product + atZ + i, gz)
    store<f32>(product + atQ + i, gn * r)
    store<f32>(g + i, gh * z)
  }
}

/** y += x */
function addRow(x: usize, y: usize, width: i32): void {
  const part = (width as usize) << 2
  const whole = part & ~15
  for (let i: usize = 0; i < whole; i += 16) v128.store(y + i, f32x4.add(v128.load(y + i), v128.load(x + i)))
  for (let i = whole; i < part; i += 4) store<f32>(y + i, load<f32>(y + i) + load<f32>(x + i))
}

/**
 * Adjoint of `gru` at its stored values, backwards through each chunk.
 * @param g f32 [rows, width], adjoint of `out`; overwritten
 * @param packed U from `packPlain`
 * @param gx f32 [rows, 3 width], adjoint of x
 * @param product f32 [rows, 3 width], adjoint of U h + u
 */
export function gruAdjoint(
  g: usize,
  packed: usize,
  before: usize,
  linked: usize,
  gates: usize,
  gx: usize,
  product: usize,
  width: i32,
  chunk: i32,
  from: i32,
  to: i32,
): void {
  const part = (width as usize) << 2
  const chunks = (to - from) / chunk
  /** Bytes between rows of one step. */
  const apart = part * (chunk as usize)
  for (let t = chunk - 1; t >= 0; t--) {
    const first = (from + t) as usize
    for (let r = first; r < (to as usize); r += chunk as usize) {
      const at = r * part * 3
      gruRowAdjoint(g + r * part, before + r * part, gates + r * part * 4, gx + at, product + at, width)
    }
    if (t == 0) break
    gemmRows(
      product + first * part * 3,
      apart * 3,
      3 * width,
      packed,
      0,
      g + first * part,
      apart,
      width,
      chunks,
      ACCUMULATE,
    )
    for (let r = first; r < (to as usize); r += chunk as usize) {
      if (load<f32>(linked + (r << 2)) != 0) addRow(g + r * part, g + (r - 1) * part, width)
    }
  }
}
