// Programs: a pass over the rows of a batch written down as words in shared memory, so that any thread can run any
// block of rows without asking JavaScript.
//
// A program is a list of phases. A phase over rows runs its operations, in order, on one block of rows after another;
// a phase of tasks runs each operation once. Blocks are counted from row 0 and have a constant size, every block has
// its own partial sums, and partial sums are added in ascending order: results do not depend on the threads.
//
// Header, in bytes (src/devices/wasm/encode.ts writes it):
//    0 i32 rows             4 i32 rows per block      8 i32 phases          12 i32 partial gradients
//   16 i32 floats between   20 i32 partial sums      24 i32 sums per block  28 i32 unused
//   32 f64 scale            40 phases, 16 bytes each: i32 kind, i32 operations, i32 count, i32 unused
// `operations` of a row phase points at words `operation, arguments ...` that end with END; of a task phase at a table
// of addresses of such words, one per task.

import { activation, multiplyRows } from './activation'
import {
  gaussianFisher,
  gaussianKl,
  gaussianLogProb,
  gaussianSample,
  gaussianSurrogate,
  gaussianTable,
} from './gaussian'
import { columnSums, gemm, gemmOuter, packPlain, packTransposed } from './gemm'
import { gatherRows, inputStage } from './input'
import { layerNorm, layerNormAdjoint, layerNormTangent, layerNormWeights } from './layernorm'
import { valueLoss } from './value'
import { sumPartials } from './vector'

export const END: i32 = 0
export const INPUT: i32 = 1
export const GATHER: i32 = 2
export const LAYER_NORM: i32 = 3
export const LAYER_NORM_TANGENT: i32 = 4
export const LAYER_NORM_ADJOINT: i32 = 5
export const LAYER_NORM_WEIGHTS: i32 = 6
export const LINEAR: i32 = 7
export const LINEAR_WEIGHTS: i32 = 8
export const BIAS_WEIGHTS: i32 = 9
export const ACTIVATION: i32 = 10
export const MULTIPLY: i32 = 11
export const GAUSSIAN_LOG_PROB: i32 = 12
export const GAUSSIAN_SAMPLE: i32 = 13
export const GAUSSIAN_SURROGATE: i32 = 14
export const GAUSSIAN_KL: i32 = 15
export const GAUSSIAN_FISHER: i32 = 16
export const VALUE_LOSS: i32 = 17
export const PACK_TRANSPOSED: i32 = 18
export const PACK_PLAIN: i32 = 19
export const GAUSSIAN_TABLE: i32 = 20
export const REDUCE: i32 = 21

const HEADER_BYTES: usize = 40
const PHASE_BYTES: usize = 16
const ROWS_PHASE: i32 = 0

function word(at: usize, i: i32): i32 {
  return load<i32>(at + ((i as usize) << 2))
}

function address(at: usize, i: i32): usize {
  return load<u32>(at + ((i as usize) << 2)) as usize
}

function real(at: usize, i: i32): f64 {
  return load<f64>(at + ((i as usize) << 2))
}

// Runs operations until END on rows from <= r < to, block `block`.
function runOperations(program: usize, at: usize, from: i32, to: i32, block: i32): void {
  const gradient = address(program, 3) + ((block * word(program, 4)) as usize) * 4
  const sums = address(program, 5) + ((block * word(program, 6)) as usize) * 8
  while (true) {
    const operation = word(at, 0)
    at += 4
    if (operation == LINEAR) {
      // x, k, packed, bias, y, n, mode
      gemm(
        address(at, 0),
        word(at, 1),
        address(at, 2),
        address(at, 3),
        address(at, 4),
        word(at, 5),
        from,
        to,
        word(at, 6),
      )
      at += 28
    } else if (operation == LINEAR_WEIGHTS) {
      // x, k, gy, n, offset in the gradient
      const out = gradient + ((word(at, 4) as usize) << 2)
      gemmOuter(address(at, 0), word(at, 1), address(at, 2), word(at, 3), from, to, out)
      at += 20
    } else if (operation == BIAS_WEIGHTS) {
      // gy, n, offset in the gradient
      columnSums(address(at, 0), word(at, 1), from, to, gradient + ((word(at, 2) as usize) << 2))
      at += 12
    } else if (operation == ACTIVATION) {
      // z, y, derivative, n, kind
      activation(address(at, 0), address(at, 1), address(at, 2), word(at, 3), word(at, 4), from, to)
      at += 20
    } else if (operation == MULTIPLY) {
      // a, b, out, n
      multiplyRows(address(at, 0), address(at, 1), address(at, 2), word(at, 3), from, to)
      at += 16
    } else if (operation == LAYER_NORM) {
      // x, gamma, beta, xhat, rstd, out, n
      layerNorm(
        address(at, 0),
        address(at, 1),
        address(at, 2),
        address(at, 3),
        address(at, 4),
        address(at, 5),
        word(at, 6),
        from,
        to,
      )
      at += 28
    } else if (operation == LAYER_NORM_TANGENT) {
      // dx, xhat, rstd, gamma, dgamma, dbeta, out, n
      layerNormTangent(
        address(at, 0),
        address(at, 1),
        address(at, 2),
        address(at, 3),
        address(at, 4),
        address(at, 5),
        address(at, 6),
        word(at, 7),
        from,
        to,
      )
      at += 32
    } else if (operation == LAYER_NORM_ADJOINT) {
      // g, xhat, rstd, gamma, gx, n
      layerNormAdjoint(
        address(at, 0),
        address(at, 1),
        address(at, 2),
        address(at, 3),
        address(at, 4),
        word(at, 5),
        from,
        to,
      )
      at += 24
    } else if (operation == LAYER_NORM_WEIGHTS) {
      // g, xhat, n, offset of gamma, offset of beta
      layerNormWeights(
        address(at, 0),
        address(at, 1),
        word(at, 2),
        from,
        to,
        gradient + ((word(at, 3) as usize) << 2),
        gradient + ((word(at, 4) as usize) << 2),
      )
      at += 20
    } else if (operation == INPUT) {
      // raw, size, id, ids, standardise, out
      inputStage(address(at, 0), word(at, 1), word(at, 2), word(at, 3), word(at, 4), address(at, 5), from, to)
      at += 24
    } else if (operation == GATHER) {
      // source, index, n, out
      gatherRows(address(at, 0), address(at, 1), word(at, 2), address(at, 3), from, to)
      at += 16
    } else if (operation == GAUSSIAN_LOG_PROB) {
      // mean, action, table, size, log-probability
      gaussianLogProb(address(at, 0), address(at, 1), address(at, 2), word(at, 3), address(at, 4), from, to)
      at += 20
    } else if (operation == GAUSSIAN_SAMPLE) {
      // mean, table, size, seed low, seed high, purpose, streams, steps, action, log-probability
      gaussianSample(
        address(at, 0),
        address(at, 1),
        word(at, 2),
        word(at, 3),
        word(at, 4),
        word(at, 5),
        address(at, 6),
        address(at, 7),
        address(at, 8),
        address(at, 9),
        from,
        to,
      )
      at += 40
    } else if (operation == GAUSSIAN_SURROGATE) {
      // mean, table, size, action, old log-probability, M, weight, clip (f64), gmean, offset of log_std or -1,
      // log-probability, sum
      const offset = word(at, 10)
      gaussianSurrogate(
        address(at, 0),
        address(at, 1),
        word(at, 2),
        address(at, 3),
        address(at, 4),
        address(at, 5),
        address(at, 6),
        real(at, 7),
        address(at, 9),
        offset < 0 ? 0 : gradient + ((offset as usize) << 2),
        address(at, 11),
        sums + ((word(at, 12) as usize) << 3),
        from,
        to,
      )
      at += 52
    } else if (operation == GAUSSIAN_KL) {
      // old mean, old table, mean, table, size, weight, sum
      gaussianKl(
        address(at, 0),
        address(at, 1),
        address(at, 2),
        address(at, 3),
        word(at, 4),
        address(at, 5),
        sums + ((word(at, 6) as usize) << 3),
        from,
        to,
      )
      at += 28
    } else if (operation == GAUSSIAN_FISHER) {
      // tangent of the mean, tangent of log_std, table, size, weight, gmean, offset of log_std
      gaussianFisher(
        address(at, 0),
        address(at, 1),
        address(at, 2),
        word(at, 3),
        address(at, 4),
        address(at, 5),
        gradient + ((word(at, 6) as usize) << 2),
        from,
        to,
      )
      at += 28
    } else if (operation == VALUE_LOSS) {
      // v, old, target, weight, clip (f64), delta (f64), gv, sum
      valueLoss(
        address(at, 0),
        address(at, 1),
        address(at, 2),
        address(at, 3),
        real(at, 4),
        real(at, 6),
        address(at, 8),
        sums + ((word(at, 9) as usize) << 3),
        from,
        to,
      )
      at += 40
    } else if (operation == PACK_TRANSPOSED) {
      // w, n, k, out
      packTransposed(address(at, 0), word(at, 1), word(at, 2), address(at, 3))
      at += 16
    } else if (operation == PACK_PLAIN) {
      // w, k, n, out
      packPlain(address(at, 0), word(at, 1), word(at, 2), address(at, 3))
      at += 16
    } else if (operation == GAUSSIAN_TABLE) {
      // log_std, x (f64), y (f64), table, size
      gaussianTable(address(at, 0), real(at, 1), real(at, 3), address(at, 5), word(at, 6))
      at += 28
    } else if (operation == REDUCE) {
      // from, to, gradient: sums the blocks' partial gradients over these parameters
      const first = word(at, 0)
      sumPartials(
        address(program, 3),
        blockCount(program),
        word(program, 4),
        first,
        word(at, 1),
        address(at, 2),
        load<f64>(program, 32),
      )
      at += 12
    } else {
      return
    }
  }
}

function blockCount(program: usize): i32 {
  const size = word(program, 1)
  return (word(program, 0) + size - 1) / size
}

function phaseCount(program: usize, phase: usize): i32 {
  return load<i32>(phase) == ROWS_PHASE ? blockCount(program) : load<i32>(phase, 8)
}

/** Units of work in the program, at the number of rows its header holds. */
export function ticketCount(program: usize): i32 {
  let total = 0
  let phase = program + HEADER_BYTES
  for (let p = word(program, 2); p > 0; p--) {
    total += phaseCount(program, phase)
    phase += PHASE_BYTES
  }
  return total
}

/** The first ticket of the phase that `ticket` belongs to: everything before it must be finished first. */
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

/** The first ticket behind the phase that `ticket` belongs to. */
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
  const operations = load<u32>(phase, 4) as usize
  if (load<i32>(phase) == ROWS_PHASE) {
    const size = word(program, 1)
    const from = ticket * size
    runOperations(program, operations, from, min(from + size, word(program, 0)), ticket)
  } else {
    runOperations(program, address(operations, ticket), 0, 0, 0)
  }
}

/** Runs the whole program on the calling thread. */
export function runAlone(program: usize): void {
  const total = ticketCount(program)
  for (let ticket = 0; ticket < total; ticket++) runTicket(program, ticket)
}
