import { Worker } from 'node:worker_threads'
import { WORKERS } from '../place.js'
import { beginPhase, newTelling, stopTelling, type Telling } from '../text/telling.js'

/** Milliseconds of silence after which a line says what is going on. */
const PATIENCE = 10_000
const STANDARD_ERROR = 2
/** Clears a line of a terminal, where there may be a bar. */
const CLEAR = '\r\u001b[K'

/** Tells what a training is busy with, where that takes long: by a thread, because updates do not leave the main one. */
export class Busy {
  readonly #telling: Telling

  constructor({ patience = PATIENCE, fd = STANDARD_ERROR } = {}) {
    this.#telling = newTelling({ patience, fd, prefix: process.stderr.isTTY ? CLEAR : '' })
    // It does not keep the program from ending.
    new Worker(new URL('tell.js', WORKERS), { workerData: this.#telling }).unref()
  }

  phase(text: string): void {
    beginPhase(this.#telling, text)
  }

  stop(): void {
    stopTelling(this.#telling)
  }
}
