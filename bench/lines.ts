import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** A program that answers each line on its standard input with a line of JSON. */
export class LineProgram {
  readonly #name: string
  readonly #child: ChildProcessWithoutNullStreams
  readonly #lines: AsyncIterator<string>

  /** @param name name in errors; its standard error is passed on */
  constructor(name: string, child: ChildProcessWithoutNullStreams) {
    child.stderr.pipe(process.stderr)
    this.#name = name
    this.#child = child
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  }

  /** Next line of the program. @throws Error when it has stopped */
  async next(): Promise<unknown> {
    const line = (await this.#lines.next()) as IteratorResult<string, undefined>
    if (line.done === true) throw new Error(`${this.#name} stopped`)
    return JSON.parse(line.value)
  }

  /** Sends a line and waits for the answer. */
  async ask(line: string): Promise<unknown> {
    this.#child.stdin.write(`${line}\n`)
    return this.next()
  }

  /** Ends the program. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null) return
    const exited = once(this.#child, 'exit')
    this.#child.stdin.end()
    await exited
  }
}
