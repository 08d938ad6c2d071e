// Running one program on several threads of one shared memory.
//
// Units of work are handed out as tickets, in order. A thread that holds a ticket of a later phase waits until all
// earlier phases are finished. Nobody waits for a thread that has not taken a ticket, so a late helper costs nothing.
//
// Control block, in bytes:
//    0 u64 state: generation << 40 | tickets << 20 | next ticket, so that one atomic add both takes a ticket and tells
//      which program it is of
//    8 i32 finished tickets   12 i32 generation, to sleep on   16 i32 program   20 i32 1 when helpers should leave

import { phaseStart, runTicket, ticketCount } from './program'

const FINISHED: usize = 8
const GENERATION: usize = 12
const PROGRAM: usize = 16
const LEAVE: usize = 20

const SPINS: i32 = 20000
const FIELD: u64 = 0xfffff
/** Nanoseconds without progress after which a helper thread is taken for dead. */
const PATIENCE: i64 = 120_000_000_000

function waitForFinished(control: usize, goal: i32): bool {
  for (let i = 0; i < SPINS; i++) {
    if (atomic.load<i32>(control + FINISHED) >= goal) return true
  }
  while (true) {
    const seen = atomic.load<i32>(control + FINISHED)
    if (seen >= goal) return true
    if (atomic.wait<i32>(control + FINISHED, seen, PATIENCE) == 2) return false
  }
}

// Takes and runs tickets until the current program has none left. False when another thread stopped answering.
function work(control: usize): bool {
  while (true) {
    const state = atomic.add<u64>(control, 1)
    const ticket = (state & FIELD) as i32
    const total = ((state >> 20) & FIELD) as i32
    if (ticket >= total) return true
    const program = atomic.load<u32>(control + PROGRAM) as usize
    const start = phaseStart(program, ticket)
    if (start > 0 && !waitForFinished(control, start)) return false
    runTicket(program, ticket)
    const finished = atomic.add<i32>(control + FINISHED, 1) + 1
    // Somebody may be waiting only where a phase ends.
    if (finished == total || phaseStart(program, finished) == finished) atomic.notify(control + FINISHED, -1)
  }
}

/**
 * Runs a program with whatever helpers are present. To be called by one thread at a time.
 * @returns 0, or 1 when a helper died while it held work
 */
export function runShared(control: usize, program: usize): i32 {
  const total = ticketCount(program)
  const generation = atomic.load<i32>(control + GENERATION) + 1
  atomic.store<i32>(control + FINISHED, 0)
  atomic.store<u32>(control + PROGRAM, program as u32)
  atomic.store<u64>(control, ((generation as u64) << 40) | ((total as u64) << 20))
  atomic.store<i32>(control + GENERATION, generation)
  atomic.notify(control + GENERATION, -1)
  if (!work(control)) return 1
  return waitForFinished(control, total) ? 0 : 1
}

/** A helper thread's loop: works on every program until `dismiss`. */
export function help(control: usize): void {
  let seen = atomic.load<i32>(control + GENERATION)
  while (true) {
    work(control)
    let spins = SPINS
    while (atomic.load<i32>(control + GENERATION) == seen) {
      if (atomic.load<i32>(control + LEAVE) != 0) return
      if (--spins < 0) atomic.wait<i32>(control + GENERATION, seen, 50_000_000)
    }
    seen = atomic.load<i32>(control + GENERATION)
  }
}

/** Lets helpers in (0) or sends them away (1). */
export function dismiss(control: usize, leave: i32): void {
  atomic.store<i32>(control + LEAVE, leave)
  atomic.notify(control + GENERATION, -1)
}
