import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'

/** Settings of the thread that refreshes a lock. */
export interface LockRefresh {
  readonly path: string
  /** Content of the lock while it is held. */
  readonly content: string
  /** Milliseconds between two refreshes. */
  readonly every: number
  /** i32 [1], 0 until the lock is released. */
  readonly released: SharedArrayBuffer
}

/** Refreshes a lock until it is released. Blocks the thread. */
export function refreshUntilReleased({ path, content, every, released }: LockRefresh): void {
  const flag = new Int32Array(released)
  while (Atomics.wait(flag, 0, 0, every) === 'timed-out') refreshLock(path, content)
}

/**
 * Sets a lock's modification time to the present of its file system, whose clock all hosts compare it with. Does nothing
 * where the lock is somebody else's or missing: the owner finds that out before it writes.
 */
function refreshLock(path: string, content: string): void {
  try {
    const file = openSync(path, 'r+')
    try {
      // Writing one byte over itself leaves any lock intact, also one that took this one's place in the meantime.
      if (readFileSync(file, 'utf8') === content) writeSync(file, content[0], 0)
    } finally {
      closeSync(file)
    }
  } catch {
    // A file system that is away for a moment; the next refresh is in time.
  }
}
