// Running one program on several threads of one shared memory.
//
// Units of work are handed out as tickets, in order. A thread that holds a ticket of a later phase waits until all
// earlier phases are finished. Nobody waits for a thread that has not taken a ticket, so a late helper costs nothing.
//
// A ticket keeps its program running: until its holder has counted it as finished, `runShared` cannot return and the
// control block cannot describe another program. Between taking a ticket and counting it, a thread may therefore read
// the program; before and after, it must not.
//
// Control block, in bytes:
//    0 u64 state: tickets << 32 | next ticket, so that one atomic add takes a ticket and tells whether there was one
//    8 i32 finished tickets   12 i32 generation, to sleep on   16 i32 program   20 i32 1 when helpers should leave

import { phaseEnd, phaseStart, runTicket, ticketCount } from './program'

const FINISHED: usize = 8
const GENERATION: usize = 12
const PROGRAM: usize = 16
const LEAVE: usize = 20

const SPINS: i32 = 20000
/** Nanoseconds without progress after which a helper thread is taken for dead. */
const PATIENCE: i64 = 120_000_000_000
/** Nanoseconds after which an idle helper looks again whether it should leave. */
const NAP: i64 = 50_000_000

const TIMED_OUT: i32 = 2

// Waits until `goal` tickets are finished. False when none was for PATIENCE.
function waitForFinished(control: usize, goal: i32): bool {
  for (let i = 0; i < SPINS; i++) {
    if (atomic.load<i32>(control + FINISHED) >= goal) return true
  }
  while (true) {
    const seen = atomic.load<i32>(control + FINISHED)
    if (seen >= goal) return true
    if (atomic.wait<i32>(control + FINISHED, seen, PATIENCE) != TIMED_OUT) continue
    // Only the end of a phase wakes sleepers, so time may have run out while tickets were finished.
    if (atomic.load<i32>(control + FINISHED) == seen) return false
  }
}

// Takes and runs tickets until the current program has none left. False when another thread stopped answering.
function work(control: usize): bool {
  while (true) {
    const state = atomic.add<u64>(control, 1)
    const ticket = state as u32
    if (ticket >= ((state >> 32) as u32)) return true
    const program = atomic.load<u32>(control + PROGRAM) as usize
    const start = phaseStart(program, ticket)
    const end = phaseEnd(program, ticket)
    if (start > 0 && !waitForFinished(control, start)) return false
    runTicket(program, ticket)
    // Somebody may be waiting only where a phase ends.
    if (atomic.add<i32>(control + FINISHED, 1) + 1 == end) atomic.notify(control + FINISHED, -1)
  }
}

/**
 * Runs a program with whatever helpers are present. To be called by one thread at a time.
 * @returns 0, or 1 when a helper died while it held work; the control block is of no use then
 */
export function runShared(control: usize, program: usize): i32 {
  const total = ticketCount(program)
  atomic.store<i32>(control + FINISHED, 0)
  atomic.store<u32>(control + PROGRAM, program as u32)
  // From here on tickets can be taken.
  atomic.store<u64>(control, (total as u64) << 32)
  atomic.add<i32>(control + GENERATION, 1)
  atomic.notify(control + GENERATION, -1)
  if (!work(control)) return 1
  return waitForFinished(control, total) ? 0 : 1
}

/** A helper thread's loop: works on every program until `dismiss`. */
export function help(control: usize): void {
  while (true) {
    // Read before looking for work: a program that starts after the look changes it, and the wait below falls through.
    const seen = atomic.load<i32>(control + GENERATION)
    if (!work(control)) return
    let spins = SPINS
    while (atomic.load<i32>(control + GENERATION) == seen) {
      if (atomic.load<i32>(control + LEAVE) != 0) return
      if (--spins < 0) atomic.wait<i32>(control + GENERATION, seen, NAP)
    }
  }
}

/** Lets helpers in (0) or sends them away (1). */
export function dismiss(control: usize, leave: i32): void {
  atomic.store<i32>(control + LEAVE, leave)
  atomic.notify(control + GENERATION, -1)
}
