// Programs. A program is a pass over the rows of a batch, encoded as words in shared memory. Any thread can run any
// block of rows without a call to JavaScript.
//
// A program is a list of phases. A phase over rows runs its operations, in order, on each block of rows; a phase of tasks
// runs each operation once. Blocks start at row 0 and have a constant size, each block has its own partial sums, and
// partial sums are added in ascending order. Results therefore do not depend on the threads.
//
// The header and the phases after it are described in src/kernels/layout.ts, operations and their arguments in
// src/devices/operations/table.ts; src/devices/operations/encode.ts writes all of it. A list of operations is words
// `operation, arguments ...` that end with END.

import {
  HEADER_BYTES,
  HEADER_GRADIENT_STRIDE,
  HEADER_PARTIAL_GRADIENTS,
  HEADER_PARTIAL_SUMS,
  HEADER_PHASES,
  HEADER_ROWS,
  HEADER_ROWS_PER_BLOCK,
  HEADER_SUMS_PER_BLOCK,
  PHASE_BYTES,
  PHASE_COUNT,
  PHASE_KIND,
  PHASE_KIND_ROWS,
  PHASE_OPERATIONS,
} from './generated/layout'
import { END, runOperation } from './generated/operations'
import { blockCount } from './header'

// Runs operations until END on rows from <= r < to, block `block`.
function runOperations(program: usize, at: usize, from: i32, to: i32, block: usize): void {
  const stride = load<usize>(program, HEADER_GRADIENT_STRIDE)
  const gradient = load<usize>(program, HEADER_PARTIAL_GRADIENTS) + ((block * stride) << 2)
  const count = load<usize>(program, HEADER_SUMS_PER_BLOCK)
  const sums = load<usize>(program, HEADER_PARTIAL_SUMS) + ((block * count) << 3)
  for (let operation = load<i32>(at); operation != END; operation = load<i32>(at)) {
    at = runOperation(operation, at + 4, program, gradient, sums, from, to)
  }
}

function phaseCount(program: usize, phase: usize): i32 {
  return load<i32>(phase, PHASE_KIND) == PHASE_KIND_ROWS ? blockCount(program) : load<i32>(phase, PHASE_COUNT)
}

/** Number of units of work in the program, for the number of rows in its header. */
export function ticketCount(program: usize): i32 {
  let total = 0
  let phase = program + HEADER_BYTES
  for (let p = load<i32>(program, HEADER_PHASES); p > 0; p--) {
    total += phaseCount(program, phase)
    phase += PHASE_BYTES
  }
  return total
}

/** First ticket of the phase that contains `ticket`. All earlier tickets must be finished before it runs. */
export function phaseStart(program: usize, ticket: i32): i32 {
  let start = 0
  let phase = program + HEADER_BYTES
  while (true) {
    const count = phaseCount(program, phase)
    if (ticket < start + count) return start
    start += count
    phase += PHASE_BYTES
  }
}

/** First ticket after the phase that contains `ticket`. */
export function phaseEnd(program: usize, ticket: i32): i32 {
  let end = 0
  let phase = program + HEADER_BYTES
  while (ticket >= end) {
    end += phaseCount(program, phase)
    phase += PHASE_BYTES
  }
  return end
}

/** Runs one unit of work. */
export function runTicket(program: usize, ticket: i32): void {
  let phase = program + HEADER_BYTES
  let count = phaseCount(program, phase)
  while (ticket >= count) {
    ticket -= count
    phase += PHASE_BYTES
    count = phaseCount(program, phase)
  }
  const operations = load<usize>(phase, PHASE_OPERATIONS)
  if (load<i32>(phase, PHASE_KIND) == PHASE_KIND_ROWS) {
    const size = load<i32>(program, HEADER_ROWS_PER_BLOCK)
    const from = ticket * size
    runOperations(program, operations, from, min(from + size, load<i32>(program, HEADER_ROWS)), ticket)
  } else {
    runOperations(program, load<usize>(operations + ((ticket as usize) << 2)), 0, 0, 0)
  }
}

/** Runs the whole program on the calling thread. */
export function runAlone(program: usize): void {
  const total = ticketCount(program)
  for (let ticket = 0; ticket < total; ticket++) runTicket(program, ticket)
}
