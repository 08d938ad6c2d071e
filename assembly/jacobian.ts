// Passes with the Jacobian of a network's outputs. Each row keeps d output[k] / d z for every output k and every layer's
// product z: [rows, count, width]. With y = w (gamma xhat + beta) + bias at constant xhat, tangent and adjoint of a layer
// need one product each, with xhat.

import { joinLanes } from './lanes'

/** out[r] = vector, for rows `from` <= r < `to` of [rows, n]. */
export function broadcastRow(vector: usize, out: usize, n: i32, from: i32, to: i32): void {
  const bytes = (n as usize) << 2
  for (let r = from; r < to; r++) memory.copy(out + (r as usize) * bytes, vector, bytes)
}

/**
 * out[r, k] += vectors[r, k] . x[r] with vectors [rows, count, n]. A sum has one partial sum for the entries of each
 * residue mod 16, combined in pairs, then the entries beyond the last multiple of 16 in ascending order.
 */
export function dotVectors(
  vectors: usize,
  x: usize,
  count: i32,
  n: i32,
  out: usize,
  from: i32,
  to: i32,
): void {
  const bytes = (n as usize) << 2
  const whole = ((n & ~15) as usize) << 2
  let d = vectors + ((from * count) as usize) * bytes
  let at = out + (((from * count) as usize) << 2)
  for (let r = from; r < to; r++) {
    const row = x + (r as usize) * bytes
    for (let k = 0; k < count; k++) {
      let s0 = f32x4.splat(0)
      let s1 = f32x4.splat(0)
      let s2 = f32x4.splat(0)
      let s3 = f32x4.splat(0)
      for (let i: usize = 0; i < whole; i += 64) {
        s0 = f32x4.add(s0, f32x4.mul(v128.load(d + i), v128.load(row + i)))
        s1 = f32x4.add(s1, f32x4.mul(v128.load(d + i, 16), v128.load(row + i, 16)))
        s2 = f32x4.add(s2, f32x4.mul(v128.load(d + i, 32), v128.load(row + i, 32)))
        s3 = f32x4.add(s3, f32x4.mul(v128.load(d + i, 48), v128.load(row + i, 48)))
      }
      const s = f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3))
      let sum = joinLanes(s)
      for (let i = whole; i < bytes; i += 4) sum += load<f32>(d + i) * load<f32>(row + i)
      store<f32>(at, load<f32>(at) + sum)
      d += bytes
      at += 4
    }
  }
}

/** out[r] = sum over k, ascending, of coefficients[r, k] vectors[r, k] with vectors [rows, count, n]. */
export function mixVectors(
  vectors: usize,
  coefficients: usize,
  count: i32,
  n: i32,
  out: usize,
  from: i32,
  to: i32,
): void {
  const bytes = (n as usize) << 2
  const whole = ((n & ~3) as usize) << 2
  for (let r = from; r < to; r++) {
    const first = vectors + ((r * count) as usize) * bytes
    const u = coefficients + (((r * count) as usize) << 2)
    const end = u + ((count as usize) << 2)
    const row = out + (r as usize) * bytes
    for (let i: usize = 0; i < whole; i += 16) {
      let d = first + i
      let sum = f32x4.mul(v128.load_splat<f32>(u), v128.load(d))
      for (let c = u + 4; c < end; c += 4) {
        d += bytes
        sum = f32x4.add(sum, f32x4.mul(v128.load_splat<f32>(c), v128.load(d)))
      }
      v128.store(row + i, sum)
    }
    for (let i = whole; i < bytes; i += 4) {
      let d = first + i
      let sum = load<f32>(u) * load<f32>(d)
      for (let c = u + 4; c < end; c += 4) {
        d += bytes
        sum += load<f32>(c) * load<f32>(d)
      }
      store<f32>(row + i, sum)
    }
  }
}

/**
 * Tangent of a layer at constant xhat, dy = m xhat + c, for outputs `first` <= o < `last` of w [outputs, n]:
 * m[o, j] = dw[o, j] gamma[j] + w[o, j] dgamma[j], c[o] = sum over j of dw[o, j] beta[j] + w[o, j] dbeta[j], + dbias[o].
 * The sum has one partial sum for the entries of each residue mod 4, combined in pairs, then the last entries.
 */
export function foldTangent(
  w: usize,
  gamma: usize,
  beta: usize,
  dw: usize,
  dgamma: usize,
  dbeta: usize,
  dbias: usize,
  n: i32,
  m: usize,
  c: usize,
  first: i32,
  last: i32,
): void {
  const bytes = (n as usize) << 2
  const whole = ((n & ~3) as usize) << 2
  for (let o = first; o < last; o++) {
    const offset = (o as usize) * bytes
    let s = f32x4.splat(0)
    for (let i: usize = 0; i < whole; i += 16) {
      const weight = v128.load(w + offset + i)
      const tangent = v128.load(dw + offset + i)
      const scaled = f32x4.mul(tangent, v128.load(gamma + i))
      v128.store(m + offset + i, f32x4.add(scaled, f32x4.mul(weight, v128.load(dgamma + i))))
      const shifted = f32x4.mul(tangent, v128.load(beta + i))
      s = f32x4.add(s, f32x4.add(shifted, f32x4.mul(weight, v128.load(dbeta + i))))
    }
    let sum = joinLanes(s)
    for (let i = whole; i < bytes; i += 4) {
      const weight = load<f32>(w + offset + i)
      const tangent = load<f32>(dw + offset + i)
      store<f32>(m + offset + i, tangent * load<f32>(gamma + i) + weight * load<f32>(dgamma + i))
      sum += tangent * load<f32>(beta + i) + weight * load<f32>(dbeta + i)
    }
    const at = (o as usize) << 2
    store<f32>(c + at, sum + load<f32>(dbias + at))
  }
}

/**
 * Adjoint of `foldTangent` in place, for inputs `first` <= j < `last` of w [outputs, n]. gw holds S = sum gy' xhat and
 * gbias s = sum gy. gw[o, j] = S[o, j] gamma[j] + s[o] beta[j], ggamma[j] = sum over o, ascending, of w[o, j] S[o, j],
 * gbeta[j] = sum over o, ascending, of w[o, j] s[o].
 */
export function unfoldGradient(
  w: usize,
  gamma: usize,
  beta: usize,
  gw: usize,
  gbias: usize,
  ggamma: usize,
  gbeta: usize,
  outputs: i32,
  n: i32,
  first: i32,
  last: i32,
): void {
  const stride = (n as usize) << 2
  let j = first
  for (; j + 4 <= last; j += 4) {
    const at = (j as usize) << 2
    const scale = v128.load(gamma + at)
    const shift = v128.load(beta + at)
    let dgamma = f32x4.splat(0)
    let dbeta = f32x4.splat(0)
    let offset = at
    for (let o = 0; o < outputs; o++) {
      const weight = v128.load(w + offset)
      const sum = v128.load(gw + offset)
      const total = v128.load_splat<f32>(gbias + ((o as usize) << 2))
      dgamma = f32x4.add(dgamma, f32x4.mul(weight, sum))
      dbeta = f32x4.add(dbeta, f32x4.mul(weight, total))
      v128.store(gw + offset, f32x4.add(f32x4.mul(sum, scale), f32x4.mul(total, shift)))
      offset += stride
    }
    v128.store(ggamma + at, dgamma)
    v128.store(gbeta + at, dbeta)
  }
  for (; j < last; j++) {
    const at = (j as usize) << 2
    const scale = load<f32>(gamma + at)
    const shift = load<f32>(beta + at)
    let dgamma: f32 = 0
    let dbeta: f32 = 0
    let offset = at
    for (let o = 0; o < outputs; o++) {
      const weight = load<f32>(w + offset)
      const sum = load<f32>(gw + offset)
      const total = load<f32>(gbias + ((o as usize) << 2))
      dgamma += weight * sum
      dbeta += weight * total
      store<f32>(gw + offset, sum * scale + total * shift)
      offset += stride
    }
    store<f32>(ggamma + at, dgamma)
    store<f32>(gbeta + at, dbeta)
  }
}
