// Execution of one program on several threads that share a memory.
//
// Units of work are distributed in order as tickets. A thread with a ticket of a later phase waits until all earlier
// phases are finished. No thread waits for one without a ticket, so a late helper costs nothing.
//
// `runShared` cannot return, and the control block cannot describe another program, before every ticket is counted as
// finished. A thread may therefore read the program from the time it takes a ticket until it counts that ticket as
// finished, and at no other time.

import {
  CONTROL_FINISHED,
  CONTROL_GENERATION,
  CONTROL_HELPERS,
  CONTROL_LEAVE,
  CONTROL_PROGRAM,
  CONTROL_STATE,
} from './generated/layout'
import { phaseEnd, phaseStart, runTicket, ticketCount } from './program'

const SPINS: i32 = 20000
/** Time without progress, in nanoseconds, after which a helper thread is considered dead. */
const PATIENCE: i64 = 120_000_000_000
/** Interval, in nanoseconds, at which an idle helper checks whether it should leave. */
const NAP: i64 = 50_000_000

const TIMED_OUT: i32 = 2

// Waits until `goal` tickets are finished. Returns false if none is finished within PATIENCE.
function waitForFinished(control: usize, goal: i32): bool {
  for (let i = 0; i < SPINS; i++) {
    if (atomic.load<i32>(control + CONTROL_FINISHED) >= goal) return true
  }
  while (true) {
    const seen = atomic.load<i32>(control + CONTROL_FINISHED)
    if (seen >= goal) return true
    if (atomic.wait<i32>(control + CONTROL_FINISHED, seen, PATIENCE) != TIMED_OUT) continue
    // Only the end of a phase wakes sleeping threads, so other tickets may have been finished before the timeout.
    if (atomic.load<i32>(control + CONTROL_FINISHED) == seen) return false
  }
}

// Takes and runs tickets until the current program has none left. Returns false if another thread stops responding.
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
    // Threads wait only for the end of a phase.
    if (atomic.add<i32>(control + CONTROL_FINISHED, 1) + 1 == end)
      atomic.notify(control + CONTROL_FINISHED, -1)
  }
}

/**
 * Runs a program with the helpers that are present. Only one thread may call it at a time.
 * @returns 0, or 1 if a helper died with unfinished work; the control block must not be used afterwards
 */
export function runShared(control: usize, program: usize): i32 {
  const total = ticketCount(program)
  atomic.store<i32>(control + CONTROL_FINISHED, 0)
  atomic.store<u32>(control + CONTROL_PROGRAM, program as u32)
  // Tickets can be taken from now on.
  atomic.store<u64>(control + CONTROL_STATE, (total as u64) << 32)
  atomic.add<i32>(control + CONTROL_GENERATION, 1)
  atomic.notify(control + CONTROL_GENERATION, -1)
  if (!work(control)) return 1
  return waitForFinished(control, total) ? 0 : 1
}

/** Loop of a helper thread: works on every program until `dismiss`. */
export function help(control: usize): void {
  atomic.add<i32>(control + CONTROL_HELPERS, 1)
  helpUntilDismissed(control)
  atomic.sub<i32>(control + CONTROL_HELPERS, 1)
}

function helpUntilDismissed(control: usize): void {
  while (true) {
    // The generation is read before the search for work. A program that starts after the search changes it, and the wait
    // below returns at once.
    const seen = atomic.load<i32>(control + CONTROL_GENERATION)
    if (!work(control)) return
    let spins = SPINS
    while (atomic.load<i32>(control + CONTROL_GENERATION) == seen) {
      if (atomic.load<i32>(control + CONTROL_LEAVE) != 0) return
      if (--spins < 0) atomic.wait<i32>(control + CONTROL_GENERATION, seen, NAP)
    }
  }
}

/** Admits helpers (leave = 0) or dismisses them (leave = 1). */
export function dismiss(control: usize, leave: i32): void {
  atomic.store<i32>(control + CONTROL_LEAVE, leave)
  atomic.notify(control + CONTROL_GENERATION, -1)
}
