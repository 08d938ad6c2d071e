/** Exit code of a process that a signal ended: 128 + the signal's number. */
const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const

/** The first SIGINT or SIGTERM asks for an orderly end, the second ends the process at once. */
export class Interrupt {
  /** Exit code to end with; undefined until a signal came. */
  exitCode: number | undefined
  readonly #controller = new AbortController()
  readonly #onSignal: (name: keyof typeof exitCodes) => void

  /** @param announce called at the first signal */
  constructor(announce: () => void) {
    this.#onSignal = (name) => {
      if (this.exitCode !== undefined) process.exit(this.exitCode)
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
