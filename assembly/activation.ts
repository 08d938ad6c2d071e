// Activation functions and their derivatives, elementwise over [rows, n].

import {
  ACTIVATION_ELU,
  ACTIVATION_GELU,
  ACTIVATION_LEAKY_RELU,
  ACTIVATION_RELU,
  ACTIVATION_SELU,
  ACTIVATION_SILU,
  ACTIVATION_TANH,
} from './generated/layout'
import { erf4, exp4, expMinusOne4, sigmoid4, tanh4 } from './math32'

const SELU_ALPHA: f32 = 1.6732632423543772
const SELU_SCALE: f32 = 1.0507009873554805
const LEAKY_SLOPE: f32 = 0.01
const SQRT_HALF: f32 = 0.7071067811865476
const INVERSE_SQRT_TWO_PI: f32 = 0.3989422804014327

function splat(x: f32): v128 {
  return f32x4.splat(x)
}

// x > 0 ? a : b in each lane.
function wherePositive(x: v128, a: v128, b: v128): v128 {
  return v128.bitselect(a, b, f32x4.gt(x, splat(0)))
}

/** f(z) of four entries. gelu is the exact form (erf); leakyRelu has slope 0.01 and elu alpha 1, as in torch. */
export function activate4(z: v128, kind: i32): v128 {
  if (kind == ACTIVATION_RELU) return f32x4.max(z, splat(0))
  if (kind == ACTIVATION_TANH) return tanh4(z)
  if (kind == ACTIVATION_ELU) return wherePositive(z, z, expMinusOne4(f32x4.min(z, splat(0))))
  if (kind == ACTIVATION_GELU) {
    const cdf = f32x4.mul(splat(0.5), f32x4.add(splat(1), erf4(f32x4.mul(z, splat(SQRT_HALF)))))
    return f32x4.mul(z, cdf)
  }
  if (kind == ACTIVATION_SILU) return f32x4.mul(z, sigmoid4(z))
  if (kind == ACTIVATION_LEAKY_RELU) return wherePositive(z, z, f32x4.mul(splat(LEAKY_SLOPE), z))
  if (kind == ACTIVATION_SELU) {
    const below = f32x4.mul(splat(SELU_ALPHA), expMinusOne4(f32x4.min(z, splat(0))))
    return f32x4.mul(splat(SELU_SCALE), wherePositive(z, z, below))
  }
  return sigmoid4(z)
}

/** f'(z) of four entries, given z and y = f(z). At a kink it is the derivative from the left, as in torch. */
export function derivative4(z: v128, y: v128, kind: i32): v128 {
  if (kind == ACTIVATION_RELU) return wherePositive(z, splat(1), splat(0))
  if (kind == ACTIVATION_TANH) return f32x4.sub(splat(1), f32x4.mul(y, y))
  if (kind == ACTIVATION_ELU) return wherePositive(z, splat(1), f32x4.add(y, splat(1)))
  if (kind == ACTIVATION_GELU) {
    const cdf = f32x4.mul(splat(0.5), f32x4.add(splat(1), erf4(f32x4.mul(z, splat(SQRT_HALF)))))
    const density = f32x4.mul(splat(INVERSE_SQRT_TWO_PI), exp4(f32x4.mul(splat(-0.5), f32x4.mul(z, z))))
    return f32x4.add(cdf, f32x4.mul(z, density))
  }
  if (kind == ACTIVATION_SILU) {
    const s = sigmoid4(z)
    return f32x4.add(s, f32x4.mul(y, f32x4.sub(splat(1), s)))
  }
  if (kind == ACTIVATION_LEAKY_RELU) return wherePositive(z, splat(1), splat(LEAKY_SLOPE))
  if (kind == ACTIVATION_SELU)
    return wherePositive(z, splat(SELU_SCALE), f32x4.add(y, splat(SELU_SCALE * SELU_ALPHA)))
  return f32x4.mul(y, f32x4.sub(splat(1), y))
}

/**
 * y = f(z) over rows `from` <= r < `to` of [rows, n]. Stores f'(z) at `derivative` unless that address is 0.
 * y may be the same array as z.
 */
export function activation(
  z: usize,
  y: usize,
  derivative: usize,
  n: i32,
  kind: i32,
  from: i32,
  to: i32,
): void {
  let i = ((from * n) as usize) << 2
  const end = ((to * n) as usize) << 2
  // The most common kind, and the only one whose time the choice between kinds would dominate.
  if (kind == ACTIVATION_RELU) {
    for (; i + 16 <= end; i += 16) {
      const v = v128.load(z + i)
      if (derivative != 0) {
        v128.store(derivative + i, v128.and(f32x4.gt(v, f32x4.splat(0)), f32x4.splat(1)))
      }
      v128.store(y + i, f32x4.max(v, f32x4.splat(0)))
    }
  }
  for (; i + 16 <= end; i += 16) {
    const v = v128.load(z + i)
    const f = activate4(v, kind)
    if (derivative != 0) v128.store(derivative + i, derivative4(v, f, kind))
    v128.store(y + i, f)
  }
  for (; i < end; i += 4) {
    const v = f32x4.splat(load<f32>(z + i))
    const f = activate4(v, kind)
    if (derivative != 0) store<f32>(derivative + i, f32x4.extract_lane(derivative4(v, f, kind), 0))
    store<f32>(y + i, f32x4.extract_lane(f, 0))
  }
}

/**
 * out = a * b, elementwise over rows of [rows, n], for each of the `repeat` vectors that a and out have per row: tangent
 * and adjoint of an activation. out may be a, and b where `repeat` is 1.
 */
export function multiplyRows(a: usize, b: usize, out: usize, n: i32, repeat: i32, from: i32, to: i32): void {
  // With one vector per row the rows are one vector.
  const vectors = repeat == 1 ? 1 : (to - from) * repeat
  const bytes = ((repeat == 1 ? (to - from) * n : n) as usize) << 2
  const whole = bytes & ~15
  const stride = (n as usize) << 2
  let x = a + ((from * repeat) as usize) * stride
  let y = b + (from as usize) * stride
  let to_ = out + ((from * repeat) as usize) * stride
  for (let k = 0; k < vectors;) {
    for (let i: usize = 0; i < whole; i += 16)
      v128.store(to_ + i, f32x4.mul(v128.load(x + i), v128.load(y + i)))
    for (let i = whole; i < bytes; i += 4) store<f32>(to_ + i, load<f32>(x + i) * load<f32>(y + i))
    x += bytes
    to_ += bytes
    if (++k % repeat == 0) y += stride
  }
}
