/** A module, bundle or observation that cannot be used: its message is one line that says what would be right. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError'
}
