/** First line of something that was thrown, which need not be an error. */
export function thrownLine(thrown: unknown): string {
  if (thrown instanceof Error) return (thrown.message.split('\n')[0] ?? '').trim() || 'failed'
  const isObject = (typeof thrown === 'object' && thrown !== null) || typeof thrown === 'function'
  return isObject ? 'an object that is not an Error' : String(thrown).split('\n')[0]
}
