// LayerNorm over the entries of each row (Ba et al. 2016): xhat = (x - mean) / sqrt(variance + eps), population
// variance, eps 1e-5, then gamma and beta. Sums of a row have one partial sum per lane (entries k mod 4), combined as
// (0 + 1) + (2 + 3); their order depends on n alone.

import { joinLanes } from './lanes'

const EPSILON: f32 = 1e-5

// Entries [at, at + count) with count < 4, padded with zeros.
function loadTail(at: usize, count: i32): v128 {
  let v = f32x4.splat(0)
  if (count > 0) v = f32x4.replace_lane(v, 0, load<f32>(at))
  if (count > 1) v = f32x4.replace_lane(v, 1, load<f32>(at, 4))
  if (count > 2) v = f32x4.replace_lane(v, 2, load<f32>(at, 8))
  return v
}

function storeTail(at: usize, count: i32, v: v128): void {
  if (count > 0) store<f32>(at, f32x4.extract_lane(v, 0))
  if (count > 1) store<f32>(at, f32x4.extract_lane(v, 1), 4)
  if (count > 2) store<f32>(at, f32x4.extract_lane(v, 2), 8)
}

/**
 * out = gamma * xhat + beta for each row. Stores xhat [rows, n] and rstd [rows] = 1 / sqrt(variance + eps) unless their
 * addresses are 0. x may be the same array as out or xhat.
 */
export function layerNorm(
  x: usize,
  gamma: usize,
  beta: usize,
  xhat: usize,
  rstd: usize,
  out: usize,
  n: i32,
  from: i32,
  to: i32,
): void {
  const whole = n & ~3
  const rest = n - whole
  const end = (whole as usize) << 2
  const count: f32 = n as f32
  for (let r = from; r < to; r++) {
    const offset = ((r * n) as usize) << 2
    const row = x + offset
    let sum = f32x4.splat(0)
    for (let i: usize = 0; i < end; i += 16) sum = f32x4.add(sum, v128.load(row + i))
    if (rest) sum = f32x4.add(sum, loadTail(row + end, rest))
    const mean = joinLanes(sum) / count
    const means = f32x4.splat(mean)
    let squares = f32x4.splat(0)
    for (let i: usize = 0; i < end; i += 16) {
      const d = f32x4.sub(v128.load(row + i), means)
      squares = f32x4.add(squares, f32x4.mul(d, d))
    }
    if (rest) {
      const d = f32x4.sub(loadTail(row + end, rest), splatTail(mean, rest))
      squares = f32x4.add(squares, f32x4.mul(d, d))
    }
    const scale: f32 = <f32>1 / sqrt<f32>(joinLanes(squares) / count + EPSILON)
    if (rstd != 0) store<f32>(rstd + ((r as usize) << 2), scale)
    const scales = f32x4.splat(scale)
    for (let i: usize = 0; i < end; i += 16) {
      const h = f32x4.mul(f32x4.sub(v128.load(row + i), means), scales)
      if (xhat != 0) v128.store(xhat + offset + i, h)
      v128.store(out + offset + i, f32x4.add(f32x4.mul(v128.load(gamma + i), h), v128.load(beta + i)))
    }
    if (rest) {
      const h = f32x4.mul(f32x4.sub(loadTail(row + end, rest), means), scales)
      if (xhat != 0) storeTail(xhat + offset + end, rest, h)
      const g = loadTail(gamma + end, rest)
      storeTail(out + offset + end, rest, f32x4.add(f32x4.mul(g, h), loadTail(beta + end, rest)))
    }
  }
}

// `value` in the first `count` lanes.
function splatTail(value: f32, count: i32): v128 {
  let v = f32x4.splat(0)
  v = f32x4.replace_lane(v, 0, value)
  if (count > 1) v = f32x4.replace_lane(v, 1, value)
  if (count > 2) v = f32x4.replace_lane(v, 2, value)
  return v
}

/**
 * Tangent: out = gamma * dxhat + dgamma * xhat + dbeta with
 * dxhat = rstd (dx - mean(dx) - xhat mean(dx xhat)). If the address dx is 0, the input is constant and dxhat = 0.
 */
export function layerNormTangent(
  dx: usize,
  xhat: usize,
  rstd: usize,
  gamma: usize,
  dgamma: usize,
  dbeta: usize,
  out: usize,
  n: i32,
  from: i32,
  to: i32,
): void {
  const whole = n & ~3
  const rest = n - whole
  const end = (whole as usize) << 2
  const count: f32 = n as f32
  for (let r = from; r < to; r++) {
    const offset = ((r * n) as usize) << 2
    const hat = xhat + offset
    const to_ = out + offset
    if (dx == 0) {
      for (let i: usize = 0; i < end; i += 16) {
        v128.store(
          to_ + i,
          f32x4.add(f32x4.mul(v128.load(dgamma + i), v128.load(hat + i)), v128.load(dbeta + i)),
        )
      }
      for (let i = end; i < (n as usize) << 2; i += 4) {
        store<f32>(to_ + i, load<f32>(dgamma + i) * load<f32>(hat + i) + load<f32>(dbeta + i))
      }
      continue
    }
    const d = dx + offset
    let sum = f32x4.splat(0)
    let product = f32x4.splat(0)
    for (let i: usize = 0; i < end; i += 16) {
      const v = v128.load(d + i)
      sum = f32x4.add(sum, v)
      product = f32x4.add(product, f32x4.mul(v, v128.load(hat + i)))
    }
    if (rest) {
      const v = loadTail(d + end, rest)
      sum = f32x4.add(sum, v)
      product = f32x4.add(product, f32x4.mul(v, loadTail(hat + end, rest)))
    }
    const mean = joinLanes(sum) / count
    const along = joinLanes(product) / count
    const scale = load<f32>(rstd + ((r as usize) << 2))
    for (let i: usize = 0; i < end; i += 16) {
      const h = v128.load(hat + i)
      const centred = f32x4.sub(
        f32x4.sub(v128.load(d + i), f32x4.splat(mean)),
        f32x4.mul(h, f32x4.splat(along)),
      )
      const dhat = f32x4.mul(f32x4.splat(scale), centred)
      const kept = f32x4.add(f32x4.mul(v128.load(dgamma + i), h), v128.load(dbeta + i))
      v128.store(to_ + i, f32x4.add(f32x4.mul(v128.load(gamma + i), dhat), kept))
    }
    for (let i = end; i < (n as usize) << 2; i += 4) {
      const h = load<f32>(hat + i)
      const dhat = scale * (load<f32>(d + i) - mean - h * along)
      store<f32>(to_ + i, load<f32>(gamma + i) * dhat + (load<f32>(dgamma + i) * h + load<f32>(dbeta + i)))
    }
  }
}

/**
 * Adjoint: gx = rstd (v - mean(v) - xhat mean(v xhat)) with v = gamma * g, for each of the `repeat` vectors that g and gx
 * have per row. gx may be the same array as g.
 */
export function layerNormAdjoint(
  g: usize,
  xhat: usize,
  rstd: usize,
  gamma: usize,
  gx: usize,
  n: i32,
  repeat: i32,
  from: i32,
  to: i32,
): void {
  const whole = n & ~3
  const rest = n - whole
  const end = (whole as usize) << 2
  const bytes = (n as usize) << 2
  const count: f32 = n as f32
  let at = g + ((from * repeat) as usize) * bytes
  let out = gx + ((from * repeat) as usize) * bytes
  for (let r = from; r < to; r++) {
    const hat = xhat + (r as usize) * bytes
    const scale = load<f32>(rstd + ((r as usize) << 2))
    for (let k = 0; k < repeat; k++) {
      let sum = f32x4.splat(0)
      let product = f32x4.splat(0)
      for (let i: usize = 0; i < end; i += 16) {
        const v = f32x4.mul(v128.load(at + i), v128.load(gamma + i))
        sum = f32x4.add(sum, v)
        product = f32x4.add(product, f32x4.mul(v, v128.load(hat + i)))
      }
      if (rest) {
        const v = f32x4.mul(loadTail(at + end, rest), loadTail(gamma + end, rest))
        sum = f32x4.add(sum, v)
        product = f32x4.add(product, f32x4.mul(v, loadTail(hat + end, rest)))
      }
      const mean = joinLanes(sum) / count
      const along = joinLanes(product) / count
      for (let i: usize = 0; i < end; i += 16) {
        const v = f32x4.mul(v128.load(at + i), v128.load(gamma + i))
        const centred = f32x4.sub(
          f32x4.sub(v, f32x4.splat(mean)),
          f32x4.mul(v128.load(hat + i), f32x4.splat(along)),
        )
        v128.store(out + i, f32x4.mul(f32x4.splat(scale), centred))
      }
      for (let i = end; i < bytes; i += 4) {
        const v = load<f32>(at + i) * load<f32>(gamma + i)
        store<f32>(out + i, scale * (v - mean - load<f32>(hat + i) * along))
      }
      at += bytes
      out += bytes
    }
  }
}

/**
 * Sums over the rows, ascending: dgamma[j] = sum g xhat, dbeta[j] = sum g.
 * @param accumulate 1 to add the sums to the content of dgamma and dbeta
 */
export function layerNormWeights(
  g: usize,
  xhat: usize,
  n: i32,
  from: i32,
  to: i32,
  dgamma: usize,
  dbeta: usize,
  accumulate: i32,
): void {
  const stride = (n as usize) << 2
  const first = (from as usize) * stride
  let j = 0
  // A whole line of the cache in each row.
  for (; j + 16 <= n; j += 16) {
    const at = (j as usize) << 2
    let offset = first + at
    let gamma0 = f32x4.splat(0)
    let gamma1 = f32x4.splat(0)
    let gamma2 = f32x4.splat(0)
    let gamma3 = f32x4.splat(0)
    let beta0 = f32x4.splat(0)
    let beta1 = f32x4.splat(0)
    let beta2 = f32x4.splat(0)
    let beta3 = f32x4.splat(0)
    for (let r = from; r < to; r++) {
      const v0 = v128.load(g + offset)
      const v1 = v128.load(g + offset, 16)
      const v2 = v128.load(g + offset, 32)
      const v3 = v128.load(g + offset, 48)
      gamma0 = f32x4.add(gamma0, f32x4.mul(v0, v128.load(xhat + offset)))
      gamma1 = f32x4.add(gamma1, f32x4.mul(v1, v128.load(xhat + offset, 16)))
      gamma2 = f32x4.add(gamma2, f32x4.mul(v2, v128.load(xhat + offset, 32)))
      gamma3 = f32x4.add(gamma3, f32x4.mul(v3, v128.load(xhat + offset, 48)))
      beta0 = f32x4.add(beta0, v0)
      beta1 = f32x4.add(beta1, v1)
      beta2 = f32x4.add(beta2, v2)
      beta3 = f32x4.add(beta3, v3)
      offset += stride
    }
    storeSums(dgamma + at, 4, gamma0, accumulate)
    storeSums(dgamma + at + 16, 4, gamma1, accumulate)
    storeSums(dgamma + at + 32, 4, gamma2, accumulate)
    storeSums(dgamma + at + 48, 4, gamma3, accumulate)
    storeSums(dbeta + at, 4, beta0, accumulate)
    storeSums(dbeta + at + 16, 4, beta1, accumulate)
    storeSums(dbeta + at + 32, 4, beta2, accumulate)
    storeSums(dbeta + at + 48, 4, beta3, accumulate)
  }
  for (; j < n; j += 4) {
    let offset = first + ((j as usize) << 2)
    let gamma = f32x4.splat(0)
    let beta = f32x4.splat(0)
    for (let r = from; r < to; r++) {
      const v = v128.load(g + offset)
      gamma = f32x4.add(gamma, f32x4.mul(v, v128.load(xhat + offset)))
      beta = f32x4.add(beta, v)
      offset += stride
    }
    const at = (j as usize) << 2
    storeSums(dgamma + at, n - j, gamma, accumulate)
    storeSums(dbeta + at, n - j, beta, accumulate)
  }
}

// Stores the first `count` of four sums, or adds them to the stored values.
function storeSums(at: usize, count: i32, sums: v128, accumulate: i32): void {
  if (count >= 4) {
    v128.store(at, accumulate ? f32x4.add(v128.load(at), sums) : sums)
  } else {
    storeTail(at, count, accumulate ? f32x4.add(loadTail(at, count), sums) : sums)
  }
}
