/** Longest message; longer quotations are shortened. */
const LONGEST = 1500

/** Message as one line, also if it quotes several. */
function oneLine(message: string): string {
  const line = message.replace(/[\r\n\u2028\u2029]+/g, ' ')
  return line.length > LONGEST ? `${line.slice(0, LONGEST - 3)}...` : line
}

/**
 * An error that the user can act on: its message is one line that names the key, the value and the valid values.
 * The command prints only the message and exits with `exitCode` (2 usage, 1 failure).
 */
export class HatrpoError extends Error {
  override readonly name: string = 'HatrpoError'
  readonly exitCode: 1 | 2

  constructor(message: string, options: { exitCode?: 1 | 2; cause?: unknown } = {}) {
    super(oneLine(message), options.cause === undefined ? undefined : { cause: options.cause })
    this.exitCode = options.exitCode ?? 1
  }
}

/** A wrong flag, key or value: exit code 2. */
export function usageError(message: string): HatrpoError {
  return new HatrpoError(message, { exitCode: 2 })
}
