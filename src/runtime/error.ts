/** Error of an invalid module, bundle or observation. The message is one line that also names a valid value. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError'
}
