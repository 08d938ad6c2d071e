/** Number of insertions, deletions and substitutions that turn `a` into `b`. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitution = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, substitution))
    }
    row = next
  }
  return row[b.length]
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
