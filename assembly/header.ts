// Operations on the header of a program: its number of blocks and its gradient.

import {
  HEADER_GRADIENT_STRIDE,
  HEADER_PARTIAL_GRADIENTS,
  HEADER_ROWS,
  HEADER_ROWS_PER_BLOCK,
  HEADER_SCALE,
} from './generated/layout'
import { sumPartials } from './vector'

/** Number of blocks of rows in a run. */
export function blockCount(program: usize): i32 {
  const size = load<i32>(program, HEADER_ROWS_PER_BLOCK)
  return (load<i32>(program, HEADER_ROWS) + size - 1) / size
}

/** out[i] = scale * sum over blocks of their gradients, for parameters first <= i < last. */
export function reduceGradient(program: usize, first: i32, last: i32, out: usize): void {
  sumPartials(
    load<usize>(program, HEADER_PARTIAL_GRADIENTS),
    blockCount(program),
    load<i32>(program, HEADER_GRADIENT_STRIDE),
    first,
    last,
    out,
    load<f64>(program, HEADER_SCALE),
  )
}

/** Zeroes `length` f32. */
export function clear(at: usize, length: i32): void {
  memory.fill(at, 0, (length as usize) << 2)
}
