// Running one program on several threads of one shared memory.
//
// Units of work are handed out as tickets, in order. A thread that holds a ticket of a later phase waits until all
// earlier phases are finished. Nobody waits for a thread that has not taken a ticket, so a late helper costs nothing.
//
// A ticket keeps its program running: until its holder has counted it as finished, `runShared` cannot return and the
// control block cannot describe another program. Between taking a ticket and counting it, a thread may therefore read
// the program; before and after, it must not.

import {
  CONTROL_FINISHED,
  CONTROL_GENERATION,
  CONTROL_LEAVE,
  CONTROL_PROGRAM,
  CONTROL_STATE,
} from './generated/layout'
import { phaseEnd, phaseStart, runTicket, ticketCount } from './program'

const SPINS: i32 = 20000
/** Nanoseconds without progress after which a helper thread is taken for dead. */
const PATIENCE: i64 = 120_000_000_000
/** Nanoseconds after which an idle helper looks again whether it should leave. */
const NAP: i64 = 50_000_000

const TIMED_OUT: i32 = 2

// Waits until `goal` tickets are finished. False when none was for PATIENCE.
function waitForFinished(control: usize, goal: i32): bool {
  for (let i = 0; i < SPINS; i++) {
    if (atomic.load<i32>(control + CONTROL_FINISHED) >= goal) return true
  }
  while (true) {
    const seen = atomic.load<i32>(control + CONTROL_FINISHED)
    if (seen >= goal) return true
    if (atomic.wait<i32>(control + CONTROL_FINISHED, seen, PATIENCE) != TIMED_OUT) continue
    // Only the end of a phase wakes sleepers, so time may have run out while tickets were finished.
    if (atomic.load<i32>(control + CONTROL_FINISHED) == seen) return false
  }
}

// Takes and runs tickets until the current program has none left. False when another thread stopped answering.
function work(control: usize): bool {
  while (true) {
    const state = atomic.add<u64>(control + CONTROL_STATE, 1)
    const ticket = state as u32
    if (ticket >= ((state >> 32) as u32)) return true
    const program = atomic.load<u32>(control + CONTROL_PROGRAM) as usize
    const start = phaseStart(program, ticket)
    const end = phaseEnd(program, ticket)
    if (start > 0 && !waitForFinished(control, start)) return false
    runTicket(program, ticket)
    // Somebody may be waiting only where a phase ends.
    if (atomic.add<i32>(control + CONTROL_FINISHED, 1) + 1 == end)
      atomic.notify(control + CONTROL_FINISHED, -1)
  }
}

/**
 * Runs a program with whatever helpers are present. To be called by one thread at a time.
 * @returns 0, or 1 when a helper died while it held work; the control block is of no use then
 */
export function runShared(control: usize, program: usize): i32 {
  const total = ticketCount(program)
  atomic.store<i32>(control + CONTROL_FINISHED, 0)
  atomic.store<u32>(control + CONTROL_PROGRAM, program as u32)
  // From here on tickets can be taken.
  atomic.store<u64>(control + CONTROL_STATE, (total as u64) << 32)
  atomic.add<i32>(control + CONTROL_GENERATION, 1)
  atomic.notify(control + CONTROL_GENERATION, -1)
  if (!work(control)) return 1
  return waitForFinished(control, total) ? 0 : 1
}

/** A helper thread's loop: works on every program until `dismiss`. */
export function help(control: usize): void {
  while (true) {
    // Read before looking for work: a program that starts after the look changes it, and the wait below falls through.
    const seen = atomic.load<i32>(control + CONTROL_GENERATION)
    if (!work(control)) return
    let spins = SPINS
    while (atomic.load<i32>(control + CONTROL_GENERATION) == seen) {
      if (atomic.load<i32>(control + CONTROL_LEAVE) != 0) return
      if (--spins < 0) atomic.wait<i32>(control + CONTROL_GENERATION, seen, NAP)
    }
  }
}

/** Lets helpers in (0) or sends them away (1). */
export function dismiss(control: usize, leave: i32): void {
  atomic.store<i32>(control + CONTROL_LEAVE, leave)
  atomic.notify(control + CONTROL_GENERATION, -1)
}
