/** A value as an error line shows it, cut to one line's length. */
export function show(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : String(JSON.stringify(value))
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}
