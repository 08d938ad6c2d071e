/** Longest message; longer quotations are shortened. */
const LONGEST = 1000

/** Error of an invalid module, bundle or observation. The message is one line that also names a valid value. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError'

  constructor(message: string, options?: ErrorOptions) {
    const line = message.replace(/[\r\n\u2028\u2029]+/g, ' ')
    super(line.length > LONGEST ? `${line.slice(0, LONGEST - 3)}...` : line, options)
  }
}
