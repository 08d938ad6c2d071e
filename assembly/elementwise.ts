/** Functions of math32 over arrays. x and out are f32[n]; they may be the same array and need no alignment. */
import {
  erf1,
  erf4,
  exp1,
  exp4,
  expMinusOne1,
  expMinusOne4,
  log1,
  log4,
  sigmoid1,
  sigmoid4,
  tanh1,
  tanh4,
} from './math32'

/** out = e^x. */
export function expArray(x: usize, out: usize, n: i32): void {
  let i = 0
  for (; i + 4 <= n; i += 4) v128.store(out + (i << 2), exp4(v128.load(x + (i << 2))))
  for (; i < n; i++) store<f32>(out + (i << 2), exp1(load<f32>(x + (i << 2))))
}

/** out = e^x - 1. */
export function expMinusOneArray(x: usize, out: usize, n: i32): void {
  let i = 0
  for (; i + 4 <= n; i += 4) v128.store(out + (i << 2), expMinusOne4(v128.load(x + (i << 2))))
  for (; i < n; i++) store<f32>(out + (i << 2), expMinusOne1(load<f32>(x + (i << 2))))
}

/** out = tanh x. */
export function tanhArray(x: usize, out: usize, n: i32): void {
  let i = 0
  for (; i + 4 <= n; i += 4) v128.store(out + (i << 2), tanh4(v128.load(x + (i << 2))))
  for (; i < n; i++) store<f32>(out + (i << 2), tanh1(load<f32>(x + (i << 2))))
}

/** out = 1 / (1 + e^-x). */
export function sigmoidArray(x: usize, out: usize, n: i32): void {
  let i = 0
  for (; i + 4 <= n; i += 4) v128.store(out + (i << 2), sigmoid4(v128.load(x + (i << 2))))
  for (; i < n; i++) store<f32>(out + (i << 2), sigmoid1(load<f32>(x + (i << 2))))
}

/** out = ln x. */
export function logArray(x: usize, out: usize, n: i32): void {
  let i = 0
  for (; i + 4 <= n; i += 4) v128.store(out + (i << 2), log4(v128.load(x + (i << 2))))
  for (; i < n; i++) store<f32>(out + (i << 2), log1(load<f32>(x + (i << 2))))
}

/** out = erf x. */
export function erfArray(x: usize, out: usize, n: i32): void {
  let i = 0
  for (; i + 4 <= n; i += 4) v128.store(out + (i << 2), erf4(v128.load(x + (i << 2))))
  for (; i < n; i++) store<f32>(out + (i << 2), erf1(load<f32>(x + (i << 2))))
}
