import type { Driver, Graph, KernelArgument } from './driver.js'

/** Sequences that are kept. */
const KEPT = 512

/** Different texts for different values. */
function textOf(value: KernelArgument): string {
  if (typeof value === 'number') return String(value)
  return Object.is(value.real, -0) ? 'real -0' : `real ${value.real}`
}

/**
 * Sequences of calls to the driver that come again with the same arguments: recorded when they come for the second time, and
 * one call from there on. The first time loads the kernels, so that nothing else happens while calls are recorded.
 */
export class Recorder {
  readonly #driver: Driver
  /** By what distinguishes a sequence, the latest used last; null for one that has come once. */
  readonly #graphs = new Map<string, Graph | null>()

  constructor(driver: Driver) {
    this.#driver = driver
  }

  /**
   * Makes the calls of a sequence.
   * @param name together with `values`, all that distinguishes the sequence
   * @param sequence launches and copies, none of which waits
   */
  play(name: string, values: readonly KernelArgument[], sequence: () => void): void {
    const key = [name, ...values.map(textOf)].join(' ')
    const known = this.#graphs.get(key)
    if (known === undefined) sequence()
    const graph = known === null ? this.#driver.capture(sequence) : (known ?? null)
    this.#graphs.delete(key)
    this.#graphs.set(key, graph)
    if (this.#graphs.size > KEPT) this.#forgetOldest()
    if (graph) this.#driver.replay(graph)
  }

  close(): void {
    while (this.#graphs.size > 0) this.#forgetOldest()
  }

  #forgetOldest(): void {
    const [[key, graph]] = this.#graphs
    this.#graphs.delete(key)
    if (graph) this.#driver.forget(graph)
  }
}
