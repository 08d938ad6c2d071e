import type { Argument } from './arguments.js'

/** An operation of programs. */
export interface Operation {
  /** Arguments in the order of their words. */
  readonly words: Readonly<Record<string, Argument>>
  /** Calls of kernels in `file` of assembly/. Arguments are words by name, the range of rows `from`, `to` and `program`. */
  readonly file: string
  readonly calls: readonly string[]
  /** Number of columns of a working matrix, which the device adds to the operands as `work`. */
  readonly work?: number
  /** Field whose number of elements several tasks divide among them, from `first` to `last`. */
  readonly divided?: 'outputs' | 'inputs'
}
