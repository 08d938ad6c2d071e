/** Number of insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`. */
function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const substituted = rows[i - 1][j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)
      row[j] = Math.min(rows[i - 1][j] + 1, row[j - 1] + 1, substituted)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        row[j] = Math.min(row[j], rows[i - 2][j - 2] + 1)
    }
    rows.push(row)
  }
  return rows[a.length][b.length]
}

/** The name that a mistyped one probably meant, or undefined when none is close. */
export function nearestName(wrong: string, names: Iterable<string>): string | undefined {
  const allowed = Math.max(1, Math.floor(wrong.length / 3))
  let best: string | undefined
  let bestDistance = allowed + 1
  for (const name of names) {
    const distance = editDistance(wrong.toLowerCase(), name.toLowerCase())
    if (distance < bestDistance) {
      best = name
      bestDistance = distance
    }
  }
  return best
}

/** The names, those closest to a wrong one first. */
export function byCloseness(wrong: string, names: Iterable<string>): string[] {
  const distance = (name: string) => editDistance(wrong.toLowerCase(), name.toLowerCase())
  return Array.from(names, (name) => ({ name, far: distance(name) }))
    .sort((a, b) => a.far - b.far)
    .map(({ name }) => name)
}

/** End of an error line, with the name that a wrong value probably means: ` (did you mean fast?)`, or nothing. */
export function didYouMean(wrong: unknown, names: Iterable<string>): string {
  const nearest = typeof wrong === 'string' ? nearestName(wrong, names) : undefined
  return nearest === undefined ? '' : ` (did you mean ${nearest}?)`
}
