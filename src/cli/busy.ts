import { Worker } from 'node:worker_threads'
import { WORKERS } from '../place.js'
import { beginPhase, newTelling, renamePhase, stopTelling, type Telling } from '../text/telling.js'

/** Milliseconds of a phase after which a line names it, and those until the next line. */
const FIRST = 2000
const EVERY = 10_000
const STANDARD_ERROR = 2
/** Clears a line of a terminal, where there may be a bar. */
const CLEAR = '\r\u001b[K'

/** Reports long phases of a command, from a separate thread because the main one may be blocked. */
export class Busy {
  readonly #telling: Telling

  constructor({ first = FIRST, every = EVERY, fd = STANDARD_ERROR } = {}) {
    this.#telling = newTelling({ first, every, fd, prefix: process.stderr.isTTY ? CLEAR : '' })
    // It does not keep the program from ending.
    new Worker(new URL('tell.js', WORKERS), { workerData: this.#telling }).unref()
  }

  phase(text: string): void {
    beginPhase(this.#telling, text)
  }

  /** The same phase, called otherwise from now on. */
  rename(text: string): void {
    renamePhase(this.#telling, text)
  }

  stop(): void {
    stopTelling(this.#telling)
  }
}
