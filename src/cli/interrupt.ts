/** Exit code of a process that a signal ended: 128 + the signal's number. */
const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const

/** Milliseconds that an end at once may take before the process is killed. */
const END_PATIENCE = 1000

/** The first SIGINT or SIGTERM requests an orderly end, the second ends the process at once. */
export class Interrupt {
  /** Exit code to end with; undefined until a signal came. */
  exitCode: number | undefined
  readonly #controller = new AbortController()
  readonly #onSignal: (name: keyof typeof exitCodes) => void

  /**
   * @param announce called at the first signal
   * @param abandon called at the second: lets go of what must not outlive the process, and ends its threads
   */
  constructor(announce: () => void, abandon: () => Promise<void> = async () => {}) {
    this.#onSignal = (name) => {
      if (this.exitCode !== undefined) return endAtOnce(name, this.exitCode, abandon)
      this.exitCode = exitCodes[name]
      announce()
      this.#controller.abort()
    }
    process.on('SIGINT', this.#onSignal)
    process.on('SIGTERM', this.#onSignal)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  stop(): void {
    process.off('SIGINT', this.#onSignal)
    process.off('SIGTERM', this.#onSignal)
  }
}

/** Ends the process, by the signal itself where threads do not end: `process.exit` would wait for them. */
function endAtOnce(signal: NodeJS.Signals, code: number, abandon: () => Promise<void>): void {
  setTimeout(() => {
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  }, END_PATIENCE)
  void abandon().finally(() => process.exit(code))
}
