import type { Driver, Graph, KernelArgument } from './driver.js'

/** Maximum number of sequences. */
const KEPT = 512

/** Unambiguous text of a value. */
function textOf(value: KernelArgument): string {
  if (typeof value === 'number') return String(value)
  return Object.is(value.real, -0) ? 'real -0' : `real ${value.real}`
}

/**
 * Records sequences of driver calls that repeat with the same arguments. A sequence is recorded on its second use, and
 * afterwards replayed by one call. The first use loads its kernels, which must not happen during a recording.
 */
export class Recorder {
  readonly #driver: Driver
  /** Graphs by the key of their sequence, the most recently used last. Null after the first use. */
  readonly #graphs = new Map<string, Graph | null>()

  constructor(driver: Driver) {
    this.#driver = driver
  }

  /**
   * Executes a sequence of calls, identified by `name` and `values`.
   * @param values everything that the calls depend on
   * @param sequence launches and copies that do not wait
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
